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
    if weight_decay.is_cpu and not weight_decay.any():  # which a GPU would have to be waited for
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


def scalars_of(
    rule: int, hyper: Hyper, rates: np.ndarray[Any, np.dtype[np.float64]], step: int
) -> torch.Tensor:
    """What the optimizers of members with the same rule do at a step, in numbers `[S, P, 1]`.

    Args:
        rule: see `slalom.engine.hyper.RULES`.
        hyper: arguments `[P, ...]`, in the order of `slalom.engine.hyper.arguments_of`.
        rates: learning rates of this step `[P]`.
        step: its number, from 1, the same for all.
    """
    scalars = RULES[rule][0].scalars(hyper.T, rates, step)  # type: ignore[arg-type]
    each = [np.broadcast_to(scalar, rates.shape) for scalar in scalars]
    return torch.from_numpy(np.stack(each))[:, :, None]


def update(
    rule: int,
    scalars: torch.Tensor,
    parameters: torch.Tensor,
    gradient: torch.Tensor,
    slots: torch.Tensor,
    stays: torch.Tensor | None,
) -> None:
    """One step of the optimizers of members with the same rule, in place.

    Args:
        rule, scalars: see `scalars_of`.
        parameters, gradient: `[P, D]`.
        slots: `[P, S, D]`.
        stays: which parameters do not move, `[D]`, if any.
    """
    before = (parameters, *slots.unbind(1))
    after = UPDATES[rule](parameters, gradient, *before[1:], scalars.unbind())
    for old, new in zip(before, after if slots.shape[1] else (after,), strict=True):
        old.copy_(new if stays is None else torch.where(stays, old, new))
