"""RMSprop: steps divided by a running size of the gradient."""

from typing import Any, ClassVar

import numpy as np

from slalom.optim.optimizer import Hyper, Optimizer, Update, decayed, lerp


def plain(p: np.float32, g: np.float32, v: np.float32, c: Any) -> Any:
    """A step divided by the root of the average square."""
    gradient = decayed(g, p, c[1])
    v = v * c[3] + c[4] * gradient * gradient
    return p + c[0] * gradient / (np.sqrt(v) + c[2]), v


def with_momentum(p: np.float32, g: np.float32, v: np.float32, buffer: np.float32, c: Any) -> Any:
    """The same, keeping a share of the last step."""
    gradient = decayed(g, p, c[1])
    v = v * c[3] + c[4] * gradient * gradient
    buffer = c[5] * buffer + gradient / (np.sqrt(v) + c[2])
    return p + c[0] * buffer, v, buffer


def with_deviation(p: np.float32, g: np.float32, v: np.float32, mean: np.float32, c: Any) -> Any:
    """A step divided by the running deviation of the gradient."""
    gradient = decayed(g, p, c[1])
    v = v * c[3] + c[4] * gradient * gradient
    mean = lerp(mean, gradient, c[4])
    return p + c[0] * gradient / (np.sqrt(v - mean * mean) + c[2]), v, mean


def with_both(
    p: np.float32, g: np.float32, v: np.float32, buffer: np.float32, mean: np.float32, c: Any
) -> Any:
    """Centered, keeping a share of the last step."""
    gradient = decayed(g, p, c[1])
    v = v * c[3] + c[4] * gradient * gradient
    mean = lerp(mean, gradient, c[4])
    buffer = c[5] * buffer + gradient / (np.sqrt(v - mean * mean) + c[2])
    return p + c[0] * buffer, v, buffer, mean


class RMSprop(Optimizer):
    """Steps divided by a running size of the gradient (Hinton 2012; `torch/optim/rmsprop.py`).

    Example:
        >>> RMSprop(alpha=0.9, momentum=0.5).slots
        ('square_avg', 'momentum_buffer')
    """

    lr: float = 1e-2
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum: float = 0.0
    centered: bool = False

    updates: ClassVar[dict[tuple[str, ...], Update]] = {
        ("square_avg",): plain,
        ("square_avg", "momentum_buffer"): with_momentum,
        ("square_avg", "grad_avg"): with_deviation,
        ("square_avg", "momentum_buffer", "grad_avg"): with_both,
    }

    @property
    def slots(self) -> tuple[str, ...]:
        extra = [("momentum_buffer", self.momentum > 0), ("grad_avg", self.centered)]
        return ("square_avg", *(name for name, used in extra if used))

    @staticmethod
    def scalars(h: Hyper, lr: float, step: int) -> tuple[np.float32, ...]:
        """Rate, weight decay, eps, what the average keeps and takes, momentum."""
        alpha, eps, weight_decay, momentum = h[0], h[1], h[2], h[3]
        return (
            np.float32(-lr),
            np.float32(weight_decay),
            np.float32(eps),
            np.float32(alpha),
            np.float32(1.0 - alpha),
            np.float32(momentum),
        )

    def check(self) -> None:
        super().check()
        self.require(0 <= self.alpha < 1, "alpha", "in [0, 1)")
