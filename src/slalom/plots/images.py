"""Images, filters and maps as small pictures side by side."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.core.language import tr
from slalom.data.dataset import Dataset
from slalom.plots.points import features
from slalom.plots.style import Picture

Array = NDArray[Any]

MOST = 16  # filters side by side; more would be too small to see anything
SIGNED = "cividis"  # its brightness rises all the way, so that signs can be told in grey too


def check_images(data: Dataset, what: str) -> None:
    """Rows that are images.

    Raises:
        BadPlan: when they are not.
    """
    if data.X.ndim != 4:
        raise BadPlan(
            f"{what} needs rows that are images (channels, height, width), but the data has "
            f"{features(data)}."
        )


def draw_image(axes: Axes, values: Array, colors: str, low: float, high: float) -> Any:
    """Numbers `[height, width]` as colours from low to high, or colours `[height, width, 3]`."""
    axes.grid(False)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    return axes.imshow(values, cmap=colors, vmin=low, vmax=high)


def draw_filters(figure: Picture | SubFigure, before: Array, after: Array) -> None:
    """Each filter before training, and below it after, `[filters, channels, height, width]`."""
    before, after = before[:MOST], after[:MOST]
    largest = max(float(np.abs(filters).max()) for filters in (before, after))
    channels = range(after.shape[1])
    panels = figure.subplots(2 * len(channels), len(after), squeeze=False)
    for row, axes in enumerate(panels):
        filters, channel = (before, after)[row % 2], row // 2
        for panel, values in zip(axes, filters[:, channel], strict=True):
            image = draw_image(panel, values, SIGNED, -largest, largest)
        name = tr("after") if row % 2 else tr("before")
        if len(channels) == 1:
            axes[0].set_ylabel(name)
        else:
            several = tr("channel {n},\n{name}", n=channel + 1, name=name)
            axes[0].set_ylabel(several, rotation=0, ha="right", va="center")
    number_panels(panels[0])
    figure.colorbar(image, ax=panels, label=tr("weight"), aspect=12 * len(channels))


def number_panels(panels: Array) -> None:
    """Titles from 1."""
    for number, panel in enumerate(panels, start=1):
        panel.set_title(str(number), loc="center", fontsize=10, fontweight="normal", pad=4)


def draw_maps(figure: Picture | SubFigure, maps: Array, rows: int, label: str) -> None:
    """What each filter makes of an image, `[filters, height, width]`, in so many rows."""
    maps = maps[:MOST]
    panels = figure.subplots(rows, -(-len(maps) // rows), squeeze=False).ravel()
    largest = float(np.abs(maps).max()) or 1.0
    signed = bool((maps < 0).any())
    colors, low = (SIGNED, -largest) if signed else ("Blues", 0.0)
    for panel, values in zip(panels, maps, strict=False):
        image = draw_image(panel, values, colors, low, largest)
    number_panels(panels[: len(maps)])
    for panel in panels[len(maps) :]:
        panel.set_axis_off()
    figure.colorbar(image, ax=panels, label=label, aspect=16)
