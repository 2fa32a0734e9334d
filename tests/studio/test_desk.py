"""What a page asks for is answered, and what is wrong with a message is an answer too."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from slalom.lessons.map.pixels import WHOLE, chart
from slalom.studio.desk import Desk
from tests.studio.test_settings import JSON
from tests.studio.test_wire import unpacked

SINE = {"data": {"toy": "sine", "n": 30}, "hidden": [4], "optimizer": {"kind": "SGD", "lr": 0.1}}


def ask(desk: Desk, **message: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return unpacked(desk.answer(json.dumps(message)))


def test_a_training_begins_goes_on_and_goes_back() -> None:
    desk = Desk()
    header, arrays = ask(desk, id=1, do="begin", settings=SINE)
    assert (header["id"], header["step"], header["task"]) == (1, 0, "regression")
    assert arrays["x"].shape == (30, 1)
    header, arrays = ask(desk, id=2, do="advance", steps=25)
    assert (header["step"], header["furthest"]) == (25, 25)
    assert arrays["curve_loss"].shape == (25,)
    header, arrays = ask(desk, id=3, do="seek", step=10)
    assert (header["step"], header["furthest"]) == (10, 25)
    assert arrays["curve_loss"].shape == (10,)


def test_two_pages_do_not_disturb_each_other() -> None:
    one, other = Desk(), Desk()
    ask(one, do="begin", settings=SINE)
    ask(other, do="begin", settings={**SINE, "seed": 5})
    ask(one, do="advance", steps=9)
    header, arrays = ask(other, do="see")
    assert header["step"] == 0
    alone = Desk()
    _, expected = ask(alone, do="begin", settings={**SINE, "seed": 5})
    np.testing.assert_array_equal(arrays["weights"], expected["weights"])


def test_a_training_that_diverged_is_diagnosed_in_the_language_of_the_page() -> None:
    desk = Desk()
    wild = {**SINE, "optimizer": {"kind": "SGD", "lr": 1e6}}
    ask(desk, do="begin", settings=wild, steps=100)
    for lang, word in (("en", "Diverged"), ("zh", "发散")):
        header, _ = ask(desk, do="diagnose", lang=lang)
        assert header["diagnosis"][0]["kind"] == "diverged"
        assert word in header["diagnosis"][0]["text"]


def test_a_training_that_goes_on_is_not_called_done_and_no_kept_weights_are_spoken_of() -> None:
    desk = Desk()
    ask(desk, do="begin", settings=SINE, steps=20)
    (found,) = ask(desk, do="diagnose")[0]["diagnosis"]
    assert found["kind"] == "healthy" and "so far" in found["text"]
    noisy = {"data": {"toy": "quadratic", "n": 20, "noise": 1, "held_out": 0.5}, "hidden": [64]}
    ask(desk, do="begin", settings=noisy, steps=3000)
    said = {each["kind"]: each["text"] for each in ask(desk, do="diagnose")[0]["diagnosis"]}
    assert "Dropout, weight decay" in said["overfit"] and "kept" not in said["overfit"]


def test_what_is_wrong_is_told_with_its_setting_and_the_training_stays() -> None:
    desk = Desk()
    ask(desk, do="begin", settings=SINE, steps=3)
    header, arrays = ask(desk, id=7, do="begin", settings={**SINE, "hidden": [0]})
    assert (header["id"], header["setting"], arrays) == (7, "hidden", {})
    header, _ = ask(desk, do="advance", steps=1)
    assert header["step"] == 4


def test_errors_are_told_in_the_language_of_the_page() -> None:
    header, _ = ask(Desk(), do="advance", lang="zh")
    assert header["error"] == "还没有开始。"


def test_a_member_of_a_wall_is_seen_as_its_training_alone_would_be() -> None:
    wall, alone = Desk(), Desk()
    own = {**SINE, "vary": {"lr": [0.01, 0.5], "seed": [0, 1]}}
    del own["optimizer"]
    ask(wall, do="begin", settings=own, steps=20, look="wall")
    _, seen = ask(wall, do="see", look="net", member=3)
    _, expected = ask(
        alone, do="begin", settings={**own, "lr": 0.5, "seed": 1, "vary": {}}, steps=20
    )
    np.testing.assert_array_equal(seen["line"], expected["line"])


def test_a_race_has_the_curve_of_each_racer() -> None:
    racers = [{"kind": "SGD", "lr": 0.1}, {"kind": "Adam", "lr": 0.01}]
    settings_ = {**SINE, "vary": {"optimizer": racers}}
    desk = Desk()
    _, arrays = ask(desk, do="begin", settings=settings_, steps=12, look="race")
    assert arrays["curve_loss"].shape[0] == 2
    assert desk.stage is not None
    for k, losses in enumerate(arrays["curve_loss"]):
        records = desk.stage.training.records
        expected = records[records["member"] == k]["train_loss"]
        np.testing.assert_allclose(losses[np.isfinite(losses)], expected, rtol=1e-6)


@pytest.mark.parametrize("held_out", [0, 0.4])
def test_racers_among_classes_say_how_many_rows_they_get_right(held_out: float) -> None:
    desk = Desk()
    data = {"toy": "moons", "n": 60, "held_out": held_out}
    asked = {"data": data, "width": 6, "depth": 1, "vary": {"optimizer": ["SGD", "Adam"]}}
    header, _ = ask(desk, do="begin", settings=asked, steps=40, look="race")
    assert desk.stage is not None
    training, dataset = desk.stage.training, desk.stage.dataset
    rows = dataset.folds[0].validation if held_out else dataset.folds[0].train
    for k, share in enumerate(header["right"]):
        net = training.plan.population[k].net.build(0).float()
        training.state.fill(net, k)
        said = net(torch.from_numpy(dataset.X[rows])).argmax(dim=1).numpy()
        assert share == pytest.approx((said == dataset.y[rows]).mean())


def test_the_map_is_that_of_the_lesson() -> None:
    _, arrays = ask(Desk(), do="map", pixels=8, window=list(WHOLE), activation="tanh")
    expected = chart("tanh", 100, 12, WHOLE, 8)
    np.testing.assert_array_equal(arrays["diverged"], expected.diverged_at)
    np.testing.assert_allclose(arrays["loss"], expected.log_loss, rtol=1e-6)


@pytest.mark.parametrize("verb", ["fork", "retrain"])
@pytest.mark.parametrize("name", ["steps", "epochs", "patience"])
def test_a_stage_does_not_become_longer_than_its_history_has_room_for(verb: str, name: str) -> None:
    desk = Desk()
    ask(desk, do="begin", settings=SINE, end=50)
    header, _ = ask(desk, do=verb, changes={name: 10**9})
    assert f"{name} cannot be changed here" in header["error"]


def test_an_identifier_that_is_none_is_not_sent_back() -> None:
    deep = json.dumps({"id": None, "do": "see"}).replace("null", "[" * 900 + "]" * 900)
    header, _ = unpacked(Desk().answer(deep))
    assert header["id"] is None and header["error"]


@pytest.mark.parametrize("text", ["", "[]", "5", "{", "[" * 100_000, '{"do": "__class__"}', "{}"])
def test_a_message_that_is_none_is_refused(text: str) -> None:
    header, arrays = unpacked(Desk().answer(text))
    assert header["error"] and arrays == {}


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["begin", "advance", "seek", "fork", "see", "diagnose", "map"]),
    st.dictionaries(
        st.sampled_from(["steps", "step", "member", "look", "changes", "window", "pixels", "end"]),
        JSON.filter(lambda value: type(value) is not int or value < 200),
        max_size=3,
    ),
)
def test_no_message_breaks_a_page(verb: str, rest: dict[str, Any]) -> None:
    desk = Desk()
    ask(desk, do="begin", settings=SINE)
    unpacked(desk.answer(json.dumps({"do": verb, "settings": SINE, **rest})))
    header, _ = ask(desk, do="begin", settings=SINE)
    assert header["step"] == 0
