"""How the native engine behaves: threads, stops, shapes, memory; one program for all of it."""

import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import slalom
from slalom import MLP, SGD, Adam, Dataset, Member, Plan, Population, RMSprop, losses
from slalom.engine import Native, Reference, State
from slalom.engine.native import tables
from slalom.engine.native.training import work
from slalom.nets import ACTIVATIONS
from tests.engine.conformance import (
    EngineConformance,
    StopAfter,
    assert_same_bits,
    assert_same_records,
    dataset,
    everything,
    flat,
    mlp,
    plan_of,
    seeded,
)


def points(rows: int, features: int, targets: int = 1, seed: int = 0) -> Dataset:
    generator = np.random.default_rng(seed)
    X, y = generator.normal(size=(rows, features)), generator.normal(size=(rows, targets))
    return Dataset(X, y, task="regression")


# Records


@given(
    record=st.sampled_from(["step", "epoch"]),
    every=st.integers(1, 9),
    stretches=st.lists(st.integers(1, 9), max_size=6),
)
@settings(max_examples=30)
def test_a_thinned_history_has_the_same_records_however_the_training_is_cut(
    record: str, every: int, stretches: list[int]
) -> None:
    plan, data = EngineConformance.mixed()
    plan, engine = replace(plan, record=record, record_every=every), Native(1)
    _, whole = everything(engine, plan, data)
    session = engine.prepare(plan, data)
    state = session.start()
    parts = []
    for steps in [*stretches, 23]:
        made = session.stretch(state, 0, steps)
        made.work(made.shared(1))
        made.save(state)
        room = np.diff(made.nets.members["records"], append=len(made.records))
        assert (made.nets.members["recorded"] <= room).all()
        parts.append(made.written())
    assert_same_records(parts, whole)


# Threads


@pytest.fixture(autouse=True)
def in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little there is to do, threads do it."""
    monkeypatch.setattr("slalom.engine.native.engine.AT_ONCE", 0.0)


def test_a_small_stretch_is_the_same_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, data = EngineConformance.mixed()
    threaded, records = everything(Native(2), plan, data)
    monkeypatch.setattr("slalom.engine.native.engine.AT_ONCE", np.inf)
    alone, same = everything(Native(2), plan, data)
    assert_same_bits(alone, threaded)
    assert_same_records([same], records)


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_any_number_of_threads_gives_the_same_bits(threads: int) -> None:
    plan, data = EngineConformance.mixed()
    one, one_records = everything(Native(1), plan, data)
    many, records = everything(Native(threads), plan, data)
    assert_same_bits(many, one)
    assert_same_records([records], one_records)


LARGE = {
    8: plan_of(
        Member(MLP(8, 96, 96, 1), SGD(0.05), 500, seed=1),
        Member(MLP(8, 128, 64, 1, activation="tanh", dropout=0.25), Adam(1e-3), seed=2),
        Member(MLP(8, 160, 160, 1), SGD(0.05, momentum=0.9), 700, clip_norm=0.1, seed=3),
        steps=7,
    ),
    1: plan_of(  # curves
        Member(MLP(1, 3000, 1), SGD(1e-3), 700, seed=1),
        Member(MLP(1, 5000, 1), Adam(1e-4), clip_norm=0.1, seed=2),
        steps=7,
    ),
}
by_features = pytest.mark.parametrize("features", LARGE)


@by_features
def test_steps_are_shared_in_the_plans_that_test_it(features: int) -> None:
    session = Native(1).prepare(LARGE[features], points(1500, features))
    assert (session.stretch(session.start(), 0, 1).nets.geometries["parts"] > 1).all()


@by_features
@pytest.mark.parametrize("threads", [2, 3, 8])
def test_threads_that_share_a_step_give_the_bits_of_one(threads: int, features: int) -> None:
    plan, data = LARGE[features], points(1500, features)
    one, one_records = everything(Native(1), plan, data)
    many, records = everything(Native(threads), plan, data)
    assert_same_bits(many, one)
    assert_same_records([records], one_records)


@by_features
def test_shared_steps_are_those_of_the_reference_engine(features: int) -> None:
    plan, data = LARGE[features], points(1500, features)
    ours, records = everything(Native(2), plan, data)
    theirs, expected = everything(Reference(), plan, data)
    np.testing.assert_allclose(records["train_loss"], expected["train_loss"], rtol=1e-5)
    np.testing.assert_allclose(ours.parameters, theirs.parameters, rtol=1e-4, atol=1e-5)


@by_features
@pytest.mark.usefixtures("impatient")
def test_shared_steps_that_are_stopped_again_and_again_end_with_the_same_bits(
    features: int,
) -> None:
    plan, data = LARGE[features], points(1500, features)
    whole, expected = everything(Native(1), plan, data)
    engine = Native(2)
    state = engine.start(plan, data)
    records = []
    while state.training.any():
        records.append(engine.advance(state, 7, StopAfter(3)))
        assert len(records) < 1000
    assert_same_bits(state, whole)
    assert_same_records(records, expected)


def test_populations_that_train_at_once_do_not_touch_each_other() -> None:
    plan, data = EngineConformance.mixed()
    plans = [replace(plan, steps=steps) for steps in (5, 23, 11, 17, 8, 14)]
    alone = [everything(Native(2), p, data) for p in plans]
    shared = Native(2)
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda p: everything(shared, p, data), plans))
    for (one, records), (other, others) in zip(alone, together, strict=True):
        assert_same_bits(other, one)
        assert_same_records([others], records)


def test_an_error_in_a_thread_reaches_the_caller_and_ends_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan, data = EngineConformance.mixed()
    engine = Native(2)
    state = engine.start(plan, data)
    work, calls = tables.work, []

    def fails_once(*arguments: Any) -> Any:
        calls.append(0)
        if len(calls) == 1:
            raise MemoryError("no room")
        return work(*arguments)

    monkeypatch.setattr(tables, "work", fails_once)
    with pytest.raises(MemoryError, match="no room"):
        engine.advance(state, 23)
    assert len(calls) == 2
    engine.advance(state, 23)  # what the other thread did is in the state
    whole, _ = everything(Native(1), plan, data)
    assert_same_bits(state, whole)


# Stopping


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine looks every millisecond whether it should stop."""
    monkeypatch.setattr("slalom.engine.native.engine.PATIENCE", 0.001)


