"""What one member has learned: the line through the points, or the regions of the classes."""

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
from slalom.core.errors import BadPlan
from slalom.data.dataset import Dataset
from slalom.engine.measure import measure
from slalom.plots.labels import counted, member_labels, number, shortened
from slalom.plots.style import (
    INK,
    PALE,
    QUIET,
    class_color,
    class_marker,
    color_of,
    finish,
    halo,
    headline,
    look,
    picture,
)
from slalom.training import Outcome

LINE_POINTS, SQUARE_POINTS = 400, 160
POINTS = 3000  # of the data; a random part of larger ones
MARGIN = 0.08


@dataclass(frozen=True, eq=False)
class FittedLine:
    """A member on one feature.

    Args:
        member: its number.
        x, y: the line, `[400]` each: predicted values, or the probability of the second class.
        train, validation: points that it trained on and was validated on, `[n, 2]` each.
        loss: mean loss on the validation rows, or on the training rows without any.
        score: R2 (accuracy for classes) on the same rows.
        validated: whether these are validation rows.
    """

    member: int
    x: Float64Array
    y: Float64Array
    train: Float64Array
    validation: Float64Array
    loss: float
    score: float
    validated: bool


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


def check_line(data: Dataset, what: str) -> None:
    """One feature, and one target or two classes.

    Raises:
        BadPlan: when the data is not such.
    """
    if data.X.shape[1:] != (1,):
        raise BadPlan(
            f"{what} needs one feature, but the data has {_features(data)}. "
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
            f"{what} needs two features, but the data has {_features(data)}. "
            f"Use fitted_line for one, confusion for more."
        )
    if data.task != "classification":
        raise BadPlan(f"{what} needs classes, but the data is for regression. Use residuals.")


def _features(data: Dataset) -> str:
    shape = data.X.shape[1:]
    return counted(shape[0], "feature") if len(shape) == 1 else f"rows of shape {shape}"


def line_numbers(run: Outcome, member: int | None = None) -> FittedLine:
    """The numbers of `fitted_line`."""
    data = run.dataset
    check_line(data, "A fitted line")
    k = run.best() if member is None else member
    low, high = _range(data.X[:, 0])
    x = np.linspace(low, high, LINE_POINTS)
    y = run.predict(x[:, None], k)[:, -1].astype(np.float64)
    points = np.column_stack([data.X[:, 0], data.y if data.y.ndim == 1 else data.y[:, 0]])
    fold = data.folds[run.population[k].fold]
    rows = fold.validation if len(fold.validation) else fold.train
    loss, score = measure(run.state, k, rows, best=True)
    return FittedLine(
        k, x, y, points[fold.train], points[fold.validation], loss, score, len(fold.validation) > 0
    )


def region_numbers(run: Outcome, member: int | None = None) -> Regions:
    """The numbers of `decision_regions`."""
    data = run.dataset
    check_regions(data, "A picture of decision regions")
    k = run.best() if member is None else member
    across, up = (np.linspace(*_range(data.X[:, i]), SQUARE_POINTS) for i in (0, 1))
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


def _range(values: NDArray[Any]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = MARGIN * (high - low) or 1.0
    return low - room, high + room


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


def some(rows: int) -> NDArray[np.int64]:
    """Row numbers to draw: all, or a random part of very many."""
    if rows <= POINTS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, POINTS, replace=False))


@look()
def fitted_line(run: Outcome, member: int | None = None, path: str | Path | None = None) -> Figure:
    """Draw the points of one feature and the line that a member has learned.

    For two classes the line is the probability of the second one.

    Args:
        run: a run on data with one feature.
        member: its number; the best member when not given.
        path: where to write the picture (PNG, SVG, PDF); nowhere when not given.

    Raises:
        BadPlan: for more than one feature, several targets, more than two classes, or a member
            that is not there.
        Diverged: when no member has finite weights.
        BadFile: when the picture cannot be written.

    Example:
        >>> import slalom
        >>> run = slalom.train(slalom.MLP(1, 8, 1), slalom.toys.quadratic(50), steps=20)
        >>> len(fitted_line(run).axes)
        1
    """
    numbers = line_numbers(run, member)
    figure = picture()
    axes = figure.add_subplot()
    optimizer = run.population[numbers.member].optimizer
    draw_points(axes, numbers.train, numbers.validation)
    axes.plot(
        numbers.x,
        numbers.y,
        color=color_of(optimizer.name),
        linewidth=2.6,
        path_effects=halo(4.5),
        label=shortened(member_labels(run.population)[numbers.member], 60),
        zorder=4,
    )
    name_axes(axes, run.dataset)
    rows = "validation" if numbers.validated else "training"
    score = "accuracy" if run.dataset.task == "classification" else "R²"
    axes.set_title(f"{rows.capitalize()} loss {number(numbers.loss)}, {score} {numbers.score:.3f}")
    figure.legend(loc="outside lower left", ncols=3, borderaxespad=0.2)
    return finish(figure, path)


def draw_points(
    axes: Axes, train: Float64Array, validation: Float64Array, size: float = 22
) -> None:
    """The data of one feature: filled points for training, hollow ones for validation."""
    for points, label, face in (
        (train, "training rows", PALE),
        (validation, "validation rows", "w"),
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
    axes.set_ylabel(f"probability of {shortened(str(data.classes[1]), 30)}")


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
    accuracy = f"accuracy {numbers.train_accuracy:.3f} on {(~numbers.validation).sum():,} rows"
    if numbers.validation.any():
        accuracy = (
            f"validation accuracy {numbers.validation_accuracy:.3f} "
            f"(training {numbers.train_accuracy:.3f})"
        )
    name = shortened(member_labels(run.population)[numbers.member], 90)
    headline(axes, accuracy[0].upper() + accuracy[1:], name)
    return finish(figure, path)


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
        handles.append(handle("predicted wrongly", 0, "white", INK))
    figure.legend(
        handles=handles,
        loc="outside right upper",
        title=shortened(data.target_names[0], 24),
        alignment="left",
        handletextpad=0.2,
    )
