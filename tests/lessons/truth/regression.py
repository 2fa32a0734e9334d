from math import isfinite
from typing import Any

CLAIMS = {
    "noisy": lambda n: n.noise != 0,
    "diverged": lambda n: not isfinite(n.losses[-1]),
    "fell": lambda n: isfinite(n.losses[-1]) and n.losses[-1] < n.losses[0],
    "below_noise": lambda n: isfinite(n.losses[-1]) and 12 * n.losses[-1] < n.noise**2,
    "kept_diverged": lambda n: not isfinite(n.kept_losses[-1]),
    "kept_worse": lambda n: n.kept_losses[-1] > n.losses[-1],
}


def still_on_its_way(n: Any) -> bool:
    return n.final_loss > 2 * n.noise_variance and n.losses[-1] < n.losses[-20]


def like_a_bath_tub(n: Any) -> bool:
    """Far better than the best straight line, whose loss is the variance of x^2."""
    return n.final_loss < 0.0889 / 4


TRIES = {
    "--lr 0.01": still_on_its_way,
    "--lr 2": lambda n: not isfinite(n.final_loss),
    "--width 3": like_a_bath_tub,
    "--activation tanh --steps 1000": lambda n: n.final_loss < 2 * n.noise_variance,
}