WIDE = Member(MLP(8, 256, 256, 1), Adam(1e-3), seed=1)


def stopped(plan: Plan, data: Dataset, until: Callable[[State], bool]) -> State:
    """A training left by the first stop after which this holds."""
    engine = Native(1)
    state = engine.start(plan, data)
    for _ in range(100):
        assert len(engine.advance(state, 1, StopAfter(3))) == 0
        if until(state):
            return state
    raise AssertionError("never came to that")


@pytest.mark.usefixtures("impatient")
def test_a_stop_in_the_middle_of_a_large_step_leaves_the_state_before_it() -> None:
    plan, data = plan_of(WIDE, steps=1), points(40_000, 8)
    whole, records = everything(Native(1), plan, data)
    state = stopped(plan, data, until=lambda state: True)
    assert_same_bits(state, Native(1).start(plan, data))
    assert_same_records([Native(1).advance(state, 1)], records)
    assert_same_bits(state, whole)


@pytest.mark.usefixtures("impatient")
def test_a_stop_in_the_middle_of_a_validation_leaves_it_pending_for_whatever_engine() -> None:
    data = points(40_000, 8)
    split = slalom.Split(range(10), range(10, 40_000))
    data = Dataset(data.X, data.y, data.task, folds=(split,))
    plan = plan_of(WIDE, steps=1)
    whole, records = everything(Native(1), plan, data)
    state = stopped(plan, data, until=lambda state: state.step[0] == 1)
    assert np.isfinite(state.pending).all()
    assert np.isinf(state.best_loss).all()
    assert state.training.all()
    copy = Reference().start(plan, data)
    copy.restore({name: values.copy() for name, values in state.arrays().items()})

    assert_same_records([Native(1).advance(state, 1)], records)
    assert_same_bits(state, whole)
    rest = Reference().advance(copy, 1)
    assert not copy.training.any()
    for name in ("train_loss", "validation_loss", "metric"):
        np.testing.assert_allclose(rest[name], records[name], rtol=1e-5)
    np.testing.assert_array_equal(copy.best_parameters, whole.best_parameters)


def test_an_event_that_is_set_from_another_thread_stops_every_member() -> None:
    members = [Member(MLP(4, 64, 2), Adam(1e-4), 16, seed=s) for s in range(40)]
    # However many epochs lie ahead: to shuffle all of them would take minutes.
    plan, data = plan_of(*members, steps=10**9, record_every=10**9), dataset("regression")
    engine, stop = Native(2), Event()
    state = engine.start(plan, data)
    with ThreadPoolExecutor(1) as pool:
        training = pool.submit(engine.advance, state, 10**9, stop)
        assert not training.done()
        stop.set()
        records = training.result(timeout=60)
    assert len(records) == 0
    assert state.training.all()


def test_members_that_are_done_cost_nothing_however_many_epochs_lie_ahead() -> None:
    member = Member(MLP(4, 3, 2), SGD(1e30), 16)
    plan = plan_of(member, steps=10**9, record_every=10**9)
    state, records = everything(Native(1), plan, dataset("regression"))
    assert 0 < state.diverged_at[0] < 10
    assert len(records) == 1


