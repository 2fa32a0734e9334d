"""The reference engine: a plain PyTorch loop, one member after another. It is the truth.

Every other engine is compared with this one, so it is written to be read: `_train` is the loop that
a person would write.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils import parameters_to_vector

from slalom.data.batches import Shuffle
from slalom.data.dataset import Dataset, Rows
from slalom.engine.contract import RECORD
from slalom.engine.dropout import KeyedDropout
from slalom.engine.state import State, part
from slalom.errors import BadPlan
from slalom.losses import as_loss
from slalom.metrics import metric
from slalom.nets import MLP, NetSpec, outputs, seeded
from slalom.plan import Plan
from slalom.population import Member

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


class ReferenceEngine:
    """Plain PyTorch. Takes any net, on features of whatever shape it takes.

    Example:
        >>> from slalom import MLP, SGD, Member, Plan, Population, toys
        >>> from slalom.losses import MSE
        >>> plan = Plan(Population([Member(MLP(1, 10, 1), SGD(0.2))]), MSE(), steps=200)
        >>> engine = ReferenceEngine()
        >>> state = engine.start(plan, toys.quadratic(100))
        >>> records = engine.advance(state, steps=200)
        >>> int(state.step[0])
        200
    """

    name = "reference"

    def start(self, plan: Plan, dataset: Dataset) -> State:
        as_loss(plan.loss, dataset.task)  # refuses a loss of the other task
        modules: dict[tuple[NetSpec, int], torch.nn.Module] = {}
        for m in plan.population:
            _check_fold(m, plan, dataset)
            if (m.net, m.seed) not in modules:
                modules[m.net, m.seed] = _build(m)
                _check_outputs(modules[m.net, m.seed], m.net, plan, dataset)
        members = [modules[m.net, m.seed] for m in plan.population]
        return State.first(
            plan, dataset, [_flat(m) for m in members], [_buffers(m) for m in members]
        )

    def advance(self, state: State, steps: int, stop: Event | None = None) -> NDArray[Any]:
        with ONE_THREAD:
            stretch = _Stretch(state, steps, stop or Event())
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
            return [_flat(module) for module in modules]
        rows = torch.from_numpy(np.array(X, dtype=np.float32))
        return [outputs(module, rows).numpy() for module in modules]


class _Stretch:
    """One call of `advance`: up to `steps` updates of one member after another."""

    def __init__(self, state: State, steps: int, stop: Event) -> None:
        self.state, self.steps, self.stop = state, steps, stop
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
            self._train(k, module, optimizer)
        finally:  # also when interrupted, so that the state is always whole
            _save(module, optimizer, self.state, k)

    def _train(self, k: int, module: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        state, plan, member = self.state, self.state.plan, self.state.plan.population[k]
        total = int(state.layout.total_steps[k])
        end = min(int(state.step[k]) + self.steps, total)
        dropout = KeyedDropout(module, member.seed)
        module.train()
        for batch in self._batches(k):
            step = int(state.step[k])
            if step >= end or self.stop.is_set():
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
            self._record(k, module, value)
            if state.stopped_at[k] >= 0 or state.diverged_at[k] >= 0:
                return

    def _batches(self, k: int) -> Iterator[Batch]:
        """The batches of a member from where it stands, in the order of a DataLoader."""
        state, member = self.state, self.state.plan.population[k]
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

    def _record(self, k: int, module: torch.nn.Module, loss: float) -> None:
        """After a step: validate where it is time to, and write down what the plan asks for."""
        state = self.state
        step, per_epoch = int(state.step[k]), int(state.layout.steps_per_epoch[k])
        last = step == state.layout.total_steps[k]
        epoch_end = step % per_epoch == 0
        validation_loss, score = NAN, NAN
        if last or (epoch_end and (step // per_epoch) % state.plan.validate_every == 0):
            validation_loss, score = self._validate(k, module)
        if last and not all(p.isfinite().all() for p in module.parameters()):
            state.diverged_at[k] = step
        if state.plan.record == "step":
            self.records.append((k, step, loss, validation_loss, score))
        elif epoch_end or last:
            steps = per_epoch if epoch_end else step % per_epoch
            self.records.append((k, step, state.epoch_loss[k] / steps, validation_loss, score))
        if epoch_end:
            state.epoch_loss[k] = 0.0

    def _validate(self, k: int, module: torch.nn.Module) -> tuple[float, float]:
        state = self.state
        held = self._part(state.plan.population[k].fold, "validation")
        if not len(held.X):
            return NAN, NAN
        output = outputs(module, held.X)
        module.train()
        loss = state.plan.loss(output, held.y, held.weight).item()
        if not np.isfinite(loss):
            state.diverged_at[k] = state.step[k]
        elif loss < state.best_loss[k]:
            state.best_loss[k], state.best_step[k] = loss, state.step[k]
            part(state.best_parameters, state.layout.parameters, k)[:] = _flat(module)
            part(state.best_buffers, state.layout.buffers, k)[:] = _buffers(module)
        elif state.plan.patience is not None:
            waited = (state.step[k] - state.best_step[k]) / state.layout.steps_per_epoch[k]
            if waited >= state.plan.patience:
                state.stopped_at[k] = state.step[k]
        return loss, metric(state.plan.loss, output, held.y, held.weight)


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


def _check_fold(member: Member, plan: Plan, dataset: Dataset) -> None:
    if member.fold >= len(dataset.folds):
        raise BadPlan(
            f"A member wants fold {member.fold}, but the dataset has {len(dataset.folds)}."
        )
    if plan.patience and not len(dataset.folds[member.fold].validation):
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


def _check_outputs(module: torch.nn.Module, net: NetSpec, plan: Plan, dataset: Dataset) -> None:
    rows = torch.from_numpy(dataset.X[:2].copy())
    wanted = (len(rows), plan.loss.outputs(dataset.targets))
    if not any(p.requires_grad for p in module.parameters()):
        raise BadPlan(f"The net {net.label} has no parameters to train.")
    try:
        shape = tuple(outputs(module, rows).shape)
    except Exception as error:  # as in _forward
        raise BadPlan(_failed(net, rows, error)) from error
    if shape != wanted:
        raise BadPlan(
            f"The net {net.label} must give outputs of shape {wanted} for {len(rows)} rows with "
            f"the loss {plan.loss.kind}, but gave {shape}. Change its last width to {wanted[1]}."
        )


def _flat(module: torch.nn.Module) -> NDArray[np.float32]:
    flat: NDArray[np.float32] = parameters_to_vector(module.parameters()).detach().numpy()
    return flat


def _buffers(module: torch.nn.Module) -> NDArray[np.float64]:
    # float64 holds float32 and the step counts of batch norm exactly.
    return np.concatenate([np.empty(0), *(b.double().flatten().numpy() for b in module.buffers())])


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
    part(state.parameters, state.layout.parameters, k)[:] = _flat(module)
    part(state.buffers, state.layout.buffers, k)[:] = _buffers(module)
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
