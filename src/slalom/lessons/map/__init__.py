"""Lesson 14: the map of learning rate and momentum, and a zoom into its fractal border."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from slalom.lessons.common import ACTIVATION, SEED
from slalom.lessons.lesson import Lesson, Result, Whole
from slalom.lessons.map.drawing import boxes_picture, map_picture, zoom_movie
from slalom.lessons.map.pixels import (
    WHOLE,
    Plane,
    box_counts,
    chart,
    dimension,
    goal,
    trainings,
)
from slalom.lessons.prose import Text

RAGGED = 1.2  # from this dimension on a border is more than a line
COARSE = 8  # pixels along a side of the map that plain PyTorch trains too


def plane(resolution: int, depth: int, steps: int, activation: str, seed: int) -> Result:
    """The map, a zoom into its border, and a coarse map by the reference engine."""
    draw = partial(chart, activation, steps, seed)
    place = goal(draw, depth)
    windows = [WHOLE.around(place, 0.5**k) for k in range(1, depth + 1)]
    planes = [draw(WHOLE, 2 * resolution), *(draw(window, resolution) for window in windows)]
    coarse, quick = (
        trainings(activation, steps, seed, WHOLE, COARSE, engine).state
        for engine in ("reference", "auto")
    )
    gone = coarse.diverged_at >= 0
    learning_rates, momenta = WHOLE.pixels(2 * resolution)
    best_lr, best_momentum, limit = fastest(planes[0])
    dimensions = [dimension(*box_counts(plane.border)) for plane in (planes[0], planes[-1])]
    numbers = {
        "pixels": COARSE,
        "diverged_at": coarse.diverged_at.reshape(COARSE, COARSE),
        "losses": coarse.train_loss[~gone],
        "diverged": int(gone.sum()),
        "agreeing": int((gone == (quick.diverged_at >= 0)).sum()),
        "nets": sum(plane.diverged_at.size for plane in planes),
        "dimension": dimensions[0],
        "last_dimension": dimensions[-1],
        "crossings": crossings(planes[-1]),
        "map_learning_rates": learning_rates,
        "map_momenta": momenta,
        "map_diverged": planes[0].diverged_at >= 0,
        "last_diverged": planes[-1].diverged_at >= 0,
        "log_losses": planes[0].log_loss,
        "best_lr": best_lr,
        "best_momentum": best_momentum,
        "limit": limit,
    }
    return Result(
        numbers=numbers,
        figures={
            "map": partial(map_picture, planes[0], steps),
            "zoom": partial(zoom_movie, planes, place, steps),
            "boxes": partial(boxes_picture, planes),
        },
        claims=claims(numbers),
    )


def fastest(plane: Plane) -> tuple[float, float, float]:
    """Learning rate and momentum of the net that learned fastest, and where its row diverges.

    Returns:
        Both, and the lowest learning rate above it at which a net with its momentum diverges:
        infinity when none does.
    """
    learning_rates, momenta = plane.window.pixels(len(plane.diverged_at))
    gone = plane.diverged_at >= 0
    row, column = np.unravel_index(np.where(gone, np.inf, plane.log_loss).argmin(), gone.shape)
    beyond = learning_rates[gone[row] & (learning_rates > learning_rates[column])]
    return (
        float(learning_rates[column]),
        float(momenta[row]),
        float(beyond.min(initial=np.inf)),
    )


def crossings(plane: Plane) -> float:
    """How often a row of pixels crosses the border, in the mean over all rows."""
    gone = plane.diverged_at >= 0
    return float((gone[:, 1:] != gone[:, :-1]).sum() / len(gone))


def claims(numbers: Mapping[str, Any]) -> dict[str, bool]:
    """What the prose says of these numbers."""
    gone, loss = numbers["map_diverged"], numbers["log_losses"]
    mixed = bool(gone.any() and not gone.all())
    typical = np.median(loss[~gone]) if mixed else 0.0
    return {
        "mixed": mixed,
        "left_slow": bool(mixed and not gone[:, 0].any() and np.median(loss[:, 0]) > typical),
        "right_gone": bool(gone[:, -1].mean() > 0.9),
        "limited": bool(np.isfinite(numbers["limit"])),
        "ragged": bool(numbers["dimension"] > RAGGED),
        "bundled": bool(numbers["crossings"] > 3),
        "all_agree": numbers["agreeing"] == COARSE**2,
    }


LESSON = Lesson(
    name="map",
    parameters=(
        Whole("resolution", 112, Text("pixels along a side", "每边的像素数"), low=32, high=128),
        Whole("depth", 9, Text("times to zoom in by two", "窗口宽度减半的次数"), low=2, high=10),
        Whole("steps", 100, Text("steps of each net", "每个网络的步数"), low=60, high=120),
        replace(ACTIVATION, default="tanh"),
        replace(SEED, default=12),
    ),
    function=plane,
    scripts=("map.py",),
    only_here=frozenset(  # the script trains the coarse map alone
        {
            "agreeing",
            "nets",
            "dimension",
            "last_dimension",
            "crossings",
            "map_learning_rates",
            "map_momenta",
            "map_diverged",
            "last_diverged",
            "log_losses",
            "best_lr",
            "best_momentum",
            "limit",
        }
    ),
)
