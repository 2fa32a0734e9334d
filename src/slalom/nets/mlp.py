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
from slalom.nets.periodic import Periodic, PeriodicEmbedding, draw_frequencies, embedded

Layer: TypeAlias = tuple[torch.Tensor, torch.Tensor]
LINE = 16  # float32 numbers in a line of the cache


class MLP(NetSpec):
    """A fully connected net: inputs, hidden layers, outputs.

    Builds `Sequential([PeriodicEmbedding], Linear, activation, [Dropout], ..., Linear)`; the output
    layer has neither activation nor dropout. Takes `[B, I]` and gives `[B, O]`.

    Args:
        *widths: at least two: inputs, hidden widths, outputs.
        activation: a name of `slalom.nets.ACTIVATIONS`, or a function from tensor to tensor; relu
            because it is what most nets start from.
        dropout: probability that a hidden unit is dropped in training (Srivastava et al. 2014).
        embedding: of some of the inputs, before the first layer; none when not given.

    Raises:
        BadPlan: for a width below 1, an unknown activation, one whose gradient is wrong, a dropout
            outside [0, 1), or an embedding of a column that is no input.

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
    embedding: Periodic | None = None

    def __init__(
        self,
        *widths: int,
        activation: str | Function = "relu",
        dropout: float = 0.0,
        embedding: Periodic | None = None,
    ) -> None:
        object.__setattr__(self, "widths", widths)
        object.__setattr__(self, "activation", activation)
        object.__setattr__(self, "dropout", dropout)
        object.__setattr__(self, "embedding", embedding)
        self.__post_init__()

    @property
    def linear(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of each `torch.nn.Linear`."""
        inputs, *widths = self.widths
        if self.embedding is not None:
            inputs = self.embedding.outputs(inputs)
        return tuple(pairwise((inputs, *widths)))

    def module(self) -> torch.nn.Sequential:
        layers: list[torch.nn.Module] = []
        if self.embedding is not None:
            layers.append(PeriodicEmbedding(self.embedding, self.widths[0]))
        for n, (inputs, outputs) in enumerate(self.linear):
            if n:
                layers.append(build_activation(self.activation))
                if self.dropout:
                    layers.append(torch.nn.Dropout(self.dropout))
            layers.append(torch.nn.Linear(inputs, outputs))
        return torch.nn.Sequential(*layers)

    @property
    def draws(self) -> bool:
        return False

    def first(self, seeds: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """As `NetSpec.first`, without making modules, in a fifth of the time."""
        table = torch.zeros(len(seeds), self.size[0])
        # torch.nn.Linear draws its weights, then its biases, evenly between these bounds.
        sizes = [size for inputs, outputs in self.linear for size in (inputs * outputs, outputs)]
        bounds = [bound for inputs, _ in self.linear for bound in _bounds(inputs)]
        generator, start = torch.Generator(), self._embedding_size
        for seed, row in zip(seeds, table, strict=True):
            generator.manual_seed(seed)
            if self.embedding is not None:
                rows, width = self.embedding.shapes[0]
                frequencies = row[: rows * width].view(rows, width)
                draw_frequencies(frequencies, self.embedding.scale, generator)
            for part, bound in zip(row[start:].split(sizes), bounds, strict=True):
                part.uniform_(-bound, bound, generator=generator)
        return table.float().numpy(), np.empty((len(seeds), 0))

    @property
    def size(self) -> tuple[int, int]:
        of_layers = sum((inputs + 1) * outputs for inputs, outputs in self.linear)
        return self._embedding_size + of_layers, 0

    @property
    def _embedding_size(self) -> int:
        return 0 if self.embedding is None else self.embedding.parameters

    @property
    def trainable(self) -> bool:
        return True

    def forward(
        self, parameters: NDArray[np.float32], buffers: NDArray[np.float64], *X: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """As `NetSpec.forward`, to the same bits, without making a module."""
        activation, numbers = build_activation(self.activation), torch.from_numpy(parameters)
        parts = [torch.split(rows, ROWS_AT_ONCE) for rows in X]
        with torch.no_grad():
            each = [
                [
                    torch.cat([_pass(layers, self._embedded(some, own), activation) for some in p])
                    for p in parts
                ]
                for own, layers in zip(numbers, self._layers(numbers), strict=True)
            ]
        return tuple(torch.stack(outputs) for outputs in zip(*each, strict=True))

    def _embedded(self, X: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        """What the first layer gets of rows, with parameters `[D]`."""
        if self.embedding is None:
            return X
        shapes = self.embedding.shapes
        parts = torch.split(
            parameters[: self._embedding_size], [rows * width for rows, width in shapes]
        )
        own = [part.clone().view(shape) for part, shape in zip(parts, shapes, strict=True)]
        return embedded(X, own, self.embedding.columns)

    def _layers(self, parameters: torch.Tensor) -> Iterator[tuple[Layer, ...]]:
        """Weight and bias of each layer, for each of `[S, D]` parameters."""
        layers, start = [], self._embedding_size
        for inputs, outputs in self.linear:
            end = start + inputs * outputs
            weights = _aligned(parameters[:, start:end]).view(-1, outputs, inputs)
            biases = _aligned(parameters[:, end : end + outputs])
            layers.append(zip(weights.unbind(), biases.unbind(), strict=True))
            start = end + outputs
        return zip(*layers, strict=True)

    @property
    def label(self) -> str:
        """Such as `8-32-1 relu`, with dropout and embedding if it has them."""
        given = self.activation
        name = given if isinstance(given, str) else getattr(given, "__name__", repr(given))
        dropout = f" dropout {self.dropout:g}" if self.dropout else ""
        waves = f" {self.embedding.label}" if self.embedding else ""
        return f"{'-'.join(map(str, self.widths))} {name}{dropout}{waves}"

    @property
    def adjustable(self) -> tuple[str, ...]:
        return ("activation", "dropout", "embedding")

    def check(self) -> None:
        enough = len(self.widths) >= 2 and min(self.widths) >= 1
        self.require(enough, "widths", "two or more whole numbers >= 1")
        self.require(0 <= self.dropout < 1, "dropout", "in [0, 1)")
        check_activation(self.activation)
        inside = self.embedding is None or max(self.embedding.columns) < self.widths[0]
        self.require(inside, "embedding", f"of columns below {self.widths[0]}, the inputs")

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
