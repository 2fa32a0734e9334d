"""Distinct rows with summed weights, against pandas' groupby."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slalom.data.schema import Schema
from slalom.tabular.distinct import distinct_rows, rows_to_split

pytestmark = pytest.mark.slow

CELLS: dict[str, tuple[Any, ...]] = {  # dtype: few values, so that rows repeat
    "float64": (0.0, 1.5, -2.0, None),
    "int64": (0, 1, 2**40),
    "bool": (True, False),
    "str": ("a", "b", "ab", "", None),
    "category": ("x", "y", None),
    "datetime64[us]": (pd.Timestamp("2020-02-29"), pd.Timestamp("2021-01-01 12:00"), None),
    "Int64": (1, 2, None),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """A frame of mixed dtypes in which rows repeat, a target and whole weights."""
    rows = draw(st.integers(1, 12))
    dtypes = draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=4))
    frame = pd.DataFrame(
        {
            f"c{k}": pd.Series(
                draw(st.lists(st.sampled_from(CELLS[dtype]), min_size=rows, max_size=rows)),
                dtype=dtype,
            )
            for k, dtype in enumerate(dtypes)
        }
    )
    target = draw(st.lists(st.sampled_from([0.0, 1.0, -3.5]), min_size=rows, max_size=rows))
    weight = draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows).filter(any))
    return frame, np.array(target), np.array(weight, dtype=np.float64)


@settings(max_examples=60)
@given(tables())
def test_rows_and_weights_are_those_of_pandas_groupby(table: Any) -> None:
    frame, target, weight = table
    rows, summed = distinct_rows(frame, target, weight)
    kept = frame.assign(target=target, weight=weight, row=np.arange(len(frame)))[weight > 0]
    keys = [*frame.columns, "target"]
    groups = kept.groupby(keys, dropna=False, observed=True)
    truth = groups.agg(row=("row", "min"), weight=("weight", "sum"))
    assert dict(zip(rows, summed, strict=True)) == truth.set_index("row")["weight"].to_dict()
    assert rows.dtype == np.int64


@settings(max_examples=60)
@given(tables(), st.randoms(use_true_random=False))
def test_the_result_does_not_depend_on_the_order_of_the_rows(table: Any, random: Any) -> None:
    frame, target, weight = table
    order = random.sample(range(len(frame)), len(frame))
    rows, summed = distinct_rows(frame, target, weight)
    moved, moved_summed = distinct_rows(frame.iloc[order], target[order], weight[order])
    pd.testing.assert_frame_equal(
        frame.iloc[rows].reset_index(drop=True),
        frame.iloc[order].iloc[moved].reset_index(drop=True),
    )
    np.testing.assert_array_equal(target[rows], target[order][moved])
    np.testing.assert_array_equal(summed, moved_summed)


@settings(max_examples=60)
@given(tables())
def test_weights_say_the_same_as_repeated_rows(table: Any) -> None:
    frame, target, weight = table
    repeated = np.repeat(np.arange(len(frame)), weight.astype(int))
    rows, summed = distinct_rows(frame, target, weight)
    again, counted = distinct_rows(frame.iloc[repeated], target[repeated], np.ones(len(repeated)))
    np.testing.assert_array_equal(rows, repeated[again])
    np.testing.assert_array_equal(summed, counted)


def test_rows_of_weight_zero_are_as_if_they_were_not_there() -> None:
    # Its target lies between the others, so a rank among all targets would betray it.
    frame, target = pd.DataFrame({"a": [3, 1, 2, 9]}), np.array([0.1, 0.3, 0.4, 0.2])
    rows, _ = distinct_rows(frame, target, np.array([1.0, 1.0, 1.0, 0.0]))
    alone, _ = distinct_rows(frame[:3], target[:3], np.ones(3))
    assert rows.tolist() == alone.tolist()


def test_a_row_with_another_target_is_another_row() -> None:
    frame = pd.DataFrame({"a": [1, 1, 1]})
    two = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    rows, weight = distinct_rows(frame, two, np.ones(3))
    assert sorted(zip(rows.tolist(), weight.tolist(), strict=True)) == [(0, 2.0), (1, 1.0)]
    words, _ = distinct_rows(frame, np.array(["b", "a", "b"], dtype=object), np.ones(3))
    assert sorted(words.tolist()) == [0, 1]


@pytest.mark.parametrize("dtype", ["int64", "float64", "str"])
def test_no_two_of_a_million_pairs_of_feature_and_target_share_a_key(dtype: str) -> None:
    # Every x with every y, both from the same values: what cancels systematically would show.
    x, y = (part.ravel() for part in np.meshgrid(np.arange(1000), np.arange(1000)))
    rows, _ = distinct_rows(pd.DataFrame({"x": x.astype(dtype)}), y.astype(float), np.ones(len(x)))
    assert len(rows) == 1_000_000


def test_columns_that_trade_their_cells_are_different_rows() -> None:
    a, b = (part.ravel() for part in np.meshgrid(np.arange(300.0), np.arange(300.0)))
    rows, _ = distinct_rows(pd.DataFrame({"a": a, "b": b}), np.zeros(len(a)), np.ones(len(a)))
    assert len(rows) == 90_000


def test_zero_and_minus_zero_are_the_same_number() -> None:
    rows, weight = distinct_rows(pd.DataFrame({"a": [0.0, -0.0]}), np.zeros(2), np.ones(2))
    assert (rows.tolist(), weight.tolist()) == ([0], [2.0])


def test_objects_of_mixed_types_are_compared_as_the_schema_reads_them() -> None:
    cells = [True, 1, 1.0, "1", "true ", None, float("nan"), "NA", [1, 2], [1, 2], {3}]
    frame = pd.DataFrame({"a": pd.Series(cells, dtype=object)})
    rows, _ = distinct_rows(frame, np.zeros(len(cells)), np.ones(len(cells)))
    # "1.0" is other text than "1"; what means a missing cell is missing.
    assert sorted(rows.tolist()) == [0, 1, 2, 4, 5, 8, 10]
    missing = {"None", "nan", "NA"}
    texts = ["" if str(cell) in missing else str(cell).strip() for cell in cells]
    backwards, _ = distinct_rows(frame[::-1], np.zeros(len(cells)), np.ones(len(cells)))
    assert [texts[::-1][row] for row in backwards] == [texts[row] for row in rows]


def test_merged_rows_are_the_same_to_the_schema() -> None:
    frame = pd.DataFrame({"a": ["x", "y", "x", "z"] * 5, "b": [1.0, None, 1.0, 2.0] * 5})
    target = np.array([0.0, 1.0, 0.0, 1.0] * 5)
    rows, weight = distinct_rows(frame, target, np.ones(20))
    features = Schema.fit(frame).encode(frame)
    assert len(rows) == len(np.unique(np.column_stack([features, target]), axis=0)) == 3
    assert sorted(weight) == [5.0, 5.0, 10.0]


def test_names_of_columns_do_not_matter() -> None:
    frame = pd.DataFrame(np.arange(6).reshape(3, 2))
    odd = frame.set_axis(["same", "same"], axis=1)
    one, other = (distinct_rows(f, np.zeros(3), np.ones(3))[0] for f in (frame, odd))
    assert one.tolist() == other.tolist()


def table(*copies: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Row k so many times, and its target."""
    rows = np.repeat(np.arange(len(copies)), copies)
    return pd.DataFrame({"x": rows.astype(float)}), rows % 2.0


