"""The optimizers of stacked members as one."""

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.engine.batched.updates import updated
from slalom.engine.hyper import encode
from slalom.engine.state import State, slices_of
from slalom.optim import Constant


class StackedOptimizer:
    """Clips gradients and updates parameters, a row of each for each member.

    Args:
        state: whence slots are taken.
        members: their numbers `[P]`, those with the same rule (`slalom.engine.hyper`) side by side.
        moves: which parameters have a gradient, `[D]`; the others stay.
    """

    def __init__(self, state: State, members: NDArray[np.int64], moves: torch.Tensor) -> None:
        population = state.plan.population
        columns = population.columns()
        self._schedules, self._schedule = columns.schedules, columns.schedule[members]
        self._lr = columns.arguments["lr"][members]
        self._longest = torch.from_numpy(columns.clip_norm[members].astype(np.float32))[:, None]
        self._stays = None if moves.all() else ~moves
        rules, self._hyper = encode(population, members)
        starts = np.flatnonzero(np.diff(rules, prepend=-1)).tolist()
        self._parts = [  # by rule
            (int(rules[first]), slice(first, last))
            for first, last in zip(starts, [*starts[1:], len(rules)], strict=True)
        ]
        size = slices_of(state.parameters, state.layout.parameters, members[:1]).shape[1]
        self._slots = []
        for _, rows in self._parts:
            slots = torch.from_numpy(slices_of(state.slots, state.layout.slots, members[rows]))
            self._slots.append(slots.view(len(slots), slots.shape[1] // size, size))

    def step(
        self, step: int, total: int, parameters: torch.Tensor, gradient: torch.Tensor
    ) -> torch.Tensor:
        """The parameters `[P, D]` after step `step` (from 0) of `total`."""
        rates, gradient, after = self._rates(step, total), self._clipped(gradient), []
        for place, (rule, rows) in enumerate(self._parts):
            before, slots = parameters[rows], self._slots[place]
            numbers, kept = updated(
                rule, self._hyper[rows], rates[rows], step + 1, before, gradient[rows], slots
            )
            if self._stays is not None:
                numbers = torch.where(self._stays, before, numbers)
                kept = torch.where(self._stays, slots, kept)
            self._slots[place] = kept
            after.append(numbers)
        return torch.cat(after) if len(after) > 1 else after[0]

    def slots(self, row: int) -> NDArray[np.float32]:
        """What a member remembers, one after another."""
        for slots, (_, rows) in zip(self._slots, self._parts, strict=True):
            if row < rows.stop:
                return slots[row - rows.start].flatten().numpy()
        raise IndexError(row)

    def _rates(self, step: int, total: int) -> NDArray[np.float64]:
        """The learning rates of this step, `[P]`."""
        rates = self._lr.copy()
        for code, schedule in enumerate(self._schedules):
            of = self._schedule == code
            if type(schedule) is not Constant and of.any():
                each, which = np.unique(rates[of], return_inverse=True)
                rates[of] = np.array([schedule.at(lr, step, total) for lr in each.tolist()])[which]
        return rates

    def _clipped(self, gradient: torch.Tensor) -> torch.Tensor:
        """As `torch.nn.utils.clip_grad_norm_`."""
        if self._longest.isinf().all():
            return gradient
        norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
        factor: torch.Tensor = (self._longest / (norm + 1e-6)).clamp(max=1.0)
        return gradient * factor
