"""The contract of an engine as tests. Every engine subclasses these classes and runs all of them.

    class TestMyEngine(EngineConformance):
        make = MyEngine

`EngineConformance` needs fully connected nets only; `AnyModuleConformance` is for engines that take
any `torch.nn.Module`. The independent truth is `plain_loop`: torch alone, with a real DataLoader.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle, pairwise
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import slalom
from slalom import MLP, SGD, Adam, Dataset, Member, Net, Plan, Population, Split, losses
from slalom.core.errors import BadPlan
from slalom.engine import RECORD, Engine, State
from slalom.nets import ACTIVATIONS

LossFunction = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

# Names and arguments only, so that each side builds its own optimizer of them.
OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.05, "momentum": 0.7, "nesterov": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.05, "lr_decay": 0.1, "weight_decay": 0.01, "eps": 1e-6}),
    ("Adagrad", {"lr": 0.05, "initial_accumulator_value": 0.5}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.005, "alpha": 0.9, "eps": 1e-6, "weight_decay": 0.01}),
    ("RMSprop", {"lr": 0.005, "centered": True}),
    ("RMSprop", {"lr": 0.002, "momentum": 0.8}),
    ("RMSprop", {"lr": 0.002, "momentum": 0.5, "centered": True, "alpha": 0.8}),
    ("Adam", {}),
    ("Adam", {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-6}),
    ("Adam", {"lr": 0.01, "betas": (0.5, 0.6), "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.3, "amsgrad": True, "betas": (0.0, 0.9)}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-5, "weight_decay": 0.01}),
]

CLASS_WEIGHTS = (0.5, 1.0, 3.0)


def gaussian_nll(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return nn.GaussianNLLLoss()(output[:, :2], y, output[:, 2:].exp())


@dataclass(frozen=True)
class LossCase:
    """A loss of ours, torch's own, and which dataset and how many outputs they go with."""

    ours: losses.Loss
    torchs: LossFunction
    data: str
    outputs: int


LOSSES = [
    LossCase(losses.MSE(), nn.MSELoss(), "regression", 2),
    LossCase(losses.CrossEntropy(), nn.CrossEntropyLoss(), "classes", 3),
    LossCase(losses.L1(), nn.L1Loss(), "regression", 2),
    LossCase(losses.Huber(delta=0.3), nn.HuberLoss(delta=0.3), "regression", 2),
    LossCase(
        losses.CrossEntropy(weight=CLASS_WEIGHTS, label_smoothing=0.2),
        nn.CrossEntropyLoss(weight=torch.tensor(CLASS_WEIGHTS), label_smoothing=0.2),
        "classes",
        3,
    ),
    LossCase(
        losses.BCEWithLogits(pos_weight=2.5),
        lambda output, y: nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.5))(
            output[:, 0], y.float()
        ),
        "binary",
        1,
    ),
    LossCase(losses.GaussianNLL(), gaussian_nll, "regression", 4),
]


def dataset(kind: str, n: int = 75) -> Dataset:
    """Noisy points in four features: `regression` of two targets, three `classes`, or `binary`."""
    generator = np.random.default_rng(7)
    X = generator.normal(size=(n, 4)).astype(np.float32)
    score = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.3 * generator.normal(size=n)
    if kind == "regression":
        return Dataset(X, np.column_stack([score, X[:, 3] ** 2]), task="regression")
    edges = [-0.5, 0.5] if kind == "classes" else [0.0]
    return Dataset(X, np.digitize(score, edges), task="classification")


def mlp(widths: Sequence[int], activation: str = "relu") -> nn.Sequential:
    """What a person would write for `MLP(*widths, activation=activation)`."""
    layers: list[nn.Module] = [nn.Linear(widths[0], widths[1])]
    for inputs, outputs in pairwise(widths[1:]):
        layers += [ACTIVATIONS[activation](), nn.Linear(inputs, outputs)]
    return nn.Sequential(*layers)


class Waves(nn.Module):
    """What a person would write to embed the columns 2 and 0 of four, five numbers each."""

    def __init__(self) -> None:
        super().__init__()
        self.frequency = nn.Parameter(torch.empty(2, 4))
        nn.init.trunc_normal_(self.frequency, a=-3.0, b=3.0)
        self.frequency.data *= 0.4
        self.phase = nn.Parameter(torch.zeros(2, 4))
        self.weight, self.bias = nn.Parameter(torch.zeros(2, 5)), nn.Parameter(torch.zeros(2, 5))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        parts = []
        for k, x in enumerate((X[:, 2:3], X[:, 0:1])):
            waves = torch.cos(2 * torch.pi * (self.frequency[k] * x + self.phase[k]))
            parts.append(torch.cat([x, waves], dim=1) * self.weight[k] + self.bias[k])
        return torch.cat([*parts, X[:, 1:2], X[:, 3:4]], dim=1)


def plain_loop(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss_function: LossFunction,
    data: Dataset,
    *,
    epochs: int,
    batch_size: int | None = None,
    seed: int = 0,
    clip_norm: float | None = None,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
) -> list[float]:
    """The loss of every step of a training written with torch alone."""
    x, y = torch.from_numpy(data.X), torch.from_numpy(data.y)
    batches: Iterable[Any] = [(x, y)]
    if batch_size is not None:
        generator = torch.Generator().manual_seed(seed)
        batches = DataLoader(TensorDataset(x, y), batch_size, shuffle=True, generator=generator)
    values = []
    for _ in range(epochs):
        for x, y in batches:
            optimizer.zero_grad()
            loss = loss_function(net(x), y)
            loss.backward()
            if clip_norm is not None:
                nn.utils.clip_grad_norm_(net.parameters(), clip_norm)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            values.append(loss.item())
    return values