def test_some_copies_are_rows_of_their_own() -> None:
    frame, target = table(1, 1, 2, 1, 1)
    rows, weight = rows_to_split(frame, target, np.ones(6))
    assert sorted(frame["x"].iloc[rows]) == sorted(frame["x"])
    assert weight.tolist() == [1.0] * 6


def test_a_table_of_copies_is_that_of_its_different_rows() -> None:
    frame, target = table(2, 1, 3, 1)
    rows, weight = rows_to_split(frame, target, np.ones(7))
    counted = dict(zip(frame["x"].iloc[rows].tolist(), weight.tolist(), strict=True))
    assert counted == {0.0: 2.0, 1.0: 1.0, 2.0: 3.0, 3.0: 1.0}


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12).filter(any), st.randoms())
def test_whole_weights_are_copies_in_whatever_order(copies: list[int], random: Any) -> None:
    frame, target = table(*copies)
    order = random.sample(range(len(frame)), len(frame))
    rows, weight = rows_to_split(frame.iloc[order], target[order], np.ones(len(frame)))
    single = pd.DataFrame({"x": np.arange(len(copies), dtype=float)})
    others, counts = rows_to_split(single, np.arange(len(copies)) % 2.0, np.array(copies, float))
    assert frame["x"].iloc[order].iloc[rows].tolist() == single["x"].iloc[others].tolist()
    assert weight.tolist() == counts.tolist()


def test_weights_that_are_no_copies_stay_weights() -> None:
    frame, target = table(1, 1, 1)
    for weights in ([0.5, 1.0, 2.0], [1.0, 1.0, 20_000.0]):
        assert sorted(rows_to_split(frame, target, np.array(weights))[1]) == sorted(weights)
