"""Stochastic gradient descent, with and without momentum."""

from typing import Any, ClassVar

import numpy as np

from slalom.optim.optimizer import Hyper, Optimizer, Update, decayed


def ahead(
    gradient: np.float32, buffer: np.float32, momentum: np.float32, nesterov: np.float32
) -> np.float32:
    """What the step goes along: the momentum, or with `nesterov` where it will be one step on."""
    return gradient + momentum * buffer if nesterov != np.float32(0) else buffer


def plain(p: np.float32, g: np.float32, c: Any) -> Any:
    """A step down the slope."""
    return p + c[0] * decayed(g, p, c[1])


def with_momentum(p: np.float32, g: np.float32, buffer: np.float32, c: Any) -> Any:
    """A step that keeps a share of the last one."""
    gradient = decayed(g, p, c[1])
    buffer = c[2] * buffer + c[3] * gradient
    return p + c[0] * ahead(gradient, buffer, c[2], c[4]), buffer


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum when asked. Source: `torch/optim/sgd.py`.

    Args:
        lr: learning rate; torch's default 1e-3.
        momentum: share of the last step that is kept, 0 for none; 0.9 is usual.
        dampening: share of the gradient that momentum leaves out.
        weight_decay: L2 penalty added to the gradient.
        nesterov: look ahead along the momentum (Sutskever et al. 2013).

    Example:
        >>> SGD(lr=0.1, momentum=0.9).slots
        ('momentum_buffer',)
    """

    lr: float = 1e-3
    momentum: float = 0.0
    dampening: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False

    formulas = (*Optimizer.formulas, ahead)
    updates: ClassVar[dict[tuple[str, ...], Update]] = {
        (): plain,
        ("momentum_buffer",): with_momentum,
    }

    @property
    def slots(self) -> tuple[str, ...]:
        return ("momentum_buffer",) if self.momentum else ()

    @staticmethod
    def scalars(h: Hyper, lr: float, step: int) -> tuple[np.float32, ...]:
        """Rate, weight decay, momentum, what is taken of the gradient, and 1 for nesterov."""
        momentum, dampening, weight_decay, nesterov = h[0], h[1], h[2], h[3]
        # The first step takes the whole gradient, whatever the dampening.
        take = 1.0 - dampening if step > 1 else 1.0
        return (
            np.float32(-lr),
            np.float32(weight_decay),
            np.float32(momentum),
            np.float32(take),
            np.float32(nesterov),
        )

    @property
    def name(self) -> str:
        return "Momentum" if self.momentum else "SGD"

    def check(self) -> None:
        super().check()
        plain = self.momentum > 0 and self.dampening == 0
        self.require(not self.nesterov or plain, "nesterov", "used with momentum > 0, dampening 0")
