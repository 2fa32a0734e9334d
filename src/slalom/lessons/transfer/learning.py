"""Task A, and three ways to learn task B from few rows: from nothing, fine-tuned, frozen trunk."""

from functools import cache
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.core.arrays import Float32Array, Float64Array
from slalom.data import Dataset
from slalom.lessons.common import train
from slalom.nets import MLP, NetSpec
from slalom.optim import SGD
from slalom.runs import Run

Labels: TypeAlias = NDArray[np.int64]

FOR_A = 900  # images for the first task; the others are for the second
HELD_OUT = 400  # images at the end that no training sees
POOL = 1797 - FOR_A - HELD_OUT  # from which the rows of the second task are drawn
REPEATS = 6  # each with rows and first weights of its own
STEPS_A = 300


@cache
def digits() -> tuple[Float32Array, Labels]:
    """Images `[1797, 64]` with values from 0 to 1, and what they show, in a random order."""
    from sklearn.datasets import load_digits  # loaded here: half a second

    images, shown = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    return (images[order] / 16).astype(np.float32), shown[order]


def train_on_a(known: int, width: int, lr: float, seed: int) -> Run:
    """Train a net to tell the digits below `known` apart."""
    images, shown = digits()
    rows = np.flatnonzero(shown[:FOR_A] < known)
    return train(
        MLP(64, width, width, known, activation="tanh"),
        Dataset(images[rows], shown[rows], task="classification"),
        optimizer=SGD(lr),
        steps=STEPS_A,
        record_every=STEPS_A,
        seed=seed,
        engine="reference",
    )


def from_nothing(width: int) -> MLP:
    """The net of task B with random first weights."""
    return MLP(64, width, width, 5, activation="tanh")


def learn(net: NetSpec, count: int, lr: float, steps: int, watched: bool) -> Float64Array:
    """Accuracy on the images held out, `[REPEATS, steps]`, or `[REPEATS, 1]` if not `watched`.

    Each repeat draws its own `count` rows to train on, the same for every net. A plain PyTorch
    loop: it takes the largest logit, where two that differ by less than 1e-7 are one to softmax.
    """
    every = 1 if watched else steps
    accuracies = np.empty((REPEATS, steps // every))
    images, pairs = (torch.from_numpy(values) for values in (digits()[0], digits()[1] // 2))
    for k in range(REPEATS):
        few = FOR_A + np.random.default_rng(k).permutation(POOL)[:count]
        X, y = images[few], pairs[few]
        module = net.build(k)
        optimizer = torch.optim.SGD(module.parameters(), lr=lr)
        for step in range(1, steps + 1):
            loss = torch.nn.functional.cross_entropy(module(X), y)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
            optimizer.step()
            if step % every == 0:
                with torch.no_grad():
                    right = module(images[-HELD_OUT:]).argmax(dim=1) == pairs[-HELD_OUT:]
                accuracies[k, step // every - 1] = right.double().mean()
    return accuracies


learn_from_nothing = cache(learn)  # which task A has no part in


def nearest_to_own(features: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
    """Which rows of `features [n, d]` lie nearest to the middle of their own digit, bool `[n]`."""
    middles = torch.stack([features[shown == digit].mean(dim=0) for digit in range(10)])
    return torch.cdist(features, middles).argmin(dim=1) == shown
