"""The points of a dataset: which are drawn, how, and on what axes."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from slalom.core.arrays import Float64Array
from slalom.core.colours import PALE, QUIET
from slalom.core.errors import BadPlan
from slalom.core.language import tr
from slalom.data.dataset import Dataset
from slalom.plots.labels import shortened

POINTS = 3000  # of the data; a random part of larger ones
MARGIN = 0.08


def check_line(data: Dataset, what: str) -> None:
    """One feature, and one target or two classes.

    Raises:
        BadPlan: when the data is not such.
    """
    if data.X.shape[1:] != (1,):
        raise BadPlan(
            f"{what} needs one feature, but the data has {features(data)}. "
            f"Use decision_regions for two, learning_curves or residuals for more."
        )
    if data.task == "regression" and data.targets != 1:
        raise BadPlan(f"{what} needs one target, but the data has {data.targets}.")
    if data.task == "classification" and data.targets != 2:
        raise BadPlan(
            f"{what} shows the probability of one of two classes, but the data has {data.targets}. "
            f"Use confusion."
        )


def check_regions(data: Dataset, what: str) -> None:
    """Two features and classes.

    Raises:
        BadPlan: when the data is not such.
    """
    if data.X.shape[1:] != (2,):
        raise BadPlan(
            f"{what} needs two features, but the data has {features(data)}. "
            f"Use fitted_line for one, confusion for more."
        )
    if data.task != "classification":
        raise BadPlan(f"{what} needs classes, but the data is for regression. Use residuals.")


def features(data: Dataset) -> str:
    shape = data.X.shape[1:]
    if len(shape) != 1:
        return f"rows of shape {shape}"
    return f"{shape[0]:,} feature{'' if shape == (1,) else 's'}"


def span_of(values: NDArray[Any]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = MARGIN * (high - low) or 1.0
    return low - room, high + room


def some(rows: int) -> NDArray[np.int64]:
    """Row numbers to draw: all, or a random part of very many."""
    if rows <= POINTS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, POINTS, replace=False))


def draw_points(
    axes: Axes, train: Float64Array, validation: Float64Array, size: float = 22
) -> None:
    """The data of one feature: filled points for training, hollow ones for validation."""
    for points, label, face in (
        (train, tr("training rows"), PALE),
        (validation, tr("validation rows"), "w"),
    ):
        if len(points):
            x, y = points[some(len(points))].T
            axes.scatter(x, y, s=size, facecolor=face, edgecolor=QUIET, linewidth=0.8, label=label)


def name_axes(axes: Axes, data: Dataset) -> None:
    """Feature and target names on the axes of a fitted line."""
    axes.set_xlabel(shortened(data.feature_names[0], 60))
    if data.task == "regression":
        axes.set_ylabel(shortened(data.target_names[0], 40))
        return
    name = shortened(str(data.classes[1]), 30)
    axes.set_ylabel(tr("probability of {name}", name=name))
