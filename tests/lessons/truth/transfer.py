from typing import Any

import numpy as np

NOTHING, FINE, FROZEN = range(3)


def wins(n: Any, way: int, other: int) -> int:
    """In how many of the six repeats a way gets more images right than another one."""
    right = np.rint(n.accuracies[:, sorted(n.counts).index(n.rows)] * 400)
    return int((right[way] > right[other]).sum())


def points(n: Any, count: int) -> float:
    """What a frozen trunk gains over none, in percentage points."""
    right = np.rint(n.accuracies[:, list(n.counts).index(count)] * 400).sum(axis=1)
    return float(right[FROZEN] - right[NOTHING]) / 24


def lost(n: Any) -> bool:
    return n.known < 10 and n.others_pixels - n.others_apart > 0.101


CLAIMS = {
    "all_known": lambda n: n.rows_a == 900,
    "frozen_helps": lambda n: wins(n, FROZEN, NOTHING) == 6,
    "frozen_hurts": lambda n: wins(n, NOTHING, FROZEN) == 6,
    "fine_helps": lambda n: wins(n, FINE, NOTHING) == 6,
    "fine_hurts": lambda n: wins(n, NOTHING, FINE) == 6,
    "frozen_above_fine": lambda n: wins(n, FROZEN, FINE) == 6,
    "fine_above_frozen": lambda n: wins(n, FINE, FROZEN) == 6,
    "gain_falls": lambda n: points(n, n.fewest) - points(n, n.most) > 2.1,
    "catches_up": lambda n: bool(
        np.rint(n.curves[FROZEN] * 400).sum(axis=0).max()
        >= np.rint(n.curves[NOTHING, :, -1] * 400).sum()
    ),
    "clearer": lambda n: round(400 * n.trunk_apart) - round(400 * n.pixels_apart) > 8,
    "dimmer": lambda n: round(400 * n.pixels_apart) - round(400 * n.trunk_apart) > 8,
    "others_lost": lost,
}


def opposite(n: Any) -> bool:
    """Perfect at its own digits; frozen it hurts, fine-tuned it does not."""
    own = n.known_accuracy > 0.99
    return own and wins(n, NOTHING, FROZEN) == 6 and wins(n, NOTHING, FINE) < 6 and lost(n)


def too_narrow(n: Any) -> bool:
    # Of four neurons a repeat may start so badly, on some processor, that nothing could be worse.
    both = n.nothing - max(n.frozen, n.fine) > 0.021
    return bool(both and n.trunk_apart < n.pixels_apart - 0.1)


TRIES = {
    "--known 5 --rows 50": opposite,
    "--width 4 --rows 200": too_narrow,
    "--rows 400": lambda n: wins(n, FINE, FROZEN) == 6,
    "--steps 10": lambda n: n.nothing < 0.5 and min(n.fine, n.frozen) > 0.7,
}
