"""The state: everything that changes while a population trains, as plain arrays.

Parameters of all members lie one after another in one float32 vector (in a member: weights, then
bias, layer by layer, in the order of `module.parameters()`); members of one shape therefore form a
`[P, D]` matrix without a copy. A member's optimizer slots lie beside each other as `[slots, D]`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.data.batches import steps_per_epoch
from slalom.data.dataset import Dataset
from slalom.errors import BadPlan
from slalom.plan import Plan

NEVER = -1


@dataclass(frozen=True)
class Layout:
    """Where each member's numbers lie; it follows from the plan and never changes.

    Args:
        parameters, slots, buffers: offsets into the flat vectors, int64 `[P + 1]` each.
        steps_per_epoch, total_steps: int64 `[P]`.
    """

    parameters: NDArray[np.int64]
    slots: NDArray[np.int64]
    buffers: NDArray[np.int64]
    steps_per_epoch: NDArray[np.int64]
    total_steps: NDArray[np.int64]

    @classmethod
    def of(cls, plan: Plan, dataset: Dataset, parameters: list[int], buffers: list[int]) -> Self:
        """The layout of members with these numbers of parameters and buffer values."""
        slots = [
            n * len(m.optimizer.slots) for n, m in zip(parameters, plan.population, strict=True)
        ]
        per_epoch = [
            steps_per_epoch(len(dataset.folds[m.fold].train), m.batch_size) for m in plan.population
        ]
        return cls(
            _offsets(parameters),
            _offsets(slots),
            _offsets(buffers),
            np.array(per_epoch),
            np.array([plan.total_steps(n) for n in per_epoch]),
        )


@dataclass(eq=False)
class State:
    """All that changes during training. Saving `arrays()` is saving everything.

    Args:
        plan, dataset, layout: what the state belongs to; they never change.
        parameters, slots: float32, flat (see `Layout`).
        buffers: what modules keep besides parameters (running means of batch norm), float64, flat.
        best_parameters, best_buffers: those of the best validation so far; empty where no member
            has validation rows.
        step: updates done, int64 `[P]`.
        epoch_loss: sum of the losses of the epoch under way, float64 `[P]`.
        best_loss: best validation loss so far, float64 `[P]`, infinite before the first.
        best_step: the step of that, int64 `[P]`.
        stopped_at: step of early stopping, or -1, int64 `[P]`.
        diverged_at: step whose loss was not finite, or -1, int64 `[P]`.
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

    @classmethod
    def first(
        cls,
        plan: Plan,
        dataset: Dataset,
        parameters: list[NDArray[np.float32]],
        buffers: list[NDArray[np.float64]],
    ) -> Self:
        """The state before the first step, from every member's first parameters and buffers."""
        layout = Layout.of(plan, dataset, [len(p) for p in parameters], [len(b) for b in buffers])
        members = len(parameters)
        flat, flat_buffers = np.concatenate(parameters), np.concatenate(buffers)
        validated = any(len(dataset.folds[m.fold].validation) for m in plan.population)
        return cls(
            plan=plan,
            dataset=dataset,
            layout=layout,
            parameters=flat,
            slots=np.zeros(layout.slots[-1], dtype=np.float32),
            buffers=flat_buffers,
            best_parameters=flat.copy() if validated else np.empty(0, dtype=np.float32),
            best_buffers=flat_buffers.copy() if validated else np.empty(0),
            step=np.zeros(members, dtype=np.int64),
            epoch_loss=np.zeros(members),
            best_loss=np.full(members, np.inf),
            best_step=np.zeros(members, dtype=np.int64),
            stopped_at=np.full(members, NEVER),
            diverged_at=np.full(members, NEVER),
        )

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

        With `best` those of its best validation, if there was one. The tensors are copies: torch's
        own memory is aligned, and unaligned memory could round otherwise, so that a member would
        depend on its neighbours.
        """
        best = best and bool(np.isfinite(self.best_loss[member]))
        parameters = self.best_parameters if best else self.parameters
        buffers = self.best_buffers if best else self.buffers
        with torch.no_grad():
            _copy_into(module.parameters(), part(parameters, self.layout.parameters, member))
            _copy_into(module.buffers(), part(buffers, self.layout.buffers, member))

    @property
    def training(self) -> NDArray[np.bool_]:
        """Which members still train: `[P]`."""
        going: NDArray[np.bool_] = (self.stopped_at == NEVER) & (self.diverged_at == NEVER)
        going &= self.step < self.layout.total_steps
        return going

    def epochs(self, member: int) -> int:
        """Whole epochs that a member has done."""
        return int(self.step[member] // self.layout.steps_per_epoch[member])


def part(flat: NDArray[Any], offsets: NDArray[np.int64], member: int) -> NDArray[Any]:
    """A member's part of a flat vector, as a view."""
    return flat[offsets[member] : offsets[member + 1]]


def _copy_into(tensors: Iterable[torch.Tensor], values: NDArray[Any]) -> None:
    start = 0
    for tensor in tensors:
        chunk = torch.from_numpy(values[start : start + tensor.numel()])
        tensor.copy_(chunk.view_as(tensor))
        start += tensor.numel()


def _offsets(sizes: list[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
