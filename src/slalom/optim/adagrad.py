"""Adagrad: steps that shrink with all gradients so far."""

from typing import Any, ClassVar

import numpy as np

from slalom.optim.optimizer import Hyper, Optimizer, Update, decayed


def update(p: np.float32, g: np.float32, total: np.float32, c: Any) -> Any:
    """A step divided by the root of the sum of squares."""
    gradient = decayed(g, p, c[1])
    total = (c[3] + total) + gradient * gradient
    return p + c[0] * gradient / (np.sqrt(total) + c[2]), total


class Adagrad(Optimizer):
    """Steps that shrink with all gradients so far (Duchi et al. 2011; `torch/optim/adagrad.py`).

    Example:
        >>> Adagrad().label
        'Adagrad(lr=0.01)'
    """

    lr: float = 1e-2
    lr_decay: float = 0.0
    weight_decay: float = 0.0
    initial_accumulator_value: float = 0.0
    eps: float = 1e-10

    updates: ClassVar[dict[tuple[str, ...], Update]] = {("sum",): update}

    @property
    def slots(self) -> tuple[str, ...]:
        return ("sum",)

    @staticmethod
    def scalars(h: Hyper, lr: float, step: int) -> tuple[np.float32, ...]:
        """Rate, weight decay, eps, and what the first step adds to the sum."""
        lr_decay, weight_decay, initial, eps = h[0], h[1], h[2], h[3]
        return (
            np.float32(-lr / (1.0 + (step - 1) * lr_decay)),
            np.float32(weight_decay),
            np.float32(eps),
            np.float32(initial if step == 1 else 0.0),
        )
