"""What holds for both estimators alike."""

import signal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from slalom import MLP, Adam, Classifier, Member, Regressor
from slalom.core.errors import BadData, BadPlan, Diverged
from tests.estimators.small import (
    DIVERGES,
    interrupt_training,
    mixed_table,
    small,
    with_diverging,
)

X = np.random.default_rng(0).uniform(-2, 2, size=(60, 2))
Y = {Regressor: X[:, 0] - 0.3 * X[:, 1] ** 2, Classifier: np.where(X[:, 0] > 0.2, "b", "a")}
KINDS = pytest.mark.parametrize("kind", [Regressor, Classifier])


def quick(kind: Any, **arguments: Any) -> Any:
    outputs = 1 if kind is Regressor else 2
    return kind(**({"members": small(2, outputs), "epochs": 3} | arguments))


def one_line() -> torch.nn.Module:
    return torch.nn.Linear(2, 1)


def two_lines() -> torch.nn.Module:
    return torch.nn.Linear(2, 2)


def numbers(model: Any, table: Any = X) -> np.ndarray:
    """All that a model says about a table, as floats to compare bit for bit."""
    if isinstance(model, Classifier):
        return np.asarray(model.predict_proba(table))
    return np.stack(model.predict(table, return_std=True))


# Weights and rows


@KINDS
def test_a_weight_says_the_same_as_repeated_rows_bit_for_bit(kind: Any) -> None:
    rng = np.random.default_rng(1)
    weight = rng.integers(0, 4, 60)
    copies = rng.permutation(np.repeat(np.arange(60), weight))
    weighted = quick(kind).fit(X, Y[kind], sample_weight=weight)
    repeated = quick(kind).fit(X[copies], Y[kind][copies])
    np.testing.assert_array_equal(numbers(weighted), numbers(repeated))
    assert weighted.ensemble_ == repeated.ensemble_


@KINDS
@pytest.mark.slow
def test_the_default_population_takes_weights_for_repeated_rows_too(kind: Any) -> None:
    frame, number, word = mixed_table(50)
    y = number if kind is Regressor else word
    weight = np.random.default_rng(2).integers(0, 3, 50)
    copies = np.repeat(np.arange(50), weight)
    weighted = kind(epochs=2).fit(frame, y, sample_weight=weight)
    repeated = kind(epochs=2).fit(frame.iloc[copies], y.iloc[copies])
    np.testing.assert_array_equal(numbers(weighted, frame), numbers(repeated, frame))


@KINDS
def test_rows_of_weight_zero_are_as_if_they_were_not_there(kind: Any) -> None:
    strange = {Regressor: [0.123, 1e9], Classifier: ["aa", "never seen"]}
    table = np.vstack([X, [[0.1, 0.2], [50.0, 0.0]]])
    labels = np.append(Y[kind], strange[kind])
    ghosts = quick(kind).fit(table, labels, sample_weight=np.append(np.ones(60), [0, 0]))
    np.testing.assert_array_equal(numbers(ghosts), numbers(quick(kind).fit(X, Y[kind])))


@KINDS
def test_the_order_of_the_rows_does_not_matter(kind: Any) -> None:
    order = np.random.default_rng(3).permutation(60)
    moved = quick(kind).fit(X[order], Y[kind][order])
    np.testing.assert_array_equal(numbers(moved), numbers(quick(kind).fit(X, Y[kind])))


@KINDS
def test_a_copy_of_a_training_row_is_never_validated_on(kind: Any) -> None:
    model = quick(kind).fit(np.tile(X, (3, 1)), np.tile(Y[kind], 3))
    assert model.run_.dataset.rows == 60
    assert (model.run_.dataset.weight == 3).all()