# One program


def test_no_other_shape_loss_type_or_layout_of_memory_compiles_anything_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Native(2)
    everything(engine, *EngineConformance.mixed())
    for net, loss, kind in [
        (MLP(4, 2), losses.MSE(), "regression"),
        (MLP(4, 50, 33, 3, activation="gelu"), losses.CrossEntropy(label_smoothing=0.1), "classes"),
        (MLP(4, 1, 1), losses.BCEWithLogits(pos_weight=3), "binary"),
        (MLP(4, 6, 4, dropout=0.1), losses.GaussianNLL(), "regression"),
    ]:
        for optimizer in (SGD(0.1, momentum=0.5), RMSprop(0.01, centered=True)):
            member = Member(net, optimizer, 10, schedule=slalom.OneCycleLR(), clip_norm=1)
            everything(engine, plan_of(member, loss=loss, epochs=2), dataset(kind))

    data = dataset("regression")
    weight = np.arange(1.0, data.rows + 1)
    plan = plan_of(Member(MLP(4, 5, 2), batch_size=16), epochs=2, record="epoch")
    for X, y in [
        (data.X.astype(np.float64), data.y.astype(np.float16)),
        (np.asfortranarray(data.X), data.y[::-1]),
        (data.X[:, ::-1], np.arange(2 * data.rows).reshape(-1, 2)),
    ]:
        everything(engine, plan, Dataset(X, y, data.task, weight=weight).split(0.3))

    read_only = Dataset(data.X, data.y, data.task, weight=weight)
    for values in (read_only.X, read_only.y, read_only.weight):
        assert values is not None
        values.flags.writeable = False
    _, expected = everything(engine, plan, Dataset(data.X, data.y, data.task, weight=weight))
    _, records = everything(engine, plan, read_only)
    assert_same_records([records], expected)

    monkeypatch.setattr("slalom.engine.state.fits", lambda size: False)
    on_disk, records = everything(engine, plan, read_only)
    assert on_disk.on_disk
    assert_same_records([records], expected)
    compiled: Any = work
    assert len(compiled.signatures) == 1


# Shapes


