"""What mattered: how much the score drops when a column is shuffled."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from slalom.core.arrays import Float64Array
from slalom.core.colours import BLUE, INK, PALE, QUIET
from slalom.core.errors import BadData
from slalom.core.language import tr
from slalom.plots.checks import column
from slalom.plots.labels import shortened
from slalom.plots.style import finish, look, picture

BARS = 15


def importance_numbers(
    names: Sequence[str], means: ArrayLike, stds: ArrayLike | None, most: int = BARS
) -> tuple[list[str], Float64Array, Float64Array]:
    """Names, means and standard deviations of the `most` largest means, the largest first."""
    m = column(means, "means")
    s = np.zeros(len(m)) if stds is None else column(stds, "stds")
    if not len(names) == len(m) == len(s):
        raise BadData(
            f"names, means and stds must be equally long, "
            f"but have {len(names)}, {len(m)} and {len(s)} values."
        )
    order = np.argsort(-m, kind="stable")[:most]
    return [str(names[k]) for k in order], m[order], s[order]


@look()
def importance(
    names: Sequence[str],
    means: ArrayLike,
    stds: ArrayLike | None = None,
    path: str | Path | None = None,
    *,
    score: str = "score",
) -> Figure:
    """Draw how much the score drops when a column is shuffled (permutation importance), top 15.

    Args:
        names: of the F columns.
        means, stds: drop of the score over the shufflings, and its standard deviation, `[F]` each.
        path: where to write the picture (PNG, SVG, PDF); nowhere when not given.
        score: which score it is, such as `R²` or `accuracy`.

    Raises:
        BadData: when lengths differ or numbers are not finite.
        BadFile: when the picture cannot be written.

    Example:
        >>> figure = importance(["area", "age"], [0.4, 0.1], [0.02, 0.01], score="R²")
        >>> figure.axes[0].get_xlabel()
        'drop in R² when the column is shuffled'
    """
    shown, m, s = importance_numbers(names, means, stds)
    figure = picture(8, 1.3 + 0.3 * max(len(shown), 2))
    axes = figure.add_subplot()
    places = np.arange(len(shown))
    axes.barh(
        places,
        m,
        xerr=s if stds is not None else None,
        height=0.68,
        color=[BLUE if value >= 0 else PALE for value in m],
        error_kw={"ecolor": INK, "elinewidth": 1, "capsize": 2.5},
    )
    axes.set_yticks(places, [shortened(n, 32) for n in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.axvline(0, color=QUIET, linewidth=0.8)
    axes.spines["left"].set_visible(False)
    axes.grid(False, axis="y")
    axes.set_xlabel(tr("drop in {score} when the column is shuffled", score=shortened(score, 30)))
    if len(names) > len(shown):
        title = tr("What mattered (top {shown} of {all} columns)", shown=len(shown), all=len(names))
    else:
        title = tr("What mattered")
    axes.set_title(title)
    return finish(figure, path)