@KINDS
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(59), r"sample_weight must be \[60\], one a row, but its shape is \(59,\)"),
        (np.ones((60, 1)), r"its shape is \(60, 1\)"),
        (-np.ones(60), "must be finite and 0 or more"),
        (np.full(60, np.nan), "must be finite and 0 or more"),
        (np.zeros(60), "All sample weights are zero"),
        (np.eye(60)[0], "2 rows or more that differ"),
    ],
)
def test_weights_that_make_no_sense_are_refused(kind: Any, weight: Any, message: str) -> None:
    with pytest.raises(BadData, match=message):
        quick(kind).fit(X, Y[kind], sample_weight=weight)


# Validation rows


@KINDS
@pytest.mark.parametrize("validation", ["auto", 3, 0.3])
def test_groups_are_never_on_both_sides(kind: Any, validation: Any) -> None:
    groups = np.random.default_rng(4).integers(0, 12, 60)
    model = quick(kind, validation=validation).fit(X, Y[kind], groups=groups)
    for fold in model.run_.dataset.folds:
        assert not set(groups[fold.train]) & set(groups[fold.validation])
        assert len(fold.train) + len(fold.validation) == 60


@KINDS
def test_groups_follow_the_rows_that_weights_leave(kind: Any) -> None:
    groups, weight = np.arange(60) // 5, np.arange(60) % 3
    model = quick(kind).fit(X, Y[kind], sample_weight=weight, groups=groups)
    kept = groups[weight > 0]
    assert model.run_.dataset.rows == len(kept) == 40
    for fold in model.run_.dataset.folds:
        assert not set(kept[fold.train]) & set(kept[fold.validation])


@KINDS
@pytest.mark.parametrize("rows", [10, 100])
def test_groups_must_be_one_a_row(kind: Any, rows: int) -> None:
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        quick(kind).fit(X, Y[kind], groups=np.arange(rows) % 5)


@KINDS
def test_a_splitter_is_used_as_it_is(kind: Any) -> None:
    splitter = ShuffleSplit(2, test_size=0.4, random_state=5)
    table = np.repeat(X[:30], 2, axis=0)  # copies stay rows of their own
    labels = np.repeat(Y[kind][:30], 2)
    model = quick(kind, validation=splitter).fit(table, labels)
    for fold, (train, held) in zip(model.run_.dataset.folds, splitter.split(table), strict=True):
        np.testing.assert_array_equal(fold.train, train)
        np.testing.assert_array_equal(fold.validation, held)
    groups = np.arange(60) % 4
    by_group = quick(kind, validation=GroupKFold(4)).fit(X, Y[kind], groups=groups)
    held = [set(groups[fold.validation]) for fold in by_group.run_.dataset.folds]
    assert sorted(held, key=min) == [{0}, {1}, {2}, {3}]


@KINDS
def test_pairs_of_row_numbers_are_used_as_they_are(kind: Any) -> None:
    pairs = [(np.arange(20, 60), np.arange(20)), (np.arange(50), np.arange(50, 60))]
    model = quick(kind, validation=pairs).fit(X, Y[kind])
    assert [f.validation.tolist() for f in model.run_.dataset.folds] == [
        list(range(20)),
        list(range(50, 60)),
    ]


@KINDS
def test_a_share_is_one_split_for_all(kind: Any) -> None:
    model = quick(kind, validation=0.3).fit(X, Y[kind])
    (fold,) = model.run_.dataset.folds
    assert (len(fold.train), len(fold.validation)) == (42, 18)
    assert len(model.run_.population) == 3


# The population


@KINDS
def test_given_members_are_trained_on_every_fold(kind: Any) -> None:
    model = quick(kind, validation=4).fit(X, Y[kind])
    population = model.run_.population
    assert len(population) == 3 * 4
    assert [m.fold for m in population] == [0, 1, 2, 3] * 3
    assert [m.optimizer.lr for m in population][::4] == [0.05, 0.02, 0.01]
    assert set(model.ensemble_) <= set(range(12))
    # A candidate is in with all of its folds, which count alike.
    weights = np.zeros(12)
    weights[list(model.ensemble_)] = list(model.ensemble_.values())
    assert (weights.reshape(3, 4) == weights.reshape(3, 4)[:, :1]).all()


