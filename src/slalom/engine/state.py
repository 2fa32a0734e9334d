"""The state: everything that changes while a population trains, as plain arrays.

Parameters of all members lie one after another in one float32 vector (in a member: weights, then
bias, layer by layer, in the order of `module.parameters()`); members of one shape therefore form a
`[P, D]` matrix without a copy. A member's optimizer slots lie beside each other as `[slots, D]`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.data.batches import steps_per_epoch
from slalom.data.dataset import Dataset
from slalom.engine.memory import fits, zeros
from slalom.nets import fill
from slalom.plan import Plan
from slalom.population import Columns, Population, grouped

F = TypeVar("F", np.float32, np.float64)

NEVER = -1
FRAMED_MEMBERS = 12  # more could not be told apart in one animation

# What changes in a member besides its vectors, and what it is before the first step. `State` has an
# array `[P]` of each, and so has whatever engine keeps members in a table of its own.
FIELDS: dict[str, np.int64 | np.float64] = {
    "step": np.int64(0),
    "stopped_at": np.int64(NEVER),
    "diverged_at": np.int64(NEVER),
    "best_step": np.int64(0),
    "best_loss": np.float64(np.inf),
    "epoch_loss": np.float64(0),
    "train_loss": np.float64(np.nan),
    "best_train_loss": np.float64(np.nan),
    "best_metric": np.float64(np.nan),
    "pending": np.float64(np.nan),
}


@dataclass(frozen=True)
class Layout:
    """Where each member's numbers lie; it follows from the plan and never changes.

    Args:
        parameters, slots, buffers: offsets into the flat vectors, int64 `[P + 1]` each.
        steps_per_epoch, total_steps: int64 `[P]`.
        due: steps whose frames are kept, int64 `[F]`: evenly spaced from the first to the last.
        framed: how many members, from the first on, have frames.
    """

    parameters: NDArray[np.int64]
    slots: NDArray[np.int64]
    buffers: NDArray[np.int64]
    steps_per_epoch: NDArray[np.int64]
    total_steps: NDArray[np.int64]
    due: NDArray[np.int64]
    framed: int

    @classmethod
    def of(
        cls,
        plan: Plan,
        dataset: Dataset,
        columns: Columns,
        parameters: Sequence[int],
        buffers: Sequence[int],
    ) -> Self:
        """The layout, given how many parameters and buffer values each of `columns.nets` has."""
        sizes = np.array(parameters, dtype=np.int64)[columns.net]
        per_epoch = _steps_per_epoch(columns, dataset)
        lengths, which = np.unique(per_epoch, return_inverse=True)
        total = np.array([plan.total_steps(int(n)) for n in lengths], dtype=np.int64)
        due = np.linspace(0, int(total.max()), plan.frames).round().astype(np.int64)
        return cls(
            _offsets(sizes),
            _offsets(sizes * _slots(columns, plan.population)),
            _offsets(np.array(buffers, dtype=np.int64)[columns.net]),
            per_epoch,
            total[which],
            np.unique(due),  # in a short training several fall together
            min(len(columns), FRAMED_MEMBERS),
        )


@dataclass(eq=False)
class State:
    """All that changes during training. Saving `arrays()` is saving everything.

    Args:
        plan, dataset, layout: what the state belongs to; they never change.
        parameters, slots: float32, flat (see `Layout`).
        buffers: what modules keep besides parameters (running means of batch norm), float64, flat.
        best_parameters, best_buffers: those of the best validation so far, zeros before; empty
            where no member has validation rows.
        step: updates done, int64 `[P]`.
        epoch_loss: sum of the losses of the epoch under way, float64 `[P]`.
        best_loss: best validation loss so far, float64 `[P]`, infinite before the first.
        best_step: the step of that, int64 `[P]`.
        stopped_at: step of early stopping, or -1, int64 `[P]`.
        diverged_at: step whose loss was not finite, or -1, int64 `[P]`.
        train_loss: of the latest step, or the mean over the latest finished epoch (see
            `Plan.record`), float64 `[P]`, NaN before the first.
        best_train_loss, best_metric: `train_loss` and the metric at the best validation, float64
            `[P]`, NaN before the first.
        frame_parameters, frame_buffers: those of the first members at the steps of `layout.due`,
            float32 and float64, `[F, ...]` one row after another; zeros before. A member that ended
            earlier has no row of its own from there on.
        pending: the loss of a step after which validation and record are still due, else NaN,
            float64 `[P]`; see `slalom.engine.contract`.
        on_disk: whether parameters, slots and best parameters lie in temporary files, because they
            do not fit into the memory.

    Besides the vectors a member takes 120 bytes, 80 here and 40 of the layout.
    """

    plan: Plan
    dataset: Dataset
    layout: Layout
    parameters: NDArray[np.float32]
    slots: NDArray[np.float32]
    buffers: NDArray[np.float64]
    best_parameters: NDArray[np.float32]
    best_buffers: NDArray[np.float64]
    step: NDArray[np.int64]
    epoch_loss: NDArray[np.float64]
    best_loss: NDArray[np.float64]
    best_step: NDArray[np.int64]
    stopped_at: NDArray[np.int64]
    diverged_at: NDArray[np.int64]
    train_loss: NDArray[np.float64]
    best_train_loss: NDArray[np.float64]
    best_metric: NDArray[np.float64]
    pending: NDArray[np.float64]
    frame_parameters: NDArray[np.float32]
    frame_buffers: NDArray[np.float64]
    on_disk: bool = False

    @classmethod
    def first(
        cls,
        plan: Plan,
        dataset: Dataset,
        columns: Columns,
        parameters: Sequence[NDArray[np.float32]],
        buffers: Sequence[NDArray[np.float64]],
        row: NDArray[np.int64],
    ) -> Self:
        """The state before the first step.

        Args:
            plan, dataset: what is trained on what.
            columns: `plan.population.columns()`.
            parameters, buffers: what members can start from, a table for each of `columns.nets`:
                float32 `[S, D]` and float64 `[S, B]`.
            row: which row of its net's tables each member starts from, `[P]`.
        """
        layout = Layout.of(
            plan,
            dataset,
            columns,
            [table.shape[1] for table in parameters],
            [table.shape[1] for table in buffers],
        )
        members = len(columns)
        validated = _validated(columns, dataset)
        size, slots, buffer_size = (
            int(offsets[-1]) for offsets in (layout.parameters, layout.slots, layout.buffers)
        )
        best = size if validated else 0
        on_disk = not fits(np.dtype(np.float32).itemsize * (size + slots + best))
        own: dict[str, Any] = {name: np.full(members, value) for name, value in FIELDS.items()}
        flat = zeros(size, np.float32, on_disk)
        flat_buffers = np.zeros(buffer_size)
        _gather(parameters, columns.net, row, layout.parameters, out=flat)
        _gather(buffers, columns.net, row, layout.buffers, out=flat_buffers)
        return cls(
            plan=plan,
            dataset=dataset,
            layout=layout,
            parameters=flat,
            slots=zeros(slots, np.float32, on_disk),
            buffers=flat_buffers,
            best_parameters=zeros(best, np.float32, on_disk),
            best_buffers=np.zeros(buffer_size if validated else 0),
            frame_parameters=_first_frame(layout, layout.parameters, flat),
            frame_buffers=_first_frame(layout, layout.buffers, flat_buffers),
            on_disk=on_disk,
            **own,
        )

    @classmethod
    def of(cls, plan: Plan, dataset: Dataset, arrays: dict[str, NDArray[Any]]) -> Self:
        """The state of which `arrays()` gave these.

        Raises:
            BadPlan: when names or shapes are not those of a state of this plan.
        """
        columns, layout = plan.population.columns(), layout_of(plan, dataset)
        members, validated = len(columns), _validated(columns, dataset)
        lengths = {
            "parameters": int(layout.parameters[-1]),
            "slots": int(layout.slots[-1]),
            "buffers": int(layout.buffers[-1]),
            "best_parameters": int(layout.parameters[-1]) if validated else 0,
            "best_buffers": int(layout.buffers[-1]) if validated else 0,
            "frame_parameters": len(layout.due) * int(layout.parameters[layout.framed]),
            "frame_buffers": len(layout.due) * int(layout.buffers[layout.framed]),
        }
        own = {f.name for f in fields(cls)} - {"plan", "dataset", "layout", "on_disk"}
        for name in sorted(own):
            shape = (lengths.get(name, members),)
            if name not in arrays or arrays[name].shape != shape:
                raise BadPlan(f"The arrays do not belong to this plan: {name} must be {shape}.")
        copies: dict[str, Any] = {name: arrays[name].copy() for name in own}
        return cls(plan=plan, dataset=dataset, layout=layout, **copies)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, by name."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take over arrays that `arrays()` of a state of the same plan and dataset gave.

        Raises:
            BadPlan: when names or shapes are not those of this state.
        """
        for name, own in self.arrays().items():
            if name not in arrays or arrays[name].shape != own.shape:
                raise BadPlan(f"The arrays do not belong to this plan: {name} must be {own.shape}.")
            own[...] = arrays[name]

    def fill(self, module: torch.nn.Module, member: int, best: bool = False) -> None:
        """Give a module of the member's net its parameters and buffers.

        With `best` those of its best validation, if there was one.
        """
        fill(module, *self.numbers(member, best))

    def numbers(
        self, member: int, best: bool = False
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """A member's parameters `[D]` and buffers `[B]`, as views.

        With `best` those of its best validation, if there was one.
        """
        best = best and bool(np.isfinite(self.best_loss[member]))
        return (
            slice_of(
                self.best_parameters if best else self.parameters, self.layout.parameters, member
            ),
            slice_of(self.best_buffers if best else self.buffers, self.layout.buffers, member),
        )

    def outputs(
        self, member: int, X: NDArray[np.float32], best: bool = False
    ) -> NDArray[np.float32]:
        """A member's raw outputs on rows `X`, `[B, O]`; `best` as for `numbers`."""
        parameters, buffers = self.numbers(member, best)
        rows = torch.from_numpy(np.array(X, dtype=np.float32))
        net = self.plan.population[member].net
        (outputs,) = net.forward(parameters[None], buffers[None], rows)
        return outputs[0].numpy()

    def read(
        self, members: Sequence[int], X: NDArray[np.float32] | None = None, best: bool = False
    ) -> list[NDArray[np.float32]]:
        """As `slalom.engine.contract.Session.read`."""
        if X is None:
            return [self.numbers(k, best)[0].copy() for k in members]
        return [self.outputs(k, X, best) for k in members]

    def keep_frame(
        self, member: int, step: int, parameters: NDArray[np.float32], buffers: NDArray[np.float64]
    ) -> None:
        """Keep what a framed member is after a step at which a frame is due."""
        row, frames = np.searchsorted(self.layout.due, step), self.frames(member)
        frames[0][row], frames[1][row] = parameters, buffers

    def frames(self, member: int) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The rows of a framed member: parameters `[F, D]` and buffers `[F, B]`, as views."""
        layout = self.layout
        return (
            _rows_of(self.frame_parameters, layout, layout.parameters, member),
            _rows_of(self.frame_buffers, layout, layout.buffers, member),
        )

    @property
    def training(self) -> NDArray[np.bool_]:
        """Which members still train: `[P]`."""
        going: NDArray[np.bool_] = (self.stopped_at == NEVER) & (self.diverged_at == NEVER)
        going &= (self.step < self.layout.total_steps) | ~np.isnan(self.pending)
        return going


def layout_of(plan: Plan, dataset: Dataset) -> Layout:
    """The layout of every state of a plan."""
    columns = plan.population.columns()
    parameters, buffers = zip(*(net.size for net in columns.nets), strict=True)
    return Layout.of(plan, dataset, columns, parameters, buffers)


def slice_of(flat: NDArray[Any], offsets: NDArray[np.int64], member: int) -> NDArray[Any]:
    """A member's part of a flat vector, as a view."""
    return flat[offsets[member] : offsets[member + 1]]


def slices_of(
    flat: NDArray[F], offsets: NDArray[np.int64], members: NDArray[np.int64]
) -> NDArray[F]:
    """The parts of members, all of one length, one below another: a copy `[P, length]`."""
    if _neighbours(members):
        return _table(flat, offsets, members).copy()
    return flat[_places(offsets, members)]


def put_slices(
    flat: NDArray[F], offsets: NDArray[np.int64], members: NDArray[np.int64], values: NDArray[F]
) -> None:
    """Give members, of whom there is at least one, their parts `[P, length]`."""
    if _neighbours(members):
        _table(flat, offsets, members)[:] = values
    else:
        flat[_places(offsets, members)] = values


def _neighbours(members: NDArray[np.int64]) -> bool:
    return bool((np.diff(members) == 1).all())


def _table(flat: NDArray[F], offsets: NDArray[np.int64], members: NDArray[np.int64]) -> NDArray[F]:
    """The parts of neighbours, as a view `[P, length]`."""
    return flat[offsets[members[0]] : offsets[members[-1] + 1]].reshape(len(members), -1)


def _places(offsets: NDArray[np.int64], members: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the numbers of members are, `[P, length]`."""
    length = offsets[members[0] + 1] - offsets[members[0]]
    return offsets[members][:, None] + np.arange(length)


def _rows_of(
    flat: NDArray[F], layout: Layout, offsets: NDArray[np.int64], member: int
) -> NDArray[F]:
    table = flat.reshape(len(layout.due), int(offsets[layout.framed]))
    return table[:, offsets[member] : offsets[member + 1]]


def _first_frame(layout: Layout, offsets: NDArray[np.int64], first: NDArray[F]) -> NDArray[F]:
    """Room for all frames `[F * ...]`; the first of them is what the members start from."""
    size = int(offsets[layout.framed])
    frames = np.zeros(len(layout.due) * size, dtype=first.dtype)
    if len(layout.due):
        frames[:size] = first[:size]
    return frames


def _validated(columns: Columns, dataset: Dataset) -> bool:
    """Whether some member has validation rows."""
    return any(len(dataset.folds[k].validation) for k in np.unique(columns.fold))


def _offsets(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    offsets = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(sizes, out=offsets[1:])
    return offsets


def _steps_per_epoch(columns: Columns, dataset: Dataset) -> NDArray[np.int64]:
    first, which = grouped(columns.fold, columns.batch_size)
    steps = [
        steps_per_epoch(
            len(dataset.folds[columns.fold[k]].train), int(columns.batch_size[k]) or None
        )
        for k in first
    ]
    return np.array(steps, dtype=np.int64)[which]


def _slots(columns: Columns, population: Population) -> NDArray[np.int64]:
    """How many slots each member's optimizer has: that depends on which arguments are zero."""
    used = [argument != 0 for argument in columns.arguments.values()]
    first, which = grouped(columns.optimizer, *used)
    slots = [len(population[int(k)].optimizer.slots) for k in first]
    return np.array(slots, dtype=np.int64)[which]


def _gather(
    tables: Sequence[NDArray[F]],
    table: NDArray[np.int32],
    row: NDArray[np.int64],
    offsets: NDArray[np.int64],
    out: NDArray[F],
) -> None:
    """Give each member that row of that table, straight into the flat vector `out`."""
    turns: NDArray[np.intp] = np.flatnonzero(np.diff(table, prepend=-1))
    for start, end in pairwise([*turns.tolist(), len(table)] if len(out) else []):
        rows = tables[table[start]]
        block = out[offsets[start] : offsets[end]].reshape(end - start, rows.shape[1])
        np.take(rows, row[start:end], axis=0, out=block, mode="clip")  # "raise" makes a copy
