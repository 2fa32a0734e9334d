"""Pictures: numbers are computed in one function and drawn in another.

Every picture is a matplotlib figure that belongs to nobody: pyplot does not know it and no setting
of matplotlib is left changed. It shows itself in a notebook, and `path` writes it without a screen.
"""

from slalom.plots.animation import animate as animate
from slalom.plots.calibration import calibration as calibration
from slalom.plots.confusion import confusion as confusion
from slalom.plots.curves import learning_curves as learning_curves
from slalom.plots.decision_regions import decision_regions as decision_regions
from slalom.plots.feature_maps import feature_maps as feature_maps
from slalom.plots.filters import filters as filters
from slalom.plots.fitted_line import fitted_line as fitted_line
from slalom.plots.importance import importance as importance
from slalom.plots.race import race as race
from slalom.plots.residuals import residuals as residuals

__all__ = [
    "animate",
    "calibration",
    "confusion",
    "decision_regions",
    "feature_maps",
    "filters",
    "fitted_line",
    "importance",
    "learning_curves",
    "race",
    "residuals",
]