@KINDS
@pytest.mark.parametrize("given", [Member, MLP, torch.nn.Module], ids=["member", "net", "function"])
def test_members_may_be_one_member_or_net_or_function(kind: Any, given: Any) -> None:
    outputs = 1 if kind is Regressor else 2
    members = {
        Member: Member(MLP(2, 4, outputs), Adam(0.01)),
        MLP: MLP(2, 4, outputs),
        torch.nn.Module: one_line if outputs == 1 else two_lines,
    }[given]
    model = quick(kind, members=members).fit(X, Y[kind])
    assert len(model.run_.population) == 5


@KINDS
def test_a_net_of_the_wrong_width_is_refused(kind: Any) -> None:
    with pytest.raises(BadPlan, match=r"The net 7-4-1 relu .*features of shape"):
        quick(kind, members=MLP(7, 4, 1)).fit(X, Y[kind])


@KINDS
def test_batch_size_and_patience_go_into_the_plan(kind: Any) -> None:
    model = quick(kind, batch_size=7, patience=2, epochs=9).fit(X, Y[kind])
    assert {m.batch_size for m in model.run_.population} == {7}
    assert (model.run_.plan.patience, model.run_.plan.epochs) == (2, 9)
    assert quick(kind, epochs=9).fit(X, Y[kind]).run_.plan.patience == 4  # a half


@KINDS
@pytest.mark.parametrize("name", ["epochs", "batch_size", "patience"])
@pytest.mark.parametrize("wrong", [0, -1, 2.5])
def test_lengths_that_make_no_sense_are_refused(kind: Any, name: str, wrong: Any) -> None:
    with pytest.raises(BadPlan, match=f"{name} must be .*{wrong}"):
        quick(kind, **{name: wrong}).fit(X, Y[kind])


@KINDS
def test_a_member_that_diverges_does_not_spoil_the_rest(kind: Any) -> None:
    alone = quick(kind)
    beside = quick(kind, members=with_diverging(alone.members))
    alone.fit(X, Y[kind])
    beside.fit(X, Y[kind])
    assert (beside.run_.state.diverged_at[:5] >= 0).any()  # a net that fails on one fold is out
    assert {m - 5: w for m, w in beside.ensemble_.items()} == alone.ensemble_
    np.testing.assert_array_equal(numbers(beside), numbers(alone))


@KINDS
def test_when_all_members_diverge_the_error_says_what_to_do(kind: Any) -> None:
    outputs = 1 if kind is Regressor else 2
    members = [Member(MLP(2, 8, outputs), DIVERGES, batch_size=16, seed=s) for s in (0, 1)]
    with pytest.raises(Diverged, match=r"Every net of the population diverged.*Lower") as caught:
        quick(kind, members=members).fit(X, Y[kind])
    assert "\n" not in str(caught.value)


# Time


@KINDS
def test_a_time_limit_gives_a_fitted_model(kind: Any) -> None:
    model = quick(kind, time_limit=0.2, epochs=10**7).fit(X, Y[kind])
    assert model.run_.plan.epochs < 10**7
    assert np.isfinite(numbers(model)).all()


@KINDS
def test_the_schedule_ends_where_the_limited_training_does(kind: Any) -> None:
    model = kind(epochs=10**6, time_limit=0.5, validation=0.3).fit(X, Y[kind])
    plan = model.run_.plan
    assert plan.epochs < 10**6
    steps = plan.epochs * int(model.run_.state.layout.steps_per_epoch[0])
    assert plan.population[0].schedule.steps == pytest.approx(max(1, steps / 20), abs=1)


@KINDS
def test_enough_time_changes_nothing(kind: Any) -> None:
    patient = quick(kind, time_limit=3600).fit(X, Y[kind])
    np.testing.assert_array_equal(numbers(patient), numbers(quick(kind).fit(X, Y[kind])))


