"""The fully connected net."""

from itertools import pairwise
from typing import Any, Self

import torch

from slalom.nets.activations import Function, build_activation, check_activation
from slalom.nets.net import NetSpec


class MLP(NetSpec):
    """A fully connected net: inputs, hidden layers, outputs.

    Builds `Sequential(Linear, activation, [Dropout], ..., Linear)`; the output layer has neither
    activation nor dropout. Takes `[B, I]` and gives `[B, O]`.

    Args:
        *widths: at least two: inputs, hidden widths, outputs.
        activation: a name of `slalom.nets.ACTIVATIONS`, or a function from tensor to tensor; relu
            because it is what most nets start from.
        dropout: probability that a hidden unit is dropped in training (Srivastava et al. 2014).

    Raises:
        BadPlan: for a width below 1, an unknown activation, one whose gradient is wrong, or a
            dropout outside [0, 1).

    Example:
        >>> MLP(1, 10, 1, activation="tanh").build(seed=0)
        Sequential(
          (0): Linear(in_features=1, out_features=10, bias=True)
          (1): Tanh()
          (2): Linear(in_features=10, out_features=1, bias=True)
        )
    """

    widths: tuple[int, ...]
    activation: str | Function = "relu"
    dropout: float = 0.0

    def __init__(
        self, *widths: int, activation: str | Function = "relu", dropout: float = 0.0
    ) -> None:
        object.__setattr__(self, "widths", widths)
        object.__setattr__(self, "activation", activation)
        object.__setattr__(self, "dropout", dropout)
        self.__post_init__()

    def module(self) -> torch.nn.Sequential:
        layers: list[torch.nn.Module] = []
        for inputs, outputs in pairwise(self.widths):
            if layers:
                layers.append(build_activation(self.activation))
                if self.dropout:
                    layers.append(torch.nn.Dropout(self.dropout))
            layers.append(torch.nn.Linear(inputs, outputs))
        return torch.nn.Sequential(*layers)

    @property
    def label(self) -> str:
        """Such as `8-32-1 relu`."""
        given = self.activation
        name = given if isinstance(given, str) else getattr(given, "__name__", repr(given))
        dropout = f" dropout {self.dropout:g}" if self.dropout else ""
        return f"{'-'.join(map(str, self.widths))} {name}{dropout}"

    @property
    def adjustable(self) -> tuple[str, ...]:
        return ("activation", "dropout")

    def check(self) -> None:
        enough = len(self.widths) >= 2 and min(self.widths) >= 1
        self.require(enough, "widths", "two or more whole numbers >= 1")
        self.require(0 <= self.dropout < 1, "dropout", "in [0, 1)")
        check_activation(self.activation)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Self:
        return cls(*fields.pop("widths", ()), **fields)
