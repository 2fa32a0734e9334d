"""What a page asks for is checked, and what is wrong is said at the place where it is."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slalom.data import toys
from slalom.studio.settings import BadSetting, wanted

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5000) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = ("data", "hidden", "width", "depth", "activation", "optimizer", "lr", "batch_size", "seed")


def test_a_toy_is_that_of_slalom() -> None:
    found = wanted({"data": {"toy": "spirals", "n": 90, "noise": 0.02, "seed": 7, "classes": 3}})
    expected = toys.spirals(90, noise=0.02, classes=3, seed=7)
    np.testing.assert_array_equal(found.dataset.X, expected.X)
    np.testing.assert_array_equal(found.dataset.y, expected.y)


def test_two_axes_make_a_grid_of_which_the_last_changes_fastest() -> None:
    vary = {"optimizer": ["SGD", "Adam"], "lr": [0.1, 0.2]}
    found = wanted({"data": {"toy": "sine"}, "vary": vary}).population
    assert [member.optimizer.label for member in found] == [
        "SGD(lr=0.1)",
        "SGD(lr=0.2)",
        "Adam(lr=0.1)",
        "Adam(lr=0.2)",
    ]


def test_points_of_one_kind_are_a_curve_and_of_several_are_classes() -> None:
    line = wanted({"data": {"points": [[0, 1], [0.5, 2], [1, 4]]}}).dataset
    assert (line.task, line.rows) == ("regression", 3)
    classes = wanted({"data": {"points": [[0, 0, 2], [1, 1, 5], [0, 1, 2]]}}).dataset
    assert classes.task == "classification"
    assert classes.y.tolist() == [0, 1, 0]
    assert classes.classes == (2, 5)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.8])
@pytest.mark.parametrize("toy", ["sine", "moons", "blobs"])
def test_rows_are_held_out_of_each_class_its_share(toy: str, share: float) -> None:
    dataset = wanted({"data": {"toy": toy, "n": 90, "held_out": share}}).dataset
    (fold,) = dataset.folds
    assert len(fold.validation) == round(90 * share)
    assert sorted([*fold.train, *fold.validation]) == list(range(90))
    if dataset.task == "classification":
        whole, held = np.bincount(dataset.y), np.bincount(dataset.y[fold.validation])
        np.testing.assert_allclose(held, share * whole, atol=1)


def test_dropout_weight_decay_and_a_limit_of_the_gradient_reach_the_member() -> None:
    own = {"dropout": 0.3, "clip_norm": 1, "optimizer": {"kind": "SGD", "weight_decay": 0.01}}
    (member,) = wanted({"data": {"toy": "sine"}, **own}).population
    assert member.net.dropout == 0.3  # type: ignore[attr-defined]
    assert (member.clip_norm, member.optimizer.weight_decay) == (1.0, 0.01)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("setting", "own", "said"),
    [
        ("dropout", {"dropout": 1}, "from 0 up to 1"),
        ("dropout", {"dropout": "much"}, "much"),
        ("clip_norm", {"clip_norm": 0}, "clip_norm"),
        ("data", {"data": {"toy": "mons"}}, "Did you mean 'moons'"),
        ("data", {"data": {"points": [[0, 0]]}}, "at least two points"),
        ("data", {"data": {"points": [[0, 0, 1], [1, 1, 1]]}}, "2 to 10 classes"),
        ("data", {"data": {"points": [[k, k, k] for k in range(99)]}}, "2 to 10 classes"),
        ("data", {"data": {"points": [[0, 1e300], [1, 1]]}}, "too far away"),
        ("data", {"data": {"toy": "sine", "n": 10**9}}, "from 2 to 2000"),
        ("hidden", {"hidden": [0]}, "1 to 256 neurons"),
        ("hidden", {"hidden": [8] * 7}, "up to 6 hidden layers"),
        ("activation", {"activation": "__import__('os')"}, "activation"),
        ("optimizer", {"optimizer": {"kind": "Adm"}}, "Did you mean 'Adam'"),
        ("optimizer", {"optimizer": {"kind": "SGD", "lr": -1}}, "lr must be"),
        ("optimizer", {"optimizer": {"kind": "Net", "factory": {"import": "os:system"}}}, "Known"),
        ("optimizer", {"optimizer": {"kind": "SGD", "lr": {"import": "os:system"}}}, "os:system"),
        ("batch_size", {"batch_size": 0}, "1 or more rows"),
        ("seed", {"seed": -1}, "whole number"),
        ("vary", {"vary": {"lr": [1] * 2000}}, "At most 1024"),
        ("vary", {"vary": {"lr": [1], "width": [1], "seed": [1]}}, "At most two"),
        ("vary", {"vary": {"wdth": [1]}}, "Did you mean 'width'"),
        ("hidden", {"hidden": [256] * 6, "vary": {"seed": list(range(1000))}}, "larger ones"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(setting: str, own: Any, said: str) -> None:
    with pytest.raises(BadSetting) as caught:
        wanted({"data": {"toy": "sine"}, **own})
    assert caught.value.setting == setting
    assert said in str(caught.value)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), JSON)
def test_nothing_that_json_can_say_does_anything_but_work_or_be_refused(
    name: str, value: Any
) -> None:
    try:
        wanted({"data": {"toy": "sine", "n": 4}, name: value})
    except BadSetting as error:
        assert str(error)
