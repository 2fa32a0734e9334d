"""The work that every contestant is given: the same nets, weights, batches and optimizer."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from slalom import MLP, Dataset, Member, Plan, Population
from slalom.data.batches import Shuffle, steps_per_epoch
from slalom.losses import MSE
from slalom.optim import Optimizer

NO_END = 10**9  # steps of a plan that is stopped by whoever measures it


@dataclass(frozen=True, eq=False)
class Job:
    """A population of one net shape that sweeps the learning rate.

    All members have one seed, so they start from the same weights and share their batches. That
    favours the contestants that train members side by side: they gather each batch once.

    Args:
        X, y: float32 `[N, I]` and `[N, 1]`.
        widths: of the net, inputs and outputs included.
        activation: "relu" or "tanh".
        optimizer: of every member, whose learning rates are `lrs`.
        lrs: one a member.
        batch: rows of a batch, None for all.
    """

    X: NDArray[np.float32]
    y: NDArray[np.float32]
    widths: tuple[int, ...]
    activation: str
    optimizer: Optimizer
    lrs: tuple[float, ...]
    batch: int | None = None
    seed: int = 0

    @property
    def members(self) -> int:
        return len(self.lrs)

    @property
    def batch_rows(self) -> int:
        return self.batch or len(self.X)

    @property
    def steps_per_epoch(self) -> int:
        return steps_per_epoch(len(self.X), self.batch)

    @property
    def parameters(self) -> int:
        """D: the parameters of one member."""
        return sum(i * o + o for i, o in pairwise(self.widths))

    @property
    def flops(self) -> int:
        """Useful floating-point operations of one step of one member: its matrix products.

        Forward, gradient of the weights, and gradient of the inputs, which the first layer needs
        not.
        """
        products = [i * o for i, o in pairwise(self.widths)]
        return 2 * self.batch_rows * (3 * sum(products) - products[0])

    def only(self, *members: int) -> Self:
        """The same job for these members alone."""
        return replace(self, lrs=tuple(self.lrs[k] for k in members))

    def population(self) -> Population:
        net = MLP(*self.widths, activation=self.activation)
        return Population(
            tuple(
                Member(net, self.optimizer.adjusted(lr=lr), self.batch, seed=self.seed)
                for lr in self.lrs
            )
        )

    def plan(self) -> Plan:
        return Plan(self.population(), MSE(), steps=NO_END, record="step")

    def data(self) -> Dataset:
        return Dataset(self.X, self.y, task="regression")

    def module(self) -> torch.nn.Module:
        """The net with the first weights of every member."""
        return MLP(*self.widths, activation=self.activation).build(self.seed)

    def batches(self, steps: int) -> list[torch.Tensor | slice]:
        """The rows of the first `steps` batches."""
        if self.batch is None:
            return [slice(None)] * steps
        shuffle = Shuffle(self.seed, len(self.X))
        epochs = range(-(-steps // self.steps_per_epoch))
        each = [b for e in epochs for b in torch.split(shuffle.order(e), self.batch)]
        return list(each[:steps])


def surface(rows: int = 4096, features: int = 16) -> tuple[NDArray[np.float32], NDArray]:
    """A smooth function of normal features with some noise, standardised."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(rows, features)).astype(np.float32)
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * generator.normal(size=rows)
    return X, ((y - y.mean()) / y.std()).astype(np.float32)[:, None]
