"""What an optimizer is: pure data with torch's names, arguments and defaults.

Each is one file, with the spec, what it remembers, and its update as arithmetic on one parameter:

- The spec builds the `torch.optim` optimizer of the same name, which the reference engine uses.
- `slots` names the arrays that this one remembers for each parameter, in a fixed order, so that an
  engine can keep them as plain arrays beside the parameters.
- `scalars` gives what is the same for all parameters in a step, and `updates` the arithmetic, for
  each choice of slots; compiled engines make their loops of these two.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, ClassVar, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.core.spec import Spec

FLOAT32_MAX = torch.finfo(torch.float32).max  # torch refuses to scale float32 by more

# The arguments of an optimizer but for `lr`, float64, in the order of its fields; a pair such as
# `betas` as two of them, True as 1.
Hyper: TypeAlias = NDArray[np.float64]
# Parameters, or groups of them: `{"params": [...], ...}`, with whatever an optimizer should know.
Parameters: TypeAlias = Iterable[torch.nn.Parameter] | Iterable[dict[str, Any]]
# (parameter, gradient, slot, slot, ..., scalars) -> parameter, or (parameter, slot, slot, ...)
Update: TypeAlias = Callable[..., Any]


class Optimizer(Spec, abstract=True):
    """Base of the optimizers. `lr` is the learning rate before any schedule."""

    lr: float = 1e-3

    updates: ClassVar[dict[tuple[str, ...], Update]]
    # What arguments may be that are no numbers; in columns of numbers they are their place here.
    words: ClassVar[dict[str, tuple[str | None, ...]]] = {}
    formulas: ClassVar[tuple[Callable[..., Any], ...]] = ()  # of its own that these two call

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of what torch keeps for each parameter, besides the step count."""
        raise NotImplementedError

    @staticmethod
    def scalars(h: Hyper, lr: float, step: int) -> tuple[np.float32, ...]:
        """What is the same for all parameters in a step.

        As in torch's single-tensor path, it is float64 until it meets the parameters.

        Args:
            h: the arguments, see `Hyper`.
            lr: the rate of this step, after any schedule.
            step: its number, from 1.
        """
        raise NotImplementedError

    @property
    def name(self) -> str:
        """What a person calls it: the name in legends, one colour each."""
        return self.kind

    @property
    def label(self) -> str:
        """The name with the learning rate and all arguments that are not torch's defaults.

        >>> from slalom import SGD
        >>> SGD(0.01, momentum=0.8).label
        'SGD(lr=0.01, momentum=0.8)'
        """
        shown = filter(None, (self.shown(f.name) for f in fields(self)))
        return f"{self.kind}({', '.join(shown)})"

    def shown(self, argument: str) -> str:
        """An argument as it stands in the label: nothing for torch's defaults, but for `lr`.

        >>> from slalom import SGD
        >>> SGD(0.01, momentum=0.8).shown("momentum"), SGD(0.01).shown("momentum")
        ('momentum=0.8', '')
        """
        value, default = getattr(self, argument), getattr(type(self), argument)
        if argument != "lr" and value == default:
            return ""
        return f"{argument}={value:.4g}" if isinstance(value, float) else f"{argument}={value}"

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        """The `torch.optim` optimizer of the same name over `parameters`, or groups of them."""
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


def groups_of(parameters: Parameters) -> list[dict[str, Any]]:
    """The groups, or one of all parameters."""
    each: list[Any] = list(parameters)
    return each if isinstance(each[0], dict) else [{"params": each}]


def lerp(start: np.float32, end: np.float32, weight: np.float32) -> np.float32:
    """torch.lerp, which starts from the nearer end."""
    near = weight < np.float32(0.5)
    share = weight if near else weight - np.float32(1)
    return (start if near else end) + share * (end - start)


def decayed(g: np.float32, p: np.float32, weight_decay: np.float32) -> np.float32:
    """The gradient with the L2 penalty; without one, an infinite p does not touch it."""
    return g + weight_decay * p if weight_decay != np.float32(0) else g


Optimizer.formulas = (lerp, decayed)
