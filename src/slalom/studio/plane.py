"""The map: a plane of learning rate and momentum in which every pixel is a trained net."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from slalom.core.errors import BadPlan
from slalom.core.language import tr
from slalom.lessons.map.pixels import WHOLE, Window, chart
from slalom.nets import ACTIVATIONS
from slalom.studio.looks import Look
from slalom.studio.settings import whole_of

PIXELS, STEPS = (8, 128), (60, 120)  # as the lesson: a second at most on two cores
NARROWEST = 1e-9  # of a window: below, its pixels could not be told apart


def plane(asked: Mapping[str, Any]) -> Look:
    """A window of the map: `window` (left, right, low, high), `pixels` along a side.

    >>> header, arrays = plane({"pixels": 8})
    >>> arrays["diverged"].shape
    (8, 8)
    """
    window = _window(asked.get("window", list(WHOLE)))
    pixels = whole_of(asked, "pixels", 32, *PIXELS)
    steps = whole_of(asked, "steps", 100, *STEPS)
    activation = asked.get("activation", "tanh")
    if activation not in ACTIVATIONS:
        raise BadPlan(tr("{name} must be a word.", name="activation"))
    found = chart(str(activation), steps, 12, window, pixels)
    arrays = {
        "diverged": found.diverged_at.astype(np.int32),
        "loss": found.log_loss.astype(np.float32),
    }
    return {"window": list(window), "pixels": pixels, "steps": steps}, arrays


def _window(sides: Any) -> Window:
    numbers = np.asarray(sides, dtype=np.float64)
    if numbers.shape != (4,) or not np.isfinite(numbers).all() or np.abs(numbers).max() > 100:
        raise BadPlan(tr("A window of the map has four sides, which are numbers."))
    window = Window(*numbers.tolist())
    if min(window.right - window.left, window.high - window.low) < NARROWEST:
        raise BadPlan(tr("The window is too narrow: its pixels could not be told apart."))
    if window.left < 0 or window.low < 0 or window.high > 1.5:
        raise BadPlan(tr("Learning rates are 0 or more, momentum lies from 0 to 1.5."))
    return window
