"""Scores agree with scikit-learn's, and their errors with what theory says."""

import numpy as np
import pytest
from sklearn import metrics as sk

from slalom.data.target import ClassificationTarget, RegressionTarget
from slalom.tabular.scoring import (
    Estimate,
    accuracy,
    baselines,
    log_loss,
    mae,
    metrics,
    r2,
    rmse,
    roc_auc,
    score,
)

RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(200, 2))
GUESSES = NUMBERS + 0.3 * RNG.normal(size=(200, 2))
CODES = RNG.integers(3, size=200)
PROBABILITIES = RNG.dirichlet(np.ones(3), size=200)


def test_regression_metrics_are_those_of_scikit_learn() -> None:
    assert r2(NUMBERS, GUESSES) == pytest.approx(sk.r2_score(NUMBERS, GUESSES), rel=1e-12)
    one, guess = NUMBERS[:, [0]], GUESSES[:, [0]]
    assert rmse(one, guess) == pytest.approx(sk.root_mean_squared_error(one, guess), rel=1e-12)
    assert mae(one, guess) == pytest.approx(sk.mean_absolute_error(one, guess), rel=1e-12)


def test_classification_metrics_are_those_of_scikit_learn() -> None:
    guesses = PROBABILITIES.argmax(axis=1)
    assert accuracy(CODES, PROBABILITIES) == sk.accuracy_score(CODES, guesses)
    assert log_loss(CODES, PROBABILITIES) == pytest.approx(sk.log_loss(CODES, PROBABILITIES))
    binary, p = CODES % 2, PROBABILITIES[:, :2].round(1)  # with ties
    assert roc_auc(binary, p) == pytest.approx(sk.roc_auc_score(binary, p[:, 1]), rel=1e-12)


def test_metrics_are_undefined_where_they_cannot_be_computed() -> None:
    assert np.isnan(r2(np.ones((5, 1)), np.zeros((5, 1))))
    assert np.isnan(roc_auc(np.zeros(5, dtype=int), np.full((5, 2), 0.5)))


def test_a_certain_prediction_that_fails_costs_much_but_not_infinitely() -> None:
    assert log_loss(np.array([0]), np.array([[0.0, 1.0]])) == pytest.approx(36.04, abs=0.01)


def test_the_standard_error_of_an_accuracy_is_that_of_a_share() -> None:
    truth = RNG.integers(2, size=1000)
    right = RNG.random(1000) < 0.8
    guess = np.where(right, truth, 1 - truth)
    scores, _ = score({"accuracy": accuracy}, truth, {"a": np.eye(2)[guess], "b": np.eye(2)[truth]})
    expected = np.sqrt(right.mean() * (1 - right.mean()) / 1000)
    assert scores["a"]["accuracy"].error == pytest.approx(expected, rel=0.2)


def test_all_rows_right_is_not_taken_for_certainty() -> None:
    truth = np.arange(20) % 2
    scores, _ = score({"accuracy": accuracy}, truth, {"a": np.eye(2)[truth], "b": np.eye(2)[truth]})
    assert scores["a"]["accuracy"].value == 1
    assert 0.02 < scores["a"]["accuracy"].error < 0.1


def test_the_lead_is_over_the_better_baseline_on_the_same_samples() -> None:
    truth = NUMBERS[:, [0]]
    predictions = {
        "slalom": truth + 0.10 * RNG.normal(size=(200, 1)),
        "weak": np.zeros((200, 1)),
        "strong": truth + 0.20 * RNG.normal(size=(200, 1)),
    }
    scores, lead = score({"R2": r2}, truth, predictions)
    values = {name: found["R2"].value for name, found in scores.items()}
    assert lead.value == values["slalom"] - values["strong"]
    assert 0 < lead.error < 0.02


def test_copies_of_test_rows_do_not_make_a_score_look_surer() -> None:
    once = score({"R2": r2}, NUMBERS, {"a": GUESSES, "b": NUMBERS + 1})
    truth, guess = np.repeat(NUMBERS, 4, axis=0), np.repeat(GUESSES, 4, axis=0)
    predictions = {"a": guess, "b": truth + 1}
    again = score({"R2": r2}, truth, predictions, groups=np.repeat(np.arange(200), 4))
    assert again[0]["a"]["R2"].error == pytest.approx(once[0]["a"]["R2"].error)
    naive = score({"R2": r2}, truth, predictions)
    assert naive[0]["a"]["R2"].error < 0.7 * once[0]["a"]["R2"].error


def test_the_same_seed_gives_the_same_errors() -> None:
    predictions = {"a": GUESSES, "b": NUMBERS + 1}
    first = score({"R2": r2}, NUMBERS, predictions, seed=3)
    assert first == score({"R2": r2}, NUMBERS, predictions, seed=3)
    assert first != score({"R2": r2}, NUMBERS, predictions, seed=4)


def test_several_targets_have_their_own_numbers_beside_the_mean() -> None:
    target = RegressionTarget(("a", "b"), (0.0, 0.0), (1.0, 1.0), (".", "."))
    named = metrics(target)
    assert list(named) == ["R2", "R2 a", "RMSE a", "MAE a", "R2 b", "RMSE b", "MAE b"]
    assert named["RMSE b"](NUMBERS, GUESSES) == rmse(NUMBERS[:, [1]], GUESSES[:, [1]])


def test_only_two_classes_have_a_roc_auc() -> None:
    assert "ROC AUC" in metrics(ClassificationTarget("t", ("no", "yes")))
    assert "ROC AUC" not in metrics(ClassificationTarget("t", ("a", "b", "c")))


def test_the_mean_and_a_linear_model_are_in_units_of_the_target() -> None:
    X = RNG.normal(size=(300, 2)).astype(np.float32)
    y = 1000 + 50 * X[:, 0]
    target = RegressionTarget(("y",), (float(y.mean()),), (float(y.std()),), (".",))
    encoded = ((y - y.mean()) / y.std())[:, None]
    found = baselines(target, X[:200], encoded[:200], X[200:])
    assert found["mean"] == pytest.approx(np.full((100, 1), y[:200].mean()), rel=1e-6)
    assert found["linear model"][:, 0] == pytest.approx(y[200:], rel=1e-3)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.87234, 0.01213, "0.872 ± 0.012"),
        (532.31, 8.13, "532.3 ± 8.1"),
        (1234567.0, 4321.0, "1,234,600 ± 4,300"),
        (0.5, 0.0, "0.5 ± 0"),
        (-0.000001, 0.00016, "0.00000 ± 0.00016"),
        (0.5, float("nan"), "0.5"),
        (float("nan"), 0.1, "undefined"),
    ],
)
def test_an_estimate_shows_the_digits_that_mean_something(
    value: float, error: float, text: str
) -> None:
    assert str(Estimate(value, error)) == text