def float64_step(
    net: MLP, seed: int, data: Dataset, loss: losses.Loss, rows: NDArray[np.int64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Loss and gradient of the fresh net in float64, and the sizes of the gradient's terms."""
    module = seeded(seed, lambda: mlp(net.widths, str(net.activation))).double()
    x, y = torch.from_numpy(data.X[rows]).double(), torch.from_numpy(data.y[rows])
    y = y.double() if data.task == "regression" else y
    weight = None if data.weight is None else torch.from_numpy(data.weight[rows]).double()
    value = loss(module(x), y, weight)
    value.backward()
    gradient = np.concatenate([p.grad.flatten().numpy() for p in module.parameters()])
    layers = [p.grad.abs().max().expand(p.numel()) for p in module.parameters()]
    return value.item(), gradient, torch.cat(layers).numpy()


def assert_one_step_is_the_gradient(
    net: MLP, data: Dataset, loss: losses.Loss, batch_size: int | None = None, seed: int = 0
) -> None:
    """One step of SGD(1) moves the parameters by the gradient."""
    rows = np.arange(data.rows)
    if batch_size is not None:
        order = slalom.data.batches.Shuffle(seed, data.rows).order(0).numpy()
        rows = order[:batch_size]
    value, gradient, scale = float64_step(net, seed, data, loss, rows)
    member = Member(net, SGD(1.0), batch_size, seed=seed)
    engine = Native(1)
    plan = plan_of(member, loss=loss, steps=1)
    state = engine.start(plan, data)
    before = state.parameters.astype(np.float64)
    records = engine.advance(state, 1)
    np.testing.assert_allclose(records["train_loss"], value, rtol=2e-6, atol=1e-7)
    moved = before - state.parameters
    allowed = 1e-5 * scale + 2.0**-23 * (np.abs(before) + np.abs(gradient)) + 1e-9
    assert (np.abs(moved - gradient) <= allowed).all()


SMOOTH = [name for name in ACTIVATIONS if name not in ("relu", "leaky_relu")]
widths = st.integers(1, 20) | st.sampled_from([31, 32, 33, 47, 48, 64, 65, 127, 300])


@settings(max_examples=40)
@given(
    hidden=st.lists(widths, max_size=6),
    features=st.integers(1, 70) | st.just(300),
    targets=st.integers(1, 40),
    rows=st.integers(1, 140),
    batch=st.none() | st.integers(1, 200),
    activation=st.sampled_from(SMOOTH),
    seed=st.integers(0, 2**40),
)
@example([], 1, 1, 1, None, "tanh", 0)
@example([], 300, 40, 100, 33, "tanh", 1)
@example([1], 1, 40, 65, 64, "tanh", 2)
@example([300, 299], 300, 1, 40, 1, "silu", 3)
@example([5, 4, 3, 2, 1, 6], 2, 3, 33, 32, "softplus", 4)
def test_the_gradient_of_a_net_of_any_shape_is_that_of_float64(
    hidden: list[int],
    features: int,
    targets: int,
    rows: int,
    batch: int | None,
    activation: str,
    seed: int,
) -> None:
    net = MLP(features, *hidden, targets, activation=activation)
    data = points(rows, features, targets, seed % 2**32)
    assert_one_step_is_the_gradient(net, data, losses.MSE(), batch, seed)


@settings(max_examples=25)
@given(
    classes=st.integers(2, 40),
    rows=st.integers(1, 100),
    batch=st.none() | st.integers(1, 50),
    smoothing=st.sampled_from([0.0, 0.3]),
    weighted=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_gradient_of_cross_entropy_with_any_number_of_classes_is_that_of_float64(
    classes: int, rows: int, batch: int | None, smoothing: float, weighted: bool, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    X, y = generator.normal(size=(rows, 3)), generator.integers(0, classes, size=rows)
    names = tuple(map(str, range(classes)))
    weight = generator.uniform(0.1, 2, size=rows) if weighted else None
    data = Dataset(X, y, task="classification", weight=weight, classes=names)
    own = tuple(float(w) for w in generator.uniform(0.1, 3, size=classes)) if weighted else None
    loss = losses.CrossEntropy(weight=own, label_smoothing=smoothing)
    assert_one_step_is_the_gradient(MLP(3, 9, classes, activation="tanh"), data, loss, batch, seed)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
@pytest.mark.parametrize("hidden", [(1,), (17, 3), (300, 5, 64), (40, 40, 40, 40, 40, 40)])
def test_the_gradient_of_a_kinked_net_is_that_of_float64(
    hidden: tuple[int, ...], activation: str
) -> None:
    net = MLP(7, *hidden, 3, activation=activation)
    assert_one_step_is_the_gradient(net, points(90, 7, 3), losses.MSE(), seed=1)


def test_members_of_all_shapes_train_beside_each_other_as_alone() -> None:
    data = points(70, 5, 2).split(validation=0.2)
    shapes = [(), (1,), (33,), (64, 64), (3, 100, 2), (8, 8, 8, 8, 8, 8)]
    members = [
        Member(MLP(5, *hidden, 2), Adam(0.01), batch_size, seed=3)
        for hidden in shapes
        for batch_size in (None, 1, 32, 33, 200)
    ]
    together, records = everything(Native(2), plan_of(*members, steps=6), data)
    for k, member in enumerate(members):
        alone, own = everything(Native(1), plan_of(member, steps=6), data)
        first, last = together.layout.parameters[k : k + 2]
        np.testing.assert_array_equal(together.parameters[first:last], alone.parameters)
        mine = records[records["member"] == k]
        np.testing.assert_array_equal(mine["train_loss"], own["train_loss"])
        np.testing.assert_array_equal(mine["metric"], own["metric"])


def test_what_lies_in_memory_before_a_step_does_not_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan, data = EngineConformance.mixed()
    wide = [Member(MLP(4, *h, 2), Adam(0.01), b) for h in ((33,), (1, 50)) for b in (None, 7, 40)]
    plan = replace(plan, population=plan.population + Population(wide))
    expected, records = everything(Native(1), plan, data)
    clean: Callable[..., Any] = tables._workspaces

    def poisoned(*arguments: Any) -> Any:
        workspaces = clean(*arguments)
        for array in (*workspaces[:-2], *workspaces.window, *workspaces.held):
            array[...] = np.nan if array.dtype.kind == "f" else 0x7FFF_FFF0
        return workspaces

    monkeypatch.setattr(tables, "_workspaces", poisoned)
    state, poisoned_records = everything(Native(1), plan, data)
    assert_same_bits(state, expected)
    assert_same_records([poisoned_records], records)


def test_a_dataset_that_nobody_holds_any_more_is_given_back() -> None:
    data = points(50, 3)
    everything(Native(1), plan_of(Member(MLP(3, 1)), steps=1), data)
    assert data in tables._DATA
    held = len(tables._DATA)
    del data
    gc.collect()
    assert len(tables._DATA) < held


def test_a_fresh_net_is_the_one_that_torch_makes() -> None:
    state = Native(1).start(plan_of(Member(MLP(4, 9, 2), seed=6), steps=1), dataset("regression"))
    np.testing.assert_array_equal(state.parameters, flat(seeded(6, lambda: mlp((4, 9, 2)))))
