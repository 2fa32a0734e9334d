"""The reference engine: a plain PyTorch loop, one member after another. It is the truth.

Every other engine is compared with this one, so it is written to be read: `_train` is the loop that
a person would write.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.data.batches import Shuffle
from slalom.data.dataset import Dataset, Rows
from slalom.engine.contract import RECORD, Engine, Session
from slalom.engine.dropout import KeyedDropout
from slalom.engine.state import NEVER, State, part
from slalom.losses import as_loss
from slalom.metrics import metric
from slalom.nets import MLP, NetSpec, flat_buffers, flat_parameters, outputs, seeded
from slalom.plan import Plan
from slalom.population import Member, grouped

NAN = float("nan")


@dataclass
class Batch:
    """The rows of one step."""

    X: torch.Tensor
    y: torch.Tensor
    weight: torch.Tensor | None

    def rows(self, index: torch.Tensor | slice) -> "Batch":
        weight = None if self.weight is None else self.weight[index]
        return Batch(self.X[index], self.y[index], weight)


class Reference(Engine):
    """Plain PyTorch. Takes any net, on features of whatever shape it takes.

    Example:
        >>> from slalom import MLP, SGD, Member, Plan, Population, toys
        >>> from slalom.losses import MSE
        >>> plan = Plan(Population([Member(MLP(1, 10, 1), SGD(0.2))]), MSE(), steps=200)
        >>> session = Reference().prepare(plan, toys.quadratic(100))
        >>> state = session.start()
        >>> records = session.advance(state, steps=200)
        >>> int(state.step[0])
        200
    """

    name = "reference"

    def refusal(self, plan: Plan, dataset: Dataset) -> str:
        return ""

    def prepare(self, plan: Plan, dataset: Dataset) -> Session:
        return ReferenceSession(plan, dataset)


class ReferenceSession:
    """A session of the reference engine: nothing but the plan, the dataset and the columns."""

    def __init__(self, plan: Plan, dataset: Dataset) -> None:
        self.plan, self.dataset, self.columns = plan, dataset, plan.population.columns()
        as_loss(plan.loss, dataset.task)  # refuses a loss of the other task
        for fold in np.unique(self.columns.fold):
            _check_fold(int(fold), plan, dataset)

    def start(self) -> State:
        plan, dataset, columns = self.plan, self.dataset, self.columns
        # Members with the same net and seed start from the same weights, which are made once.
        first, group = grouped(columns.net, columns.seed)
        starts = np.searchsorted(columns.net[first], np.arange(len(columns.nets)))
        tables = []
        for net, seeds in zip(columns.nets, np.split(columns.seed[first], starts[1:]), strict=True):
            if not net.trainable:
                raise BadPlan(f"The net {net.label} has no parameters to train.")
            tables.append(net.first(seeds.tolist()))
            _check_outputs(net, *tables[-1], plan, dataset)
        parameters, buffers = zip(*tables, strict=True)
        return State.first(
            plan, dataset, columns, parameters, buffers, row=group - starts[columns.net]
        )

    def advance(
        self, state: State, steps: int, stop: Event | None = None, until: int | None = None
    ) -> NDArray[Any]:
        with ONE_THREAD:
            stretch = _Stretch(state, steps, stop or Event(), until)
            for k in np.flatnonzero(state.training):
                if stretch.stop.is_set():
                    break
                stretch.advance(int(k))
        return np.array(stretch.records, dtype=RECORD)

    def read(
        self,
        state: State,
        members: Sequence[int],
        X: NDArray[np.float32] | None = None,
        best: bool = False,
    ) -> list[NDArray[np.float32]]:
        modules = [_build(state.plan.population[k]) for k in members]
        for k, module in zip(members, modules, strict=True):
            state.fill(module, k, best)
        if X is None:
            return [flat_parameters(module) for module in modules]
        rows = torch.from_numpy(np.array(X, dtype=np.float32))
        return [outputs(module, rows).numpy() for module in modules]


class _Stretch:
    """One call of `advance`: up to `steps` updates of one member after another."""

    def __init__(self, state: State, steps: int, stop: Event, until: int | None) -> None:
        self.state, self.steps, self.stop = state, steps, stop
        self.until = sys.maxsize if until is None else until
        self.records: list[tuple[Any, ...]] = []
        # Members share folds and seeds, so what follows from these is made once.
        self._rows: dict[tuple[int, str], Batch] = {}
        self._shuffles: dict[tuple[int, int], Shuffle] = {}

    def advance(self, k: int) -> None:
        """Advance member `k`."""
        member = self.state.plan.population[k]
        module = _build(member)
        self.state.fill(module, k)
        optimizer = member.optimizer.build(module.parameters())
        _load_slots(optimizer, self.state, k)
        try:
            self._train(k, member, module, optimizer)
        finally:  # also when interrupted, so that the state is always whole
            _save(module, optimizer, self.state, k)

    def _train(
        self,
        k: int,
        member: Member,
        module: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
    ) -> None:
        state, plan = self.state, self.state.plan
        total = int(state.layout.total_steps[k])
        end = min(int(state.step[k]) + self.steps, self.until, total)
        dropout = KeyedDropout(module, member.seed)
        module.train()
        if not np.isnan(state.pending[k]):  # another engine was stopped there, this one never is
            self._record(k, member, module, float(state.pending[k]))
            state.pending[k] = NAN
        for batch in self._batches(k, member):
            step = int(state.step[k])
            if step >= end or not self._going(k) or self.stop.is_set():
                return
            dropout.step = step
            optimizer.param_groups[0]["lr"] = member.schedule.at(member.optimizer.lr, step, total)

            optimizer.zero_grad()
            loss = plan.loss(_forward(module, member, step, batch.X), batch.y, batch.weight)
            value = loss.item()
            if not np.isfinite(value):
                state.diverged_at[k] = step + 1
                self.records.append((k, step + 1, value, NAN, NAN))
                return
            loss.backward()  # type: ignore[no-untyped-call]
            if member.clip_norm is not None:
                torch.nn.utils.clip_grad_norm_(module.parameters(), member.clip_norm)
            optimizer.step()

            state.step[k] += 1
            state.epoch_loss[k] += value
            if k < state.layout.framed and state.step[k] in state.layout.due:
                state.keep_frame(k, flat_parameters(module), flat_buffers(module))
            self._record(k, member, module, value)

    def _going(self, k: int) -> bool:
        return bool(self.state.stopped_at[k] == NEVER and self.state.diverged_at[k] == NEVER)

    def _batches(self, k: int, member: Member) -> Iterator[Batch]:
        """The batches of a member from where it stands, in the order of a DataLoader."""
        state = self.state
        everything = self._part(member.fold, "train")
        while member.batch_size is None:
            yield everything
        rows = len(everything.X)
        shuffle = self._shuffles.setdefault((member.seed, rows), Shuffle(member.seed, rows))
        first = int(state.step[k] % state.layout.steps_per_epoch[k])
        while True:
            order = shuffle.order(state.epochs(k))
            for index in torch.split(order, member.batch_size)[first:]:
                yield everything.rows(index)
            first = 0

    def _part(self, fold: int, part: Literal["train", "validation"]) -> Batch:
        if (fold, part) not in self._rows:
            dataset = self.state.dataset
            self._rows[fold, part] = _rows(dataset, getattr(dataset.folds[fold], part))
        return self._rows[fold, part]

    def _record(self, k: int, member: Member, module: torch.nn.Module, loss: float) -> None:
        """After a step: validate where it is time to, and write down what the plan asks for."""
        state, plan = self.state, self.state.plan
        step, per_epoch = int(state.step[k]), int(state.layout.steps_per_epoch[k])
        last = step == state.layout.total_steps[k]
        epoch_end = step % per_epoch == 0
        if plan.record == "step":
            state.train_loss[k] = loss
        elif epoch_end or last:
            state.train_loss[k] = state.epoch_loss[k] / (
                per_epoch if epoch_end else step % per_epoch
            )
        if epoch_end:
            state.epoch_loss[k] = 0.0
        validation = NAN, NAN
        if last or (epoch_end and (step // per_epoch) % plan.validate_every == 0):
            validation = self._validate(k, member, module)
        if last and not all(p.isfinite().all() for p in module.parameters()):
            state.diverged_at[k] = step
        row_every = plan.record_every * (1 if plan.record == "step" else per_epoch)
        if last or not self._going(k) or step % row_every == 0:
            self.records.append((k, step, state.train_loss[k], *validation))

    def _validate(self, k: int, member: Member, module: torch.nn.Module) -> tuple[float, float]:
        state = self.state
        held = self._part(member.fold, "validation")
        if not len(held.X):
            return NAN, NAN
        output = outputs(module, held.X)
        module.train()
        loss = state.plan.loss(output, held.y, held.weight).item()
        score = metric(state.plan.loss, output, held.y, held.weight)
        if not np.isfinite(loss):
            state.diverged_at[k] = state.step[k]
        elif loss < state.best_loss[k]:
            state.best_loss[k], state.best_step[k] = loss, state.step[k]
            state.best_train_loss[k], state.best_metric[k] = state.train_loss[k], score
            part(state.best_parameters, state.layout.parameters, k)[:] = flat_parameters(module)
            part(state.best_buffers, state.layout.buffers, k)[:] = flat_buffers(module)
        elif state.plan.patience is not None:
            waited = (state.step[k] - state.best_step[k]) / state.layout.steps_per_epoch[k]
            if waited >= state.plan.patience:
                state.stopped_at[k] = state.step[k]
        return loss, score


class _OneThread:
    """One thread inside torch: nets this small lose more to its threads than they gain.

    torch has one setting for all threads of Python, so the first in changes it and the last out
    puts it back.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._before = Lock(), 0, 1

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = torch.get_num_threads()
                torch.set_num_threads(1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                torch.set_num_threads(self._before)


ONE_THREAD = _OneThread()


def _forward(module: torch.nn.Module, member: Member, step: int, X: torch.Tensor) -> torch.Tensor:
    with _randomness(member, step):
        try:
            return module(X)  # type: ignore[no-any-return]
        except Exception as error:  # whatever a module of the user's raises is theirs to read
            raise BadPlan(_failed(member.net, X, error)) from error


def _failed(net: NetSpec, X: torch.Tensor, error: Exception) -> str:
    return f"The net {net.label} failed on features of shape {tuple(X.shape)}: {error}"


def _randomness(member: Member, step: int) -> AbstractContextManager[None]:
    """What a module of the user's own draws from torch's generator follows from seed and step too.

    An `MLP` draws nothing there.
    """
    if isinstance(member.net, MLP):
        return nullcontext()
    return seeded((member.seed * 1_000_003 + step) % 2**63)


def _check_fold(fold: int, plan: Plan, dataset: Dataset) -> None:
    if fold >= len(dataset.folds):
        raise BadPlan(f"A member wants fold {fold}, but the dataset has {len(dataset.folds)}.")
    if plan.patience and not len(dataset.folds[fold].validation):
        raise BadPlan(
            "patience looks at validation rows, but the dataset has none: "
            "use data.split(validation=0.2) or data.cross_validation(5)."
        )


def _build(member: Member) -> torch.nn.Module:
    return member.net.build(member.seed).float()


def _rows(dataset: Dataset, rows: Rows) -> Batch:
    """The chosen rows as tensors."""
    weight = None if dataset.weight is None else torch.from_numpy(dataset.weight[rows])
    return Batch(torch.from_numpy(dataset.X[rows]), torch.from_numpy(dataset.y[rows]), weight)


def _check_outputs(
    net: NetSpec,
    parameters: NDArray[np.float32],
    buffers: NDArray[np.float64],
    plan: Plan,
    dataset: Dataset,
) -> None:
    """Refuse a net whose outputs, with the first of these numbers, do not fit the data."""
    rows = torch.from_numpy(dataset.X[:2].copy())
    wanted = (len(rows), plan.loss.outputs(dataset.targets))
    try:
        shape = tuple(net.forward(parameters[:1], buffers[:1], rows)[0].shape)
    except Exception as error:  # as in _forward
        raise BadPlan(_failed(net, rows, error)) from error
    if shape != wanted:
        raise BadPlan(
            f"The net {net.label} must give outputs of shape {wanted} for {len(rows)} rows with "
            f"the loss {plan.loss.kind}, but gave {shape}. Change its last width to {wanted[1]}."
        )


def _load_slots(optimizer: torch.optim.Optimizer, state: State, k: int) -> None:
    """Give torch's optimizer its memory back; before the first step it has none."""
    names = state.plan.population[k].optimizer.slots
    if state.step[k] == 0 or not names:
        return
    slots = torch.from_numpy(part(state.slots, state.layout.slots, k).copy()).view(len(names), -1)
    start = 0
    for parameter in optimizer.param_groups[0]["params"]:
        memory = optimizer.state[parameter]
        for name, values in zip(names, slots, strict=True):
            memory[name] = values[start : start + parameter.numel()].clone().view_as(parameter)
        if names[0] != "momentum_buffer":  # SGD counts no steps
            memory["step"] = torch.tensor(float(state.step[k]))
        start += parameter.numel()


def _save(module: torch.nn.Module, optimizer: torch.optim.Optimizer, state: State, k: int) -> None:
    part(state.parameters, state.layout.parameters, k)[:] = flat_parameters(module)
    part(state.buffers, state.layout.buffers, k)[:] = flat_buffers(module)
    names = state.plan.population[k].optimizer.slots
    if not names:
        return
    slots = part(state.slots, state.layout.slots, k).reshape(len(names), -1)
    start = 0
    for parameter in module.parameters():
        memory = optimizer.state.get(parameter, {})
        for name, values in zip(names, slots, strict=True):
            if memory.get(name) is not None:  # a parameter that the net does not use has no memory
                values[start : start + parameter.numel()] = memory[name].detach().flatten().numpy()
        start += parameter.numel()
