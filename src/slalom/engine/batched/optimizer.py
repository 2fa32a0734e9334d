"""The optimizers of stacked members as one."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.engine.batched.capture import at_once
from slalom.engine.batched.compiled import update_rows
from slalom.engine.batched.graph import Tensors
from slalom.engine.batched.stacking import Stacked
from slalom.engine.batched.updates import scalars_of, update
from slalom.engine.device import CPU
from slalom.engine.hyper import encode
from slalom.engine.state import State, put_slices, slices_of
from slalom.optim import Constant


class StackedOptimizer:
    """Clips gradients and updates parameters, a row of each for each member.

    Args:
        state: whence slots are taken.
        members: their numbers `[P]`, those with the same rule (`slalom.engine.hyper`) side by side.
        net: theirs, which knows what moves and how fast.
        device: where their tensors lie.
    """

    def __init__(
        self,
        state: State,
        members: NDArray[np.int64],
        net: Stacked,
        device: torch.device,
    ) -> None:
        population = state.plan.population
        columns = population.columns()
        self._device = device
        self._schedules, self._schedule = columns.schedules, columns.schedule[members]
        self._lr = columns.arguments["lr"][members]
        longest = columns.clip_norm[members].astype(np.float32)
        self._clips = bool(np.isfinite(longest).any())
        self._longest = torch.from_numpy(longest)[:, None].to(device)
        self._stays = None if net.moves.all() else ~net.moves.to(device)
        self._runs = list(_runs(net.program.shares))
        rules, self._hyper = encode(population, members)
        self._parts = [(int(rules[rows.start]), rows) for rows, _ in _runs(rules)]
        size = slices_of(state.parameters, state.layout.parameters, members[:1]).shape[1]
        self._slots = []
        for _, rows in self._parts:
            slots = torch.from_numpy(slices_of(state.slots, state.layout.slots, members[rows]))
            self._slots.append(slots.view(len(slots), slots.shape[1] // size, size).to(device))
        self._on_tensors = at_once(self._update_tensors, device)
        self._compiled = (
            device == CPU and self._stays is None and bool((net.program.shares == 1).all())
        )

    def step(self, step: int, total: int, parameters: torch.Tensor, gradient: torch.Tensor) -> None:
        """Change the parameters `[P, D]` as step `step` (from 0) of `total` does."""
        rates = self._rates(step, total)
        if self._compiled:
            self._update_numbers(rates, step + 1, parameters, self._clipped(gradient))
            return
        scalars = [
            scalars_of(rule, self._hyper[rows], share * rates[rows], step + 1).to(self._device)
            for rule, rows in self._parts
            for _, share in self._runs
        ]
        self._on_tensors(parameters, gradient, *self._slots, *scalars)

    def keep(self, state: State, rows: NDArray[np.int64], members: NDArray[np.int64]) -> None:
        """Give the state what the members in these rows remember."""
        for slots, (_, own) in zip(self._slots, self._parts, strict=True):
            of = (rows >= own.start) & (rows < own.stop)
            if of.any():
                found = slots[torch.from_numpy(rows[of] - own.start)].flatten(1).cpu().numpy()
                put_slices(state.slots, state.layout.slots, members[of], found)

    def _update_numbers(
        self,
        rates: NDArray[np.float64],
        step: int,
        parameters: torch.Tensor,
        gradient: torch.Tensor,
    ) -> None:
        numbers, gradients = parameters.numpy(), gradient.contiguous().numpy()
        for (rule, rows), slots in zip(self._parts, self._slots, strict=True):
            update_rows(
                rule,
                self._hyper[rows],
                rates[rows],
                step,
                numbers[rows].ravel(),  # a view, for rows lie one after another
                gradients[rows],
                slots.numpy().ravel(),
            )

    def _update_tensors(
        self, parameters: torch.Tensor, gradient: torch.Tensor, *numbers: torch.Tensor
    ) -> Tensors:
        """In place; the numbers are the slots of each part, then its scalars for each share."""
        gradient, parts = self._clipped(gradient), len(self._parts)
        scalars = iter(numbers[parts:])
        for (rule, rows), slots in zip(self._parts, numbers[:parts], strict=True):
            for columns, _ in self._runs:
                update(
                    rule,
                    next(scalars),
                    parameters[rows, columns],
                    gradient[rows, columns],
                    slots[:, :, columns],
                    None if self._stays is None else self._stays[columns],
                )
        return ()

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
        if not self._clips:
            return gradient
        norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
        factor: torch.Tensor = (self._longest / (norm + 1e-6)).clamp(max=1.0)
        return gradient * factor


def _runs(numbers: NDArray[Any]) -> Iterator[tuple[slice, Any]]:
    """Where numbers that are the same stand side by side, and what they are."""
    starts = np.flatnonzero(np.diff(numbers, prepend=np.nan))
    for first, last in pairwise([*starts.tolist(), len(numbers)]):
        yield slice(first, last), numbers[first]
