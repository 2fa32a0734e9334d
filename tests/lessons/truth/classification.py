from math import log
from typing import Any

CLAIMS = {
    "clouds": lambda n: n.classes == 2 and abs(n.x).max() > 1.5,  # no spiral goes so far
    "learned": lambda n: 10 * n.wrong <= n.points,
    "all_right": lambda n: (n.logits.argmax(dim=1) == n.y).all(),
    "worst_right": lambda n: n.logits[n.worst].argmax() == n.y[n.worst],
    "began_blind": lambda n: abs(n.losses[0] - log(n.y.max() + 1)) < 0.2,
}


def surer_still(n: Any) -> bool:
    """Every answer is right, in the last steps the loss fell, and the net became surer."""
    return n.wrong == 0 and n.losses[-1] < n.losses[-20] and n.sure_after > n.sure_before


TRIES = {
    "--spread 0.8": surer_still,
    "--shape spirals --width 40 --lr 0.5 --steps 2000": lambda n: n.accuracy > 0.95,
    "--shape spirals --lr 0.5 --steps 2000 --width 3": lambda n: n.accuracy < 0.8,
}
