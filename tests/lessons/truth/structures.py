from typing import Any

import numpy as np

LOOK, DENSE = 0, 1
PLACES = {"in_place": [0], "sideways": [1, 2], "up_down": [3, 4]}


def right(n: Any, net: int, place: str) -> Any:
    """How many of the 500 unseen digits each of ten nets tells right, over moves of that kind."""
    return np.rint(n.accuracies[net][:, PLACES[place]] * 500).sum(axis=1)


def ahead(net: int, place: str) -> Any:
    """The worst run of a net is above the best one of the other."""
    return lambda n: right(n, net, place).min() > right(n, 1 - net, place).max()


def heard(n: Any, moments: int) -> float:
    """The median of the nets' errors after so many moments: of eight, between the middle two."""
    errors = sorted(net[moments - 1] for net in n.listening_errors)
    return float(errors[3] + errors[4]) / 2


def listens_in_vain(n: Any) -> bool:
    """However long the nets listen, most of them hardly do better than without memory."""
    return min(heard(n, moments) for moments in range(1, 25)) > 0.45


CLAIMS = {
    **{f"look_ahead_{place}": ahead(LOOK, place) for place in PLACES},
    **{f"dense_ahead_{place}": ahead(DENSE, place) for place in PLACES},
    "guesses": lambda n: right(n, LOOK, "in_place").sum() <= 1004,
    "follows": lambda n: np.mean(n.follow_losses[-20:]) < 0.05,
    "learns": lambda n: np.mean(n.follow_losses[-20:]) < 0.45,
    "knows_place": lambda n: n.carried_error < 0.25,
    "needs_state": lambda n: n.carried_error < 0.25 and n.emptied_error / n.carried_error > 2,
    "finds_place": lambda n: heard(n, 24) < 0.1,
    "listening_helps": lambda n: heard(n, 24) < 0.45 and heard(n, 1) >= 0.499,
    "gated": lambda n: n.cell == "GRU",
}


def smaller_and_worse(n: Any) -> bool:
    """Below the parameters and accuracies that the lesson has without this."""
    smaller = n.look_parameters < 1898 and n.dense_parameters < 1885
    return smaller and n.look_in_place < 0.9 and n.dense_in_place < 0.9


def too_fast(n: Any) -> bool:
    """One answer for all digits is right as often wherever they are moved."""
    same = (np.ptp(n.accuracies[LOOK], axis=1) == 0).sum()
    return bool(same > 5) and n.late_loss > 0.45 and listens_in_vain(n)


TRIES = {
    "--filters 4 --epochs 5": smaller_and_worse,
    "--lr 0.1": too_fast,
    "--cell GRU": lambda n: n.late_loss < 0.0031 and n.nodes_a_moment > 4,
    "--hidden 1": lambda n: n.late_loss > 0.45 and listens_in_vain(n),
}
