"""Which rows are tested on: rows that are alike stay on one side, and classes keep their shares."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slalom.data.target import fit_target
from slalom.tabular.holdout import alike, groups, held_out


def table(rows: int, different: int, seed: int, classes: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = rng.integers(classes, size=rows).astype(str) if classes else rng.normal(size=rows)
    return pd.DataFrame({"x": rng.integers(different, size=rows) * 1.5, "y": y})


@given(st.integers(40, 300), st.integers(20, 300), st.integers(0, 4), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_kinds_stay_on_one_side_and_every_class_is_trained_on(
    rows: int, different: int, classes: int, seed: int
) -> None:
    frame = table(rows, different, seed, classes if classes > 1 else 0)
    group, _ = groups(frame, ("x",), ("y",))
    held = held_out(fit_target(frame[["y"]]), frame, group, seed)
    assert not set(group[held]) & set(group[~held])
    assert 2 <= held.sum() <= rows / 2
    if classes > 1:
        assert set(frame["y"][~held]) == set(frame["y"])


def test_rows_with_the_same_features_are_of_one_kind_whatever_their_targets() -> None:
    frame = table(200, 60, seed=0)
    group, caution = groups(frame, ("x",), ("y",))
    assert caution == ""
    assert (frame.groupby(group)["x"].nunique() == 1).all()
    assert len(set(group)) == frame["x"].nunique()


def test_where_few_features_differ_only_exact_copies_stay_together() -> None:
    frame = pd.concat([table(50, 2, seed=0)] * 2)
    group, caution = groups(frame, ("x",), ("y",))
    assert len(set(group)) == 50
    assert "rows with the same features, though no exact copies, are both trained on" in caution


def test_where_nearly_all_rows_are_copies_each_is_by_itself() -> None:
    group, caution = groups(table(100, 2, seed=0, classes=2), ("x",), ("y",))
    assert len(set(group)) == 100
    assert "and copies of a row too" in caution


def test_kinds_of_many_rows_are_held_out_no_more_often_than_others() -> None:
    frame = pd.DataFrame({"x": [*np.repeat(np.arange(20), 10), *range(20, 220)]})
    frame["y"] = np.where(frame["x"] % 2 == 0, "even", "odd")
    target, group = fit_target(frame[["y"]]), alike(frame, ["x"])
    shares = [held_out(target, frame, group, seed).mean() for seed in range(60)]
    assert np.mean(shares) == pytest.approx(0.2, abs=0.02)


@pytest.mark.filterwarnings("ignore:Classes with too few rows")
def test_a_class_that_is_only_found_beside_a_rarer_one_is_not_lost() -> None:
    x = np.repeat(np.arange(15), 4)
    y = np.tile(["a", "a", "b", "b"], 15)
    y[:4] = ["c", "c", "a", "a"]
    frame = pd.DataFrame({"x": x, "y": y})
    for seed in range(20):
        held = held_out(fit_target(frame[["y"]]), frame, alike(frame, ["x"]), seed)
        assert set(frame["y"][~held]) == {"a", "b", "c"}
