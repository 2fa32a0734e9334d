"""A measurement for lesson 4: which activation suits a small convolutional and a recurrent net."""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.data import Dataset, Split
from slalom.lessons.common import train
from slalom.nets import Net
from slalom.optim import SGD
from slalom.population import grid

ACTIVATIONS = ("relu", "tanh", "sigmoid")
RATES = (0.1, 0.3, 0.6)  # learning rates
SEEDS = 3  # draws of the first weights
ROWS, HELD = 400, 500  # to train on, and to test on
LENGTH = 4  # numbers in a sequence
PASSES = 10  # over the training rows


class Convolutional(torch.nn.Module):
    """Slides small windows over images `[B, 1, 8, 8]`; gives a score for each digit `[B, 10]`."""

    def __init__(self, activation: str) -> None:
        super().__init__()
        self.activation = getattr(torch, activation)
        self.first = torch.nn.Conv2d(1, 8, kernel_size=3, stride=2, padding=1)
        self.second = torch.nn.Conv2d(8, 16, kernel_size=3, stride=2, padding=1)
        self.scores = torch.nn.Linear(16 * 2 * 2, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        seen = self.activation(self.second(self.activation(self.first(images))))
        scores: torch.Tensor = self.scores(seen.flatten(1))
        return scores


class Recurrent(torch.nn.Module):
    """Reads sequences `[B, T]` number by number; scores for below and above zero `[B, 2]`."""

    def __init__(self, activation: str) -> None:
        super().__init__()
        self.activation = getattr(torch, activation)
        self.read = torch.nn.Linear(1, 16)
        self.keep = torch.nn.Linear(16, 16)
        self.scores = torch.nn.Linear(16, 2)

    def forward(self, sequences: torch.Tensor) -> torch.Tensor:
        memory = torch.zeros(len(sequences), 16)
        for number in torch.split(sequences, 1, dim=1):
            memory = self.activation(self.read(number) + self.keep(memory))
        scores: torch.Tensor = self.scores(memory)
        return scores


def digits() -> Dataset:
    """Images of handwritten digits, from 0 to 1."""
    from sklearn.datasets import load_digits  # loaded here: half a second

    images, labels = load_digits(return_X_y=True)
    return _held(images[: ROWS + HELD].reshape(-1, 1, 8, 8) / 16, labels[: ROWS + HELD])


def sequences() -> Dataset:
    """Random sequences; the question is whether the first number of each was above zero."""
    numbers = np.random.default_rng(0).uniform(-1, 1, (ROWS + HELD, LENGTH))
    return _held(numbers, (numbers[:, 0] > 0).astype(int))


def _held(X: NDArray[np.float64], y: NDArray[np.int64]) -> Dataset:
    """The first rows to train on, the others to test on."""
    split = Split(np.arange(ROWS), np.arange(ROWS, ROWS + HELD))
    return Dataset(X.astype(np.float32), y, task="classification", folds=(split,))


def shares_right(net: type[torch.nn.Module], data: Dataset) -> NDArray[np.float64]:
    """The share of test rows that each net tells right: `[activations, rates, seeds]`."""
    population = grid(
        net=[Net(net, activation=activation) for activation in ACTIVATIONS],
        optimizer=SGD,
        lr=list(RATES),
        seed=range(SEEDS),
        batch_size=40,
    )
    run = train(
        population,
        data,
        epochs=PASSES,
        validate_every=PASSES,
        record="epoch",
        engine="reference",
    )
    shares = run.history.groupby("member")["accuracy"].last().to_numpy()
    return shares.reshape(len(ACTIVATIONS), len(RATES), SEEDS)


@cache
def measured() -> dict[str, NDArray[np.float64]]:
    """The shares of both kinds of nets, measured once: no parameter of the lesson changes them."""
    return {
        "convolutional": shares_right(Convolutional, digits()),
        "recurrent": shares_right(Recurrent, sequences()),
    }
