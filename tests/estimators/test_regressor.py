"""Regression in scikit-learn's conventions."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from slalom import MLP, Adam, Member, Population, Regressor, losses
from slalom.core.errors import BadPlan
from tests.estimators.small import mixed_table, small

X = np.random.default_rng(0).uniform(-2, 2, size=(60, 2))
Y = X[:, 0] - 0.3 * X[:, 1] ** 2


def quick(outputs: int = 1, **arguments: Any) -> Regressor:
    return Regressor(**({"members": small(2, outputs), "epochs": 3} | arguments))


def by_hand(model: Regressor, table: Any) -> tuple[np.ndarray, np.ndarray]:
    """What each chosen module gives, standardised, `[C, N, T]`, and its weights `[C]`."""
    features = torch.from_numpy(model.schema_.encode(pd.DataFrame(table).add_prefix("x")))
    with torch.no_grad():
        each = [model.run_.model(m)(features).double().numpy() for m in model.ensemble_]
    return np.array(each), np.array(list(model.ensemble_.values()))


# Learning


def test_the_default_population_halves_the_loss_of_the_mean() -> None:
    model = Regressor(epochs=8).fit(X, Y)
    assert model.score(X, Y) > 0.5


def test_it_bends_where_a_line_cannot() -> None:
    x = np.linspace(-2, 2, 120)[:, None]
    y = x[:, 0] ** 2
    train, test = np.arange(0, 120, 2), np.arange(1, 120, 2)
    model = Regressor(members=small(1, 1), epochs=40, validation=0.2).fit(x[train], y[train])
    line = LinearRegression().fit(x[train], y[train])
    assert line.score(x[test], y[test]) < 0.1
    assert model.score(x[test], y[test]) > 0.9


@pytest.mark.parametrize("validation", ["auto", 2, 0.25])
def test_32_members_or_more_are_trained_whatever_the_folds(validation: Any) -> None:
    model = Regressor(epochs=1, validation=validation).fit(X[:20], Y[:20])
    population = model.run_.population
    assert len(population) >= 32
    assert {m.fold for m in population} == set(range(len(model.run_.dataset.folds)))
    assert len({m.optimizer.label for m in population}) >= 4


# What is predicted


@pytest.mark.parametrize("validation", [3, 0.3])
def test_a_prediction_is_the_weighted_mean_of_the_modules_in_original_units(
    validation: Any,
) -> None:
    y = 1000 + 50 * Y
    model = quick(validation=validation).fit(X, y)
    each, weights = by_hand(model, X)
    target = model.target_
    expected = np.tensordot(weights, each, axes=1)[:, 0] * target.scale[0] + target.mean[0]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-12)
    assert weights.sum() == pytest.approx(1)


def test_the_deviation_joins_disagreement_and_what_is_left_unexplained() -> None:
    y = 7 * Y - 100
    model = quick(validation=3).fit(X, y)
    run, folds = model.run_, model.run_.dataset.folds
    # The noise: on validation rows, each predicted by the members that did not train on it.
    shares = {m // 3: 3 * weight for m, weight in model.ensemble_.items()}
    each = {
        c: np.concatenate(
            [run.predict(run.dataset.X[f.validation], 3 * c + k) for k, f in enumerate(folds)]
        ).astype(np.float64)
        for c in shares
    }
    truth = np.concatenate([run.dataset.y[fold.validation] for fold in folds])
    together = sum(share * each[c] for c, share in shares.items())
    spread = sum(share * np.mean((each[c] - together) ** 2) for c, share in shares.items())
    noise = np.mean((truth - together) ** 2) - spread
    # The disagreement: of all chosen modules, on the rows asked for.
    outputs, weights = by_hand(model, X)
    mean = np.tensordot(weights, outputs, axes=1)
    disagreement = np.tensordot(weights, (outputs - mean) ** 2, axes=1)[:, 0]
    assert noise > 0 and (disagreement > 0).all()
    values, std = model.predict(X, return_std=True)
    np.testing.assert_array_equal(values, model.predict(X))
    np.testing.assert_allclose(std, np.sqrt(disagreement + noise) * y.std(), rtol=1e-6)


def test_the_deviation_counts_rows_by_their_weight() -> None:
    weight = np.arange(60) % 4 + 1
    copies = np.repeat(np.arange(60), weight)
    early = np.arange(60) < 40

    def splits(early: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(np.flatnonzero(early), np.flatnonzero(~early))]

    # Rows stay apart where splits name them: a row twice, or of weight 2, must still say the same.
    members = Population([Member(MLP(2, 8, 1), Adam(0.01))])
    weighted = Regressor(members=members, epochs=2, validation=splits(early))
    repeated = Regressor(members=members, epochs=2, validation=splits(early[copies]))
    weighted.fit(X, Y, sample_weight=weight)
    repeated.fit(X[copies], Y[copies])
    # The schema, too, is fitted on rows; with other medians the nets differ a little.
    ours, theirs = (m.predict(X, return_std=True)[1].mean() for m in (weighted, repeated))
    unweighted = Regressor(members=members, epochs=2, validation=splits(early)).fit(X, Y)
    assert abs(ours - theirs) < 0.05 * theirs
    assert weighted.predictor_.noise != unweighted.predictor_.noise


def test_best_is_the_module_with_the_best_validation() -> None:
    model = quick().fit(X, Y)
    features = torch.from_numpy(model.run_.dataset.X)
    first = int(model.run_.leaderboard()["member"][0])
    with torch.no_grad():
        given, expected = model.best_(features), model.run_.model(first)(features)
    assert torch.equal(given, expected)
    assert not model.best_.training


def test_several_outputs_are_learned_together() -> None:
    targets = pd.DataFrame({"wave": Y, "line": 100 * X[:, 1]})
    model = quick(outputs=2, epochs=40, validation=0.2).fit(X, targets)
    values, std = model.predict(X, return_std=True)
    assert values.shape == std.shape == (60, 2)
    assert min(r2_score(targets, values, multioutput="raw_values")) > 0.5
    assert model.score(X, targets) == pytest.approx(r2_score(targets, values))
    assert model.target_.names == ("wave", "line")


def test_a_column_vector_comes_back_as_one() -> None:
    model = quick().fit(X, Y[:, None])
    values, std = model.predict(X, return_std=True)
    assert values.shape == std.shape == (60, 1)
    np.testing.assert_array_equal(values[:, 0], quick().fit(X, Y).predict(X))


@pytest.mark.parametrize(
    ("loss", "outputs", "spec"),
    [
        (None, 1, losses.MSE()),
        ("l1", 1, losses.L1()),
        (losses.Huber(delta=0.5), 1, losses.Huber(delta=0.5)),
        ("gaussian_nll", 2, losses.GaussianNLL()),
    ],
)
def test_any_loss_for_numbers_can_be_given(loss: Any, outputs: int, spec: Any) -> None:
    model = quick(outputs, loss=loss, epochs=30, validation=0.2).fit(X, Y)
    assert model.run_.plan.loss == spec
    assert model.predict(X).shape == (60,)
    assert model.score(X, Y) > 0.5


def test_a_loss_for_classes_is_refused() -> None:
    with pytest.raises(BadPlan, match="CrossEntropy does not fit a regression target"):
        quick(loss="cross_entropy").fit(X, Y)


# Targets


@pytest.mark.parametrize("scale", [1e-300, 1e-6, 1e6, 1e300])
def test_the_unit_of_the_target_does_not_matter(scale: float) -> None:
    plain, scaled = quick().fit(X, Y), quick().fit(X, Y * scale)
    for one, other in zip(
        plain.predict(X, return_std=True), scaled.predict(X, return_std=True), strict=True
    ):
        np.testing.assert_allclose(other / scale, one, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("value", [0.0, 5.0, -1e200])
def test_a_constant_target_is_learned(value: float) -> None:
    model = quick(epochs=20, validation=0.2).fit(X, np.full(60, value))
    np.testing.assert_allclose(model.predict(X), value, atol=0.5)


def test_the_target_is_standardised_with_its_weights() -> None:
    weight = np.random.default_rng(1).integers(0, 4, 60)
    target = quick().fit(X, Y, sample_weight=weight).target_
    repeated = np.repeat(Y, weight)
    assert target.mean[0] == pytest.approx(repeated.mean())
    assert target.scale[0] == pytest.approx(repeated.std())


@pytest.mark.parametrize("wrong", [np.inf, np.nan])
def test_a_target_that_is_not_finite_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="Input y contains"):
        quick().fit(X, np.where(Y > 0, Y, wrong))


# Tables


def test_text_categories_dates_and_missing_cells_are_all_taken() -> None:
    frame, y, _ = mixed_table(80)
    model = Regressor(epochs=10).fit(frame, y)
    summary = model.schema_.summary().set_index("column")["kind"]
    assert summary.to_dict() == {
        "size": "Number",
        "colour": "Category",
        "level": "Category",
        "day": "Datetime",
        "flag": "Boolean",
        "words": "Text",
        "constant": "Dropped",
    }
    assert model.score(frame, y) > 0.5
    later = frame.head(9).assign(size=np.nan, colour=["new"] + ["red"] * 8)
    assert np.isfinite(model.predict(later)).all()
