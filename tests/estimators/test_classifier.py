"""Classification in scikit-learn's conventions."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from slalom import Classifier, losses
from slalom.core.errors import BadData, BadPlan
from tests.estimators.small import mixed_table, small

RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, size=(60, 2))
RING = np.hypot(X[:, 0], X[:, 1]) > 1.3
THREE = np.digitize(X[:, 0], [-1.0, 1.0])  # of different sizes


def quick(classes: int = 2, **arguments: Any) -> Classifier:
    return Classifier(**({"members": small(2, classes), "epochs": 3} | arguments))


# Learning


def test_the_default_population_halves_the_loss() -> None:
    right = X[:, 0] > 0.3
    model = Classifier(epochs=8).fit(X, right)
    assert len(model.run_.population) >= 32
    probability = model.predict_proba(X)[np.arange(60), right.astype(int)]
    share = right.mean()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert -np.log(probability).mean() < entropy / 2


def test_it_bends_where_a_line_cannot() -> None:
    model = quick(epochs=80, validation=0.2).fit(X, RING)
    assert LogisticRegression().fit(X, RING).score(X, RING) < 0.8
    assert model.score(X, RING) > 0.9


# What is predicted


@pytest.mark.parametrize("validation", [3, 0.3])
def test_probabilities_are_the_weighted_mean_of_the_modules_softmax(validation: Any) -> None:
    model = quick(3, validation=validation).fit(X, THREE)
    features = torch.from_numpy(model.schema_.encode(pd.DataFrame(X).add_prefix("x")))
    with torch.no_grad():
        expected = sum(
            weight * model.run_.model(member)(features).double().softmax(dim=1).numpy()
            for member, weight in model.ensemble_.items()
        )
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-12)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X), expected.argmax(axis=1))
    assert sum(model.ensemble_.values()) == pytest.approx(1)


LABELS: dict[str, Any] = {
    "words": np.array(["no", "yes"]),
    "objects": np.array(["no", "yes"], dtype=object),
    "truths": np.array([False, True]),
    "whole numbers": np.array([-7, 2**62]),
    "floats": np.array([1.0, 2.0]),
}


@pytest.mark.parametrize("names", LABELS.values(), ids=LABELS.keys())
def test_labels_of_any_kind_come_back_and_mean_the_same(names: Any) -> None:
    codes = RING.astype(int)
    plain, model = quick().fit(X, codes), quick().fit(X, names[codes])
    np.testing.assert_array_equal(model.classes_, names)
    np.testing.assert_array_equal(model.predict_proba(X), plain.predict_proba(X))
    np.testing.assert_array_equal(model.predict(X), names[plain.predict(X)])
    assert model.predict(X).dtype.kind == names.dtype.kind


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series(np.where(RING, "b", "a"), name="z"),
        pd.Series(np.where(RING, "b", "a"), name="z", dtype="category"),
        pl.Series("z", np.where(RING, "b", "a").tolist()),
        np.where(RING, "b", "a").tolist(),
    ],
    ids=["pandas", "categories", "polars", "list"],
)
def test_labels_come_in_any_container(labels: Any) -> None:
    model = quick().fit(X, labels)
    assert model.classes_.tolist() == ["a", "b"]
    np.testing.assert_array_equal(model.predict_proba(X), quick().fit(X, RING).predict_proba(X))


def test_bce_with_logits_gives_two_probabilities_of_one_output() -> None:
    arguments = {"members": small(2, 1), "epochs": 80, "validation": 0.2}
    model = Classifier(loss="bce_with_logits", **arguments).fit(X, RING)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (60, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert model.score(X, RING) > 0.9


# Class weights


def test_balanced_class_weights_are_rows_over_classes_times_the_rows_of_a_class() -> None:
    model = quick(3, class_weight="balanced").fit(X, THREE)
    counts = np.array([(k == THREE).sum() for k in range(3)])
    assert len(set(counts)) > 1
    assert isinstance(model.run_.plan.loss, losses.CrossEntropy)
    np.testing.assert_allclose(model.run_.plan.loss.weight, 60 / (3 * counts))


def test_balanced_class_weights_count_rows_by_their_weight() -> None:
    weight = np.where(THREE == 1, 3.0, 1.0)
    model = quick(3, class_weight="balanced").fit(X, THREE, sample_weight=weight)
    totals = np.array([weight[k == THREE].sum() for k in range(3)])
    np.testing.assert_allclose(model.run_.plan.loss.weight, weight.sum() / (3 * totals))


def test_class_weights_are_given_by_label() -> None:
    words = np.array(["a", "b", "c"])[THREE]
    model = quick(3, class_weight={"b": 5.0, "a": 0.5}).fit(X, words)
    assert model.run_.plan.loss == losses.CrossEntropy(weight=(0.5, 5.0, 1.0))


def test_a_heavy_class_is_predicted_more_often() -> None:
    noise = RNG.random(60) < 0.3
    light, heavy = (
        quick(class_weight={True: w, False: 1.0}, epochs=20, validation=0.2).fit(X, noise)
        for w in (0.1, 10.0)
    )
    assert light.predict_proba(X)[:, 1].mean() + 0.3 < heavy.predict_proba(X)[:, 1].mean()


def test_class_weights_go_with_cross_entropy_alone() -> None:
    with pytest.raises(BadPlan, match="class_weight goes with the loss cross_entropy"):
        quick(class_weight="balanced", loss="bce_with_logits").fit(X, RING)


@pytest.mark.parametrize("wrong", ["blanced", {"no such label": 2.0}, {True: 0.0}, {True: -1.0}])
def test_senseless_class_weights_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="weight"):
        quick(class_weight=wrong).fit(X, RING)


# Labels that cannot be used


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"] * 60, "2 classes or more, but y has one class: 'a'"),
        ([None, *["a", "b"] * 29, "a"], "label in each row, but 1 of 60 are missing"),
        (pd.Series([None, *["a", "b"] * 29, "a"]), "label in each row, but 1 of 60 are missing"),
        (np.where(RING, np.nan, 1.0), "are missing .NaN or None.. Leave these rows out"),
        (np.where(RING, np.inf, 1.0), "Input y contains infinity"),
        (X[:, 0], "Unknown label type: continuous"),
        (np.stack([RING, RING], axis=1), "y should be a 1d array"),
        (["a", "b"], "inconsistent numbers of samples"),
        (None, "the target y is None"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        quick().fit(X, labels)


def test_one_class_by_weight_is_one_class() -> None:
    with pytest.raises(BadData, match="y has one class: True"):
        quick().fit(X, RING, sample_weight=RING.astype(float))


def test_classes_of_a_single_row_are_learned_without_a_warning() -> None:
    labels = np.array(["a"] * 30 + ["b"] * 28 + ["c", "d"])
    model = quick(4).fit(X, labels)
    assert model.predict_proba(X).shape == (60, 4)


# Tables


def test_text_categories_dates_and_missing_cells_are_all_taken() -> None:
    frame, _, y = mixed_table(80)
    model = Classifier(epochs=10).fit(frame, y)
    assert model.score(frame, y) > 0.8
    later = frame.head(9).assign(size=np.nan, colour=["new"] + ["red"] * 8)
    assert np.isfinite(model.predict_proba(later)).all()
