from itertools import pairwise
from typing import Any

import numpy as np


def along_the_floor(path: Any) -> Any:
    """How far along the floor of the valley a path is from the lowest point, step by step."""
    x = np.linspace(-1, 5, 40)
    curvature = np.array([[np.mean(x * x), x.mean()], [x.mean(), 1.0]])
    flattest = np.linalg.eigh(curvature).eigenvectors[:, 0]
    return (np.asarray(path) - [1.5, -3.0]) @ flattest


def turns_back(n: Any) -> bool:
    first, second, third = n.paths[0][:3]
    return sum((second - first) * (third - second)) < 0


def beyond_the_star(path: Any) -> float:
    """How far a path comes on the other side of the lowest point."""
    way = along_the_floor(path)
    return -min(way) if way[0] > 0 else max(way)


def trembles(path: Any) -> bool:
    """Whether ten steps at the end are 0.02 long on average."""
    return sum(np.hypot(*(after - before)) for before, after in pairwise(path[-11:])) > 0.2


def places_on(n: Any) -> float:
    """The loss of SGD two rates above its best one; none at the edge."""
    at = list(n.tried_losses[0]).index(min(n.tried_losses[0])) + 2
    return float(n.tried_losses[0][at]) if at < 31 else 0.0


# The races take a population: their losses are the lesson's own. `paths` are those of the script.
CLAIMS = {
    "sgd_staggers": turns_back,
    "momentum_passes": lambda n: beyond_the_star(n.paths[1]) > 0.1,
    "rmsprop_trembles": lambda n: trembles(n.paths[3]),
    "sgd_diverged": lambda n: np.isinf(n.same_losses[0]),
    "momentum_diverged": lambda n: np.isinf(n.same_losses[1]),
    "adagrad_diverged": lambda n: np.isinf(n.same_losses[2]),
    "rmsprop_diverged": lambda n: np.isinf(n.same_losses[3]),
    "adam_diverged": lambda n: np.isinf(n.same_losses[4]),
    "between": lambda n: all(1.1e-4 < rate < 9 for rate in n.best_rates),
    "rates_differ_more": lambda n: (
        max(n.best_rates) * min(n.best_losses) > min(n.best_rates) * max(n.best_losses)
    ),
    "above_noise": lambda n: min(n.best_losses) > 0.01 / 12,
    "sgd_at_the_edge": lambda n: places_on(n) > 10 * min(n.tried_losses[0]),
}


def leading(losses: Any) -> list[int]:
    """The racers, the lowest loss first: 0 SGD, 1 Momentum, 2 Adagrad, 3 RMSprop, 4 Adam."""
    return [int(k) for k in np.argsort(losses)]


def swings(path: Any) -> bool:
    return (np.diff(np.sign(along_the_floor(path))) != 0).sum() >= 3


TRIES = {
    "--lr 0.1": lambda n: (
        set(leading(n.same_losses)[:2]) == {1, 2} and leading(n.same_losses)[-1] == 3
    ),
    "--momentum 0.95": lambda n: swings(n.paths[1]) and n.best_rates[1] < 0.2,  # where 0.8 has 0.22
    "--batch-size 1000": lambda n: (
        n.steps == n.epochs and leading(n.same_losses)[0] == 3 and leading(n.best_losses)[-1] == 0
    ),
}
