"""Adam: momentum and RMSprop together."""

from typing import Any, ClassVar

import numpy as np

from slalom.optim.optimizer import Hyper, Optimizer, Update, decayed, lerp


def moments(
    h: Hyper, lr: float, step: int, shrink: float, weight_decay: float
) -> tuple[np.float32, ...]:
    """Rate, weight decay, eps, weight of the gradient in the first moment, what the second keeps
    and takes, its bias correction, and what the parameter is shrunk by before the step."""
    beta1, beta2, eps = h[0], h[1], h[2]
    return (
        np.float32(-lr / (1.0 - beta1**step)),
        np.float32(weight_decay),
        np.float32(eps),
        np.float32(1.0 - beta1),
        np.float32(beta2),
        np.float32(1.0 - beta2),
        np.float32(1.0 / np.sqrt(1.0 - beta2**step)),
        np.float32(shrink),
    )


def larger(one: np.float32, other: np.float32) -> np.float32:
    """torch.maximum, in which NaN wins."""
    return other if one <= other else one


def plain(p: np.float32, g: np.float32, first: np.float32, second: np.float32, c: Any) -> Any:
    """A step of the first moment, divided by the root of the second."""
    gradient = decayed(g, p, c[1])
    first = lerp(first, gradient, c[3])
    second = second * c[4] + c[5] * gradient * gradient
    size = np.sqrt(second) * c[6] + c[2]
    return c[7] * p + c[0] * first / size, first, second


def with_largest(
    p: np.float32,
    g: np.float32,
    first: np.float32,
    second: np.float32,
    largest: np.float32,
    c: Any,
) -> Any:
    """The same with the largest second moment so far."""
    gradient = decayed(g, p, c[1])
    first = lerp(first, gradient, c[3])
    second = second * c[4] + c[5] * gradient * gradient
    largest = larger(second, largest)
    size = np.sqrt(largest) * c[6] + c[2]
    return c[7] * p + c[0] * first / size, first, second, largest


class Adam(Optimizer):
    """Momentum and RMSprop together (Kingma and Ba 2015; `torch/optim/adam.py`).

    Example:
        >>> Adam(betas=(0.9, 0.99)).label
        'Adam(lr=0.001, betas=(0.9, 0.99))'
    """

    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    amsgrad: bool = False

    formulas = (*Optimizer.formulas, moments, larger)
    updates: ClassVar[dict[tuple[str, ...], Update]] = {
        ("exp_avg", "exp_avg_sq"): plain,
        ("exp_avg", "exp_avg_sq", "max_exp_avg_sq"): with_largest,
    }

    @property
    def slots(self) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if self.amsgrad else ()))

    @staticmethod
    def scalars(h: Hyper, lr: float, step: int) -> tuple[np.float32, ...]:
        """See `moments`."""
        return moments(h, lr, step, 1.0, h[3])

    def check(self) -> None:
        super().check()
        first, second = self.betas
        inside = 0 <= first < 1 and 0 <= second < 1
        self.require(inside, "betas", "two numbers in [0, 1)")
