"""The reference engine: a plain PyTorch loop, one member after another. It is the truth.

Every other engine is compared with this one, so it is written to be read: `_train` is the loop that
a person would write.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import Event, Lock
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.data.batches import Shuffle
from slalom.data.dataset import Dataset, Rows
from slalom.engine import rules
from slalom.engine.contract import RECORD, Engine, Session
from slalom.engine.dropout import KeyedDropout
from slalom.engine.state import State, slice_of
from slalom.losses import Loss, as_loss
from slalom.metrics import metric
from slalom.nets import NetSpec, flat_buffers, flat_parameters, outputs, seeded
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
        self.until = until
        self.records: list[tuple[Any, ...]] = []
        # Members share folds and seeds, so what follows from these is made once.
        self._made: dict[tuple[int, str], Batch] = {}
        self._shuffles: dict[tuple[int, int], Shuffle] = {}

    def advance(self, k: int) -> None:
        """Advance member `k`."""
        state, member = self.state, self.state.plan.population[k]
        table, own = np.zeros(1, dtype=rules.MEMBER), slice(k, k + 1)
        rules.stand(table, state, own, self.steps, self.until)
        # As numbers of Python: those of an array take as long to reach as a small net to train.
        m = SimpleNamespace(**{name: table[name].item() for name in table.dtype.names or ()})
        module = _build(member)
        state.fill(module, k)
        optimizer = member.optimizer.build(_groups(member.net, module))
        _load_slots(module, optimizer, state, k)
        try:
            self._train(m, k, member, module, optimizer)
        finally:  # also when interrupted, so that the state is always whole
            for name, value in vars(m).items():
                table[name] = value
            rules.keep(table, state, own)
            _save(module, optimizer, state, k)

    def _train(
        self,
        m: Any,
        k: int,
        member: Member,
        module: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
    ) -> None:
        plan, total = self.state.plan, m.total_steps
        dropout = KeyedDropout(module, member.seed)
        module.train()
        if not np.isnan(m.pending):  # another engine was stopped there, this one never is
            self._finish_step(m, k, member, module)
        for batch in self._batches(m, member):
            if not rules.trains(m) or self.stop.is_set():
                return
            step = m.step
            dropout.step = step
            for group in optimizer.param_groups:
                group["lr"] = member.schedule.at(member.optimizer.lr, step, total) * group["share"]

            optimizer.zero_grad()
            loss = plan.loss(_forward(module, member, step, batch.X), batch.y, batch.weight)
            value = loss.item()
            if not np.isfinite(value):
                rules.diverges(m)
                self.records.append((k, step + 1, value, NAN, NAN))
                return
            loss.backward()  # type: ignore[no-untyped-call]
            if member.clip_norm is not None:
                torch.nn.utils.clip_grad_norm_(module.parameters(), member.clip_norm)
            optimizer.step()

            rules.counts(m, value)
            self._keep_frame(m, k, module)
            self._finish_step(m, k, member, module)

    def _batches(self, m: Any, member: Member) -> Iterator[Batch]:
        """The batches of a member from where it stands, in the order of a DataLoader."""
        everything = self._rows(member.fold, "train")
        while member.batch_size is None:
            yield everything
        rows = len(everything.X)
        shuffle = self._shuffles.setdefault((member.seed, rows), Shuffle(member.seed, rows))
        first = m.in_epoch
        while True:
            order = shuffle.order(m.epoch)
            for index in torch.split(order, member.batch_size)[first:]:
                yield everything.rows(index)
            first = 0

    def _rows(self, fold: int, part: Literal["train", "validation"]) -> Batch:
        if (fold, part) not in self._made:
            dataset = self.state.dataset
            self._made[fold, part] = _rows(dataset, getattr(dataset.folds[fold], part))
        return self._made[fold, part]

    def _keep_frame(self, m: Any, k: int, module: torch.nn.Module) -> None:
        layout = self.state.layout
        if k < layout.framed and m.step in layout.due:
            numbers = flat_parameters(module), flat_buffers(module)
            self.state.keep_frame(k, m.step, *numbers)

    def _finish_step(self, m: Any, k: int, member: Member, module: torch.nn.Module) -> None:
        """After an update: validate where it is time to, and write down what the plan asks for."""
        state, plan = self.state, self.state.plan
        held = self._rows(member.fold, "validation")
        due = rules.is_validated(m, plan.validate_every, len(held.X))
        loss, score = _validate(plan.loss, module, held) if due else (NAN, NAN)
        rules.sums_up(m, plan.record == "step")
        if due and rules.judges(m, loss, score, plan.patience or np.inf):
            slice_of(state.best_parameters, state.layout.parameters, k)[:] = flat_parameters(module)
            slice_of(state.best_buffers, state.layout.buffers, k)[:] = flat_buffers(module)
        if m.step == m.total_steps and not all(p.isfinite().all() for p in module.parameters()):
            m.diverged_at = m.step
        if rules.is_recorded(m):
            self.records.append((k, m.step, m.train_loss, loss, score))
        rules.goes_on(m)


def _validate(loss: Loss, module: torch.nn.Module, held: Batch) -> tuple[float, float]:
    """Loss and metric on validation rows."""
    output = outputs(module, held.X)
    module.train()
    return loss(output, held.y, held.weight).item(), metric(loss, output, held.y, held.weight)


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
            output: torch.Tensor = module(X)
        except Exception as error:  # whatever a module of the user's raises is theirs to read
            raise BadPlan(failure_of(member.net, X.shape, error)) from error
    if len(output) != len(X):
        raise BadPlan(_other_rows(member.net, len(X), tuple(output.shape)))
    return output


def failure_of(net: NetSpec, shape: Sequence[int], error: Exception) -> str:
    """What a person reads when a net fails on features of some shape."""
    return f"The net {net.label} failed on features of shape {tuple(shape)}: {error}"


def _randomness(member: Member, step: int) -> AbstractContextManager[None]:
    """What a module draws from torch's generator follows from seed and step too."""
    if not member.net.draws:
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


