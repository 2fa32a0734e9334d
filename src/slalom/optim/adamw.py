"""AdamW: Adam with weight decay apart from the gradient."""

import numpy as np

from slalom.optim.adam import Adam, moments
from slalom.optim.optimizer import Hyper


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019; `adamw.py`).

    Example:
        >>> AdamW().weight_decay
        0.01
    """

    weight_decay: float = 1e-2

    @staticmethod
    def scalars(h: Hyper, lr: float, step: int) -> tuple[np.float32, ...]:
        """As Adam's, but the decay shrinks the parameter itself and leaves the gradient alone."""
        return moments(h, lr, step, 1.0 - lr * h[3], 0.0)
