"""Adadelta: steps in the size of the steps before."""

from typing import Any, ClassVar

import numpy as np

from slalom.optim.optimizer import Hyper, Optimizer, Update, decayed


def update(p: np.float32, g: np.float32, v: np.float32, steps: np.float32, c: Any) -> Any:
    """A step that takes its unit from the running size of earlier ones."""
    gradient = decayed(g, p, c[1])
    v = v * c[3] + c[4] * gradient * gradient
    step = np.sqrt(steps + c[2]) / np.sqrt(v + c[2]) * gradient
    steps = steps * c[3] + c[4] * step * step
    return p + c[0] * step, v, steps


class Adadelta(Optimizer):
    """Steps in the size of the steps before (Zeiler 2012; `torch/optim/adadelta.py`).

    Args:
        lr: what the step is multiplied by; torch's default 1.0, which is the paper's.
        rho: what the running averages keep.
        eps: in both roots, so that the first steps have a size.
        weight_decay: L2 penalty added to the gradient.

    Example:
        >>> Adadelta().slots
        ('square_avg', 'acc_delta')
    """

    lr: float = 1.0
    rho: float = 0.9
    eps: float = 1e-6
    weight_decay: float = 0.0

    updates: ClassVar[dict[tuple[str, ...], Update]] = {("square_avg", "acc_delta"): update}

    @property
    def slots(self) -> tuple[str, ...]:
        return ("square_avg", "acc_delta")

    @staticmethod
    def scalars(h: Hyper, lr: float, step: int) -> tuple[np.float32, ...]:
        """Rate, weight decay, eps, what the averages keep and take."""
        rho, eps, weight_decay = h[0], h[1], h[2]
        return (
            np.float32(-lr),
            np.float32(weight_decay),
            np.float32(eps),
            np.float32(rho),
            np.float32(1.0 - rho),
        )

    def check(self) -> None:
        super().check()
        self.require(0 <= self.rho <= 1, "rho", "in [0, 1]")
