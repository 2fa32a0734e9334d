"""Frames and arrays in turn, and names and labels that other libraries trip over."""

import numpy as np
import pandas as pd
import pytest

from slalom import Classifier, Regressor
from slalom.core.errors import BadData

DRAW = np.random.default_rng(0)
FRAME = pd.DataFrame({"size": DRAW.normal(size=60), "age": DRAW.normal(size=60)})
VALUES = FRAME["size"].to_numpy() * 2
YES = pd.Series(VALUES > 0)


def test_an_array_after_a_frame_is_taken_by_position_with_the_warning_of_scikit_learn():
    model = Regressor(epochs=2).fit(FRAME, VALUES)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        found = model.predict(FRAME.to_numpy())
    np.testing.assert_array_equal(found, model.predict(FRAME))


def test_a_frame_after_an_array_is_taken_by_name_or_refused():
    model = Regressor(epochs=2).fit(FRAME.to_numpy(), VALUES)
    named = FRAME.set_axis(["x0", "x1"], axis=1)
    with pytest.warns(UserWarning, match="fitted without feature names"):
        np.testing.assert_array_equal(model.predict(named), model.predict(FRAME.to_numpy()))


def test_an_array_of_another_width_is_refused():
    model = Regressor(epochs=2).fit(FRAME, VALUES)
    with (
        pytest.warns(UserWarning, match="valid feature names"),
        pytest.raises(ValueError, match="X has 1 features, but Regressor is expecting 2"),
    ):
        model.predict(FRAME[["size"]].to_numpy())


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (YES.astype("boolean"), [False, True]),
        (YES.astype("Int64"), [0, 1]),
        (YES.astype("bool[pyarrow]"), [False, True]),
        (YES.astype("boolean").map({True: "y", False: "n"}).astype("string"), ["n", "y"]),
        (YES, [False, True]),
    ],
)
def test_classes_are_what_the_labels_were(labels, classes):
    model = Classifier(epochs=2).fit(FRAME, labels)
    assert model.classes_.tolist() == classes
    assert {type(c) for c in model.classes_.tolist()} == {type(c) for c in classes}
    assert set(model.predict(FRAME).tolist()) <= set(classes)


BAD_NAMES = {
    "repeated": (["size", "size"], "more than one column called 'size'"),
    "mixed": (["size", 3], r"column names of several types \(int, str\)"),
    "of two levels": (pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]), "names of 2 levels"),
}


@pytest.mark.parametrize("case", BAD_NAMES)
def test_names_that_cannot_be_used_are_refused_in_our_own_words(case):
    names, words = BAD_NAMES[case]
    with pytest.raises(BadData, match=words):
        Regressor(epochs=2).fit(FRAME.set_axis(names, axis=1), VALUES)


def test_missing_values_of_an_estimator_are_missing_in_its_model_too():
    frame = FRAME.assign(age=FRAME["age"].where(FRAME.index % 5 > 0, -999))
    marked = FRAME.assign(age=FRAME["age"].where(FRAME.index % 5 > 0))
    ours = Regressor(epochs=2, missing=["age=-999"]).fit(frame, VALUES)
    truth = Regressor(epochs=2).fit(marked, VALUES)
    np.testing.assert_array_equal(ours.predict(frame), truth.predict(marked))
    assert ours.schema_.feature_names == truth.schema_.feature_names
