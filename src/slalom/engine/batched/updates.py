"""The optimizers on stacked members: the arithmetic in their files, on tensors `[P, D]`.

An update is written for single numbers, with branches. Here it runs on tensors, the functions that
it calls replaced by those of torch, and each branch by the choice that `torch.where` makes.
"""

from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
import torch

from slalom.engine.hyper import RULES
from slalom.optim.optimizer import Hyper, Update

# The formulas of `slalom.optim` by name, for tensors `[P, D]` and scalars of a step `[P, 1]`.


def lerp(start: torch.Tensor, end: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    near = weight < 0.5
    share = torch.where(near, weight, weight - 1)
    return torch.where(near, start, end) + share * (end - start)


def decayed(g: torch.Tensor, p: torch.Tensor, weight_decay: torch.Tensor) -> torch.Tensor:
    if not weight_decay.any():
        return g
    return torch.where(weight_decay != 0, g + weight_decay * p, g)


def ahead(
    gradient: torch.Tensor, buffer: torch.Tensor, momentum: torch.Tensor, nesterov: torch.Tensor
) -> torch.Tensor:
    return torch.where(nesterov != 0, gradient + momentum * buffer, buffer)


# What takes the place of the functions of these names.
ON_TENSORS: dict[str, Any] = {
    "np": SimpleNamespace(sqrt=torch.sqrt),
    "larger": torch.maximum,
    **{function.__name__: function for function in (lerp, decayed, ahead)},
}


def _on_tensors(update: Update) -> Update:
    assert isinstance(update, FunctionType)
    return FunctionType(update.__code__, update.__globals__ | ON_TENSORS, update.__name__)


UPDATES = [_on_tensors(optimizer.updates[slots]) for optimizer, slots in RULES]


def updated(
    rule: int,
    hyper: Hyper,
    rates: np.ndarray[Any, np.dtype[np.float64]],
    step: int,
    parameters: torch.Tensor,
    gradient: torch.Tensor,
    slots: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step of the optimizers of members with the same rule.

    Args:
        rule: see `slalom.engine.hyper.RULES`.
        hyper: arguments `[P, ...]`, in the order of `slalom.engine.hyper.arguments_of`.
        rates: learning rates of this step `[P]`.
        step: its number, from 1, the same for all.
        parameters, gradient: `[P, D]`.
        slots: `[P, S, D]`.

    Returns:
        The parameters and the slots after it.
    """
    scalars = RULES[rule][0].scalars(hyper.T, rates, step)  # type: ignore[arg-type]
    columns = [torch.from_numpy(np.broadcast_to(c, rates.shape).copy())[:, None] for c in scalars]
    result = UPDATES[rule](parameters, gradient, *slots.unbind(1), columns)
    if not slots.shape[1]:
        return result, slots
    return result[0], torch.stack(result[1:], dim=1)
