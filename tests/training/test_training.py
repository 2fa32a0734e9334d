"""A training that one can hold: stopped anywhere, kept, picked up, it ends with the same bits."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slalom
from slalom import MLP, SGD, Adam, Dataset, Member, Plan, Population, losses
from slalom.core.errors import BadPlan
from slalom.engine import Batched, Engine, Native, Reference
from slalom.runs import Run
from slalom.training import Filmed, Frame, Happening, Progress, Recorded, Snapshot, Training
from tests.engine.conformance import StopAfter

ENGINES: list[Callable[[], Engine]] = [Native, Batched, Reference]
by_engine = pytest.mark.parametrize("make", ENGINES, ids=["native", "batched", "reference"])


def racing_plan() -> tuple[Plan, Dataset]:
    """Members that differ in all that changes a training, on data that can be drawn."""
    data = slalom.toys.moons(90, noise=0.2, seed=1).split(validation=0.3)
    members = [
        Member(MLP(2, 8, 2), SGD(0.2), seed=1),
        Member(MLP(2, 6, 2, dropout=0.3), SGD(0.1, momentum=0.9), batch_size=16, seed=2),
        Member(MLP(2, 4, 4, 2, activation="tanh"), Adam(0.02), batch_size=20, seed=3),
        Member(MLP(2, 5, 2), SGD(1e9), batch_size=16, seed=4),  # diverges
    ]
    population = Population(members)
    return Plan(
        population, losses.CrossEntropy(), epochs=9, patience=4, record="step", frames=7
    ), data


def through_plain_arrays(snapshot: Snapshot) -> Snapshot:
    """As a file would keep it: a plan as JSON, arrays as bytes."""
    arrays = {}
    for name, values in snapshot.arrays.items():
        kept = np.frombuffer(values.tobytes(), dtype=values.dtype).reshape(values.shape)
        arrays[name] = kept.copy()
    plan = Plan.loads(json.dumps(json.loads(snapshot.plan.dumps())))
    return Snapshot(plan, snapshot.dataset, arrays)


def assert_same_frames(one: tuple[Frame, ...], other: tuple[Frame, ...]) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        for name in ("step", "train_loss", "metric", "predictions"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def assert_same_run(one: Run, other: Run) -> None:
    """The same bits, history and frames."""
    for name, values in one.state.arrays().items():
        np.testing.assert_array_equal(values, other.state.arrays()[name], err_msg=name, strict=True)
    assert one.history.equals(other.history)
    assert_same_frames(one.frames, other.frames)


def whole(make: Callable[[], Engine]) -> Run:
    training = Training(*racing_plan(), make())
    training.advance()
    return Run.of(training.snapshot(), make())


def stopped_at_random(make: Callable[[], Engine], stops: list[int], monkeypatch: Any) -> Run:
    """The run of a training that is stopped again and again, and each time picked up anew.

    Args:
        make: of the engine.
        stops: after how many looks whether to stop; 0 is for a cut between two stretches.
        monkeypatch: so that the native engine looks often.
    """
    monkeypatch.setattr("slalom.engine.native.engine.PATIENCE", 1e-5)
    monkeypatch.setattr("slalom.engine.native.engine.AT_ONCE", 0.0)
    training = Training(*racing_plan(), make())
    for looks in stops:
        if looks:
            training._stop = StopAfter(looks + 1)
            training.advance()
        else:
            training.advance(steps=1)
        training = Training.resume(through_plain_arrays(training.snapshot()), make())
    training.advance()
    return Run.of(through_plain_arrays(training.snapshot()), make())


@pytest.mark.slow
@by_engine
@settings(max_examples=15, deadline=None)
@given(stops=st.lists(st.integers(0, 40), min_size=1, max_size=8))
def test_a_training_stopped_anywhere_and_picked_up_ends_with_the_same_bits(
    make: Callable[[], Engine], stops: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert_same_run(stopped_at_random(make, stops, monkeypatch), whole(make))


@pytest.mark.slow
@by_engine
def test_a_hundred_random_stops_of_each_engine_change_no_bit(make: Callable[[], Engine]) -> None:
    generator, expected, done = np.random.default_rng(0), whole(make), 0
    with pytest.MonkeyPatch.context() as monkeypatch:
        while done < 100:
            stops = generator.integers(0, 40, size=10).tolist()
            assert_same_run(stopped_at_random(make, stops, monkeypatch), expected)
            done += len(stops)


@by_engine
def test_a_training_goes_on_after_a_stop_without_being_made_anew(
    make: Callable[[], Engine],
) -> None:
    training = Training(*racing_plan(), make())
    while not training.done:
        training.advance(steps=3)
    assert_same_run(Run.of(training.snapshot(), make()), whole(make))


@by_engine
def test_advance_takes_the_steps_that_are_asked_for(make: Callable[[], Engine]) -> None:
    plan, data = racing_plan()
    training = Training(plan, data, make())
    training.advance(steps=5)
    diverged = training.state.diverged_at >= 0
    assert training.state.step[~diverged].tolist() == [5] * int((~diverged).sum())
    assert diverged.tolist() == [False, False, False, True]


def test_advance_takes_about_the_time_that_is_given() -> None:
    plan = Plan(Population([Member(MLP(2, 4, 2))]), losses.CrossEntropy(), steps=10**9)
    training = Training(plan, slalom.toys.moons(50), Native())
    training.advance(seconds=0.2)
    assert 0 < training.state.step[0] < 10**9
    assert not training.done
    before = int(training.state.step[0])
    training.advance(steps=7)  # the stop of before is over
    assert training.state.step[0] == before + 7


def test_another_thread_can_stop_a_training() -> None:
    plan = Plan(Population([Member(MLP(2, 4, 2))]), losses.CrossEntropy(), steps=10**9)
    training = Training(plan, slalom.toys.moons(50), Native())
    threading.Timer(0.05, training.stop).start()
    training.advance()
    assert 0 < training.state.step[0] < 10**9


@by_engine
def test_the_stream_holds_all_records_and_frames_in_their_order(
    make: Callable[[], Engine],
) -> None:
    training, heard = Training(*racing_plan(), make()), list[Happening]()
    training.listeners.append(heard.append)
    training.advance()
    rows = [h.rows for h in heard if isinstance(h, Recorded)]
    assert np.concatenate(rows).tobytes() == training.records.tobytes()
    filmed = [h.count for h in heard if isinstance(h, Filmed)]
    assert filmed == sorted(set(filmed))
    assert filmed[-1] == len(Run.of(training.snapshot(), make()).frames) == 7
    progress = [h for h in heard if isinstance(h, Progress)]
    assert (progress[-1].training, progress[-1].remaining) == (0, 0)
    assert [p.steps for p in progress] == sorted(p.steps for p in progress)


@by_engine
def test_frames_of_members_that_end_early_stand_still(make: Callable[[], Engine]) -> None:
    run = whole(make)
    steps = np.stack([frame.step for frame in run.frames])
    np.testing.assert_array_equal(steps.max(axis=0), np.minimum(run.state.step, steps.max()))
    lost = steps[:, 3] == run.state.step[3]  # of the member that diverges
    predictions = np.stack([frame.predictions[3] for frame in run.frames])[lost]
    for later in predictions[1:]:
        np.testing.assert_array_equal(later, predictions[0])


def test_a_training_may_go_on_on_another_engine() -> None:
    plan, data = racing_plan()
    members = list(plan.population)[:3]  # near divergence engines part
    plan = replace(plan, population=Population(members))
    training = Training(plan, data, Reference())
    training.advance(steps=11)
    training = Training.resume(training.snapshot(), Native())
    training.advance()
    alone = Training(plan, data, Reference())
    alone.advance()
    np.testing.assert_allclose(
        training.state.parameters, alone.state.parameters, rtol=1e-4, atol=1e-5
    )


def test_arrays_of_another_plan_are_refused() -> None:
    plan, data = racing_plan()
    snapshot = Training(plan, data, Reference()).snapshot()
    smaller = replace(plan, population=Population([plan.population[0]]))
    with pytest.raises(BadPlan, match=r"The arrays do not belong to this plan: .* must be"):
        Training.resume(Snapshot(smaller, data, snapshot.arrays), Reference())


def test_a_snapshot_does_not_change_when_its_training_goes_on() -> None:
    training = Training(*racing_plan(), Native())
    training.advance(steps=2)
    snapshot = training.snapshot()
    before = {name: values.copy() for name, values in snapshot.arrays.items()}
    training.advance()
    for name, values in before.items():
        assert snapshot.arrays[name].tobytes() == values.tobytes(), name
