"""A training in a notebook, with a page that speaks to it as anywidget would."""

import base64
import json
import struct
from types import SimpleNamespace
from typing import Any

import IPython.display
import numpy as np
import pytest
from playwright.sync_api import Browser, Page

import slalom
from slalom.engine import Native
from slalom.losses import MSE
from slalom.studio.notebook import script
from slalom.training import Training
from tests.studio.test_wire import unpacked

PAGE = """async ({ script, told }) => {
  const heard = [];
  const model = {
    get: () => told,
    on: (_, act) => heard.push(act),
    send: async (message) => {
      const text = atob(await window.kernel(JSON.stringify(message)));
      const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
      for (const act of heard) act({}, [new DataView(bytes.buffer)]);
    },
  };
  window.tell = (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    for (const act of heard) act({}, [new DataView(bytes.buffer)]);
  };
  const part = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const el = document.createElement("div");
  document.body.append(el);
  part.default.render({ model, el });
}"""


def training(steps: int = 500) -> Training:
    member = slalom.Member(slalom.MLP(1, 8, 1), slalom.SGD(0.1))
    plan = slalom.Plan(slalom.Population([member]), MSE(), steps=steps, record="step")
    return Training(plan, slalom.toys.quadratic(50), Native(threads=1))


class Sent:
    """What a widget sends to its page."""

    def __init__(self, widget: Any) -> None:
        self.messages: list[bytes] = []
        widget.send = lambda content, buffers: self.messages.extend(buffers)

    @property
    def last(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return unpacked(self.messages[-1])


def test_the_picture_follows_a_training_that_a_cell_advances() -> None:
    held = training()
    widget = slalom.watch(held)
    sent = Sent(widget)
    held.advance(steps=30)
    header, arrays = sent.last
    assert (header["id"], header["step"]) == (0, 30)
    np.testing.assert_allclose(arrays["curve_loss"], held.records["train_loss"], rtol=1e-6)


def test_a_slider_trains_again_from_the_start_to_the_same_step() -> None:
    held = training()
    widget = slalom.watch(held)
    held.advance(steps=40)
    sent = Sent(widget)
    widget._answer({"id": 5, "do": "retrain", "changes": {"lr": 0.4}})
    header, _ = sent.last
    assert (header["id"], header["step"]) == (5, 40)
    expected = slalom.train(
        slalom.MLP(1, 8, 1), slalom.toys.quadratic(50), optimizer=slalom.SGD(0.4), steps=40
    )
    np.testing.assert_array_equal(widget.training.state.parameters, expected.state.parameters)


def test_a_run_is_shown_as_it_ended_and_its_saved_file_has_a_picture() -> None:
    run = slalom.train(slalom.MLP(2, 4, 2), slalom.toys.moons(30), steps=5)
    widget = slalom.watch(run)
    data = widget._repr_mimebundle_()[0]
    assert data["image/png"][:4] == b"\x89PNG"
    sent = Sent(widget)
    widget._answer({"id": 1, "do": "whole"})
    header, arrays = sent.last
    assert header["step"] == 5 and header["task"] == "classification"
    assert arrays["winner"].shape[0] == 1


def test_the_saved_file_has_the_last_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, Any]] = []

    def display(data: dict[str, Any], raw: bool, display_id: Any) -> SimpleNamespace:
        shown.append(data)
        return SimpleNamespace(display_id="output")

    monkeypatch.setattr(IPython.display, "display", display)
    monkeypatch.setattr(IPython.display, "update_display", display)
    widget = slalom.watch(training())
    sent = Sent(widget)
    widget._ipython_display_()
    widget.training.advance(until=20)
    for change in ("keep", "keep", "retrain", "keep"):  # the second one changed nothing
        widget._answer({"id": 1, "do": change, "changes": {"lr": 0.01}})
    assert sent.last[0]["lr"] == 0.01
    pictures = [base64.b64decode(data["image/png"]) for data in shown]
    assert len(pictures) == len(set(pictures)) == 3
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)


def test_what_cannot_be_drawn_has_its_losses() -> None:
    X = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    run = slalom.train(slalom.MLP(5, 4, 1), slalom.Dataset(X, X[:, 0], "regression"), steps=5)
    widget = slalom.watch(run)
    sent = Sent(widget)
    widget._answer({"id": 1, "do": "whole"})
    header, arrays = sent.last
    assert header["task"] == "" and "line" not in arrays
    assert len(arrays["curve_loss"]) == 5


def test_a_member_that_is_not_there_is_refused() -> None:
    with pytest.raises(slalom.SlalomError, match="no member 3"):
        slalom.watch(training(), member=3)


@pytest.mark.slow
@pytest.mark.xdist_group("studio")
def test_the_widget_plays_goes_back_and_trains_again_in_a_page(browser: Browser) -> None:
    widget = slalom.watch(training())
    sent = Sent(widget)

    def kernel(message: str) -> str:
        widget._answer(json.loads(message))
        return base64.b64encode(sent.messages[-1]).decode()

    with browser.new_context() as context:
        page, wrong = context.new_page(), list[str]()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto("about:blank")
        page.expose_function("kernel", kernel)
        page.evaluate(PAGE, {"script": script(), "told": widget.told})
        page.wait_for_selector(".slalom-plot[data-frames]")
        page.get_by_role("button", name="Play").click()
        page.wait_for_function("document.querySelector('.slalom-widget output').textContent > '2'")
        page.get_by_role("button", name="Pause").click()
        page.wait_for_timeout(300)
        reached = step(page)
        assert reached == widget.training.state.step[0] > 5
        page.get_by_role("button", name="One step back").click()
        page.wait_for_timeout(300)
        assert step(page) == reached - 1
        page.get_by_role("slider", name="learning rate").fill("-1")
        page.wait_for_timeout(500)
        assert widget.training.plan.population[0].optimizer.lr == 0.1
        assert not wrong, wrong


def step(page: Page) -> int:
    return int(page.locator(".slalom-controls output").inner_text().split(" / ")[0])


def test_a_picture_of_a_cell_is_a_message_that_a_page_can_read() -> None:
    held = training()
    widget = slalom.watch(held)
    sent = Sent(widget)
    held.advance(steps=3)
    (length,) = struct.unpack_from("<I", sent.messages[-1])
    assert (length + 4) % 8 == 0
