"""From a raw table to predictions."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import slalom.models.predictor
from slalom import MLP, Classifier, Regressor, losses, read_table
from slalom.core.errors import BadData, BadPlan, SlalomWarning
from slalom.data.target import RegressionTarget
from tests.estimators.small import small
from tests.models.predictors import INPUTS, SCHEMA, TABLE, classification, regression


def outputs(model: Any, table: pd.DataFrame) -> np.ndarray:
    """The raw outputs of each module, float64 `[M, N, O]`."""
    features = torch.from_numpy(SCHEMA.encode(table))
    with torch.no_grad():
        return np.array([module(features).double().numpy() for module in model.modules])


def test_values_are_the_weighted_mean_of_the_modules_in_original_units() -> None:
    model = regression()
    first, second = outputs(model, TABLE)
    expected = (0.25 * first + 0.75 * second)[:, 0] * 1000 + 5000
    np.testing.assert_allclose(model.predict(TABLE), expected, rtol=1e-12)
    assert model.task == "regression"


def test_deviations_add_disagreement_and_noise_as_variances() -> None:
    model = regression()
    first, second = outputs(model, TABLE)
    mean = 0.25 * first + 0.75 * second
    variance = 0.25 * (first - mean) ** 2 + 0.75 * (second - mean) ** 2
    expected = np.sqrt(variance[:, 0] * 1000**2 + 50**2)
    np.testing.assert_allclose(model.predict_std(TABLE), expected, rtol=1e-9)


def test_probabilities_are_the_weighted_mean_of_the_softmax() -> None:
    model = classification()
    exponents = np.exp(outputs(model, TABLE))
    expected = (exponents / exponents.sum(axis=2, keepdims=True)).mean(axis=0)
    probabilities = model.predict_proba(TABLE)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-6)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    names = np.array(["no", "perhaps", "yes"])
    np.testing.assert_array_equal(model.predict(TABLE), names[expected.argmax(axis=1)])
    assert model.task == "classification"


def test_no_probability_is_above_one_where_the_weights_are_by_a_rounding() -> None:
    net = MLP(INPUTS, 3)
    sure = net.build(seed=0)
    with torch.no_grad():
        sure[0].bias.copy_(torch.tensor([1000.0, 0.0, 0.0]))
    weights = tuple(np.random.default_rng(5).dirichlet(np.ones(3)).tolist())
    assert sum(weights) > 1
    model = replace(classification(), nets=(net,) * 3, modules=(sure,) * 3, weights=weights)
    assert model.predict_proba(TABLE).max() == 1


def test_several_targets_are_columns_in_units_of_their_own() -> None:
    one = regression()
    target = RegressionTarget(("a", "b"), (0.0, 7.0), (1.0, 10.0), (".", "."))
    modules = (torch.nn.Linear(len(SCHEMA.feature_names), 2),)
    model = slalom.models.predictor.Predictor(
        SCHEMA, target, losses.MSE(), one.nets[:1], modules, (1.0,), noise=(3.0, 4.0)
    )
    raw = outputs(model, TABLE)[0]
    np.testing.assert_allclose(model.predict(TABLE), raw * [1, 10] + [0, 7])
    np.testing.assert_allclose(model.predict_std(TABLE), np.tile([3.0, 4.0], (30, 1)))


@settings(max_examples=30)
@given(st.data())
def test_each_row_is_predicted_by_itself(data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, 29), min_size=1, max_size=20))
    model = regression()
    np.testing.assert_allclose(
        model.predict(TABLE.iloc[rows]), model.predict(TABLE)[rows], rtol=1e-6
    )


def test_a_long_table_is_predicted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    model = regression()
    whole = model.predict(TABLE)
    for module in (slalom.models.predictor, slalom.nets.net):
        if hasattr(module, "ROWS_AT_ONCE"):
            monkeypatch.setattr(module, "ROWS_AT_ONCE", 7)
    np.testing.assert_allclose(model.predict(TABLE), whole, rtol=1e-6)


def test_dropout_is_off_and_modules_are_asked_without_gradients() -> None:
    model = regression()
    model.modules[1].train()
    np.testing.assert_array_equal(model.predict(TABLE), model.predict(TABLE))
    assert all(p.grad is None for module in model.modules for p in module.parameters())


# Tables as they come


def test_columns_may_come_in_any_order_with_others_among_them() -> None:
    expected = regression().predict(TABLE)
    moved = TABLE[TABLE.columns[::-1]].assign(more=1, another="x")
    np.testing.assert_array_equal(regression().predict(moved), expected)


def test_a_column_that_was_left_out_may_be_absent() -> None:
    model = regression()
    np.testing.assert_array_equal(
        model.predict(TABLE.drop(columns="constant")), model.predict(TABLE)
    )


def test_cells_may_come_as_text() -> None:
    text = TABLE.astype("str").where(TABLE.notna(), "")
    np.testing.assert_array_equal(regression().predict(text), regression().predict(TABLE))


def test_unseen_levels_and_missing_cells_are_taken() -> None:
    later = TABLE.head(6).assign(colour=["violet", "red", None, "red", "blue", "red"], size=None)
    assert np.isfinite(regression().predict(later)).all()
    probabilities = classification().predict_proba(later)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_a_table_of_nothing_but_unseen_levels_is_taken_with_a_warning() -> None:
    later = TABLE.head(4).assign(colour=["violet", "pink", "grey", "gold"])
    with pytest.warns(SlalomWarning, match="Column 'colour': 4 of 4 cells are levels that were"):
        assert np.isfinite(regression().predict(later)).all()


def test_a_missing_column_is_named_with_what_it_may_be_called_now() -> None:
    renamed = TABLE.rename(columns={"colour": "color"})
    with pytest.raises(BadData) as caught:
        regression().predict(renamed)
    message = str(caught.value)
    assert message.startswith("The table lacks 1 of the 4 columns that are needed: 'colour'.")
    assert "Did you mean 'color'?" in message
    assert "\n" not in message
    with pytest.raises(BadData, match=r"lacks 3 of the 4 columns .*'size', 'colour', 'flag'"):
        classification().predict_proba(TABLE[["day"]])


def test_a_column_of_other_content_is_refused() -> None:
    with pytest.raises(BadData, match="Column 'size' must hold finite numbers, as it did in fit"):
        regression().predict(TABLE.assign(size="large"))


# From a training


def test_the_predictor_of_an_estimator_says_what_the_estimator_says() -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    regressor = Regressor(members=small(2, 1), epochs=2).fit(X, X[:, 0])
    classifier = Classifier(members=small(2, 2), epochs=2).fit(X, X[:, 0] > 0)
    table = read_table(X)
    values, std = regressor.predict(X, return_std=True)
    np.testing.assert_array_equal(regressor.predictor_.predict(table), values)
    np.testing.assert_array_equal(regressor.predictor_.predict_std(table), std)
    probabilities = classifier.predict_proba(X)
    np.testing.assert_array_equal(classifier.predictor_.predict_proba(table), probabilities)
    assert classifier.predictor_.predict(table).tolist() == classifier.predict(X).tolist()
    about = regressor.predictor_.about
    assert (about["rows"], about["members"], about["folds"]) == (40, 15, 5)


def test_a_net_that_tells_a_variance_takes_the_place_of_the_noise() -> None:
    target = RegressionTarget(("a", "b"), (0.0, 7.0), (1.0, 10.0), (".", "."))
    recipes = (MLP(INPUTS, 4), MLP(INPUTS, 3, 4))
    modules = tuple(net.build(seed=k) for k, net in enumerate(recipes))
    model = slalom.models.predictor.Predictor(
        SCHEMA, target, losses.GaussianNLL(), recipes, modules, (0.25, 0.75), noise=(3.0, 4.0)
    )
    share = np.array([0.25, 0.75])[:, None, None]
    means, logs = np.split(outputs(model, TABLE), 2, axis=2)
    mean = (share * means).sum(axis=0)
    variance = (share * (np.exp(logs) + (means - mean) ** 2)).sum(axis=0)
    np.testing.assert_allclose(model.predict(TABLE), mean * [1, 10] + [0, 7], rtol=1e-9)
    np.testing.assert_allclose(model.predict_std(TABLE), np.sqrt(variance) * [1, 10], rtol=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": (1.0,)}, "nets, modules and weights must be equally many"),
        ({"weights": (0.5, 0.6)}, "weights must be 0 or more and sum to 1"),
        ({"weights": (np.nan, 1.0)}, "weights must be a tuple, each entry a number"),
        ({"noise": (-1.0,)}, "noise must be 1 numbers >= 0, or none"),
        ({"loss": losses.CrossEntropy()}, "The loss CrossEntropy does not fit a regression target"),
        ({"loss": losses.GaussianNLL()}, "net 0 must give 2 outputs a row"),
        ({"modules": (torch.nn.Linear(3, 1),) * 2}, f"net 0 fails on the {INPUTS} features"),
        ({"modules": (1, 2)}, "modules must be a tuple, each entry a Module"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(changes: Any, message: str) -> None:
    with pytest.raises(BadPlan, match=message):
        replace(regression(), **changes)
