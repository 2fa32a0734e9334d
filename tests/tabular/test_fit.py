"""`fit_table`: an honest score for every table, or one clear paragraph."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from slalom.core.errors import BadData, BadPlan, SlalomWarning
from slalom.nets import MLP
from slalom.optim import SGD, Constant, StepLR
from slalom.population import Member
from slalom.tabular.fit import Fit, fit_table

pytestmark = pytest.mark.slow


def houses(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    area, town = rng.uniform(20, 200, rows), rng.choice(["Bern", "Oslo", "Turin"], rows)
    price = 1000 * area + 20_000 * (town == "Oslo") + 5000 * rng.normal(size=rows)
    return pd.DataFrame(
        {"area": area, "town": town, "noise": rng.normal(size=rows), "price": price}
    )


def animals(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = rng.choice(["cat", "dog"], rows, p=[0.3, 0.7])
    weight = np.where(group == "dog", 20.0, 5.0) + 4 * rng.normal(size=rows)
    return pd.DataFrame({"weight": weight, "tail": rng.normal(size=rows), "group": group})


@pytest.fixture(scope="module")
def regression() -> Fit:
    return fit_table(houses(), "price", epochs=3)


@pytest.fixture(scope="module")
def classification() -> Fit:
    return fit_table(animals(), "group", epochs=3)


def held_out(fit: Fit, table: pd.DataFrame) -> pd.DataFrame:
    """The test rows, found again by their values."""
    column = "price" if "price" in table else "weight"
    known = fit.truth[:, 0] if column == "price" else None
    return table[table[column].isin(known)]


def test_a_fifth_of_the_rows_is_held_out_and_the_rest_is_trained_on(regression: Fit) -> None:
    assert (regression.rows.test, regression.rows.train) == (40, 160)
    assert regression.run.dataset.rows <= 160


def test_no_test_row_is_seen_in_training(regression: Fit) -> None:
    table = houses()
    tested = held_out(regression, table)
    assert len(tested) == 40
    seen = regression.run.dataset.y[:, 0]
    encoded = regression.predictor.target.encode(tested[["price"]])[:, 0]
    assert not set(encoded.round(5)) & set(seen.round(5))


def test_regression_scores_are_those_of_scikit_learn_on_the_test_rows(regression: Fit) -> None:
    tested = held_out(regression, houses())
    predicted = regression.predictor.predict(tested)
    scores = regression.scores["slalom"]
    assert scores["R2"].value == pytest.approx(r2_score(tested["price"], predicted))
    assert scores["MAE"].value == pytest.approx(mean_absolute_error(tested["price"], predicted))


def test_classification_scores_are_those_of_scikit_learn(classification: Fit) -> None:
    classes = np.array(classification.target.classes)
    labels = classes[classification.truth]
    guesses = classes[classification.predicted.argmax(axis=1)]
    scores = classification.scores["slalom"]
    assert scores["accuracy"].value == accuracy_score(labels, guesses)
    probabilities = classification.predicted / classification.predicted.sum(axis=1, keepdims=True)
    assert scores["log loss"].value == pytest.approx(log_loss(labels, probabilities), rel=1e-6)
    assert list(scores) == ["accuracy", "log loss", "ROC AUC"]


def test_the_baselines_can_be_computed_again(regression: Fit) -> None:
    table = houses()
    tested = held_out(regression, table)
    trained = table.drop(index=tested.index)
    encode = regression.predictor.schema.encode
    linear = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13)))
    for name, model in (("linear model", linear), ("mean", DummyRegressor())):
        predicted = model.fit(encode(trained), trained["price"]).predict(encode(tested))
        expected = r2_score(tested["price"], predicted)
        assert regression.scores[name]["R2"].value == pytest.approx(expected, abs=1e-6)


def test_the_baselines_of_a_classification_can_be_computed_again() -> None:
    train, test = animals(160, seed=1), animals(60, seed=2)
    fit = fit_table(train, "group", test=test, epochs=1)
    encode = fit.predictor.schema.encode
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    majority = DummyClassifier(strategy="prior")
    for name, model in (("linear model", linear), ("majority class", majority)):
        model.fit(encode(train), train["group"])
        expected = log_loss(test["group"], model.predict_proba(encode(test)))
        assert fit.scores[name]["log loss"].value == pytest.approx(expected, rel=1e-4)


def test_shares_of_classes_are_the_same_in_the_test_rows(classification: Fit) -> None:
    table = animals()
    counts = np.bincount(classification.truth)
    for count, name in zip(counts, classification.target.classes, strict=True):
        assert count == round(0.2 * (table["group"] == name).sum())


def test_what_decides_the_target_matters_most(regression: Fit, classification: Fit) -> None:
    assert regression.importance["column"].iloc[0] == "area"
    assert classification.importance["column"].iloc[0] == "weight"
    assert abs(regression.importance.set_index("column")["harm"]["noise"]) < 0.05


def test_the_same_seed_gives_the_same_scores() -> None:
    first, again = (fit_table(animals(160), "group", epochs=1, seed=5) for _ in range(2))
    assert first.scores == again.scores
    assert np.array_equal(first.predicted, again.predicted)


def test_rows_without_a_target_are_set_aside_and_said_so() -> None:
    table = houses(160)
    table.loc[[3, 7, 50], "price"] = np.nan
    with pytest.warns(SlalomWarning, match="3 of 160 rows of The table have no price"):
        fit = fit_table(table, "price", epochs=1)
    assert fit.rows.set_aside == 3
    assert fit.rows.train + fit.rows.test == 157
    assert any("set aside" in note for note in fit.notes)


def test_copies_of_a_row_are_never_on_both_sides_even_where_a_column_numbers_the_rows() -> None:
    table = pd.concat([houses(100)] * 5, ignore_index=True).assign(row_id=np.arange(500))
    with pytest.warns(SlalomWarning, match="Only 20 different rows are tested on"):
        fit = fit_table(table, "price", epochs=1)
    seen = fit.run.dataset.y[:, 0] * fit.predictor.target.scale + fit.predictor.target.mean
    assert len(np.unique(fit.truth)) == 20 and len(np.unique(seen)) == 80
    assert not set(fit.truth[:, 0].round(1)) & set(seen.round(1))
    assert str(fit.rows).endswith("100 tested on; 400 have the features of an earlier row")


def test_noise_is_not_predicted_however_often_its_rows_are_repeated() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(40, 4)), columns=list("abcy"))
    with pytest.warns(SlalomWarning, match="Only 8 different rows"):
        fit = fit_table(pd.concat([table] * 5), "y", epochs=20)
    assert fit.scores["slalom"]["R2"].value < 0.2
    assert "not clearly different" in fit.verdict


def test_test_rows_that_stand_in_the_training_table_are_counted() -> None:
    test = pd.concat([houses(40, seed=9), houses(160)[10:22]])
    with pytest.warns(SlalomWarning, match=r"^12 of 52 rows of The table have the features of a"):
        fit = fit_table(houses(160), "price", test=test, epochs=1)
    assert fit.rows.repeated == 12


def test_a_test_table_that_does_not_fit_is_refused_before_the_training() -> None:
    test = houses(40, seed=9).drop(columns="area")
    with pytest.raises(BadData, match="The table lacks 1 of the 3 columns"):
        fit_table(houses(160), "price", test=test, epochs=1, on_columns=pytest.fail)


def test_a_table_of_one_yes_or_no_still_has_a_test_and_says_what_it_is_worth() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": np.arange(200) % 2, "y": rng.choice(["a", "b"], 200)})
    with pytest.warns(SlalomWarning, match="50% of the rows have the same features, too many"):
        fit = fit_table(table, "y", epochs=1)
    assert fit.rows.test == 40


@pytest.mark.parametrize("rows", [300, 5000])  # several folds, and one split
def test_what_is_shown_of_the_columns_is_what_the_model_has(rows: int) -> None:
    shown: list[pd.DataFrame] = []
    fit = fit_table(
        houses(rows), "price", epochs=1, members=[Member(MLP(5, 2, 1))], on_columns=shown.append
    )
    pd.testing.assert_frame_equal(shown[0], fit.predictor.schema.summary())


def test_a_column_that_gives_the_target_away_is_named() -> None:
    table = animals(500).assign(sound=lambda t: t["group"].map({"cat": "miaow", "dog": "woof"}))
    with pytest.warns(SlalomWarning, match="Column 'sound' alone tells the target"):
        fit = fit_table(table, "group", epochs=1)
    assert not any("'weight' alone" in note for note in fit.notes)


def test_what_is_made_of_columns_is_known_before_the_training(regression: Fit) -> None:
    class StopHere(Exception):
        pass

    def look(made: pd.DataFrame) -> None:
        pd.testing.assert_frame_equal(made, regression.columns)
        raise StopHere

    with pytest.raises(StopHere):
        fit_table(houses(), "price", on_columns=look)


def test_another_table_is_scored_in_place_of_held_out_rows() -> None:
    test = houses(50, seed=9)
    fit = fit_table(houses(160), "price", test=test, epochs=1)
    assert (fit.rows.train, fit.rows.test) == (160, 50)
    assert np.array_equal(fit.truth[:, 0], test["price"])


def test_columns_that_are_dropped_are_not_learned_from() -> None:
    fit = fit_table(houses(160), "price", drop=["area"], epochs=1)
    assert "area" not in fit.columns["column"].tolist()
    assert fit.left_out == ("area",)


def test_several_targets_are_learned_together() -> None:
    table = houses(160).assign(tax=lambda t: t["price"] / 10)
    fit = fit_table(table, ["price", "tax"], epochs=1)
    assert fit.predicted.shape == (32, 2)
    assert {"R2", "RMSE price", "MAE tax"} <= set(fit.scores["slalom"])


def test_numbers_written_as_text_are_a_regression() -> None:
    table = houses(160)
    table["price"] = [f"{p:.2f}".replace(".", ",") for p in table["price"]]
    fit = fit_table(table, "price", epochs=1)
    assert fit.target.task == "regression"
    assert fit.truth.min() > 1000 and fit.truth.max() < 300_000


def test_the_task_can_be_overridden() -> None:
    table = pd.DataFrame({"x": np.arange(160.0), "stars": np.arange(160) % 3})
    assert fit_table(table, "stars", epochs=1).target.task == "regression"
    assert fit_table(table, "stars", task="classification", epochs=1).target.classes == (0, 1, 2)


def test_a_rare_class_stays_in_training_and_this_is_said() -> None:
    table = animals(160)
    table.loc[:1, "group"] = "emu"
    with pytest.warns(SlalomWarning, match=r"trained on but not tested: 'emu'"):
        fit = fit_table(table, "group", epochs=1)
    assert fit.target.classes == ("cat", "dog", "emu")
    assert 2 not in fit.truth


def test_a_table_of_ten_rows_has_a_rough_score() -> None:
    with pytest.warns(SlalomWarning, match="Only 2 rows are tested on, so the score is rough"):
        fit = fit_table(houses(10), "price", epochs=1)
    assert fit.rows.test == 2
    assert fit.verdict


def test_a_leaderboard_shows_only_what_differs(regression: Fit) -> None:
    board = regression.leaderboard(5)
    assert len(board) == 5
    assert "batch size" not in board and "lr" not in board
    assert board["validation loss"].is_monotonic_increasing


def test_candidates_that_differ_in_schedule_or_clipping_alone_are_not_mixed() -> None:
    net, other = MLP(2, 4, 1), StepLR(step_size=10)
    members = [
        Member(net, clip_norm=c, schedule=s) for c in (None, 1.0) for s in (Constant(), other)
    ]
    fit = fit_table(houses(160)[["area", "noise", "price"]], "price", members=members, epochs=2)
    board, runs = fit.leaderboard(), fit.run.leaderboard().set_index("member")
    assert len(board) == 4 and {"schedule", "clip norm"} <= set(board)
    means = [runs.loc[[5 * k + f for f in range(5)], "validation_loss"].mean() for k in range(4)]
    assert board["validation loss"].tolist() == pytest.approx(sorted(means))
    assert "status" not in board


def test_a_candidate_that_diverged_on_a_fold_comes_last_and_is_marked() -> None:
    members = [Member(MLP(2, 4, 1), SGD(1e30)), Member(MLP(2, 4, 1), SGD(0.01))]
    fit = fit_table(houses(160)[["area", "noise", "price"]], "price", members=members, epochs=2)
    board = fit.leaderboard()
    assert board["optimizer"].tolist() == ["SGD(lr=0.01)", "SGD(lr=1e+30)"]
    assert board["status"].tolist() == ["", "diverged on 5 folds"]
    assert np.isnan(board["validation loss"].iloc[1])


@pytest.mark.parametrize(
    ("stopped_by", "words"),
    [("", ""), ("time limit", "the time limit"), ("interrupt", "Ctrl-C")],
)
def test_what_stopped_the_training_is_what_the_run_says(
    regression: Fit, stopped_by: Any, words: str
) -> None:
    run = replace(regression.run, stopped_by=stopped_by)
    assert replace(regression, run=run).stopped == words


def test_a_time_limit_ends_the_training_and_the_result_is_still_scored() -> None:
    fit = fit_table(houses(160), "price", time_limit=0.5)
    assert fit.stopped in ("", "the time limit")
    assert fit.scores["slalom"]["R2"].error > 0


def test_an_unclear_lead_is_not_called_better(classification: Fit) -> None:
    lead = classification.lead
    clear = abs(lead.value) >= 2 * lead.error and lead.value != 0
    unclear = "just as good" if lead.value == 0 else "not clearly different"
    assert (unclear in classification.verdict) is not clear


@pytest.mark.parametrize(
    ("table", "target", "arguments", "message"),
    [
        (houses(160), "prize", {}, r"The table has no column 'prize'. Did you mean 'price'\?"),
        (houses(160), "price", {"drop": ["aera"]}, r"no column 'aera'. Did you mean 'area'\?"),
        (houses(160), "price", {"drop": ["price"]}, "cannot be both the target and left out"),
        (houses(160), [], {}, "Name at least one target"),
        (houses(9), "price", {}, "9 rows with a target cannot be trained on, .* at least 10"),
        (houses(160).assign(price=1.0), "price", {}, "Target 'price' is constant"),
        (houses(160).assign(price=np.nan), "price", {}, "missing in every one of 160 rows"),
        (houses(160), "price", {"task": "ranking"}, "task must be 'regression' or"),
        (houses(160), "town", {"task": "regression"}, "must hold finite numbers"),
        (houses(160)[["price"]], "price", {}, "no column besides the target"),
        (
            pd.DataFrame({"x": range(12), "y": list("aabbccddeeff")}),
            "y",
            {},
            "6 classes have too few of 12 rows each",
        ),
        (
            animals(160),
            "group",
            {"test": animals(160).replace("cat", "emu")},
            "must hold one of its classes",
        ),
        (animals(160), "group", {"test": animals(1)}, "The table has 1 row with a target"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_one_paragraph(
    table: pd.DataFrame, target: str, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(BadData, match=message) as caught:
        fit_table(table, target, epochs=1, **arguments)
    assert "\n" not in str(caught.value)


def test_a_time_limit_must_be_positive() -> None:
    with pytest.raises(BadPlan, match="time_limit must be a number of seconds > 0"):
        fit_table(houses(160), "price", time_limit=0)
