"""The colours that all pictures share, wherever they are drawn."""

from typing import Any


def colours() -> dict[str, Any]:
    """Those of classes, in order, and those of optimizers, by name.

    >>> colours()["optimizers"]["SGD"]
    '#0072B2'
    """
    from slalom.plots.style import CLASS_COLORS, COLORS  # loads matplotlib

    return {"classes": list(CLASS_COLORS), "optimizers": dict(COLORS)}
