"""How often predictions come true beside how sure they were."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from slalom.core.arrays import Float64Array
from slalom.core.colours import BLUE, QUIET
from slalom.core.errors import BadData
from slalom.core.language import tr
from slalom.plots.checks import check_rows, codes
from slalom.plots.labels import rows_of, shortened
from slalom.plots.style import finish, look, picture

BINS = 10  # scikit-learn's, and usual in the literature


@dataclass(frozen=True, eq=False)
class Calibration:
    """How often a prediction is right, beside how sure it was. Empty bins are left out.

    Args:
        confident: mean predicted probability in each bin, `[b]`.
        right: share of rows that were of that class, `[b]`.
        low, high: 95 % interval of that share (Wilson 1927), `[b]`.
        counts: rows in each bin, int64 `[b]`.
        error: mean distance of the two weighted by rows (expected calibration error).
        subject: whose probability it is: the second of two classes, or the predicted class.
    """

    confident: Float64Array
    right: Float64Array
    low: Float64Array
    high: Float64Array
    counts: NDArray[np.int64]
    error: float
    subject: str


def calibration_numbers(
    truth: ArrayLike, probabilities: ArrayLike, classes: Sequence[Any], bins: int = BINS
) -> Calibration:
    """The numbers of `calibration`, in `bins` bins of equal width."""
    a = codes(truth, classes, "truth")
    p = np.asarray(probabilities, dtype=np.float64)
    if len(classes) == 2 and (p.ndim == 1 or p.shape[1:] == (1,)):
        p = np.column_stack([1 - p.ravel(), p.ravel()])
    if p.ndim != 2 or p.shape[1] != len(classes):
        raise BadData(
            f"probabilities must be [rows, {len(classes)}], one column a class, "
            f"but their shape is {p.shape}."
        )
    check_rows(len(a), len(p), "probabilities")
    if not np.isfinite(p).all() or p.min() < 0 or p.max() > 1 + 1e-6:
        raise BadData("probabilities must lie between 0 and 1.")
    if len(classes) == 2:
        sure, hit, subject = p[:, 1], a == 1, str(classes[1])
    else:
        sure, hit, subject = p.max(axis=1), a == p.argmax(axis=1), tr("the predicted class")
    # As sklearn.calibration.calibration_curve: a bin holds its right edge.
    where = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], sure)
    counts = np.bincount(where, minlength=bins)
    full = counts > 0
    n = counts[full].astype(np.int64)
    confident = np.bincount(where, weights=sure, minlength=bins)[full] / n
    right = np.bincount(where, weights=hit, minlength=bins)[full] / n
    low, high = wilson(right, n)
    error = float((n * np.abs(confident - right)).sum() / n.sum())
    return Calibration(confident, right, low, high, n, error, subject)


def wilson(
    share: Float64Array, n: NDArray[np.int64], z: float = 1.96
) -> tuple[Float64Array, Float64Array]:
    """95 % interval of shares of `n` rows (Wilson 1927), which stays within 0 and 1.

    >>> [round(float(v[0]), 3) for v in wilson(np.array([0.5]), np.array([10]))]
    [0.237, 0.763]
    """
    center = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return center - half, center + half


@look()
def calibration(
    truth: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[Any],
    path: str | Path | None = None,
) -> Figure:
    """Draw how often predictions come true beside how sure they were (a reliability diagram).

    With two classes it is the probability of the second; with more, that of the predicted class
    (Guo et al. 2017). Ten bins of equal width, bars for 95 % intervals, rows a bin below.

    Args:
        truth: labels, `[N]`, as for `confusion`.
        probabilities: `[N, K]`, one column a class; `[N]` of the second class also for two.
        classes: all K classes, in the order of the columns.
        path: where to write the picture (PNG, SVG, PDF); nowhere when not given.

    Raises:
        BadData: when a label is none of the classes, or shapes or probabilities make no sense.
        BadFile: when the picture cannot be written.

    Example:
        >>> figure = calibration([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]], classes=[0, 1])
        >>> figure.axes[0].get_title(loc="left")
        'Calibration error 0.233 on 3 rows'
    """
    numbers = calibration_numbers(truth, probabilities, classes)
    figure = picture(6.4, 5.6)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3.4, 1))
    top.plot([0, 1], [0, 1], color=QUIET, linewidth=1.1, linestyle=(0, (5, 3)), label=tr("perfect"))
    top.errorbar(
        numbers.confident,
        numbers.right,
        yerr=np.maximum(
            [numbers.right - numbers.low, numbers.high - numbers.right], 0
        ),  # rounding may leave -1e-17
        color=BLUE,
        marker="o",
        markersize=5.5,
        linewidth=2,
        elinewidth=1,
        capsize=3,
        label=tr("predictions, with 95 % interval"),
    )
    top.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    binary = len(classes) == 2
    subject = shortened(numbers.subject, 24)
    top.set_ylabel(
        tr("share that is {name}", name=subject) if binary else tr("share that is right")
    )
    rows = rows_of(int(numbers.counts.sum()))
    top.set_title(tr("Calibration error {error:.3f} on {rows}", error=numbers.error, rows=rows))
    bottom.bar(_centers(numbers), numbers.counts, width=0.092, color=BLUE)
    bottom.grid(False, axis="x")
    bottom.set_ylabel(tr("rows"))
    bottom.yaxis.get_major_locator().set_params(integer=True)
    bottom.set_xlabel(tr("predicted probability of {name}", name=subject))
    figure.legend(loc="outside lower left", ncols=2, borderaxespad=0.2)
    figure.align_ylabels()
    return finish(figure, path)


def _centers(numbers: Calibration) -> Float64Array:
    """The middle of the bin in which each mean probability lies."""
    centers: Float64Array = (np.ceil(numbers.confident * BINS - 1e-12).clip(1, BINS) - 0.5) / BINS
    return centers
