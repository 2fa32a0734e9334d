"""Pictures of results in the look of Slalom's own, 800 pixels wide on a screen."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from slalom.plots import style

OURS, THEIRS = style.VERMILLION, style.BLUE


def bars(
    axes: Axes,
    names: Sequence[str],
    values: Sequence[float],
    texts: Sequence[str],
    ours: Sequence[str] = ("slalom",),
    spreads: Sequence[tuple[float, float]] | None = None,
) -> None:
    """Horizontal bars on a logarithmic axis, ours in another colour, each with its text."""
    colors = [OURS if name in ours else THEIRS for name in names]
    places = np.arange(len(names))
    axes.barh(places, values, color=colors, height=0.66)
    if spreads is not None:
        low, high = np.array(spreads).T
        reach = [np.array(values) - low, high - np.array(values)]
        axes.errorbar(values, places, xerr=reach, fmt="none", ecolor=style.INK, capsize=2)
    axes.set_xscale("log")
    wide = max(values) > 50 * min(values)
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(min(values) / 2, max(values) * 6)
    for place, value, text in zip(places, values, texts, strict=True):
        axes.annotate(text, (value, place), (5, 0), textcoords="offset points", va="center", size=9)


def save(figure: style.Picture, path: Path) -> None:
    """Write a picture, and make its folder first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    style.save(figure, path)
