"""Datasets: shapes, splits that never overlap, refusals."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slalom import Dataset, Split
from slalom.core.errors import BadData


def regression(n: int = 20, **arguments: Any) -> Dataset:
    X = np.arange(2 * n, dtype=float).reshape(n, 2)
    return Dataset(X, X.sum(axis=1), task="regression", **arguments)


def classification(n: int = 60) -> Dataset:
    return Dataset(np.zeros((n, 1)), np.arange(n) % 3, task="classification")


def test_arrays_of_any_kind_become_float32_and_int64() -> None:
    data = Dataset([[1, 2], [3, 4]], [5, 6], task="regression")
    assert (data.X.dtype, data.y.dtype, data.y.shape) == (np.float32, np.float32, (2, 1))
    classes = Dataset([[1.0]], np.array([0], dtype=np.uint8), task="classification")
    assert (classes.y.dtype, classes.classes, classes.targets) == (np.int64, (0,), 1)
    assert Dataset(np.zeros((2, 1, 8, 8)), [0, 1], task="classification").feature_names[-1] == "x63"
    assert Dataset([[1.0]], [[1, 2, 3]], task="regression").targets == 3


def test_without_splits_every_row_that_is_not_for_testing_is_trained_on() -> None:
    assert regression(5).folds[0].train.tolist() == [0, 1, 2, 3, 4]
    assert regression(5, test=[1, 3]).folds[0].train.tolist() == [0, 2, 4]


@given(st.floats(0, 0.4), st.floats(0, 0.4), st.integers(0, 99))
def test_a_split_puts_every_row_in_exactly_one_part(
    validation: float, test: float, seed: int
) -> None:
    data = regression(40).split(validation, test, seed)
    fold = data.folds[0]
    rows = np.concatenate([fold.train, fold.validation, data.test])
    assert sorted(rows) == list(range(40))
    assert len(data.test) == int(np.ceil(40 * test))
    assert len(fold.validation) == int(np.ceil((40 - len(data.test)) * (validation / (1 - test))))


def test_splits_are_stratified_and_seeded() -> None:
    data = classification().split(validation=0.2, test=0.1, seed=4)
    for rows, each in ((data.test, 2), (data.folds[0].validation, 4)):
        counts = np.bincount(data.y[rows])
        assert abs(counts - each).max() <= 1
    again, other = (classification().split(0.2, 0.1, seed=s) for s in (4, 5))
    assert np.array_equal(again.test, data.test)
    assert not np.array_equal(other.test, data.test)


@pytest.mark.parametrize("make", [regression, classification])
def test_in_cross_validation_every_row_validates_once_and_test_rows_never(make: Any) -> None:
    data = make(60).split(validation=0.0, test=0.2).cross_validation(4, seed=1)
    assert len(data.folds) == 4
    validated = np.concatenate([fold.validation for fold in data.folds])
    rest = np.setdiff1d(np.arange(60), data.test)
    assert sorted(validated) == rest.tolist()
    for fold in data.folds:
        assert sorted([*fold.train, *fold.validation]) == rest.tolist()


def test_rows_for_different_purposes_may_not_overlap() -> None:
    with pytest.raises(BadData, match="Fold 0 trains on 1 of its validation rows"):
        regression(folds=(Split([0, 1], [1, 2]),))
    with pytest.raises(BadData, match="Fold 1 trains on 2 of its test rows"):
        regression(folds=(Split([0]), Split([5, 6, 7])), test=[6, 7])
    with pytest.raises(BadData, match="Fold 0 selects on 1 of its test rows"):
        regression(folds=(Split([0], [6]),), test=[6, 7])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dataset([1.0], [1.0], task="regression"), "X must be [rows, features]"),
        (lambda: Dataset(np.zeros((0, 1)), [], task="regression"), "at least one row"),
        (lambda: Dataset([[1.0]], [1, 2], task="regression"), "X has 1 rows, but y has 2"),
        (lambda: Dataset([["a"]], [1], task="regression"), "X must hold numbers: could not"),
        (lambda: Dataset([[1.0]], ["a"], task="regression"), "y must hold numbers: could not"),
        (lambda: Dataset([[1.0], [1, 2]], [1, 2], task="regression"), "X must hold numbers"),
        (lambda: Dataset([[np.nan]], [1], task="regression"), "X[0, 0] is nan"),
        (lambda: Dataset([[1.0]], [np.inf], task="regression"), "y[0, 0] is inf"),
        (lambda: Dataset([[1.0]], [[[1.0]]], task="regression"), "y must be [rows] or"),
        (lambda: Dataset([[1.0]], [0], task="ranking"), "'regression' or 'classification'"),
        (lambda: Dataset([[1.0]], [0.5], task="classification"), "class numbers from 0"),
        (lambda: Dataset([[1.0]], ["a"], task="classification"), "class numbers from 0"),
        (lambda: Dataset([[1.0]], [-1], task="classification"), "class numbers from 0"),
        (
            lambda: Dataset([[1.0]], [2], task="classification", classes=("a", "b")),
            "y holds class 2, but there are 2 classes",
        ),
        (lambda: regression(weight=np.ones(3)), "weight must be [20]"),
        (lambda: regression(weight=-np.ones(20)), "0 or more"),
        (lambda: regression(weight=np.full(20, np.nan)), "weight[0] is nan"),
        (lambda: regression(folds=(Split([]),)), "Fold 0 has no rows to train on"),
        (lambda: regression(folds=(Split([20]),)), "rows outside 0 to 19"),
        (lambda: regression(folds=(Split([-1]),)), "rows outside 0 to 19"),
        (lambda: Split(np.array([True, False])), "numpy.flatnonzero makes them of a boolean mask"),
        (lambda: Split([0.5]), "must be row numbers"),
        (lambda: regression().split(validation=1.0), "held-out share must be in [0, 1)"),
        (lambda: regression(1).split(), "1 rows cannot be split with a share of 0.2"),
        (lambda: regression(3).cross_validation(5), "3 rows cannot be cut into 5 folds"),
        (lambda: regression().cross_validation(1), "20 rows cannot be cut into 1 folds"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(make: Any, message: str) -> None:
    with pytest.raises(BadData, match=re.escape(message)):
        make()
