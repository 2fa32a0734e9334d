"""A plane of two hyperparameters, learning rate and momentum: each pixel is a trained net."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from slalom.data import Dataset
from slalom.lessons.common import train
from slalom.nets import MLP
from slalom.optim import SGD
from slalom.population import grid
from slalom.runs import Run

Float64Array: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

INPUTS, HIDDEN, ROWS = 4, 4, 4
DATA_SEED = 12  # of the random rows
SEARCH = 48  # pixels along a side of the maps on which the way into the border is found
RECORDS = 20  # of the loss of a net, over which its mean is taken


class Window(NamedTuple):
    """A part of the plane: learning rates from left to right, momentum from low to high."""

    left: float
    right: float
    low: float
    high: float

    def pixels(self, n: int) -> tuple[Float64Array, Float64Array]:
        """Learning rate and momentum in the middle of each of `n` columns and rows."""
        share = (np.arange(n) + 0.5) / n
        return (
            self.left + share * (self.right - self.left),
            self.low + share * (self.high - self.low),
        )

    def part(self, x: float, y: float, share: float) -> Self:
        """The part that begins at the shares `x` and `y` of the sides, and is `share` of them."""
        width, height = self.right - self.left, self.high - self.low
        left, low = self.left + x * width, self.low + y * height
        return type(self)(left, left + share * width, low, low + share * height)

    def around(self, goal: tuple[float, float], share: float) -> Self:
        """The part in which the point at the shares `goal` of the sides has this place again."""
        x, y = goal
        return self.part(x * (1 - share), y * (1 - share), share)


WHOLE = Window(0.0, 1.2, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Plane:
    """Nets trained on a window, `[n, n]` each: rows are momentum, columns learning rates.

    Args:
        window: where they lie.
        diverged_at: the step at which a net diverged, -1 where it did not.
        log_loss: mean of log10 of its loss over the training; of no use where it diverged.
    """

    window: Window
    diverged_at: Counts
    log_loss: Float64Array

    @property
    def border(self) -> Mask:
        """Pixels of which the next one, upwards or to the right, fared otherwise."""
        gone = self.diverged_at >= 0
        border = np.zeros_like(gone)
        border[:, :-1] |= gone[:, :-1] != gone[:, 1:]
        border[:-1] |= gone[:-1] != gone[1:]
        return border


Chart: TypeAlias = Callable[[Window, int], Plane]


def trainings(
    activation: str, steps: int, seed: int, window: Window, pixels: int, engine: str = "auto"
) -> Run:
    """A population: a net for each pixel, all with the same first weights, on the same rows."""
    lr, momentum = window.pixels(pixels)
    rng = np.random.default_rng(DATA_SEED)
    X, y = rng.normal(size=(ROWS, INPUTS)), rng.normal(size=(ROWS, 1))
    net = MLP(INPUTS, HIDDEN, 1, activation=activation)
    return train(
        grid(net=net, optimizer=SGD, momentum=momentum, lr=lr, seed=seed),
        Dataset(X.astype(np.float32), y.astype(np.float32), task="regression"),
        steps=steps,
        record="step",
        record_every=max(1, steps // RECORDS),
        engine=engine,
    )


def chart(activation: str, steps: int, seed: int, window: Window, pixels: int) -> Plane:
    """Train a window of the plane with `pixels` times `pixels` nets."""
    run = trainings(activation, steps, seed, window, pixels)
    member, loss = (run.history[name].to_numpy() for name in ("member", "train_loss"))
    log = np.log10(np.clip(np.nan_to_num(loss, nan=np.inf), 1e-14, 1e38))
    mean = np.bincount(member, log) / np.bincount(member)
    shape = pixels, pixels
    return Plane(window, run.state.diverged_at.reshape(shape), mean.reshape(shape))


def goal(draw: Chart, depth: int) -> tuple[float, float]:
    """A point at the border: the half of the window with the most of it, again and again.

    Returns:
        Its place as shares of the sides of the whole plane.
    """
    window, half = WHOLE, SEARCH // 2
    for _ in range(depth):
        border = draw(window, SEARCH).border
        amount = sliding_window_view(border, (half, half)).sum(axis=(2, 3))
        row, column = np.unravel_index(amount.argmax(), amount.shape)
        window = window.part(float(column) / SEARCH, float(row) / SEARCH, 0.5)
    (lr,), (momentum,) = window.pixels(1)
    width, height = WHOLE.right - WHOLE.left, WHOLE.high - WHOLE.low
    return float(lr - WHOLE.left) / width, float(momentum - WHOLE.low) / height


def box_counts(border: Mask) -> tuple[Counts, Counts]:
    """How many boxes with sides of 1, 2, 4, ... pixels hold a piece of the border `[n, n]`.

    Returns:
        Sides, up to an eighth of the map, and counts.
    """
    sides = 2 ** np.arange(int(np.log2(len(border) // 8)) + 1)
    counts = []
    for side in sides:
        starts = np.arange(0, len(border), side)
        rows = np.logical_or.reduceat(border, starts, axis=0)
        counts.append(np.logical_or.reduceat(rows, starts, axis=1).sum())
    return sides, np.array(counts)


def dimension(sides: Counts, counts: Counts) -> float:
    """The box-counting dimension: how fast counts grow while sides shrink; 0 without a border."""
    if not counts.all():
        return 0.0
    return float(-np.polyfit(np.log(sides), np.log(counts), 1)[0])
