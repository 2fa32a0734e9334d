"""Predictions against the truth, and what is left over."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from slalom.core.arrays import Float64Array
from slalom.core.colours import BLUE, INK, QUIET
from slalom.core.language import tr
from slalom.plots.checks import check_rows, column
from slalom.plots.labels import number, rows_of, shortened
from slalom.plots.style import DENSITY, finish, grouped_digits, look, picture

SCATTERED = 4000  # rows; more are counted in cells, where points would hide each other


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


def residual_numbers(truth: ArrayLike, predicted: ArrayLike) -> Residuals:
    """The numbers of `residuals`."""
    # Loaded here: half a second, which all other pictures can do without.
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    a, b = column(truth, "truth"), column(predicted, "predicted")
    check_rows(len(a), len(b), "predicted")
    return Residuals(
        truth=a,
        predicted=b,
        residuals=a - b,
        r2=float(r2_score(a, b)) if a.min() < a.max() else float("nan"),
        rmse=float(root_mean_squared_error(a, b)),
        mae=float(mean_absolute_error(a, b)),
    )


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
        bar = figure.colorbar(cells, ax=left, label=tr("rows"), shrink=0.8, pad=0.02)
        bar.outline.set_visible(False)
    left.axline((span[0], span[0]), slope=1, color=INK, linewidth=1.1, linestyle=(0, (5, 3)))
    told = [tr("dashed: predicted = true")]
    if gone:
        told.append(tr("{rows} outside", rows=rows_of(gone)))
    left.text(
        0.03,
        0.97,
        tr("; ").join(told),
        transform=left.transAxes,
        fontsize=8.5,
        va="top",
        color=QUIET,
    )
    left.set(xlim=span, ylim=span)
    left.set_xlabel(tr("true {name}", name=name) + tail)
    left.set_ylabel(tr("predicted {name}", name=name) + tail)
    for axis in (left.xaxis, left.yaxis):
        grouped_digits(axis, max(map(abs, span)))
    rows = rows_of(len(numbers.truth))
    left.set_title(tr("R² {value:.3f} on {rows}", value=numbers.r2, rows=rows))
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
    axes.set_xlabel(tr("residual: true − predicted") + tail)
    axes.set_ylabel(tr("rows"))
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
            tr("{rows} beyond", rows=rows_of(beyond)),
            transform=axes.transAxes,
            ha="right",
            va="top",
            fontsize=8.5,
            color=QUIET,
        )