@KINDS
def test_after_ctrl_c_the_estimator_predicts_with_what_it_reached(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGINT)
    interrupt_training(monkeypatch)
    model = quick(kind, epochs=10**6, patience=10**6).fit(X, Y[kind])
    assert model.run_.interrupted
    assert model.predictor_.about["interrupted"] is True
    assert np.isfinite(numbers(model)).all()
    assert signal.getsignal(signal.SIGINT) is before


# The same call, the same model


@KINDS
def test_the_same_call_gives_the_same_bits(kind: Any) -> None:
    first, second = (quick(kind, random_state=7).fit(X, Y[kind]) for _ in range(2))
    np.testing.assert_array_equal(numbers(first), numbers(second))
    again = first.fit(X, Y[kind])  # a second fit forgets the first
    np.testing.assert_array_equal(numbers(again), numbers(second))


@KINDS
def test_another_random_state_gives_other_folds_and_other_weights(kind: Any) -> None:
    one, other = (
        kind(epochs=1, validation=0.3, random_state=seed).fit(X[:30], Y[kind][:30])
        for seed in (1, 2)
    )
    assert not np.array_equal(numbers(one), numbers(other))
    assert one.run_.population != other.run_.population
    held = (m.run_.dataset.folds[0].validation.tolist() for m in (one, other))
    assert next(held) != next(held)


@KINDS
def test_generators_of_torch_and_numpy_are_left_alone(kind: Any) -> None:
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    model = quick(kind).fit(X, Y[kind])
    numbers(model)
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)


@KINDS
def test_the_data_are_not_changed(kind: Any) -> None:
    frame, number, word = mixed_table(30)
    y = number if kind is Regressor else word
    before, target = frame.copy(), y.copy()
    kind(epochs=1).fit(frame, y).predict(frame)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_series_equal(y, target)


# Containers


@KINDS
def test_arrays_frames_and_sparse_matrices_give_the_same_model(kind: Any) -> None:
    table = np.where(np.abs(X) < 0.5, 0, X)
    expected = numbers(quick(kind).fit(table, Y[kind]), table)
    containers = [
        pd.DataFrame(table, columns=["a", "b"]),
        pl.DataFrame({"a": table[:, 0], "b": table[:, 1]}),
        sparse.csr_matrix(table),
        sparse.coo_array(table),
        sparse.dok_array(table),
        table.tolist(),
    ]
    for container in containers:
        model = quick(kind).fit(container, Y[kind])
        np.testing.assert_array_equal(numbers(model, container), expected)


@KINDS
def test_missing_cells_of_an_array_are_taken(kind: Any) -> None:
    table = X.copy()
    table[::7, 1] = np.nan
    outputs = 1 if kind is Regressor else 2
    model = quick(kind, members=small(3, outputs)).fit(table, Y[kind])
    assert model.run_.dataset.feature_names[-1].endswith("is missing")
    assert np.isfinite(numbers(model, table)).all()


@KINDS
def test_predictions_come_in_the_container_that_was_chosen(kind: Any) -> None:
    frame = pd.DataFrame(X, columns=["a", "b"], index=[f"row {k}" for k in range(60)])
    target = pd.Series(Y[kind], index=frame.index, name="goal")
    model = quick(kind).fit(frame, target)
    plain = model.predict(frame)
    assert isinstance(plain, np.ndarray)
    pandas = model.set_output(transform="pandas").predict(frame)
    pd.testing.assert_series_equal(
        pandas, pd.Series(plain, index=frame.index, name="goal"), check_dtype=False
    )
    polars = model.set_output(transform="polars").predict(frame)
    assert isinstance(polars, pl.Series)
    assert (polars.name, polars.to_list()) == ("goal", plain.tolist())
    assert isinstance(model.set_output(transform=None).predict(frame), pl.Series)
    assert isinstance(model.set_output(transform="default").predict(frame), np.ndarray)
    with pytest.raises(BadPlan, match="must be default, pandas or polars, but 'arrow'"):
        model.set_output(transform="arrow")


