from typing import Any

import numpy as np


def depths(n: Any, descents: str) -> Any:
    """How high each ball is above the lowest point, before the first step and after each."""
    x = n.rides.double().numpy()
    x = x[:, :1] if descents == "one" else x
    hours = n.hours.double().numpy()
    path = n.one_weight if descents == "one" else n.two_weights
    lowest = ((x @ np.linalg.lstsq(x, hours)[0] - hours) ** 2).mean()
    return ((np.asarray(path) @ x.T - hours) ** 2).mean(axis=-1) - lowest


def arrives(n: Any, which: int) -> bool:
    """Less than a thousandth of the way down is left."""
    depth = depths(n, "one")[which]
    return bool(depth[-1] <= 1e-3 * depth[0] + 1e-6)


def rises(depth: Any) -> bool:
    return bool((np.diff(depth) > 0).all())


def crosses(n: Any) -> bool:
    """Whether the ball of the largest rate is on the other side of the valley after each step."""
    d, h = n.rides[:, 0].double().numpy(), n.hours.double().numpy()
    side = np.asarray(n.one_weight)[2, :, 0] - d @ h / (d @ d)
    return bool((side[1:] * side[:-1] < 0).all())


def swings_wider(n: Any) -> bool:
    """Whether the largest rate of two weights leads further away along the steepest direction."""
    x, hours = n.rides.double().numpy(), n.hours.double().numpy()
    steepest = np.linalg.svd(x)[2][0]
    along = (np.asarray(n.two_weights)[2] - np.linalg.lstsq(x, hours)[0]) @ steepest
    wider = rises(np.abs(along))
    two = depths(n, "two")
    assert wider or (two[:, -1] <= two[:, 0] + 1e-6).all(), "no path ends higher than it began"
    return wider


CLAIMS = {
    "slow_arrives": lambda n: arrives(n, 0),
    "arrives": lambda n: arrives(n, 1),
    "fast_diverges": lambda n: rises(depths(n, "one")[2]),
    "fast_swings": lambda n: crosses(n) and not arrives(n, 2) and not rises(depths(n, "one")[2]),
    "fast_arrives": lambda n: arrives(n, 2),
    "surface_diverges": swings_wider,
}


def nothing_diverges(n: Any) -> bool:
    return all((depths(n, which)[:, -1] < depths(n, which)[:, 0]).all() for which in ("one", "two"))


def one_swings_and_two_diverge(n: Any) -> bool:
    depth = depths(n, "one")[2]
    return crosses(n) and abs(depth[-1] / depth[0] - 1) < 0.01 and swings_wider(n)


TRIES = {
    "--lr 0.02 --steps 40": nothing_diverges,
    "--lr 0.151": one_swings_and_two_diverge,
    "--ride 8 --width 4": lambda n: n.target.item() == n.hours[7].item() and len(n.hidden) == 4,
}
