from functools import cache
from typing import Any

import numpy as np
from scipy.stats import linregress

from slalom import lessons


def dimension(diverged: Any) -> float:
    """By counting boxes of the border one by one: the slope of log count against log side."""
    gone = np.asarray(diverged)
    border = set()
    for row, column in np.ndindex(gone.shape):
        for other in ((row + 1, column), (row, column + 1)):
            if max(other) < len(gone) and gone[row, column] != gone[other]:
                border.add((row, column))
    sides = [side for side in (1, 2, 4, 8, 16, 32) if side <= len(gone) // 8]
    counts = [len({(row // side, column // side) for row, column in border}) for side in sides]
    return -linregress(np.log(sides), np.log(counts)).slope if all(counts) else 0.0


def mixed(n: Any) -> bool:
    return 0 < n.map_diverged.sum() < n.map_diverged.size


def left_slow(n: Any) -> bool:
    """Nobody at the left edge diverges, and half of these nets are slower than half of all."""
    left, all_that_learn = n.log_losses[:, 0], n.log_losses[~n.map_diverged]
    return (
        mixed(n) and not n.map_diverged[:, 0].any() and np.median(left) > np.median(all_that_learn)
    )


def limited(n: Any) -> bool:
    """To the right of the fastest net somebody in its row diverges."""
    learned = np.where(n.map_diverged, np.inf, n.log_losses)
    row, column = np.argwhere(learned == learned.min())[0]
    return n.map_diverged[row, column + 1 :].any()


CLAIMS = {
    "mixed": mixed,
    "left_slow": left_slow,
    "right_gone": lambda n: n.map_diverged[:, -1].sum() > 0.9 * len(n.map_diverged),
    "limited": limited,
    "ragged": lambda n: dimension(n.map_diverged) > 1.2,
    "bundled": lambda n: np.abs(np.diff(n.last_diverged.astype(int))).sum(axis=1).mean() > 3,
    "all_agree": lambda n: n.agreeing == 64,
}


@cache
def default() -> Any:
    return lessons.get("map").make().numbers


def another_map(n: Any) -> bool:
    """Of one pixel in twenty or more another fate than with the default weights."""
    usual = lessons.get("map").make(depth=2, resolution=64).numbers["map_diverged"]
    return (n.map_diverged != usual).mean() > 1 / 20


def in_the_lower_right_corner(n: Any) -> bool:
    rows, columns = np.nonzero(n.map_diverged)
    size = len(n.map_diverged)
    return columns.min() > size / 2 and rows.max() < size / 2 and len(rows) > 0


TRIES = {
    "--depth 2 --seed 1 --resolution 64": another_map,
    "--activation relu": lambda n: n.dimension > default()["dimension"],
    "--activation sigmoid": in_the_lower_right_corner,
}
