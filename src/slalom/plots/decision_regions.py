"""Which class a net sees where."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from slalom.core.arrays import Float64Array
from slalom.core.colours import INK
from slalom.core.language import tr
from slalom.data.dataset import Dataset
from slalom.plots.labels import member_labels, rows_of, shortened
from slalom.plots.points import (
    check_regions,
    some,
    span_of,
)
from slalom.plots.style import class_color, class_marker, finish, headline, look, picture
from slalom.training import Outcome

SQUARE_POINTS = 160


@dataclass(frozen=True, eq=False)
class Regions:
    """A member on two features.

    Args:
        member: its number.
        across, up: the grid, `[160]` each.
        probabilities: of each class on the grid, `[len(up), len(across), K]`.
        X, y: the points, `[n, 2]` and `[n]`; `validation` says which it was validated on.
        predicted: the class that it gives each point, `[n]`.
        train_accuracy, validation_accuracy: shares of right ones; NaN where there are no rows.
    """

    member: int
    across: Float64Array
    up: Float64Array
    probabilities: Float64Array
    X: Float64Array
    y: NDArray[np.int64]
    validation: NDArray[np.bool_]
    predicted: NDArray[np.int64]
    train_accuracy: float
    validation_accuracy: float


def region_numbers(run: Outcome, member: int | None = None) -> Regions:
    """The numbers of `decision_regions`."""
    data = run.dataset
    check_regions(data, "A picture of decision regions")
    k = run.best() if member is None else member
    across, up = (np.linspace(*span_of(data.X[:, i]), SQUARE_POINTS) for i in (0, 1))
    grid = np.column_stack([axis.ravel() for axis in np.meshgrid(across, up)])
    probabilities = run.predict(grid, k).astype(np.float64)
    fold = data.folds[run.population[k].fold]
    rows = np.concatenate([fold.train, fold.validation])
    validation = np.arange(len(rows)) >= len(fold.train)
    predicted = run.predict(data.X[rows], k).argmax(axis=1)
    right = predicted == data.y[rows]
    return Regions(
        k,
        across,
        up,
        probabilities.reshape(len(up), len(across), -1),
        data.X[rows].astype(np.float64),
        data.y[rows],
        validation,
        predicted,
        float(right[~validation].mean()),
        float(right[validation].mean()) if validation.any() else np.nan,
    )


def shades(probabilities: NDArray[Any], levels: int = 64) -> NDArray[np.uint8]:
    """Colours `[..., 3]` of class probabilities `[..., K]`: of the likeliest class, pale if unsure.

    White where they are not numbers. `levels` of paleness are told apart.
    """
    classes = probabilities.shape[-1]
    with np.errstate(invalid="ignore"):
        likeliest, highest = probabilities.argmax(axis=-1), probabilities.max(axis=-1)
    known = np.isfinite(highest)
    sure = (np.where(known, highest, 0) - 1 / classes) / (1 - 1 / classes)
    level = np.round(sure.clip(0, 1) * levels).astype(np.intp)
    pure = np.array([to_rgb(class_color(k)) for k in range(classes)])[:, None]
    strength = np.linspace(0.12, 0.55, levels + 1)[None, :, None]  # points must stay visible
    table = np.round(255 * (1 - strength + strength * pure)).astype(np.uint8)
    colors: NDArray[np.uint8] = np.where(known[..., None], table[likeliest, level], np.uint8(255))
    return colors


@look()
def decision_regions(
    run: Outcome, member: int | None = None, path: str | Path | None = None
) -> Figure:
    """Draw the points of two features in the regions where a member sees each class.

    A region has the colour of its likeliest class, the paler the less sure the member is; a black
    line runs where two are equally likely. Points that it gets wrong have a black edge.

    Args:
        run: a classification run on data with two features.
        member: its number; the best member when not given.
        path: where to write the picture (PNG, SVG, PDF); nowhere when not given.

    Raises:
        BadPlan: for another number of features, regression, or a member that is not there.
        Diverged: when no member has finite weights.
        BadFile: when the picture cannot be written.

    Example:
        >>> import slalom
        >>> run = slalom.train(slalom.MLP(2, 8, 2), slalom.toys.moons(60), steps=20)
        >>> decision_regions(run).axes[0].get_xlabel()
        'x0'
    """
    numbers = region_numbers(run, member)
    data = run.dataset
    figure = picture(8, 5.4)
    axes = figure.add_subplot()
    draw_regions(axes, numbers.across, numbers.up, numbers.probabilities)
    draw_boundaries(axes, numbers)
    draw_classes(axes, numbers.X, numbers.y, numbers.predicted != numbers.y)
    axes.set_xlabel(shortened(data.feature_names[0], 60))
    axes.set_ylabel(shortened(data.feature_names[1], 40))
    _legend_classes(figure, data, bool((numbers.predicted != numbers.y).any()))
    name = shortened(member_labels(run.population)[numbers.member], 90)
    headline(axes, _accuracy(numbers), name)
    return finish(figure, path)


def _accuracy(numbers: Regions) -> str:
    if numbers.validation.any():
        return tr(
            "Validation accuracy {validation:.3f} (training {training:.3f})",
            validation=numbers.validation_accuracy,
            training=numbers.train_accuracy,
        )
    rows = rows_of(len(numbers.y))
    return tr("Accuracy {share:.3f} on {rows}", share=numbers.train_accuracy, rows=rows)


def draw_regions(
    axes: Axes, across: Float64Array, up: Float64Array, probabilities: NDArray[Any]
) -> Any:
    """The shaded regions of probabilities `[len(up), len(across), K]`; returns the image."""
    dx, dy = (float(a[1] - a[0]) / 2 for a in (across, up))
    axes.grid(False)
    image = axes.imshow(
        shades(probabilities),
        origin="lower",
        extent=(across[0] - dx, across[-1] + dx, up[0] - dy, up[-1] + dy),
        interpolation="bilinear",
        aspect="auto",
        zorder=0,
    )
    axes.set_xlim(across[0], across[-1])
    axes.set_ylim(up[0], up[-1])
    return image


def draw_boundaries(axes: Axes, numbers: Regions) -> None:
    """Lines along which the two likeliest classes are equally likely."""
    p = numbers.probabilities
    classes = range(p.shape[-1]) if p.shape[-1] > 2 else [0]
    for k in classes:
        lead = p[..., k] - np.delete(p, k, axis=-1).max(axis=-1)
        if lead.min() < 0 < lead.max():
            axes.contour(numbers.across, numbers.up, lead, [0], colors=INK, linewidths=1.1)


def draw_classes(
    axes: Axes,
    X: Float64Array,
    y: NDArray[np.int64],
    wrong: NDArray[np.bool_] | None = None,
    size: float = 26,
) -> list[PathCollection]:
    """Points in the colour and marker of their class; those in `wrong` with a black edge."""
    kept = some(len(X))
    wrong = np.zeros(len(X), dtype=np.bool_) if wrong is None else wrong
    X, y, wrong = X[kept], y[kept], wrong[kept]
    drawn = []
    for k in np.unique(y):
        for mistaken in (False, True):
            rows = (y == k) & (wrong == mistaken)
            if rows.any():
                points = axes.scatter(
                    X[rows, 0],
                    X[rows, 1],
                    s=size * (1.5 if mistaken else 1),
                    color=class_color(k),
                    marker=class_marker(k),
                    edgecolor=INK if mistaken else "white",
                    linewidth=1.5 if mistaken else 0.6,
                    zorder=4 if mistaken else 3,
                )
                drawn.append(points)
    return drawn


def _legend_classes(figure: Figure, data: Dataset, mistakes: bool) -> None:
    def handle(label: str, k: int, color: str, edge: str) -> Line2D:
        return Line2D(
            [],
            [],
            linestyle="none",
            marker=class_marker(k),
            color=color,
            markeredgecolor=edge,
            markersize=7,
            label=label,
        )

    shown = data.classes[:20]
    handles = [
        handle(shortened(str(c), 24), k, class_color(k), "white") for k, c in enumerate(shown)
    ]
    if mistakes:
        handles.append(handle(tr("predicted wrongly"), 0, "white", INK))
    figure.legend(
        handles=handles,
        loc="outside right upper",
        title=shortened(data.target_names[0], 24),
        alignment="left",
        handletextpad=0.2,
    )
