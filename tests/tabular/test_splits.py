"""Which rows an estimator selects on."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, LeaveOneOut, PredefinedSplit, ShuffleSplit

from slalom.core.errors import BadData, BadPlan
from slalom.data.dataset import Split
from slalom.tabular.splits import seed_of, validation_folds


def folds_of(
    validation: Any, rows: int, labels: Any = None, groups: Any = None, seed: int = 0
) -> tuple[Split, ...]:
    labels = None if labels is None else np.asarray(labels)
    return validation_folds(validation, rows, labels, groups, seed)


def check_apart(folds: tuple[Split, ...], rows: int) -> None:
    for fold in folds:
        both = np.concatenate([fold.train, fold.validation])
        assert sorted(both.tolist()) == list(range(rows))


def test_auto_is_five_folds_below_10_000_rows_and_a_share_from_there_on() -> None:
    small, large = folds_of("auto", 9999), folds_of("auto", 10_000)
    assert [len(f.validation) for f in small] == [2000, 2000, 2000, 2000, 1999]
    assert [len(f.validation) for f in large] == [1500]  # 15 %
    check_apart(small, 9999)
    check_apart(large, 10_000)


@given(
    rows=st.integers(2, 60),
    folds=st.integers(2, 8),
    classes=st.none() | st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_folds_validate_every_row_once(rows: int, folds: int, classes: Any, seed: int) -> None:
    labels = None if classes is None else np.arange(rows) % classes
    parts = folds_of(folds, rows, labels, seed=seed)
    assert len(parts) == min(folds, rows)
    check_apart(parts, rows)
    held = np.concatenate([part.validation for part in parts])
    assert sorted(held.tolist()) == list(range(rows))


@given(rows=st.integers(4, 60), share=st.floats(0.05, 0.7), classes=st.none() | st.integers(1, 9))
def test_a_share_holds_back_that_many_rows(rows: int, share: float, classes: Any) -> None:
    labels = None if classes is None else np.arange(rows) % classes
    (fold,) = folds_of(share, rows, labels)
    check_apart((fold,), rows)
    assert len(fold.validation) == int(np.ceil(share * rows))


def test_classes_are_spread_evenly() -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    for fold in folds_of(5, 100, labels):
        assert np.bincount(labels[fold.validation]).tolist() == [10, 6, 4]
    (fold,) = folds_of(0.2, 100, labels)
    assert np.bincount(labels[fold.validation]).tolist() == [10, 6, 4]


@pytest.mark.parametrize("validation", [5, 0.2])
def test_classes_of_one_row_are_split_without_a_warning(validation: Any) -> None:
    labels = np.array([0] * 30 + [1] * 28 + [2, 3])
    folds = folds_of(validation, 60, labels)
    check_apart(folds, 60)
    if validation == 5:  # as evenly as can be
        assert {np.bincount(labels[f.validation])[0] for f in folds} == {6}


def test_more_classes_than_rows_to_hold_out_are_split_at_random() -> None:
    (fold,) = folds_of(0.1, 40, np.arange(40) % 20)
    assert len(fold.validation) == 4


@given(
    groups=st.lists(st.sampled_from("abcdefg"), min_size=8, max_size=40).filter(
        lambda g: len(set(g)) > 1
    ),
    validation=st.sampled_from(["auto", 2, 3, 0.4]),
    labelled=st.booleans(),
)
def test_rows_of_one_group_stay_together(groups: list[str], validation: Any, labelled: Any) -> None:
    names = np.array(groups)
    labels = np.arange(len(names)) % 2 if labelled else None
    folds = folds_of(validation, len(names), labels, names)
    check_apart(folds, len(names))
    for fold in folds:
        assert not set(names[fold.train]) & set(names[fold.validation])
        assert len(fold.validation)


def test_there_are_at_most_as_many_folds_as_groups() -> None:
    assert len(folds_of(5, 30, None, np.arange(30) % 3)) == 3


def test_a_splitter_is_used_as_it_is() -> None:
    splitter = ShuffleSplit(3, test_size=0.25, random_state=7)
    folds = folds_of(splitter, 20)
    for fold, (train, held) in zip(folds, splitter.split(np.arange(20)), strict=True):
        np.testing.assert_array_equal(fold.train, train)
        np.testing.assert_array_equal(fold.validation, held)
    assert len(folds_of(LeaveOneOut(), 6)) == 6
    (fold,) = folds_of(PredefinedSplit([-1, 0, -1, 0]), 4)
    assert fold.validation.tolist() == [1, 3]


def test_a_splitter_is_given_the_groups() -> None:
    groups = np.repeat([0, 1, 2], 4)
    held = [set(groups[f.validation]) for f in folds_of(GroupKFold(3), 12, None, groups)]
    assert sorted(held, key=min) == [{0}, {1}, {2}]
    with pytest.raises(BadPlan, match=r"12 rows cannot be split as .*GroupKFold.* 'groups'"):
        folds_of(GroupKFold(3), 12)


@pytest.mark.parametrize("kind", [list, iter, tuple])
def test_pairs_of_row_numbers_are_used_as_they_are(kind: Any) -> None:
    pairs = [([0, 1, 2], [3]), (np.array([3, 2]), np.array([0, 1]))]
    first, second = folds_of(kind(pairs), 4)
    assert (first.train.tolist(), first.validation.tolist()) == ([0, 1, 2], [3])
    assert (second.train.tolist(), second.validation.tolist()) == ([3, 2], [0, 1])


def test_numpys_numbers_are_numbers() -> None:
    assert len(folds_of(np.int64(3), 9)) == 3
    assert len(folds_of(np.float32(0.5), 8)[0].validation) == 4


def test_the_seed_decides() -> None:
    def held(validation: Any, seed: int) -> list[list[int]]:
        return [f.validation.tolist() for f in folds_of(validation, 50, seed=seed)]

    for validation in (5, 0.3):
        assert held(validation, 1) == held(validation, 1)
        assert held(validation, 1) != held(validation, 2)


@pytest.mark.parametrize("wrong", [1, 0, -3, 1.0, 0.0, 1.5, True, None, "cross", 3 + 1j, object()])
def test_anything_else_is_refused_in_one_paragraph(wrong: Any) -> None:
    with pytest.raises(BadPlan, match="validation must be 'auto', a share") as caught:
        folds_of(wrong, 10)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ([1, 2, 3], r"10 rows cannot be split as validation=\[1, 2, 3\] asks: cannot unpack"),
        ([(1, 2, 3)], "too many values to unpack"),
        ([], r"Each split needs rows to select on, .* hold back \[\] rows"),
        ([([0, 1], [2]), ([0, 1], [])], r"Each split needs rows .* hold back \[1, 0\] rows"),
        (0.99, "10 rows cannot be split as validation=0.99 asks: .*train set will be empty"),
        (ShuffleSplit(2, test_size=50), "10 rows cannot be split as .*test_size=50"),
    ],
)
def test_a_split_that_cannot_be_made_is_refused_in_one_paragraph(
    validation: Any, message: str
) -> None:
    with pytest.raises(BadPlan, match=message) as caught:
        folds_of(validation, 10)
    assert "\n" not in str(caught.value)


def test_a_single_group_cannot_be_split() -> None:
    for validation in (5, 0.2):
        with pytest.raises(BadPlan, match="10 rows cannot be split"):
            folds_of(validation, 10, None, np.zeros(10))


def test_boolean_masks_are_no_row_numbers() -> None:
    with pytest.raises(BadData, match=r"numpy.flatnonzero makes them of a boolean mask"):
        folds_of([(np.array([True, False]), np.array([False, True]))], 2)


def test_seeds_come_from_whatever_scikit_learn_takes() -> None:
    assert seed_of(5) == seed_of(np.int64(5)) == 5
    state = np.random.RandomState(3)
    assert seed_of(np.random.RandomState(3)) == seed_of(state) != seed_of(state)
    assert 0 <= seed_of(None) < 2**31
    for wrong in ("five", 1.5, -1, np.random.default_rng(0)):
        with pytest.raises(ValueError, match=r"random_state must be a whole number"):
            seed_of(wrong)
