"""Optimizers as pure data, with torch's names, arguments and defaults.

Each spec builds the `torch.optim` optimizer of the same name. `slots` names the arrays which that
optimizer remembers for each parameter, in a fixed order, so that an engine can keep them as plain
arrays beside the parameters.
"""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import torch

from slalom.core.spec import Spec

FLOAT32_MAX = torch.finfo(torch.float32).max  # torch refuses to scale float32 by more


class Optimizer(Spec, abstract=True):
    """Base of the optimizers. `lr` is the learning rate before any schedule."""

    lr: float = 1e-3

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of what torch keeps for each parameter, besides the step count."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """What a person calls it: the name in legends, one colour each."""
        return self.kind

    @property
    def label(self) -> str:
        """The name with the learning rate and all arguments that are not torch's defaults.

        >>> SGD(0.01, momentum=0.8).label
        'SGD(lr=0.01, momentum=0.8)'
        """
        told = filter(None, (self.told(f.name) for f in fields(self)))
        return f"{self.kind}({', '.join(told)})"

    def told(self, argument: str) -> str:
        """An argument as it stands in the label: nothing for torch's defaults, but for `lr`.

        >>> SGD(0.01, momentum=0.8).told("momentum"), SGD(0.01).told("momentum")
        ('momentum=0.8', '')
        """
        value, default = getattr(self, argument), getattr(type(self), argument)
        if argument != "lr" and value == default:
            return ""
        return f"{argument}={value:.4g}" if isinstance(value, float) else f"{argument}={value}"

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """The `torch.optim` optimizer of the same name over `parameters`."""
        arguments: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        optimizer: torch.optim.Optimizer = getattr(torch.optim, self.kind)(parameters, **arguments)
        return optimizer

    def check(self) -> None:
        for name in (
            "lr",
            "weight_decay",
            "eps",
            "momentum",
            "lr_decay",
            "initial_accumulator_value",
        ):
            value = getattr(self, name, 0)
            self.require(value >= 0, name, "a number >= 0")
            self.require(value <= FLOAT32_MAX, name, f"at most {FLOAT32_MAX:.2g}")


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

    @property
    def slots(self) -> tuple[str, ...]:
        return ("momentum_buffer",) if self.momentum else ()

    @property
    def name(self) -> str:
        return "Momentum" if self.momentum else "SGD"

    def check(self) -> None:
        super().check()
        plain = self.momentum > 0 and self.dampening == 0
        self.require(not self.nesterov or plain, "nesterov", "used with momentum > 0, dampening 0")


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

    @property
    def slots(self) -> tuple[str, ...]:
        return ("sum",)


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

    @property
    def slots(self) -> tuple[str, ...]:
        extra = [("momentum_buffer", self.momentum > 0), ("grad_avg", self.centered)]
        return ("square_avg", *(name for name, used in extra if used))

    def check(self) -> None:
        super().check()
        self.require(0 <= self.alpha < 1, "alpha", "in [0, 1)")


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

    @property
    def slots(self) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if self.amsgrad else ()))

    def check(self) -> None:
        super().check()
        first, second = self.betas
        inside = 0 <= first < 1 and 0 <= second < 1
        self.require(inside, "betas", "two numbers in [0, 1)")


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019; `adamw.py`).

    Example:
        >>> AdamW().weight_decay
        0.01
    """

    weight_decay: float = 1e-2
