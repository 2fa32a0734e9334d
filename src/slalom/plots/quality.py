"""How good predictions are: residuals, confusion, calibration, and what mattered.

All take plain arrays, so that a report, the command line and a notebook can use them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from slalom.core.arrays import Float64Array
from slalom.core.errors import BadData
from slalom.plots.labels import counted, number, shortened
from slalom.plots.style import (
    BLUE,
    DENSITY,
    INK,
    PALE,
    QUIET,
    finish,
    grouped_digits,
    look,
    picture,
)

SCATTERED = 4000  # rows; more are counted in cells, where points would hide each other
CLASSES = 20  # more would not be readable
BINS = 10  # scikit-learn's, and usual in the literature
BARS = 15


@dataclass(frozen=True, eq=False)
class Residuals:
    """Predictions against truth.

    Args:
        truth, predicted, residuals: `[N]`; a residual is truth minus prediction, as in statistics.
        r2, rmse, mae: scores; R2 is NaN when all truths are equal.
    """

    truth: Float64Array
    predicted: Float64Array
    residuals: Float64Array
    r2: float
    rmse: float
    mae: float


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


def residual_numbers(truth: ArrayLike, predicted: ArrayLike) -> Residuals:
    """The numbers of `residuals`."""
    a, b = _column(truth, "truth"), _column(predicted, "predicted")
    _check_rows(len(a), len(b), "predicted")
    return Residuals(
        truth=a,
        predicted=b,
        residuals=a - b,
        r2=float(r2_score(a, b)) if a.min() < a.max() else float("nan"),
        rmse=float(root_mean_squared_error(a, b)),
        mae=float(mean_absolute_error(a, b)),
    )


def confusion_numbers(
    truth: ArrayLike, predicted: ArrayLike, classes: Sequence[Any], most: int = CLASSES
) -> Confusion:
    """The numbers of `confusion`; beyond `most` classes the rarest become one."""
    a, b = _codes(truth, classes, "truth"), _codes(predicted, classes, "predicted")
    _check_rows(len(a), len(b), "predicted")
    accuracy, names = float((a == b).mean()), [str(c) for c in classes]
    if len(classes) > most:
        often = np.argsort(-np.bincount(a, minlength=len(classes)), kind="stable")[: most - 1]
        often = np.sort(often)
        place = np.full(len(classes), most - 1)
        place[often] = np.arange(most - 1)
        a, b = place[a], place[b]
        names = [*(names[k] for k in often), f"{len(classes) - most + 1} other classes"]
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (a, b), 1)
    totals = counts.sum(axis=1, keepdims=True)
    percent = np.divide(100.0 * counts, totals, where=totals > 0, out=np.full(counts.shape, np.nan))
    return Confusion(counts, percent, tuple(names), accuracy, len(a))


def calibration_numbers(
    truth: ArrayLike, probabilities: ArrayLike, classes: Sequence[Any], bins: int = BINS
) -> Calibration:
    """The numbers of `calibration`, in `bins` bins of equal width."""
    a = _codes(truth, classes, "truth")
    p = np.asarray(probabilities, dtype=np.float64)
    if len(classes) == 2 and (p.ndim == 1 or p.shape[1:] == (1,)):
        p = np.column_stack([1 - p.ravel(), p.ravel()])
    if p.ndim != 2 or p.shape[1] != len(classes):
        raise BadData(
            f"probabilities must be [rows, {len(classes)}], one column a class, "
            f"but their shape is {p.shape}."
        )
    _check_rows(len(a), len(p), "probabilities")
    if not np.isfinite(p).all() or p.min() < 0 or p.max() > 1 + 1e-6:
        raise BadData("probabilities must lie between 0 and 1.")
    if len(classes) == 2:
        sure, hit, subject = p[:, 1], a == 1, str(classes[1])
    else:
        sure, hit, subject = p.max(axis=1), a == p.argmax(axis=1), "the predicted class"
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


def importance_numbers(
    names: Sequence[str], means: ArrayLike, stds: ArrayLike | None, most: int = BARS
) -> tuple[list[str], Float64Array, Float64Array]:
    """Names, means and standard deviations of the `most` largest means, the largest first."""
    m = _column(means, "means")
    s = np.zeros(len(m)) if stds is None else _column(stds, "stds")
    if not len(names) == len(m) == len(s):
        raise BadData(
            f"names, means and stds must be equally long, "
            f"but have {len(names)}, {len(m)} and {len(s)} values."
        )
    order = np.argsort(-m, kind="stable")[:most]
    return [str(names[k]) for k in order], m[order], s[order]


@look()
def residuals(
    truth: ArrayLike,
    predicted: ArrayLike,
    path: str | Path | None = None,
    *,
    name: str = "target",
    unit: str = "",
) -> Figure:
    """Draw predictions against the truth, and how the residuals are distributed.

    Args:
        truth, predicted: `[N]` or `[N, 1]`; for several targets draw one at a time.
        path: where to write the picture (PNG, SVG, PDF); nowhere when not given.
        name, unit: of the target, for the axes.

    Raises:
        BadData: when the two do not fit, are empty or not finite.
        BadFile: when the picture cannot be written.

    Example:
        >>> figure = residuals([1.0, 2.0, 3.0], [1.1, 1.9, 3.0], name="price", unit="EUR")
        >>> figure.axes[0].get_xlabel()
        'true price (EUR)'
    """
    numbers = residual_numbers(truth, predicted)
    figure = picture(8, 4.6)
    left, right = figure.subplots(1, 2, width_ratios=(1.35, 1))
    tail = f" ({shortened(unit, 20)})" if unit else ""
    name = shortened(name, 30)
    span = _span(numbers)
    both = np.stack([numbers.truth, numbers.predicted])
    gone = int(((both < span[0]) | (both > span[1])).any(axis=0).sum())
    outside = f"; {counted(gone, 'row')} outside" if gone else ""
    if len(numbers.truth) <= SCATTERED:
        left.scatter(
            numbers.truth,
            numbers.predicted,
            s=14,
            alpha=0.85 if len(numbers.truth) < 500 else 0.4,
            color=BLUE,
            linewidth=0,
        )
    else:
        cells = left.hexbin(
            numbers.truth,
            numbers.predicted,
            gridsize=60,
            extent=(*span, *span),
            bins="log",
            mincnt=1,
            cmap=DENSITY,
            linewidths=0.1,
        )
        bar = figure.colorbar(cells, ax=left, label="rows", shrink=0.8, pad=0.02)
        bar.outline.set_visible(False)
    left.axline((span[0], span[0]), slope=1, color=INK, linewidth=1.1, linestyle=(0, (5, 3)))
    left.text(
        0.03,
        0.97,
        f"dashed: predicted = true{outside}",
        transform=left.transAxes,
        fontsize=8.5,
        va="top",
        color=QUIET,
    )
    left.set(xlim=span, ylim=span, xlabel=f"true {name}{tail}", ylabel=f"predicted {name}{tail}")
    for axis in (left.xaxis, left.yaxis):
        grouped_digits(axis, max(map(abs, span)))
    left.set_title(f"R² {numbers.r2:.3f} on {counted(len(numbers.truth), 'row')}")
    _draw_residuals(right, numbers, tail)
    return finish(figure, path)


def _span(numbers: Residuals) -> tuple[float, float]:
    """Limits of both axes: all values, or nearly all when a few lie very far from the others."""
    values = np.concatenate([numbers.truth, numbers.predicted])
    low, high = float(values.min()), float(values.max())
    inner = [float(v) for v in np.quantile(values, [0.002, 0.998])]
    if high - low > 2.5 * (inner[1] - inner[0]) > 0:
        low, high = inner
    room = 0.04 * (high - low) or 1.0
    return low - room, high + room


def _draw_residuals(axes: Any, numbers: Residuals, tail: str) -> None:
    reach = float(np.quantile(np.abs(numbers.residuals), 0.99)) * 1.15 or 1.0
    beyond = int((np.abs(numbers.residuals) > reach).sum())
    bins = int(np.clip(np.sqrt(len(numbers.residuals)), 9, 41)) // 2 * 2 + 1  # one bin around 0
    edges = np.linspace(-reach, reach, bins + 1)
    axes.hist(numbers.residuals, edges, color=BLUE, edgecolor="white", linewidth=0.6)
    axes.axvline(0, color=INK, linewidth=1.1, linestyle=(0, (5, 3)))
    axes.grid(False, axis="x")
    axes.set_xlabel(f"residual: true − predicted{tail}")
    axes.set_ylabel("rows")
    axes.locator_params(axis="x", nbins=5)
    axes.yaxis.get_major_locator().set_params(integer=True)
    grouped_digits(axes.yaxis, axes.get_ylim()[1])
    grouped_digits(axes.xaxis, reach)
    axes.set_title(f"RMSE {number(numbers.rmse)}\nMAE {number(numbers.mae)}")
    if beyond:
        axes.margins(y=0.12)
        axes.text(
            0.99,
            0.985,
            f"{counted(beyond, 'row')} beyond",
            transform=axes.transAxes,
            ha="right",
            va="top",
            fontsize=8.5,
            color=QUIET,
        )


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
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    bar = figure.colorbar(image, ax=axes, label="% of the true class", shrink=0.7, pad=0.02)
    bar.outline.set_visible(False)
    axes.set_title(f"Accuracy {numbers.accuracy:.3f} on {counted(numbers.rows, 'row')}")
    return finish(figure, path)


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
    top.plot([0, 1], [0, 1], color=QUIET, linewidth=1.1, linestyle=(0, (5, 3)), label="perfect")
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
        label="predictions, with 95 % interval",
    )
    top.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    binary = len(classes) == 2
    subject = shortened(numbers.subject, 24)
    top.set_ylabel(f"share that is {subject}" if binary else "share that is right")
    top.set_title(
        f"Calibration error {numbers.error:.3f} on {counted(int(numbers.counts.sum()), 'row')}"
    )
    bottom.bar(_centers(numbers), numbers.counts, width=0.092, color=BLUE)
    bottom.grid(False, axis="x")
    bottom.set_ylabel("rows")
    bottom.yaxis.get_major_locator().set_params(integer=True)
    bottom.set_xlabel(f"predicted probability of {subject}")
    figure.legend(loc="outside lower left", ncols=2, borderaxespad=0.2)
    figure.align_ylabels()
    return finish(figure, path)


def _centers(numbers: Calibration) -> Float64Array:
    """The middle of the bin in which each mean probability lies."""
    centers: Float64Array = (np.ceil(numbers.confident * BINS - 1e-12).clip(1, BINS) - 0.5) / BINS
    return centers


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
    axes.set_xlabel(f"drop in {shortened(score, 30)} when the column is shuffled")
    more = f" (top {len(shown)} of {len(names)} columns)" if len(names) > len(shown) else ""
    axes.set_title(f"What mattered{more}")
    return finish(figure, path)


def _column(values: ArrayLike, what: str) -> Float64Array:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not len(array):
        raise BadData(f"{what} must be [rows], one number or more, but its shape is {array.shape}.")
    if not np.isfinite(array).all():
        where = int(np.argmax(~np.isfinite(array)))
        raise BadData(f"{what} must hold finite numbers, but {what}[{where}] is {array[where]}.")
    return array


def _codes(labels: ArrayLike, classes: Sequence[Any], what: str) -> NDArray[np.int64]:
    """The place of each label among the classes."""
    values = np.asarray(labels)
    if values.ndim != 1 or not len(values):
        raise BadData(
            f"{what} must be labels [rows], one or more, but its shape is {values.shape}."
        )
    if all(isinstance(c, str) for c in classes) and np.issubdtype(values.dtype, np.integer):
        if values.min() < 0 or values.max() >= len(classes):
            raise BadData(f"{what} must be places of classes, 0 to {len(classes) - 1}.")
        return values.astype(np.int64)
    places = {c: k for k, c in enumerate(classes)}
    found = [places.get(value, -1) for value in values.tolist()]
    if min(found) < 0:
        known = ", ".join(repr(c) for c in list(classes)[:10])
        raise BadData(
            f"{what} must hold one of the classes ({known}), but {what}[{found.index(-1)}] is "
            f"{values.tolist()[found.index(-1)]!r}."
        )
    return np.array(found, dtype=np.int64)


def _check_rows(truth: int, other: int, what: str) -> None:
    if truth != other:
        raise BadData(f"truth has {truth} rows, but {what} has {other}.")