def test_frames_name_the_classes_and_the_targets() -> None:
    classifier = quick(Classifier).fit(X, Y[Classifier]).set_output(transform="pandas")
    assert classifier.predict_proba(X).columns.tolist() == ["a", "b"]
    targets = pd.DataFrame({"up": X[:, 0], "down": -X[:, 0]})
    regressor = Regressor(members=small(2, 2), epochs=1).fit(X, targets)
    values, std = regressor.set_output(transform="pandas").predict(X, return_std=True)
    assert values.columns.tolist() == std.columns.tolist() == ["up", "down"]
    assert regressor.set_output(transform="polars").predict(X).columns == ["up", "down"]


@KINDS
def test_a_clone_keeps_its_arguments_and_its_output(kind: Any) -> None:
    model = quick(kind, random_state=3).set_output(transform="pandas").fit(X, Y[kind])
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "predictor_")
    assert isinstance(copy.fit(X, Y[kind]).predict(X), pd.Series)
    np.testing.assert_array_equal(numbers(copy), numbers(model))


# In scikit-learn's company


@KINDS
def test_parameters_can_be_read_and_set(kind: Any) -> None:
    model = kind()
    assert model.get_params()["epochs"] is None
    assert model.set_params(epochs=4, validation=0.2) is model
    assert (model.epochs, model.validation) == (4, 0.2)
    with pytest.raises(ValueError, match="Invalid parameter 'epoch'"):
        model.set_params(epoch=4)


@KINDS
def test_pipelines_cross_validation_and_searches_work(kind: Any) -> None:
    pipeline = make_pipeline(StandardScaler(), quick(kind, epochs=20, validation=0.2))
    assert pipeline.fit(X, Y[kind]).score(X, Y[kind]) > 0.5
    scores = cross_val_score(pipeline, X, Y[kind], cv=3)
    assert scores.shape == (3,)
    assert scores.mean() > 0.3
    search = GridSearchCV(quick(kind, validation=0.2), {"epochs": [1, 15]}, cv=2).fit(X, Y[kind])
    assert search.best_params_ == {"epochs": 15}


@KINDS
def test_an_estimator_that_is_not_fitted_says_so(kind: Any) -> None:
    with pytest.raises(NotFittedError):
        kind().predict(X)


@KINDS
def test_features_are_checked_against_those_of_fitting(kind: Any) -> None:
    frame = pd.DataFrame(X, columns=["a", "b"])
    model = quick(kind).fit(frame, Y[kind])
    assert model.n_features_in_ == 2
    assert model.feature_names_in_.tolist() == ["a", "b"]
    for wrong in (frame[["b", "a"]], frame.rename(columns={"a": "c"}), frame[["a"]]):
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(wrong)
    with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 2"):
        quick(kind).fit(X, Y[kind]).predict(np.zeros((4, 3)))


@KINDS
@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.full((60, 2), np.nan), "No column is left to learn from"),
        (np.ones((60, 2)), "No column is left to learn from|2 rows or more that differ"),
        (np.where(X > 1.9, np.inf, X), "infinity"),
        (X[:59], "inconsistent numbers of samples"),
        (X[:, 0], "Expected 2D array"),
        (pd.DataFrame({"a": []}), "0 rows|inconsistent numbers of samples"),
        (X.astype(complex), "Complex data not supported"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(kind: Any, table: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        quick(kind).fit(table, Y[kind])


@KINDS
@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), "5s"])
def test_a_senseless_time_limit_is_refused(kind: Any, limit: Any) -> None:
    with pytest.raises(BadPlan, match="time_limit must be a number of seconds > 0"):
        quick(kind, time_limit=limit).fit(X, Y[kind])


@KINDS
def test_a_split_whose_training_rows_all_weigh_nothing_is_refused(kind: Any) -> None:
    weight = np.ones(len(X))
    weight[:20] = 0
    split = [(np.arange(20), np.arange(20, len(X)))]
    with pytest.raises(BadData, match="All rows to train on have a sample weight of 0"):
        quick(kind, validation=split).fit(X, Y[kind], sample_weight=weight)
