"""Targets: the task that is inferred, numbers there and back, classes there and back."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import LabelEncoder, StandardScaler

from slalom.core.errors import BadData, BadPlan
from slalom.core.spec import Spec
from slalom.data.target import (
    ClassificationTarget,
    RegressionTarget,
    fit_target,
    split_missing_target,
)


def named(values, **options):
    return pd.Series(values, name="t", **options)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([1.5, 2.5, 3.5], "regression"),
        (["1.5", "2.5", "3.5"], "regression"),
        (["1,5", "2,5", "3,5"], "regression"),
        ([3, 4, 5, 5, 8], "regression"),
        (["$1,200", "$900", "$5"], "regression"),
        ([0, 1, 1, 0], "classification"),
        (["0", "1", "1", "0"], "classification"),
        ([1.5, 2.5, 1.5, 2.5], "classification"),
        ([True, False, True, False], "classification"),
        (["True", "False", "True", "False"], "classification"),
        (["a", "b", "c"] * 2, "classification"),
        (["1st", "2nd", "3rd"] * 2, "classification"),
    ],
)
def test_the_task_is_inferred_from_the_cells(values, task):
    assert fit_target(named(values)).task == task


def test_a_categorical_dtype_is_for_classification():
    target = fit_target(named([3, 4, 5] * 2, dtype="category"))
    assert isinstance(target, ClassificationTarget)


def test_the_task_can_be_overridden():
    assert fit_target(named([3, 4, 5] * 2), "classification").classes == (3, 4, 5)
    assert fit_target(named([0, 1, 1]), "regression").names == ("t",)


def test_several_columns_are_a_regression_with_several_outputs():
    frame = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [0.0, 1.0, 1.0]})
    target = fit_target(frame)
    truth = StandardScaler().fit_transform(frame)
    np.testing.assert_allclose(target.encode(frame), truth, rtol=1e-6)
    np.testing.assert_allclose(target.decode(truth), frame, rtol=1e-12)


def test_decoding_takes_members_and_rows_at_once():
    target = RegressionTarget(("a", "b"), (1.0, 10.0), (2.0, 5.0), (".", "."))
    decoded = target.decode(np.ones((3, 4, 2), dtype=np.float32))
    assert decoded.shape == (3, 4, 2)
    assert decoded[0, 0].tolist() == [3.0, 15.0]


@given(st.lists(st.floats(-1e300, 1e300), min_size=2).filter(lambda v: np.ptp(v) > 1e-3))
def test_any_finite_numbers_are_encoded_to_finite_ones_and_come_back(values):
    target = fit_target(named(values), "regression")
    encoded = target.encode(named(values))
    assert np.isfinite(encoded).all()
    largest = np.abs(values).max()
    np.testing.assert_allclose(target.decode(encoded)[:, 0], values, atol=1e-5 * largest)


@pytest.mark.parametrize(
    ("values", "classes", "kind"),
    [
        (["no", "yes", "no", "yes"], ("no", "yes"), "O"),
        ([0, 1, 1, 0], (0, 1), "i"),
        (["0", "1", "1", "0"], (0, 1), "i"),
        ([2.0, 1.0, 1.0, 2.0], (1.0, 2.0), "f"),
        ([-1, 1, 1, -1], (-1, 1), "i"),
        ([True, False, True, False], (False, True), "b"),
        (["TRUE", "FALSE", "TRUE", "FALSE"], (False, True), "b"),
    ],
)
def test_classes_keep_their_type(values, classes, kind):
    target = fit_target(named(values))
    assert target.classes == classes
    assert [type(c) for c in target.classes] == [type(c) for c in classes]
    codes = target.encode(named(values))
    assert codes.dtype == np.int64
    np.testing.assert_array_equal(codes, LabelEncoder().fit_transform(values))
    assert target.decode(codes).dtype.kind == kind
    loaded = Spec.loads(target.dumps())
    assert loaded == target
    assert [type(c) for c in loaded.classes] == [type(c) for c in classes]


def test_classes_are_found_again_in_a_table_that_is_written_otherwise():
    target = fit_target(named([0, 1, 1, 0]))
    for other in (named(["1", "0"]), named([1.0, 0.0]), named([True, False])):
        assert target.encode(other).tolist() == [1, 0]
    target = fit_target(named([True, False] * 2))
    for other in (named(["True", "false"]), named([1, 0])):
        assert target.encode(other).tolist() == [1, 0]


def test_labels_beyond_the_whole_floats_stay_apart():
    labels = [2**60, 2**60 + 1] * 2
    target = fit_target(named(labels), "classification")
    assert target.decode(target.encode(named(labels))).tolist() == labels


def test_a_missing_class_is_named_in_a_nullable_column():
    target = fit_target(named([1, 2, 1, 2], dtype="Int64"), "classification")
    with pytest.raises(BadData, match="row 2 holds 'nothing'"):
        target.encode(named([1, None], dtype="Int64"))


@given(st.lists(st.sampled_from(["a", "b", "c c", "d"]), min_size=1))
def test_labels_come_back_as_they_were(labels):
    target = ClassificationTarget("t", ("a", "b", "c c", "d"))
    assert target.decode(target.encode(named(labels))).tolist() == labels


def test_the_decimal_mark_of_fitting_holds_for_later_tables():
    target = fit_target(named(["1,5", "2,5", "4,5"]))
    np.testing.assert_array_equal(target.encode(named(["1.500"])), target.encode(named([1500.0])))


def test_rows_without_a_target_are_split_off_and_not_lost():
    frame = pd.DataFrame({"x": range(5), "t": ["1", "NA", "3", "", "5"], "u": [1, 2, np.nan, 4, 5]})
    kept, rest = split_missing_target(frame, ["t"])
    assert kept["x"].tolist() == [0, 2, 4]
    assert rest["x"].tolist() == [1, 3]
    kept, rest = split_missing_target(frame, ("t", "u"))
    assert kept["x"].tolist() == [0, 4]
    assert len(rest) == 3


def test_a_target_in_a_table_is_found_by_its_name():
    frame = pd.DataFrame({"x": ["p", "q"], "t": [2.0, 4.0]})
    target = fit_target(frame["t"], "regression")
    np.testing.assert_allclose(target.encode(frame), [[-1], [1]])


def test_senseless_targets_are_refused():
    with pytest.raises(BadPlan, match="scale must be positive"):
        RegressionTarget(("a",), (0.0,), (0.0,), (".",))
    with pytest.raises(BadPlan, match="at least two different"):
        ClassificationTarget("t", ("a", "a"))