def seeded(seed: int, make: Callable[[], nn.Module]) -> nn.Module:
    """A module with the weights of `torch.manual_seed(seed)`."""
    torch.manual_seed(seed)
    return make()


def read_one(engine: Engine, state: State, member: int, *args: Any, **kwargs: Any) -> Any:
    """What the engine reads of one member."""
    (value,) = engine.read(state, [member], *args, **kwargs)
    return value


def flat(net: nn.Module) -> np.ndarray:
    return nn.utils.parameters_to_vector(net.parameters()).detach().numpy()


def plan_of(*members: Member, loss: losses.Loss | None = None, **arguments: Any) -> Plan:
    arguments = {"record": "step"} | arguments
    return Plan(Population(members), loss or losses.MSE(), **arguments)


def everything(engine: Engine, plan: Plan, data: Dataset) -> tuple[State, np.ndarray]:
    """The state and the records of a whole training in one stretch."""
    state = engine.start(plan, data)
    return state, engine.advance(state, int(state.layout.total_steps.max()))


def assert_same_bits(one: State, other: State) -> None:
    for name, values in one.arrays().items():
        np.testing.assert_array_equal(values, other.arrays()[name], err_msg=name, strict=True)


def assert_same_records(parts: list[np.ndarray], expected: np.ndarray) -> None:
    """The parts together hold the same records bit for bit, in whatever order."""
    records = np.concatenate(parts)
    one, other = (r[np.lexsort((r["step"], r["member"]))] for r in (records, expected))
    for name in RECORD.names:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


class StopAfter(Event):
    """Is set from the `polls`-th time on that somebody looks."""

    def __init__(self, polls: int) -> None:
        super().__init__()
        self.polls = polls

    def is_set(self) -> bool:
        self.polls -= 1
        return self.polls <= 0


def _covering() -> list[Any]:
    """Every optimizer, activation, loss and batch regime, each with several of the others."""
    activations, cases = cycle(ACTIVATIONS), cycle(LOSSES)
    combinations = [
        (optimizer, next(activations), next(cases), batch_size)
        for batch_size in (None, 32)
        for optimizer in OPTIMIZERS
    ]
    combinations += [(OPTIMIZERS[13], a, next(cases), 32) for a in ACTIVATIONS]
    combinations += [(OPTIMIZERS[2], "tanh", case, 32) for case in LOSSES]
    return [
        pytest.param(
            *values,
            id=f"{values[0][0]}-{'-'.join(values[0][1])}-{values[1]}-{values[2].ours.kind}-"
            f"{values[3] or 'full'}",
        )
        for values in combinations
    ]


