"""The fully connected net."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import sqrt
from typing import Any, Self, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.nets.activations import Function, build_activation, check_activation
from slalom.nets.net import ROWS_AT_ONCE, NetSpec

Layer: TypeAlias = tuple[torch.Tensor, torch.Tensor]
LINE = 16  # float32 numbers in a line of the cache


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

    def first(self, seeds: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """As `NetSpec.first`, without making modules, in a fifth of the time."""
        pairs = list(pairwise(self.widths))
        table = torch.empty(len(seeds), self.size[0])
        # torch.nn.Linear draws its weights, then its biases, evenly between these bounds.
        sizes = [size for inputs, outputs in pairs for size in (inputs * outputs, outputs)]
        bounds = [bound for inputs, _ in pairs for bound in _bounds(inputs)]
        generator = torch.Generator()
        for seed, row in zip(seeds, table, strict=True):
            generator.manual_seed(seed)
            for part, bound in zip(row.split(sizes), bounds, strict=True):
                part.uniform_(-bound, bound, generator=generator)
        return table.float().numpy(), np.empty((len(seeds), 0))

    @property
    def size(self) -> tuple[int, int]:
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.widths)), 0

    @property
    def trainable(self) -> bool:
        return True

    def forward(
        self, parameters: NDArray[np.float32], buffers: NDArray[np.float64], *X: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """As `NetSpec.forward`, to the same bits, without making a module."""
        activation = build_activation(self.activation)
        parts = [torch.split(rows, ROWS_AT_ONCE) for rows in X]
        with torch.no_grad():
            each = [
                [torch.cat([_pass(layers, some, activation) for some in part]) for part in parts]
                for layers in self._layers(torch.from_numpy(parameters))
            ]
        return tuple(torch.stack(outputs) for outputs in zip(*each, strict=True))

    def _layers(self, parameters: torch.Tensor) -> Iterator[tuple[Layer, ...]]:
        """Weight and bias of each layer, for each of `[S, D]` parameters."""
        layers, start = [], 0
        for inputs, outputs in pairwise(self.widths):
            end = start + inputs * outputs
            weights = _aligned(parameters[:, start:end]).view(-1, outputs, inputs)
            biases = _aligned(parameters[:, end : end + outputs])
            layers.append(zip(weights.unbind(), biases.unbind(), strict=True))
            start = end + outputs
        return zip(*layers, strict=True)

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


def _aligned(rows: torch.Tensor) -> torch.Tensor:
    """A copy of rows `[S, n]`, each of which starts with a line of the cache.

    Elsewhere torch rounds otherwise than with the parameters of a module, which start so too.
    """
    size = rows.shape[1]
    room = torch.empty(len(rows), -(-size // LINE) * LINE)
    return room[:, :size].copy_(rows)


def _pass(layers: tuple[Layer, ...], X: torch.Tensor, activation: torch.nn.Module) -> torch.Tensor:
    value = X
    for n, (weight, bias) in enumerate(layers):
        value = torch.nn.functional.linear(activation(value) if n else value, weight, bias)
    return value


def _bounds(inputs: int) -> tuple[float, float]:
    """Of the weights and the biases of a layer; source: `reset_parameters` of torch.nn.Linear."""
    gain = sqrt(2 / (1 + 5))  # kaiming_uniform_(a=sqrt(5)), in torch's own order of rounding
    return sqrt(3) * (gain / sqrt(inputs)), 1 / sqrt(inputs)
