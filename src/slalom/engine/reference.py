"""The reference engine: a plain PyTorch loop, one member after another. It is the truth.

Every other engine is compared with this one, so it is written to be read: `_train` is the loop that
a person would write.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils import parameters_to_vector

from slalom.data.batches import Shuffle
from slalom.data.dataset import Dataset, Rows
from slalom.engine.contract import RECORD
from slalom.engine.state import State, part
from slalom.errors import BadPlan
from slalom.losses import as_loss
from slalom.metrics import metric
from slalom.nets import MLP, NetSpec
from slalom.plan import Plan
from slalom.population import Member

NAN = float("nan")
ROWS_AT_ONCE = 16384  # bounds the memory of predictions, whatever the table


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

    def __init__(self) -> None:
        # Only a cache: a Shuffle is a function of its key, but a fast one only when asked in order.
        self._shuffles: dict[tuple[int, int, int], Shuffle] = {}

    def start(self, plan: Plan, dataset: Dataset) -> State:
        as_loss(plan.loss, dataset.task)  # refuses a loss of the other task
        modules: dict[tuple[NetSpec, int], torch.nn.Module] = {}
        for m in plan.population:
            if m.fold >= len(dataset.folds):
                raise BadPlan(
                    f"A member wants fold {m.fold}, but the dataset has {len(dataset.folds)}."
                )
            if plan.patience and not len(dataset.folds[m.fold].validation):
                raise BadPlan(
                    "patience looks at validation rows, but the dataset has none: "
                    "use data.split(validation=0.2) or data.cross_validation(5)."
                )
            if (m.net, m.seed) not in modules:
                modules[m.net, m.seed] = _build(m)
                _check_outputs(modules[m.net, m.seed], m.net, plan, dataset)
        members = [modules[m.net, m.seed] for m in plan.population]
        return State.first(
            plan, dataset, [_flat(m) for m in members], [_buffers(m) for m in members]
        )

    def advance(self, state: State, steps: int, stop: Event | None = None) -> NDArray[Any]:
        records: list[tuple[Any, ...]] = []
        with torch.random.fork_rng(devices=[]), _one_thread():
            for k in np.flatnonzero(state.training):
                if stop is not None and stop.is_set():
                    break
                self._advance_member(state, int(k), steps, stop, records)
        return np.array(records, dtype=RECORD)

    def read(
        self, state: State, member: int, X: NDArray[np.float32] | None = None, best: bool = False
    ) -> NDArray[np.float32]:
        best = best and bool(np.isfinite(state.best_loss[member]))
        if X is None:
            flat = state.best_parameters if best else state.parameters
            return part(flat, state.layout.parameters, member).copy()
        module = _build(state.plan.population[member])
        state.fill(module, member, best)
        return _outputs(module, torch.from_numpy(np.ascontiguousarray(X))).numpy()

    def _advance_member(
        self, state: State, k: int, steps: int, stop: Event | None, records: list[tuple[Any, ...]]
    ) -> None:
        member = state.plan.population[k]
        module = _build(member)
        state.fill(module, k)
        optimizer = member.optimizer.build(module.parameters())
        _load_slots(optimizer, state, k)
        try:
            self._train(state, k, module, optimizer, steps, stop, records)
        finally:  # also when interrupted, so that the state is always whole
            _save(module, optimizer, state, k)

    def _train(
        self,
        state: State,
        k: int,
        module: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        steps: int,
        stop: Event | None,
        records: list[tuple[Any, ...]],
    ) -> None:
        plan, member = state.plan, state.plan.population[k]
        total = int(state.layout.total_steps[k])
        end = min(int(state.step[k]) + steps, total)
        is_random = not isinstance(member.net, MLP) or member.net.dropout > 0
        module.train()
        for batch in self._batches(state, k):
            step = int(state.step[k])
            if step >= end or (stop is not None and stop.is_set()):
                return
            if is_random:  # dropout depends on seed and step alone, so that resuming is exact
                torch.default_generator.manual_seed((member.seed * 1_000_003 + step) % 2**63)
            optimizer.param_groups[0]["lr"] = member.schedule.at(member.optimizer.lr, step, total)

            optimizer.zero_grad()
            loss = plan.loss(module(batch.X), batch.y, batch.weight)
            value = loss.item()
            if not np.isfinite(value):
                state.diverged_at[k] = step + 1
                records.append((k, step + 1, value, NAN, NAN))
                return
            loss.backward()  # type: ignore[no-untyped-call]
            if member.clip_norm is not None:
                torch.nn.utils.clip_grad_norm_(module.parameters(), member.clip_norm)
            optimizer.step()

            state.step[k] += 1
            state.epoch_loss[k] += value
            self._record(state, k, module, value, records)
            if state.stopped_at[k] >= 0 or state.diverged_at[k] >= 0:
                return

    def _batches(self, state: State, k: int) -> Iterator[Batch]:
        """The batches of a member from where it stands, in the order of a DataLoader."""
        member, dataset = state.plan.population[k], state.dataset
        rows = dataset.folds[member.fold].train
        everything = _rows(dataset, rows)
        while member.batch_size is None:
            yield everything
        shuffle = self._shuffles.setdefault(
            (k, member.seed, len(rows)), Shuffle(member.seed, len(rows))
        )
        first = int(state.step[k] % state.layout.steps_per_epoch[k])
        while True:
            shuffled = everything.rows(shuffle.order(state.epochs(k)))
            for start in range(first * member.batch_size, len(rows), member.batch_size):
                yield shuffled.rows(slice(start, start + member.batch_size))
            first = 0

    def _record(
        self,
        state: State,
        k: int,
        module: torch.nn.Module,
        loss: float,
        records: list[tuple[Any, ...]],
    ) -> None:
        """After a step: validate where it is time to, and write down what the plan asks for."""
        step, per_epoch = int(state.step[k]), int(state.layout.steps_per_epoch[k])
        last = step == state.layout.total_steps[k]
        epoch_end = step % per_epoch == 0
        validation_loss, score = NAN, NAN
        if last or (epoch_end and (step // per_epoch) % state.plan.validate_every == 0):
            validation_loss, score = self._validate(state, k, module)
        if last and not all(p.isfinite().all() for p in module.parameters()):
            state.diverged_at[k] = step
        if state.plan.record == "step":
            records.append((k, step, loss, validation_loss, score))
        elif epoch_end or last:
            steps = per_epoch if epoch_end else step % per_epoch
            records.append((k, step, state.epoch_loss[k] / steps, validation_loss, score))
        if epoch_end:
            state.epoch_loss[k] = 0.0

    def _validate(self, state: State, k: int, module: torch.nn.Module) -> tuple[float, float]:
        rows = state.dataset.folds[state.plan.population[k].fold].validation
        if not len(rows):
            return NAN, NAN
        held = _rows(state.dataset, rows)
        output = _outputs(module, held.X)
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


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread inside torch: nets this small lose more to its threads than they gain."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _build(member: Member) -> torch.nn.Module:
    return member.net.build(member.seed).float()


def _rows(dataset: Dataset, rows: Rows) -> Batch:
    """The chosen rows as tensors."""
    weight = None if dataset.weight is None else torch.from_numpy(dataset.weight[rows])
    return Batch(torch.from_numpy(dataset.X[rows]), torch.from_numpy(dataset.y[rows]), weight)


def _outputs(module: torch.nn.Module, X: torch.Tensor) -> torch.Tensor:
    module.eval()
    with torch.no_grad():
        return torch.cat([module(part) for part in torch.split(X, ROWS_AT_ONCE)])


def _check_outputs(module: torch.nn.Module, net: NetSpec, plan: Plan, dataset: Dataset) -> None:
    rows = torch.from_numpy(dataset.X[:2])
    wanted = (len(rows), plan.loss.outputs(dataset.targets))
    try:
        shape = tuple(_outputs(module, rows).shape)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        raise BadPlan(
            f"The net {net.label} does not take features of shape {dataset.X.shape[1:]}: {error}"
        ) from error
    if shape != wanted:
        raise BadPlan(
            f"The net {net.label} must give outputs of shape {wanted} for {len(rows)} rows with "
            f"the loss {plan.loss.kind}, but gave {shape}. Change its last width to {wanted[1]}."
        )


def _flat(module: torch.nn.Module) -> NDArray[np.float32]:
    parameters = list(module.parameters())
    if not parameters:
        raise BadPlan(f"{type(module).__name__} has no parameters, so there is nothing to train.")
    flat: NDArray[np.float32] = parameters_to_vector(parameters).detach().numpy()
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