class EngineConformance:
    """What every engine keeps, on fully connected nets."""

    make: Callable[[], Engine]
    loss_rtol = 1e-6
    weight_tolerance = 1e-6  # absolute and relative
    # A training that is not over when the engine has looked so often whether it should stop.
    long_steps, polls = 400, 10

    @pytest.fixture
    def engine(self) -> Engine:
        return type(self).make()

    def assert_close(
        self,
        engine: Engine,
        trained: tuple[State, np.ndarray],
        expected: list[float],
        net: nn.Module,
        member: int = 0,
    ) -> None:
        state, records = trained
        mine = records[records["member"] == member]
        np.testing.assert_array_equal(mine["step"], np.arange(len(expected)) + 1)
        np.testing.assert_allclose(mine["train_loss"], expected, rtol=self.loss_rtol, atol=1e-7)
        near = {"rtol": self.weight_tolerance, "atol": self.weight_tolerance}
        np.testing.assert_allclose(read_one(engine, state, member), flat(net), **near)

    # Equality with torch

    @pytest.mark.parametrize(("optimizer", "activation", "case", "batch_size"), _covering())
    def test_a_member_trains_as_in_a_plain_loop(
        self,
        engine: Engine,
        optimizer: tuple[str, dict[str, Any]],
        activation: str,
        case: LossCase,
        batch_size: int | None,
    ) -> None:
        name, arguments = optimizer
        widths = (4, 9, 6, case.outputs)
        data = dataset(case.data)
        member = Member(
            MLP(*widths, activation=activation),
            getattr(slalom, name)(**arguments),
            batch_size=batch_size,
            seed=11,
        )
        trained = everything(engine, plan_of(member, loss=case.ours, epochs=5), data)
        net = seeded(11, lambda: mlp(widths, activation))
        theirs = getattr(torch.optim, name)(net.parameters(), **arguments)
        expected = plain_loop(
            net, theirs, case.torchs, data, epochs=5, batch_size=batch_size, seed=11
        )
        self.assert_close(engine, trained, expected, net)

    @pytest.mark.parametrize("batch_size", [None, 32])
    @pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: f"{o[0]}-{'-'.join(o[1])}")
    def test_a_net_with_an_embedding_trains_as_in_a_plain_loop(
        self, engine: Engine, optimizer: tuple[str, dict[str, Any]], batch_size: int | None
    ) -> None:
        name, arguments = optimizer
        data = dataset("regression")
        embedding = slalom.Periodic(columns=(2, 0), size=5, scale=0.4)
        member = Member(
            MLP(4, 9, 2, activation="tanh", embedding=embedding),
            getattr(slalom, name)(**arguments),
            batch_size=batch_size,
            seed=11,
        )
        trained = everything(engine, plan_of(member, epochs=5), data)
        net = seeded(11, lambda: nn.Sequential(Waves(), *mlp((12, 9, 2), "tanh")))
        theirs = getattr(torch.optim, name)(net.parameters(), **arguments)
        expected = plain_loop(
            net, theirs, nn.MSELoss(), data, epochs=5, batch_size=batch_size, seed=11
        )
        self.assert_close(engine, trained, expected, net)

    @pytest.mark.parametrize("batch_size", [1, 7, 75, 100])
    def test_batches_of_any_size_come_in_the_order_of_a_data_loader(
        self, engine: Engine, batch_size: int
    ) -> None:
        data = dataset("regression")
        member = Member(MLP(4, 5, 2), SGD(0.01), batch_size=batch_size, seed=4)
        trained = everything(engine, plan_of(member, epochs=3), data)
        net = seeded(4, lambda: mlp((4, 5, 2)))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        expected = plain_loop(
            net, optimizer, nn.MSELoss(), data, epochs=3, batch_size=batch_size, seed=4
        )
        self.assert_close(engine, trained, expected, net)

    @pytest.mark.parametrize(
        ("schedule", "torchs"),
        [
            (slalom.StepLR(4, gamma=0.5), lambda o: torch.optim.lr_scheduler.StepLR(o, 4, 0.5)),
            (slalom.ExponentialLR(0.9), lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.9)),
            (
                slalom.CosineAnnealingLR(eta_min=0.01),
                lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 15, eta_min=0.01),
            ),
            (
                slalom.OneCycleLR(),
                lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, 15, cycle_momentum=False),
            ),
            (
                slalom.Warmup(5, then=slalom.ExponentialLR(0.9)),
                lambda o: torch.optim.lr_scheduler.ChainedScheduler(
                    [
                        torch.optim.lr_scheduler.LinearLR(o, total_iters=5),
                        torch.optim.lr_scheduler.ExponentialLR(o, 0.9),
                    ]
                ),
            ),
        ],
        ids=lambda value: getattr(value, "kind", ""),
    )
    def test_a_schedule_gives_the_losses_of_torchs_scheduler(
        self, engine: Engine, schedule: slalom.optim.Schedule, torchs: Callable[..., Any]
    ) -> None:
        data = dataset("regression")
        member = Member(MLP(4, 8, 2), SGD(0.1, momentum=0.5), batch_size=32, schedule=schedule)
        trained = everything(engine, plan_of(member, epochs=5), data)
        net = seeded(0, lambda: mlp((4, 8, 2)))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
        expected = plain_loop(
            net,
            optimizer,
            nn.MSELoss(),
            data,
            epochs=5,
            batch_size=32,
            scheduler=torchs(optimizer),
        )
        self.assert_close(engine, trained, expected, net)

    @pytest.mark.parametrize("clip_norm", [0.05, 1e6])
    def test_clipping_is_that_of_clip_grad_norm(self, engine: Engine, clip_norm: float) -> None:
        data = dataset("regression")
        member = Member(MLP(4, 8, 2), Adam(0.01), batch_size=32, clip_norm=clip_norm)
        trained = everything(engine, plan_of(member, epochs=4), data)
        net = seeded(0, lambda: mlp((4, 8, 2)))
        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        expected = plain_loop(
            net, optimizer, nn.MSELoss(), data, epochs=4, batch_size=32, clip_norm=clip_norm
        )
        self.assert_close(engine, trained, expected, net)

    @pytest.mark.parametrize("case", LOSSES, ids=lambda case: case.ours.kind)
    def test_whole_number_weights_equal_repeated_rows(self, engine: Engine, case: LossCase) -> None:
        data = dataset(case.data)
        counts = np.random.default_rng(0).integers(0, 4, size=data.rows)
        counts[:3] = 1  # every class stays
        weighted = Dataset(data.X, data.y, data.task, weight=counts, classes=data.classes)
        rows = np.repeat(np.arange(data.rows), counts)
        repeated = Dataset(data.X[rows], data.y[rows], data.task, classes=data.classes)
        plan = plan_of(Member(MLP(4, 8, case.outputs), SGD(0.1)), loss=case.ours, steps=20)
        one, one_records = everything(engine, plan, weighted)
        other, other_records = everything(engine, plan, repeated)
        near = {"rtol": 2e-5, "atol": 1e-6}  # sums in another order, twenty times
        np.testing.assert_allclose(one_records["train_loss"], other_records["train_loss"], **near)
        np.testing.assert_allclose(one.parameters, other.parameters, **near)

    def test_a_batch_whose_weights_are_all_zero_teaches_nothing(self, engine: Engine) -> None:
        data = dataset("regression")
        loader = DataLoader(
            torch.arange(data.rows), shuffle=True, generator=torch.Generator().manual_seed(0)
        )
        weight = np.zeros(data.rows)
        weight[int(list(loader)[-1])] = 1.0  # a row that comes only in the last batch
        silent = Dataset(data.X, data.y, data.task, weight=weight)
        plan = plan_of(Member(MLP(4, 8, 2), SGD(0.1), batch_size=1), steps=3)
        state, records = everything(engine, plan, silent)
        np.testing.assert_array_equal(records["train_loss"], 0)
        np.testing.assert_array_equal(state.parameters, flat(seeded(0, lambda: mlp((4, 8, 2)))))

    def test_trainings_in_several_threads_give_the_numbers_of_each_alone(self) -> None:
        data = dataset("regression").split(0.25)
        plans = [
            plan_of(Member(MLP(4, 16, 2, dropout=0.5), Adam(0.01), 8, seed=s), epochs=20)
            for s in range(4)
        ]
        alone = [everything(self.make(), plan, data)[1] for plan in plans]
        shared = self.make()
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda plan: everything(shared, plan, data)[1], plans))
        for one, other in zip(alone, together, strict=True):
            for column in RECORD.names or ():  # NaN equals NaN in plain arrays only
                np.testing.assert_array_equal(one[column], other[column])

    # Rows, validation, stopping

    def test_a_fold_trains_and_validates_on_its_own_rows(self, engine: Engine) -> None:
        data = dataset("regression").cross_validation(3, seed=1)
        plan = plan_of(*(Member(MLP(4, 6, 2), Adam(0.01), 16, fold=k) for k in range(3)), epochs=4)
        trained = everything(engine, plan, data)
        for k, fold in enumerate(data.folds):
            part = Dataset(data.X[fold.train], data.y[fold.train], data.task)
            net = seeded(0, lambda: mlp((4, 6, 2)))
            optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
            expected = plain_loop(net, optimizer, nn.MSELoss(), part, epochs=4, batch_size=16)
            self.assert_close(engine, trained, expected, net, member=k)
            held = torch.from_numpy(data.X[fold.validation])
            with torch.no_grad():
                loss = nn.MSELoss()(net(held), torch.from_numpy(data.y[fold.validation]))
            last = trained[1][trained[1]["member"] == k][-1]
            np.testing.assert_allclose(last["validation_loss"], loss, rtol=1e-5)

    def test_patience_stops_at_the_right_epoch_and_keeps_the_best_weights(
        self, engine: Engine
    ) -> None:
        generator = np.random.default_rng(0)
        X = generator.normal(size=(40, 4))
        data = Dataset(  # little to learn and much to learn by heart
            X,
            X[:, 0] + generator.normal(size=40),
            task="regression",
            folds=(Split(range(20), range(20, 40)),),
        )
        arguments = {"epochs": 200, "patience": 6}
        member = Member(MLP(4, 16, 1), Adam(0.01), batch_size=8, seed=2)
        state, records = everything(engine, plan_of(member, **arguments), data)

        net = seeded(2, lambda: mlp((4, 16, 1)))
        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        train = TensorDataset(torch.from_numpy(data.X[:20]), torch.from_numpy(data.y[:20]))
        loader = DataLoader(train, 8, shuffle=True, generator=torch.Generator().manual_seed(2))
        best, best_epoch, best_weights = np.inf, 0, flat(net).copy()
        for epoch in range(1, 201):
            for x, y in loader:
                optimizer.zero_grad()
                nn.functional.mse_loss(net(x), y).backward()
                optimizer.step()
            with torch.no_grad():
                output = net(torch.from_numpy(data.X[20:]))
                loss = nn.functional.mse_loss(output, torch.from_numpy(data.y[20:])).item()
            if loss < best:
                best, best_epoch, best_weights = loss, epoch, flat(net).copy()
            elif epoch - best_epoch >= 6:
                break

        assert 1 < best_epoch < epoch < 200
        assert state.stopped_at.tolist() == state.step.tolist() == [3 * epoch]
        assert state.best_step.tolist() == [3 * best_epoch]
        assert len(records) == 3 * epoch
        np.testing.assert_allclose(state.best_loss, best, rtol=1e-5)
        near = {"rtol": 1e-4, "atol": 1e-5}
        np.testing.assert_allclose(read_one(engine, state, 0, best=True), best_weights, **near)
        np.testing.assert_allclose(read_one(engine, state, 0), flat(net), **near)

    @pytest.mark.parametrize(("every", "seen"), [(1, [3, 6, 9, 12, 15, 16]), (2, [6, 12, 16])])
    def test_validation_comes_every_few_epochs_and_after_the_last_step(
        self, engine: Engine, every: int, seen: list[int]
    ) -> None:
        data = dataset("regression").split(validation=0.2)  # 60 rows to train on
        plan = plan_of(Member(MLP(4, 2), SGD(0.01), 20), steps=16, validate_every=every)
        _, records = everything(engine, plan, data)
        at = records["step"][np.isfinite(records["validation_loss"])]
        assert at.tolist() == seen
        assert np.isfinite(records["metric"]).sum() == len(seen)

    def test_the_record_of_an_epoch_is_the_mean_of_its_steps(self, engine: Engine) -> None:
        data = dataset("regression").split(validation=0.2)
        member = Member(MLP(4, 8, 2), Adam(0.01), batch_size=16)
        _, steps = everything(engine, plan_of(member, steps=10, record="step"), data)
        _, epochs = everything(engine, plan_of(member, steps=10, record="epoch"), data)
        assert epochs["step"].tolist() == [4, 8, 10]
        parts = np.split(steps["train_loss"], [4, 8])
        np.testing.assert_allclose(epochs["train_loss"], [p.mean() for p in parts], rtol=1e-12)
        np.testing.assert_array_equal(
            epochs["validation_loss"], steps["validation_loss"][[3, 7, 9]]
        )

    @pytest.mark.parametrize(("record", "every"), [("step", 2), ("step", 7), ("epoch", 3)])
    def test_a_thinner_history_keeps_every_so_many_rows_and_the_last_of_each_member(
        self, engine: Engine, record: str, every: int
    ) -> None:
        plan, data = self.mixed()
        full, records = everything(engine, replace(plan, record=record), data)
        thin, kept = everything(engine, replace(plan, record=record, record_every=every), data)
        assert_same_bits(thin, full)
        last = np.zeros(len(plan.population), dtype=int)
        np.maximum.at(last, records["member"], records["step"])
        unit = full.layout.steps_per_epoch[records["member"]] if record == "epoch" else 1
        chosen = (records["step"] % (every * unit) == 0) | (
            records["step"] == last[records["member"]]
        )
        assert 0 < chosen.sum() < len(records)
        assert (full.stopped_at >= 0).any() and (full.diverged_at >= 0).any()
        assert_same_records([kept], records[chosen])

    @pytest.mark.parametrize("record", ["step", "epoch"])
    def test_the_state_knows_the_latest_scores_and_those_of_the_best_validation(
        self, engine: Engine, record: str
    ) -> None:
        plan, data = self.mixed()
        state = engine.start(replace(plan, record=record), data)
        for name in ("train_loss", "best_train_loss", "best_metric", "pending"):
            assert np.isnan(getattr(state, name)).all()
        parts = [engine.advance(state, steps) for steps in (9, 2, 12)]
        records = np.concatenate(parts)
        records = records[np.isfinite(records["train_loss"])]
        for k in range(len(plan.population)):
            mine = records[records["member"] == k]
            mine = mine[np.argsort(mine["step"])]
            np.testing.assert_array_equal(
                state.train_loss[k], [*mine["train_loss"], np.nan][-2:][0]
            )
            if np.isfinite(state.best_loss[k]):
                (best,) = mine[mine["step"] == state.best_step[k]]
                assert state.best_loss[k] == best["validation_loss"]
                assert state.best_train_loss[k] == best["train_loss"]
                assert state.best_metric[k] == best["metric"]
        assert np.isfinite(state.best_loss).sum() >= len(OPTIMIZERS)
        assert np.isnan(state.pending).all()

    # The state is everything

    @staticmethod
    def mixed() -> tuple[Plan, Dataset]:
        """A population of everything that an engine must keep in its state."""
        members = [
            Member(
                MLP(4, 5 + k % 3, 2, dropout=0.3 * (k % 2)),
                getattr(slalom, name)(**arguments),
                batch_size=(None, 16, 25)[k % 3],
                seed=k % 4,
                fold=k % 2,
                schedule=slalom.OneCycleLR() if k % 5 == 0 else slalom.Constant(),
                clip_norm=0.5 if k % 4 == 0 else None,
            )
            for k, (name, arguments) in enumerate(OPTIMIZERS)
        ]
        members.append(Member(MLP(4, 8, 2), SGD(1e12), seed=1))  # diverges
        data = dataset("regression").cross_validation(2)
        return plan_of(*members, steps=23, patience=4, record="epoch"), data

    @pytest.mark.parametrize("stretches", [[1] * 23, [7, 1, 30], [2, 0, 3, 5, 13]], ids=str)
    def test_many_stretches_give_the_same_bits_as_one(
        self, engine: Engine, stretches: list[int]
    ) -> None:
        plan, data = self.mixed()
        whole, records = everything(engine, plan, data)
        state = engine.start(plan, data)
        parts = [engine.advance(state, steps) for steps in stretches]
        assert_same_bits(state, whole)
        assert_same_records(parts, records)
        assert not state.training.any()

    @pytest.mark.parametrize("at", [0, 1, 5, 16])
    def test_a_restored_state_goes_on_bit_for_bit(self, engine: Engine, at: int) -> None:
        plan, data = self.mixed()
        whole, records = everything(engine, plan, data)
        state = engine.start(plan, data)
        before = engine.advance(state, at)
        saved = {name: values.copy() for name, values in state.arrays().items()}

        later = type(self).make()  # another process would start like this
        resumed = later.start(Plan.loads(plan.dumps()), data)
        resumed.restore(saved)
        after = later.advance(resumed, 23)
        assert_same_bits(resumed, whole)
        assert_same_records([before, after], records)

    def test_stopping_returns_early_with_a_state_that_can_go_on(self, engine: Engine) -> None:
        members = [Member(MLP(4, 6, 2), Adam(0.01), 16, seed=s) for s in range(3)]
        plan, data = plan_of(*members, steps=self.long_steps), dataset("regression")
        plan = replace(plan, record_every=self.long_steps // 400)
        whole, records = everything(engine, plan, data)
        state = engine.start(plan, data)
        first = engine.advance(state, self.long_steps, StopAfter(self.polls))
        assert state.training.any()
        rest = engine.advance(state, self.long_steps)
        assert_same_bits(state, whole)
        assert_same_records([first, rest], records)

    @pytest.mark.parametrize("polls", [2, 3, 5, 9, 14])
    @pytest.mark.parametrize("record", ["step", "epoch"])
    def test_a_state_that_was_stopped_and_saved_goes_on_bit_for_bit(
        self, engine: Engine, record: str, polls: int
    ) -> None:
        data = dataset("regression").split(validation=0.2)
        members = [Member(MLP(4, 6, 2), Adam(0.01), (None, 30)[s % 2], seed=s) for s in range(3)]
        plan = plan_of(*members, steps=8, record=record)
        whole, records = everything(engine, plan, data)
        state = engine.start(plan, data)
        first = engine.advance(state, 8, StopAfter(polls))
        resumed = engine.start(plan, data)
        resumed.restore({name: values.copy() for name, values in state.arrays().items()})
        rest = engine.advance(resumed, 8)
        assert_same_bits(resumed, whole)
        assert_same_records([first, rest], records)

    @pytest.mark.parametrize("record", ["step", "epoch"])
    @pytest.mark.parametrize("at", [3, 12, 23])
    def test_what_is_pending_after_an_update_is_done_first(
        self, engine: Engine, record: str, at: int
    ) -> None:
        plan, data = self.mixed()
        plan = replace(plan, record=record)
        whole, records = everything(engine, plan, data)
        before, after = engine.start(plan, data), engine.start(replace(plan, record="step"), data)
        first = engine.advance(before, at - 1)
        engine.advance(after, at - 1)
        losses = {r["member"]: r["train_loss"] for r in engine.advance(after, 1)}

        updated = before.step < after.step
        assert updated.sum() >= len(OPTIMIZERS) // 2
        halfway = engine.start(plan, data)  # updated, but neither validated nor recorded
        halfway.restore(before.arrays() | {"step": after.step, "buffers": after.buffers})
        for name in ("parameters", "slots"):
            getattr(halfway, name)[:] = getattr(after, name)
        for k in np.flatnonzero(updated):
            halfway.pending[k] = losses[k]
            halfway.epoch_loss[k] += losses[k]
        assert halfway.training[updated].all()
        rest = engine.advance(halfway, 23)
        assert_same_bits(halfway, whole)
        assert_same_records([first, rest], records)

    def test_a_stop_that_is_set_already_changes_nothing(self, engine: Engine) -> None:
        plan, data = self.mixed()
        state, fresh = engine.start(plan, data), engine.start(plan, data)
        stop = Event()
        stop.set()
        assert len(engine.advance(state, 5, stop)) == 0
        assert_same_bits(state, fresh)

    def test_the_global_generator_of_torch_is_left_alone(self, engine: Engine) -> None:
        torch.manual_seed(123)
        before = torch.get_rng_state()
        plan, data = self.mixed()
        state, _ = everything(engine, plan, data)
        read_one(engine, state, 0, data.X)
        assert torch.equal(torch.get_rng_state(), before)

    # Neighbours

    @pytest.mark.parametrize("diverging", [0, 20, 63])
    def test_a_diverging_member_leaves_the_other_63_unchanged_bit_for_bit(
        self, engine: Engine, diverging: int
    ) -> None:
        data = dataset("regression").split(validation=0.2)
        members = [
            Member(
                MLP(4, 3 + k % 7, 2),
                getattr(slalom, OPTIMIZERS[k % 18][0])(**OPTIMIZERS[k % 18][1]),
                batch_size=(None, 32)[k % 2],
                seed=k,
            )
            for k in range(64)
        ]
        members[diverging] = Member(MLP(4, 5, 2), SGD(1e12), batch_size=32, seed=3)
        others = [k for k in range(64) if k != diverging]
        with_it, _ = everything(engine, plan_of(*members, epochs=4), data)
        without, _ = everything(engine, plan_of(*(members[k] for k in others), epochs=4), data)

        assert 0 < with_it.diverged_at[diverging] <= 8
        assert (with_it.diverged_at[others] == -1).all()
        scores = ("train_loss", "best_train_loss", "best_metric")
        for name in ("step", "epoch_loss", "best_loss", "best_step", "stopped_at", *scores):
            np.testing.assert_array_equal(
                getattr(with_it, name)[others], getattr(without, name), err_msg=name
            )
        for j, k in enumerate(others):
            for best in (False, True):
                np.testing.assert_array_equal(
                    read_one(engine, with_it, k, best=best), read_one(engine, without, j, best=best)
                )
        slots = np.split(with_it.slots, with_it.layout.slots[1:-1])
        np.testing.assert_array_equal(np.concatenate([slots[k] for k in others]), without.slots)

    def test_divergence_is_marked_with_the_step_whose_loss_was_not_finite(
        self, engine: Engine
    ) -> None:
        data = dataset("regression")
        state, records = everything(
            engine, plan_of(Member(MLP(4, 8, 2), SGD(1e4), 32, seed=5), steps=50), data
        )
        net = seeded(5, lambda: mlp((4, 8, 2)))
        optimizer = torch.optim.SGD(net.parameters(), lr=1e4)
        expected = np.array(
            plain_loop(net, optimizer, nn.MSELoss(), data, epochs=17, batch_size=32, seed=5)
        )
        first = int(np.flatnonzero(~np.isfinite(expected))[0]) + 1
        assert state.diverged_at.tolist() == [first]
        assert state.step.tolist() == [first - 1]
        assert not state.training.any()
        assert records["step"].tolist() == list(range(1, first + 1))
        assert not np.isfinite(records["train_loss"][-1])
        assert np.isfinite(records["train_loss"][:-1]).all()
        assert len(engine.advance(state, 50)) == 0  # it costs nothing more

    def test_a_last_step_that_breaks_the_weights_is_a_divergence(self, engine: Engine) -> None:
        plan = plan_of(Member(MLP(4, 8, 2), SGD(1e38), clip_norm=None), steps=1)
        data = dataset("regression")
        big = Dataset(1e4 * data.X, 1e4 * data.y, data.task)
        state, records = everything(engine, plan, big)
        assert np.isfinite(records["train_loss"]).all()
        assert state.diverged_at.tolist() == [1]

    # Reading

    def test_reading_gives_parameters_and_outputs_of_the_module(self, engine: Engine) -> None:
        data = dataset("classes").split(validation=0.3)
        member = Member(MLP(4, 7, 3, dropout=0.2), Adam(0.1), 16, seed=9)
        state, _ = everything(engine, plan_of(member, loss=losses.CrossEntropy(), epochs=30), data)
        for best in (False, True):
            net = nn.Sequential(nn.Linear(4, 7), nn.ReLU(), nn.Linear(7, 3))
            parameters = read_one(engine, state, 0, best=best)
            assert parameters.dtype == np.float32
            nn.utils.vector_to_parameters(torch.from_numpy(parameters), net.parameters())
            with torch.no_grad():
                expected = net(torch.from_numpy(data.X)).numpy()
            np.testing.assert_allclose(
                read_one(engine, state, 0, data.X, best=best), expected, rtol=1e-5, atol=1e-6
            )
        assert not np.array_equal(read_one(engine, state, 0), read_one(engine, state, 0, best=True))

    def test_what_was_read_is_a_copy(self, engine: Engine) -> None:
        state = engine.start(plan_of(Member(MLP(4, 2), SGD(0.1)), steps=1), dataset("regression"))
        read_one(engine, state, 0)[:] = 0
        assert state.parameters.any()

    # Errors

    @pytest.mark.parametrize(
        ("member", "arguments", "message"),
        [
            (Member(MLP(3, 2)), {}, "failed on features of shape (2, 4)"),
            (Member(MLP(4, 3)), {}, "must give outputs of shape (2, 2)"),
            (Member(MLP(4, 2), fold=1), {}, "wants fold 1, but the dataset has 1"),
            (Member(MLP(4, 2)), {"patience": 2}, "patience looks at validation rows"),
            (Member(MLP(4, 2)), {"loss": losses.CrossEntropy()}, "does not fit a regression"),
        ],
        ids=["inputs", "outputs", "fold", "patience", "loss"],
    )
    def test_a_plan_that_does_not_fit_the_data_is_refused_in_a_paragraph(
        self, engine: Engine, member: Member, arguments: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(BadPlan) as refused:
            engine.start(plan_of(member, **({"steps": 1} | arguments)), dataset("regression"))
        assert message in str(refused.value)
        assert "\n\n" not in str(refused.value)

    def test_class_weights_must_be_as_many_as_classes(self, engine: Engine) -> None:
        plan = plan_of(Member(MLP(4, 3)), loss=losses.CrossEntropy(weight=(1, 2)), steps=1)
        with pytest.raises(BadPlan, match="2 class weights, but there are 3 classes"):
            engine.start(plan, dataset("classes"))


class Convolutional(nn.Module):
    """Images of 8 x 8, three classes."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, channels, 3)
        self.head = nn.Linear(channels * 9, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = nn.functional.max_pool2d(self.convolution(x).relu(), 2)
        return self.head(hidden.flatten(1))


class Recurrent(nn.Module):
    """Sequences of two features, one number each."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.gru = nn.GRU(2, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.gru(x)[1][-1])


@slalom.trust
class Normalized(nn.Module):
    """Batch norm, whose running means are buffers, and dropout when asked."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        # Without a bias, whose gradient would be nothing but rounding, which Adam makes large.
        before = nn.Linear(4, 8, bias=False)
        self.layers = nn.Sequential(
            before, nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 2)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


@slalom.trust
class PartlyUsed(nn.Module):
    """Holds a layer that no output depends on, and one that is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Linear(3, 3)
        self.frozen = nn.Linear(4, 4).requires_grad_(False)
        self.head = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.frozen(x).relu())


class Cutting(nn.Linear):
    """Answers for so many rows at most, and sums over all if these are none."""

    def __init__(self, most: int) -> None:
        super().__init__(4, 2)
        self.most = most

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answers = super().forward(x)
        return answers[: self.most] if self.most else answers.sum(dim=0, keepdim=True)


class AnyModuleConformance:
    """What an engine keeps that takes any module, on features of whatever shape it takes."""

    make: Callable[[], Engine]

    @pytest.fixture
    def engine(self) -> Engine:
        return type(self).make()

    def test_a_convolutional_net_trains_on_images_as_in_a_plain_loop(self, engine: Engine) -> None:
        generator = np.random.default_rng(0)
        images = generator.normal(size=(50, 1, 8, 8))
        labels = np.digitize(images[:, 0, :4].mean(axis=(1, 2)), [-0.1, 0.1])
        data = Dataset(images, labels, task="classification")
        member = Member(Net(Convolutional, channels=4), Adam(0.01), batch_size=16, seed=1)
        state, records = everything(
            engine, plan_of(member, loss=losses.CrossEntropy(), epochs=6), data
        )
        net = seeded(1, lambda: Convolutional(4))
        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        expected = plain_loop(
            net, optimizer, nn.CrossEntropyLoss(), data, epochs=6, batch_size=16, seed=1
        )
        np.testing.assert_allclose(records["train_loss"], expected, rtol=1e-5)
        np.testing.assert_allclose(read_one(engine, state, 0), flat(net), rtol=1e-4, atol=1e-6)
        assert read_one(engine, state, 0, data.X[:5]).shape == (5, 3)

    def test_a_recurrent_net_trains_on_sequences_as_in_a_plain_loop(self, engine: Engine) -> None:
        generator = np.random.default_rng(0)
        sequences = generator.normal(size=(40, 6, 2))
        data = Dataset(sequences, sequences[:, :, 0].sum(axis=1), task="regression")
        member = Member(Net(Recurrent, hidden=5), SGD(0.05, momentum=0.5), batch_size=None, seed=1)
        state, records = everything(engine, plan_of(member, epochs=20), data)
        net = seeded(1, lambda: Recurrent(5))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.5)
        expected = plain_loop(net, optimizer, nn.MSELoss(), data, epochs=20, seed=1)
        np.testing.assert_allclose(records["train_loss"], expected, rtol=1e-5)
        np.testing.assert_allclose(read_one(engine, state, 0), flat(net), rtol=1e-4, atol=1e-6)

    def test_batch_norm_keeps_its_running_means_as_in_a_plain_loop(self, engine: Engine) -> None:
        data = dataset("regression")
        member = Member(Net(Normalized), Adam(0.01), batch_size=32, seed=1)
        state, records = everything(engine, plan_of(member, epochs=6), data)
        net = seeded(1, Normalized)
        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        expected = plain_loop(net, optimizer, nn.MSELoss(), data, epochs=6, batch_size=32, seed=1)
        np.testing.assert_allclose(records["train_loss"], expected, rtol=1e-5)
        means = np.concatenate([b.double().flatten().numpy() for b in net.buffers()])
        np.testing.assert_allclose(state.buffers, means, rtol=1e-5, atol=1e-7)
        with torch.no_grad():
            outputs = net.eval()(torch.from_numpy(data.X)).numpy()
        np.testing.assert_allclose(
            read_one(engine, state, 0, data.X), outputs, rtol=1e-4, atol=1e-6
        )

    def test_the_best_weights_come_with_the_buffers_of_that_moment(self, engine: Engine) -> None:
        data = dataset("regression").split(validation=0.4, seed=3)
        plan = plan_of(Member(Net(Normalized), Adam(0.1), batch_size=15, seed=1), epochs=60)
        state, _ = everything(engine, plan, data)
        assert state.best_step[0] < state.step[0]
        held = data.folds[0].validation
        output = read_one(engine, state, 0, data.X[held], best=True)
        np.testing.assert_allclose(
            ((output - data.y[held]) ** 2).mean(), state.best_loss[0], rtol=1e-5
        )

    @pytest.mark.parametrize("net", [Net(Normalized, dropout=0.4), Net(PartlyUsed)])
    @pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adam"])
    def test_a_module_goes_on_bit_for_bit_after_a_restore(
        self, engine: Engine, net: Net, name: str
    ) -> None:
        data = dataset("regression").split(validation=0.2)
        arguments = {"momentum": 0.9, "dampening": 0.2} if name == "SGD" else {}
        optimizer = getattr(slalom, name)(lr=0.01, **arguments)
        plan = plan_of(*(Member(net, optimizer, 20, seed=s) for s in range(2)), epochs=6)
        whole, records = everything(engine, plan, data)
        state = engine.start(plan, data)
        before = engine.advance(state, 7)
        saved = {key: values.copy() for key, values in state.arrays().items()}
        later = type(self).make()
        resumed = later.start(Plan.loads(plan.dumps()), data)
        resumed.restore(saved)
        after = later.advance(resumed, 100)
        assert_same_bits(resumed, whole)
        assert_same_records([before, after], records)

    def test_a_module_without_parameters_is_refused(self, engine: Engine) -> None:
        with pytest.raises(BadPlan, match=r"Identity\(\) has no parameters to train"):
            data = dataset("regression")
            same = Dataset(data.X[:, :2], data.y, data.task)
            engine.start(plan_of(Member(Net(nn.Identity)), steps=1), same)

    @pytest.mark.parametrize("most", [0, 10])
    def test_a_module_whose_outputs_are_not_one_a_row_is_refused(
        self, engine: Engine, most: int
    ) -> None:
        plan = plan_of(Member(Net(Cutting, most=most)), steps=1)
        with pytest.raises(BadPlan, match=f"The net Cutting.most={most}. (must give|failed on)"):
            everything(engine, plan, dataset("regression"))

    def test_a_module_that_gives_no_tensor_is_refused(self, engine: Engine) -> None:
        data = Dataset(np.zeros((4, 3, 2)), np.zeros(4), task="regression")
        net = Net(nn.GRU, input_size=2, hidden_size=1, batch_first=True)
        with pytest.raises(BadPlan, match="but got tuple"):
            engine.start(plan_of(Member(net), steps=1), data)
