"""Looking: a convolutional net and a fully connected one of the same size read digits."""

from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import max_pool2d, pad

from slalom.data import Dataset, Split
from slalom.lessons.common import train
from slalom.nets import Net, flat_parameters
from slalom.optim import Adam
from slalom.population import grid
from slalom.runs import Run

Array = NDArray[Any]

UNSEEN = 500  # digits that no net trains on
RUNS = 10  # of each net, from other first weights
MOVES = {"in place": (0, 0), "left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}


class Looking(torch.nn.Module):
    """Two convolutions: takes images `[B, 1, 8, 8]`, gives a score for each digit, `[B, 10]`."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(1, filters, 3, padding=1)
        self.second = torch.nn.Conv2d(filters, 2 * filters, 3, padding=1)
        self.tell = torch.nn.Linear(2 * filters * 2 * 2, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = max_pool2d(self.first(images).relu(), 2)  # [B, filters, 4, 4]
        maps = max_pool2d(self.second(maps).relu(), 2)  # [B, 2 filters, 2, 2]
        scores: torch.Tensor = self.tell(maps.flatten(1))
        return scores


def dense(neurons: int) -> torch.nn.Sequential:
    """A fully connected net with one hidden layer, on the 64 pixels in a row."""
    return torch.nn.Sequential(
        torch.nn.Flatten(),
        torch.nn.Linear(64, neurons),
        torch.nn.ReLU(),
        torch.nn.Linear(neurons, 10),
    )


@dataclass(frozen=True, eq=False)
class Looked:
    """What came of it.

    Args:
        parameters: of the convolutional net and of the fully connected one, which has `neurons`.
        losses: of the first convolutional net, `[steps]`.
        before, after: filters of its first layer, `[filters, 3, 3]`.
        maps: what these make of the first unseen digit, `[filters, 8, 8]`.
        images, labels: the unseen digits, `[UNSEEN, 8, 8]` and `[UNSEEN]`.
        probabilities: what it gives each class of each of them, `[UNSEEN, 10]`.
        answers: the classes that it takes them for, `[UNSEEN]`.
        accuracies: of the nets of both kinds on them, wherever they are moved: `[2, RUNS, MOVES]`.
    """

    parameters: tuple[int, int]
    neurons: int
    losses: Array
    before: Array
    after: Array
    maps: Array
    images: Array
    labels: Array
    probabilities: Array
    answers: Array
    accuracies: Array

    @property
    def wrong(self) -> Array:
        """Which unseen digits the first convolutional net takes for others, bool `[UNSEEN]`."""
        result: Array = self.answers != self.labels
        return result

    def numbers(self) -> dict[str, Any]:
        """What prose and script name."""
        look, dense = self.accuracies.mean(axis=1)
        return {
            "unseen_digits": len(self.images),
            "look_parameters": self.parameters[0],
            "dense_parameters": self.parameters[1],
            "dense_neurons": self.neurons,
            "look_losses": self.losses,
            "filters_before": self.before,
            "filters_after": self.after,
            "mistakes": int(self.wrong.sum()),
            "first_accuracies": self.accuracies[:, 0],
            "runs": RUNS,
            "accuracies": self.accuracies,
            "look_in_place": look[0],
            "dense_in_place": dense[0],
            "look_sideways": look[1:3].mean(),
            "dense_sideways": dense[1:3].mean(),
            "look_up_down": look[3:].mean(),
            "dense_up_down": dense[3:].mean(),
            "largest_after": np.abs(self.after).max(),
        }

    def claims(self) -> dict[str, bool]:
        """What the prose says: a net is ahead when its worst run is above the other's best."""
        places = {"in_place": slice(1), "sideways": slice(1, 3), "up_down": slice(3, None)}
        claims = {"guesses": bool(self.accuracies[0, :, 0].mean() < 0.201)}  # of ten digits
        for name, moves in places.items():
            look, dense = self.accuracies[..., moves].mean(axis=-1)
            claims[f"look_ahead_{name}"] = _all_above(look, dense)
            claims[f"dense_ahead_{name}"] = _all_above(dense, look)
        return claims


def _all_above(these: Array, those: Array) -> bool:
    """Whether all of these are larger than all of those, by more than rounding."""
    return bool(these.min() > those.max() + 1e-6)


@lru_cache(maxsize=2)
def look_at_digits(filters: int, epochs: int, lr: float, seed: int) -> Looked:
    """Train a first net of each kind as the script does, the others at once; test them all."""
    data = digits()
    look = Net(Looking, filters=filters)
    untrained: Any = look.build(seed)
    size = flat_parameters(untrained).size
    neurons = round((size - 10) / 75)  # each has 64 weights, a bias, and 10 weights behind it
    nets = [look, Net(dense, neurons=neurons)]
    members = partial(grid, net=nets, optimizer=Adam, lr=lr, batch_size=64)
    one = train(members(seed=seed), data, epochs=epochs, record="step", engine="reference")
    others = train(members(seed=range(seed + 1, seed + RUNS)), data, epochs=epochs)
    net: Any = one.model(0)
    images, labels = (torch.from_numpy(values[data.test]) for values in (data.X, data.y))
    with torch.no_grad():
        maps = net.first(images[:1]).relu()[0]
        logits = net(images)
    return Looked(
        parameters=(size, flat_parameters(one.model(1)).size),
        neurons=neurons,
        losses=one.history.loc[one.history["member"] == 0, "train_loss"].to_numpy(),
        before=untrained.first.weight[:, 0].detach().numpy(),
        after=net.first.weight[:, 0].detach().numpy(),
        maps=maps.numpy(),
        images=images[:, 0].numpy(),
        labels=labels.numpy(),
        probabilities=logits.softmax(dim=1).numpy(),
        answers=logits.argmax(dim=1).numpy(),
        accuracies=np.hstack([accuracies(run, images, labels) for run in (one, others)]),
    )


def accuracies(run: Run, images: torch.Tensor, labels: torch.Tensor) -> Array:
    """The share of digits that nets tell right, wherever these are moved: `[2, runs, MOVES]`."""
    models = [run.model(k) for k in range(len(run.population))]
    with torch.no_grad():
        right = [
            [(model(shifted(images, *move)).argmax(dim=1) == labels) for move in MOVES.values()]
            for model in models
        ]
    result: Array = np.mean(right, axis=-1).reshape(2, -1, len(MOVES))
    return result


@cache
def digits() -> Dataset:
    """scikit-learn's digits: images `[1797, 1, 8, 8]` from 0 to 1, `UNSEEN` of them kept apart."""
    from sklearn.datasets import load_digits  # loaded here: half a second

    bunch = load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    return Dataset(
        bunch.images[:, None] / 16,
        bunch.target,
        task="classification",
        folds=(Split(order[UNSEEN:]),),
        test=order[:UNSEEN],
    )


def shifted(images: torch.Tensor, down: int, right: int) -> torch.Tensor:
    """Images `[..., 8, 8]` moved by that many pixels; empty ones come in at the other side."""
    return pad(images, (right, -right, down, -down))
