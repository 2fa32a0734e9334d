"""Which class was taken for which."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from slalom.core.arrays import Float64Array
from slalom.core.colours import INK
from slalom.core.language import tr
from slalom.plots.checks import check_rows, codes
from slalom.plots.labels import rows_of, shortened
from slalom.plots.style import finish, look, picture

CLASSES = 20  # more would not be readable


@dataclass(frozen=True, eq=False)
class Confusion:
    """Which class was taken for which.

    Args:
        counts: rows of true class i that were predicted as j, int64 `[K, K]`.
        percent: the same in percent of the rows of class i, NaN for a class without rows.
        names: what the K classes are called; the last may stand for all rare ones.
        accuracy: share of right predictions, before rare classes were put together.
        rows: N.
    """

    counts: NDArray[np.int64]
    percent: Float64Array
    names: tuple[str, ...]
    accuracy: float
    rows: int


def confusion_numbers(
    truth: ArrayLike, predicted: ArrayLike, classes: Sequence[Any], most: int = CLASSES
) -> Confusion:
    """The numbers of `confusion`; beyond `most` classes the rarest become one."""
    a, b = codes(truth, classes, "truth"), codes(predicted, classes, "predicted")
    check_rows(len(a), len(b), "predicted")
    accuracy, names = float((a == b).mean()), [str(c) for c in classes]
    if len(classes) > most:
        often = np.argsort(-np.bincount(a, minlength=len(classes)), kind="stable")[: most - 1]
        often = np.sort(often)
        place = np.full(len(classes), most - 1)
        place[often] = np.arange(most - 1)
        a, b = place[a], place[b]
        others = tr("{count} other classes", count=len(classes) - most + 1)
        names = [*(names[k] for k in often), others]
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (a, b), 1)
    totals = counts.sum(axis=1, keepdims=True)
    percent = np.divide(100.0 * counts, totals, where=totals > 0, out=np.full(counts.shape, np.nan))
    return Confusion(counts, percent, tuple(names), accuracy, len(a))


@look()
def confusion(
    truth: ArrayLike,
    predicted: ArrayLike,
    classes: Sequence[Any],
    path: str | Path | None = None,
) -> Figure:
    """Draw which class was taken for which: counts, shaded by the share of the true class.

    Args:
        truth, predicted: labels, `[N]`: each one of `classes`. Where the classes are text, whole
            numbers are taken as their places.
        classes: all K classes, in the order in which to draw them. Beyond 20 the most frequent 19
            are drawn, the others together.
        path: where to write the picture (PNG, SVG, PDF); nowhere when not given.

    Raises:
        BadData: when a label is none of the classes, or the two differ in length.
        BadFile: when the picture cannot be written.

    Example:
        >>> figure = confusion(["cat", "dog", "dog"], ["cat", "dog", "cat"], ["cat", "dog"])
        >>> figure.axes[0].get_title(loc="left")
        'Accuracy 0.667 on 3 rows'
    """
    numbers = confusion_numbers(truth, predicted, classes)
    size = len(numbers.names)
    side = float(np.clip(2.6 + 0.75 * size, 4.4, 8.0))
    figure = picture(side + 0.8 if size <= 8 else 8.8, side)
    axes = figure.add_subplot()
    shown = np.nan_to_num(numbers.percent)
    image = axes.imshow(shown, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    names = [shortened(n, 18) for n in numbers.names]
    turned = size > 4 and max(map(len, names)) * size > 48
    axes.set_xticks(
        range(size), names, rotation=40 if turned else 0, ha="right" if turned else "center"
    )
    if turned:
        for label in axes.get_xticklabels():
            label.set_rotation_mode("anchor")
    axes.set_yticks(range(size), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(False)
    # White gaps between cells: a grid of half places.
    axes.set_xticks(np.arange(size - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(size - 1) + 0.5, minor=True)
    axes.grid(True, which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    for (i, j), count in np.ndenumerate(numbers.counts):
        dark = shown[i, j] > 55
        faint = count == 0
        text = f"{count:,}"
        if size <= 8 and not faint:
            text += f"\n{shown[i, j]:.0f} %"
        axes.text(
            j,
            i,
            text,
            ha="center",
            va="center",
            fontsize=10 if size <= 8 else 8 if size <= 14 else 7,
            color="white" if dark else "#b5b5b5" if faint else INK,
        )
    axes.set_xlabel(tr("predicted class"))
    axes.set_ylabel(tr("true class"))
    bar = figure.colorbar(image, ax=axes, label=tr("% of the true class"), shrink=0.7, pad=0.02)
    bar.outline.set_visible(False)
    share, rows = numbers.accuracy, rows_of(numbers.rows)
    axes.set_title(tr("Accuracy {share:.3f} on {rows}", share=share, rows=rows))
    return finish(figure, path)
