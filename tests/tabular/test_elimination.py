"""Candidates are halved on the first fold, and only the best of them trained on the others."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slalom import MLP, Adam, Classifier, Regressor, grid
from slalom.data.target import fit_target
from slalom.engine import Native
from slalom.losses import MSE
from slalom.plan import Plan
from slalom.runs import Run
from slalom.tabular import ensemble
from slalom.tabular.elimination import by_first_fold, share
from slalom.tabular.ensemble import Ensemble, _weighted, trained_folds
from slalom.tabular.fit import Fit, fit_table
from slalom.tabular.preparation import Preparation
from slalom.training import Training

RATES = np.geomspace(1e-5, 1e-2, 12).tolist()  # the more, the better


@pytest.fixture(scope="module")
def prepared() -> Preparation:
    x = np.linspace(-2, 2, 90)
    table = pd.DataFrame({"x": x, "y": np.sin(2 * x)})
    target = fit_target(table[["y"]])
    return Preparation.of(table[["x"]], target, target.values(table), validation=3)


@pytest.fixture(scope="module")
def plan() -> Plan:
    population = grid(net=MLP(1, 8, 1), optimizer=Adam, lr=RATES, batch_size=10).on_folds(3)
    return Plan(population, MSE(), epochs=20)


def after(legs: int, plan: Plan, prepared: Preparation) -> Training:
    training = Training(plan, prepared.dataset, Native(1))
    steer = by_first_fold(training)
    for step in islice(steer, legs):
        training.advance(until=step)
    return training


def run_of(training: Training) -> Run:
    return Run.of(training.snapshot(), training.engine)


def test_on_the_first_fold_half_of_the_best_go_on_after_a_quarter_and_five_after_a_half(
    plan: Plan, prepared: Preparation
) -> None:
    fold = plan.population.columns().fold
    total = 20 * 6  # 60 rows in batches of 10
    alive = np.flatnonzero(fold == 0)
    for legs, goal, left in ((1, total // 4, 12), (2, total // 2, 6), (3, total, 5)):
        training = after(legs, plan, prepared)
        state = training.state
        assert not state.step[fold > 0].any()
        np.testing.assert_array_equal(np.flatnonzero(state.step == goal), alive)
        assert len(alive) == left
        alive = np.sort(alive[np.argsort(state.best_loss[alive])[: left // 2 if legs == 1 else 5]])


def test_those_that_go_on_end_as_if_nobody_had_been_held_back(
    plan: Plan, prepared: Preparation
) -> None:
    training = after(4, plan, prepared)
    whole = Training(plan, prepared.dataset, Native(1))
    whole.advance()
    state, truth = training.state, whole.state
    end = state.step == 120
    assert end.reshape(12, 3).all(axis=1).sum() == end.sum() / 3 == 5  # on all of their folds
    np.testing.assert_array_equal(state.best_loss[end], truth.best_loss[end])
    np.testing.assert_array_equal(
        state.parameters,
        np.where(
            np.repeat(end, np.diff(state.layout.parameters)), truth.parameters, state.parameters
        ),
    )


@pytest.mark.parametrize("legs", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("further", [0, 1, 3])
def test_one_that_is_picked_up_anywhere_ends_as_one_that_was_not_stopped(
    legs: int, further: int, plan: Plan, prepared: Preparation
) -> None:
    whole = after(9, plan, prepared)
    first = Training(plan, prepared.dataset, Native(1))
    steer = by_first_fold(first)
    for step in islice(steer, legs):
        first.advance(until=step)
    next(steer, None)  # what follows the leg is done, and a part of the next leg
    first.advance(steps=further)
    second = Training.resume(first.snapshot(), Native(1))
    for step in by_first_fold(second):
        second.advance(until=step)
    for name, values in whole.state.arrays().items():
        np.testing.assert_array_equal(second.state.arrays()[name], values, err_msg=name)


def test_nobody_who_has_stopped_before_is_woken_or_moved(plan: Plan, prepared: Preparation) -> None:
    training = Training(plan, prepared.dataset, Native(1))
    steer = by_first_fold(training)
    training.advance(until=next(steer))
    training.state.stopped_at[:3] = 7  # the rates that are worst, as if by patience
    training.advance(until=next(steer))
    assert (training.state.stopped_at[:3] == 7).all()


@given(st.integers(1, 300), st.integers(1, 10))
def test_what_candidates_cost_is_a_share_of_what_they_would(every: int, folds: int) -> None:
    assert 0 < share(folds, every) <= 1
    if every <= 5:  # too few to leave any
        assert share(folds, every) == pytest.approx(1)


def test_twelve_candidates_on_five_folds_cost_less_than_half() -> None:
    # A quarter of all, a quarter of six and a half of five; then five on four more folds.
    assert share(5, 12) == pytest.approx((12 / 4 + 6 / 4 + 5 / 2 + 4 * 5) / 60)


def test_candidates_that_were_left_have_no_weight_and_are_told_apart(
    plan: Plan, prepared: Preparation
) -> None:
    run = run_of(after(4, plan, prepared))
    every = _weighted(prepared, run)
    assert sum(c.predictions is not None for c in every) == 5
    assert sum(c.weight for c in every) == pytest.approx(1)
    board = run.leaderboard()
    assert (board["status"] == "not begun").sum() == 7 * 2
    assert (board["status"].iloc[-7 * 2 :] == "not begun").all()


def test_a_training_that_ends_in_the_first_fold_still_gives_a_model(
    plan: Plan, prepared: Preparation
) -> None:
    run = run_of(after(3, plan, prepared))
    assert trained_folds(run).tolist() == [0]
    ensemble = Ensemble(prepared, run, _weighted(prepared, run))
    assert {plan.population[k].fold for k in ensemble.weights} == {0}
    assert sum(ensemble.weights.values()) == pytest.approx(1)
    predictor = ensemble.predictor()
    assert predictor.noise and np.isfinite(predictor.noise).all()
    assert np.isfinite(predictor.predict(pd.DataFrame({"x": [0.5]}))).all()


@pytest.mark.parametrize(("kind", "y"), [(Regressor, np.arange(60.0)), (Classifier, [0, 1] * 30)])
def test_the_estimators_eliminate_from_their_own_population_and_from_no_other(
    kind: Any, y: Any
) -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    own = kind(epochs=2, progress=False).fit(X, y).run_.state
    assert not own.step.all() and own.step.any()
    population = grid(net=MLP(2, 3, 1 if kind is Regressor else 2), lr=[1e-3, 1e-2])
    given = kind(members=population, epochs=2, progress=False).fit(X, y).run_.state
    assert given.step.all()


def fitted() -> Fit:
    x = np.linspace(-2, 2, 200)
    return fit_table(pd.DataFrame({"x": x, "y": np.sin(2 * x)}), "y", epochs=2, progress=False)


def test_the_leaderboard_is_of_those_that_were_trained_on_every_fold() -> None:
    fit = fitted()
    whole = int(fit.field.partition("of which the ")[2].split()[0])
    board = fit.leaderboard(top=1000)
    assert len(board) == whole >= 5
    assert board["validation loss"].notna().all()


def test_the_leaderboard_of_a_training_that_ended_in_the_first_fold_is_of_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def first_leg(training: Training) -> Iterator[int | None]:
        yield from islice(by_first_fold(training), 1)

    monkeypatch.setattr("slalom.tabular.ensemble.by_first_fold", first_leg)
    fit = fitted()
    assert "on the first of 5 folds" in fit.field
    assert fit.leaderboard()["validation loss"].notna().all()


def test_where_the_machine_is_fast_a_time_limit_is_used_for_more_candidates(
    prepared: Preparation, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ensemble.Settings(time_limit=0.1, threads=1)

    def candidates_at(seconds: float) -> int:
        monkeypatch.setattr(ensemble, "duration", lambda *_: seconds)
        plan = ensemble._plan(prepared, settings)
        return len(ensemble._in_time(plan, prepared, settings, limit=0.1).population)

    monkeypatch.setattr(ensemble, "within", lambda plan, *_: plan)
    as_usual, faster = candidates_at(1.0), candidates_at(0.002)
    assert as_usual == len(ensemble._plan(prepared, settings).population)
    assert faster > 2 * as_usual
