"""Trained periodic embeddings of numbers, for what goes up and down with a few of them."""

from collections.abc import Sequence

import torch

from slalom.core.spec import Spec

BOUND = 3.0  # of the normal distribution of first frequencies, in its deviations


class Periodic(Spec):
    """Some columns as waves whose frequencies are trained (Gorishniy et al. 2026, TabPack).

    A net of few layers draws smooth curves; steps and waves of a column (coordinates, hours, days)
    take it long to learn. Each column x becomes `size` numbers: itself and `size - 1` waves
    cos(2 pi (w x + b)), each times a trained weight, plus a trained bias. Weights and biases are 0
    before the first step, so that a net begins without the columns and takes what it needs.

    Args:
        columns: which of a row's features, from 0; each once.
        size: numbers for each of them, 2 or more; 16 is the middle of what the paper samples.
        scale: deviation of the first frequencies w, in waves for each unit of x. Between 0.01
            (nearly straight lines) and 10 (steps); 0.3 is the middle of what the paper samples.

    Raises:
        BadPlan: for a column below 0 or named twice, no column, or a size below 2.

    Example:
        >>> from slalom import MLP
        >>> MLP(3, 8, 1, embedding=Periodic(columns=(0, 2), size=4)).build(seed=0)
        Sequential(
          (0): PeriodicEmbedding(columns=(0, 2), size=4, inputs=3)
          (1): Linear(in_features=9, out_features=8, bias=True)
          (2): ReLU()
          (3): Linear(in_features=8, out_features=1, bias=True)
        )
    """

    columns: tuple[int, ...]
    size: int = 16
    scale: float = 0.3

    def check(self) -> None:
        once = len(set(self.columns)) == len(self.columns) > 0
        self.require(once and min(self.columns) >= 0, "columns", "whole numbers >= 0, each once")
        self.require_whole("size", 2)
        self.require(self.scale > 0, "scale", "a number > 0")

    @property
    def label(self) -> str:
        """Such as `periodic 2x16 scale 0.3`: columns, size and scale."""
        return f"periodic {len(self.columns)}x{self.size} scale {self.scale:.2g}"

    def outputs(self, inputs: int) -> int:
        """How many numbers a row of `inputs` features becomes."""
        return inputs + len(self.columns) * (self.size - 1)

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Of the frequencies, phases, weights and biases, in this order."""
        columns, size = len(self.columns), self.size
        return ((columns, size - 1),) * 2 + ((columns, size),) * 2

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(rows * width for rows, width in self.shapes)

    def order(self, inputs: int) -> tuple[int, ...]:
        """The features of a row in the order in which the net gets them: embedded ones first."""
        others = (i for i in range(inputs) if i not in set(self.columns))
        return (*self.columns, *others)


class PeriodicEmbedding(torch.nn.Module):
    """The module of a `Periodic`: `[B, I]` to `[B, E]`.

    The columns in their order, `size` numbers each, then all other features as they are.

    Args:
        embedding: what it is.
        inputs: features of a row.

    Example:
        >>> PeriodicEmbedding(Periodic(columns=(0,), size=4), inputs=2)(torch.ones(5, 2)).shape
        torch.Size([5, 5])
    """

    def __init__(self, embedding: Periodic, inputs: int) -> None:
        super().__init__()
        self.embedding, self.inputs = embedding, inputs
        own = [torch.nn.Parameter(torch.zeros(shape)) for shape in embedding.shapes]
        self.frequency, self.phase, self.weight, self.bias = own
        draw_frequencies(self.frequency, embedding.scale)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        own = (self.frequency, self.phase, self.weight, self.bias)
        return embedded(X, own, self.embedding.columns)

    def extra_repr(self) -> str:
        spec = self.embedding
        return f"columns={spec.columns}, size={spec.size}, inputs={self.inputs}"


def embedded(
    X: torch.Tensor, own: Sequence[torch.Tensor], columns: tuple[int, ...]
) -> torch.Tensor:
    """Rows `[B, I]` with their columns embedded, `[B, E]`.

    Args:
        own: frequencies, phases, weights and biases; see `Periodic.shapes`.
    """
    frequency, phase, weight, bias = own
    others = [i for i in range(X.shape[1]) if i not in set(columns)]
    x = X[:, list(columns), None]
    waves = torch.cos(2 * torch.pi * (frequency * x + phase))
    values = torch.cat([x, waves], dim=2) * weight + bias
    return torch.cat([values.flatten(1), X[:, others]], dim=1)


def draw_frequencies(
    frequency: torch.Tensor, scale: float, generator: torch.Generator | None = None
) -> None:
    """Fill first frequencies; by torch's global generator when none is given."""
    torch.nn.init.trunc_normal_(frequency, a=-BOUND, b=BOUND, generator=generator)
    with torch.no_grad():
        frequency.mul_(scale)