def _groups(net: NetSpec, module: torch.nn.Module) -> list[dict[str, Any]]:
    """torch's parameter groups: parameters that learn at the same share of the learning rate."""
    shares: dict[float, list[torch.nn.Parameter]] = {}
    for parameter, share in zip(module.parameters(), net.rates(module), strict=True):
        shares.setdefault(share, []).append(parameter)
    return [{"params": parameters, "share": share} for share, parameters in shares.items()]


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
        shape = tuple(net.forward(parameters[:1], buffers[:1], rows)[0].shape[1:])
    except Exception as error:  # as in _forward
        raise BadPlan(failure_of(net, rows.shape, error)) from error
    if shape[:1] != wanted[:1]:
        raise BadPlan(_other_rows(net, len(rows), shape))
    if shape != wanted:
        raise BadPlan(
            f"The net {net.label} must give outputs of shape {wanted} for {len(rows)} rows with "
            f"the loss {plan.loss.kind}, but gave {shape}. Change its last width to {wanted[1]}."
        )


def _other_rows(net: NetSpec, rows: int, shape: tuple[int, ...]) -> str:
    return (
        f"The net {net.label} must give an output for each row that it gets, but for {rows} rows "
        f"it gave {shape}. What it returns should begin with as many rows as what it was given."
    )


def _load_slots(
    module: torch.nn.Module, optimizer: torch.optim.Optimizer, state: State, k: int
) -> None:
    """Give torch's optimizer its memory back; before the first step it has none."""
    names = state.plan.population[k].optimizer.slots
    if state.step[k] == 0 or not names:
        return
    slots = torch.from_numpy(slice_of(state.slots, state.layout.slots, k).copy()).view(
        len(names), -1
    )
    start = 0
    for parameter in module.parameters():
        memory = optimizer.state[parameter]
        for name, values in zip(names, slots, strict=True):
            memory[name] = values[start : start + parameter.numel()].clone().view_as(parameter)
        if names != ("momentum_buffer",):  # SGD counts no steps
            memory["step"] = torch.tensor(float(state.step[k]))
        start += parameter.numel()


def _save(module: torch.nn.Module, optimizer: torch.optim.Optimizer, state: State, k: int) -> None:
    slice_of(state.parameters, state.layout.parameters, k)[:] = flat_parameters(module)
    slice_of(state.buffers, state.layout.buffers, k)[:] = flat_buffers(module)
    names = state.plan.population[k].optimizer.slots
    if not names:
        return
    slots = slice_of(state.slots, state.layout.slots, k).reshape(len(names), -1)
    start = 0
    for parameter in module.parameters():
        memory = optimizer.state.get(parameter, {})
        for name, values in zip(names, slots, strict=True):
            if memory.get(name) is not None:  # a parameter that the net does not use has no memory
                values[start : start + parameter.numel()] = memory[name].detach().flatten().numpy()
        start += parameter.numel()
