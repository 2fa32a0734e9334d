"""Pictures: numbers are computed in one function and drawn in another.

Every picture is a matplotlib figure that belongs to nobody: pyplot does not know it and no setting
of matplotlib is left changed. It shows itself in a notebook, and `path` writes it without a screen.
"""

from slalom.plots.animation import animate as animate
from slalom.plots.curves import learning_curves as learning_curves
from slalom.plots.fits import decision_regions as decision_regions
from slalom.plots.fits import fitted_line as fitted_line
from slalom.plots.quality import calibration as calibration
from slalom.plots.quality import confusion as confusion
from slalom.plots.quality import importance as importance
from slalom.plots.quality import residuals as residuals
from slalom.plots.race import race as race

__all__ = [
    "animate",
    "calibration",
    "confusion",
    "decision_regions",
    "fitted_line",
    "importance",
    "learning_curves",
    "race",
    "residuals",
]
