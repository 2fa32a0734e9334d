"""Any step of a run can be visited again, to the bit, and gone on from otherwise."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import slalom
from slalom import MLP, SGD, Adam, Dataset, Plan, Population, Store, losses
from slalom.core.errors import BadPlan, BadRun
from slalom.engine import Engine, Native, Reference
from slalom.optim import CosineAnnealingLR
from slalom.runs import Run
from slalom.tabular.elimination import by_first_fold
from slalom.training import Training, training
from tests.runs.stored import ENGINES, assert_same

pytestmark = pytest.mark.slow

LINE = slalom.toys.quadratic(40, noise=0.1, seed=1)
MOONS = slalom.toys.moons(90, noise=0.2, seed=1).split(validation=0.3)


def motley(engine: str) -> tuple[Plan, Dataset, Engine]:
    """Members that stop early, diverge, or go to the end, in epochs of different lengths."""
    members = [
        slalom.Member(MLP(2, 8, 2), SGD(0.5), batch_size=16, seed=1),
        slalom.Member(MLP(2, 6, 2, dropout=0.3), Adam(0.05), batch_size=10, seed=2),
        slalom.Member(MLP(2, 4, 2), SGD(1e9), batch_size=16, seed=3),
        slalom.Member(MLP(2, 4, 2), SGD(1e-4, momentum=0.9), batch_size=None, seed=4),
    ]
    plan = Plan(
        Population(members), losses.CrossEntropy(), epochs=25, patience=3, record="step", frames=4
    )
    return plan, MOONS, ENGINES[engine]()


def run_of(held: Training, **more: object) -> Run:
    return Run.of(held.snapshot(), held.engine, **more)  # type: ignore[arg-type]


def assert_state(run: Run, truth: Training) -> None:
    for name, values in truth.state.arrays().items():
        np.testing.assert_array_equal(run.state.arrays()[name], values, err_msg=name)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=15)
@given(step=st.integers(0, 150), kept=st.lists(st.integers(1, 40), max_size=3))
def test_a_step_that_is_visited_again_is_what_was_seen_there(
    engine: str, step: int, kept: list[int]
) -> None:
    plan, data, carrier = motley(engine)
    seen, whole = Training(plan, data, carrier), Training(plan, data, carrier)
    moments = []
    for steps in kept:
        whole.advance(steps=steps)
        moments.append(whole.snapshot())
    whole.advance()
    run = replace(run_of(whole), moments=moments)
    step = min(step, int(whole.state.step.max()))
    seen.advance(until=step)
    then = run.at(step)
    assert_state(then, seen)
    assert then.history.equals(run_of(seen).history)


def test_a_step_of_a_run_that_was_stopped_is_what_was_seen_there() -> None:
    plan, data, carrier = motley("native")
    whole, seen = Training(plan, data, carrier), Training(plan, data, carrier)
    whole.advance(steps=30)
    run = run_of(whole, stopped_by="interrupt")
    assert_state(run.at(int(whole.state.step.max())), whole)
    seen.advance(until=11)
    assert_state(run.at(11), seen)


def test_members_that_were_held_back_or_left_stay_where_they_ended() -> None:
    population = slalom.grid(
        net=MLP(2, 6, 2), optimizer=Adam, lr=np.geomspace(1e-5, 1e-2, 12), batch_size=10
    ).on_folds(3)
    plan = Plan(population, losses.CrossEntropy(), epochs=12)
    data = slalom.toys.moons(60, noise=0.2, seed=1).cross_validation(3)
    whole = Training(plan, data, Native(1))
    for step in by_first_fold(whole):
        whole.advance(until=step)
    run = run_of(whole)
    half = run.at(20).state
    np.testing.assert_array_equal(half.step, np.minimum(whole.state.step, 20))
    alone = Training(plan, data, Native(1))
    alone.advance(until=20)
    begun = np.repeat(half.step == 20, np.diff(half.layout.parameters))
    np.testing.assert_array_equal(half.parameters[begun], alone.state.parameters[begun])
    last = run.at(int(whole.state.step.max()))
    assert_state(last, whole)
    first = Training(plan, data, Native(1))
    for step in islice(by_first_fold(first), 1):
        first.advance(until=step)
    assert_state(replace(run, moments=[first.snapshot()]).at(48), whole)


def test_moments_are_kept_on_the_way_and_fewer_where_they_take_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from slalom.runs import rewind

    monkeypatch.setattr(rewind, "FIRST", 0.0)
    monkeypatch.setattr(rewind, "GROWTH", 1.0)
    monkeypatch.setattr(training, "FIRST_STRETCH", 1)
    monkeypatch.setattr(training, "STRETCH_SECONDS", 1e-9)
    arguments = {"optimizer": SGD(0.1), "steps": 60, "progress": False}
    run = slalom.train(MLP(1, 10, 1), LINE, **arguments)
    assert len(run.moments) == 60
    size = sum(values.nbytes for values in run.state.arrays().values())
    few = slalom.train(MLP(1, 10, 1), LINE, rewind_bytes=10 * size, **arguments)
    assert 5 <= len(few.moments) <= 10
    assert not slalom.train(MLP(1, 10, 1), LINE, rewind_bytes=0, **arguments).moments
    trained = 0

    def count(self: Training, goal: int, before: object = Training._take_stretch) -> None:
        nonlocal trained
        trained += 1
        before(self, goal)  # type: ignore[operator]

    monkeypatch.setattr(Training, "_take_stretch", count)
    assert int(run.at(50).state.step[0]) == 50
    assert trained <= 1  # for there was a moment at that step


@pytest.mark.parametrize("step", [-1, 51, 2.0, True, None])
def test_a_step_that_there_is_not_is_refused(step: object) -> None:
    run = slalom.train(MLP(1, 4, 1), LINE, steps=50)
    with pytest.raises(BadPlan, match="step must be a whole number from 0 to 50"):
        run.at(step)  # type: ignore[arg-type]


# Forks


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fork_with_nothing_changed_equals_its_origin(engine: str) -> None:
    plan, data, carrier = motley(engine)
    whole = Training(plan, data, carrier)
    whole.advance()
    run = run_of(whole)
    for step in (0, 1, 17, int(whole.state.step.max())):
        assert_same(slalom.fork(run, step), run)


def test_a_fork_is_what_plain_pytorch_does_with_another_rate_from_there_on() -> None:
    run = slalom.train(MLP(1, 10, 1), LINE, optimizer=SGD(0.1, momentum=0.9), steps=40, seed=3)
    fork = slalom.fork(run, step=15, lr=0.02)
    torch.manual_seed(3)
    net = torch.nn.Sequential(torch.nn.Linear(1, 10), torch.nn.ReLU(), torch.nn.Linear(10, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    X, y, seen = torch.from_numpy(LINE.X), torch.from_numpy(LINE.y), []
    for step in range(40):
        if step == 15:
            optimizer.param_groups[0]["lr"] = 0.02
        loss = torch.nn.functional.mse_loss(net(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(loss.item())
    np.testing.assert_allclose(fork.history["train_loss"], seen, rtol=1e-5)
    assert fork.population[0].optimizer == SGD(0.02, momentum=0.9)
    assert fork.origin == "step 15"


def test_a_fork_may_be_longer_and_have_another_schedule() -> None:
    run = slalom.train(MLP(1, 10, 1), LINE, optimizer=Adam(0.01), steps=30, frames=0)
    fork = slalom.fork(run, step=30, steps=50, schedule=CosineAnnealingLR(), clip_norm=1.0)
    assert int(fork.state.step[0]) == 50
    assert fork.history["train_loss"].iloc[:30].equals(run.history["train_loss"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 5}, "so batch_size cannot be another one"),
        ({"net": MLP(1, 3, 1)}, "so net cannot be another one"),
        ({"optimizer": Adam(0.1)}, "cannot take over what SGD"),
        ({"momentum": 0.5}, "cannot take over what SGD"),
        ({"alpha": 0.5}, "has an argument 'alpha'"),
        ({"steps": 99}, "A run with frames keeps its length"),
    ],
)
def test_what_cannot_change_on_the_way_is_refused(changes: dict[str, object], message: str) -> None:
    run = slalom.train(MLP(1, 4, 1), LINE, optimizer=SGD(0.1), steps=20, frames=3)
    with pytest.raises(BadPlan, match=message):
        slalom.fork(run, 10, **changes)


def test_a_fork_in_a_store_says_where_it_comes_from_and_can_be_killed_at_once(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    run = slalom.train(MLP(1, 10, 1), LINE, optimizer=SGD(0.2), steps=40, store=store, name="first")
    fork = slalom.fork("first", 25, store=store, name="slower", lr=0.05)
    assert store.find("slower").about["origin"] == "first, step 25"
    assert_same(slalom.open_run("slower", store), fork)
    assert fork.history["train_loss"].iloc[:25].equals(run.history["train_loss"].iloc[:25])
    for path in store.find("slower").checkpoints()[:-1]:
        path.unlink()  # as if it had been killed before it took a step
    assert_same(slalom.resume("slower", store=store), fork)


def test_a_fork_that_was_killed_before_it_trained_can_be_opened(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = slalom.train(MLP(1, 4, 1), LINE, steps=20, store=store, name="first", progress=False)
    folder = store.new(run.plan, LINE, "fork", {"kind": "train", "engine": "reference"})
    folder.stand_at(run.at(5).snapshot())
    opened = slalom.open_run("fork", store)
    assert (opened.state.step.tolist(), opened.engine.name) == ([5], "reference")


def test_a_run_goes_back_to_a_step_and_on_from_there(tmp_path: Path) -> None:
    from slalom.runs.resume import go_back

    store = Store(tmp_path)
    run = slalom.train(MLP(1, 10, 1), LINE, optimizer=SGD(0.2), steps=40, store=store, name="first")
    go_back(store.find("first"), 10)
    assert int(slalom.open_run("first", store).state.step[0]) == 10
    assert store.table()[["status", "steps"]].values.tolist() == [["interrupted", 10]]
    assert_same(slalom.resume("first", store=store), run)


def test_a_fit_goes_back_to_no_single_step(tmp_path: Path) -> None:
    from slalom.runs.resume import go_back

    store = Store(tmp_path)
    store.new(*motley("native")[:2], "fit", {"kind": "fit"})
    with pytest.raises(BadRun, match="chooses on the way who trains on"):
        go_back(store.find("fit"), 3)


@pytest.mark.soak
@pytest.mark.parametrize("make", [Native, Reference])
def test_two_hundred_random_steps_of_runs_are_what_was_seen_there(
    make: type[Engine], capsys: pytest.CaptureFixture[str]
) -> None:
    import time

    plan, data, _ = motley("native")
    draw, carrier, took = np.random.default_rng(0), make(), 0.0
    for seed in range(20):
        members = [replace(member, seed=seed) for member in plan.population]
        own = plan.adjusted(population=Population(members))
        whole = Training(own, data, carrier)
        whole.advance()
        for step in draw.integers(0, int(whole.state.step.max()) + 1, size=10):
            seen = Training(own, data, carrier)
            seen.advance(until=int(step))
            began = time.perf_counter()
            then = run_of(whole).at(int(step))
            took += time.perf_counter() - began
            assert_state(then, seen)
    with capsys.disabled():
        print(f"\n{make.__name__}: 200 steps visited, {1000 * took / 200:.1f} ms each")
