"""A line through its points."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from slalom.core.arrays import Float64Array
from slalom.core.language import tr
from slalom.engine.measure import measure
from slalom.plots.labels import member_labels, number, shortened
from slalom.plots.points import (
    check_line,
    draw_points,
    name_axes,
    span_of,
)
from slalom.plots.style import (
    color_of,
    finish,
    halo,
    look,
    picture,
)
from slalom.training import Outcome

LINE_POINTS = 400


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


def line_numbers(run: Outcome, member: int | None = None) -> FittedLine:
    """The numbers of `fitted_line`."""
    data = run.dataset
    check_line(data, "A fitted line")
    k = run.best() if member is None else member
    low, high = span_of(data.X[:, 0])
    x = np.linspace(low, high, LINE_POINTS)
    y = run.predict(x[:, None], k)[:, -1].astype(np.float64)
    points = np.column_stack([data.X[:, 0], data.y if data.y.ndim == 1 else data.y[:, 0]])
    fold = data.folds[run.population[k].fold]
    rows = fold.validation if len(fold.validation) else fold.train
    loss, score = measure(run.state, k, rows, best=True)
    return FittedLine(
        k, x, y, points[fold.train], points[fold.validation], loss, score, len(fold.validation) > 0
    )


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
    loss = number(numbers.loss)
    told = [
        tr("Validation loss {loss}", loss=loss)
        if numbers.validated
        else tr("Training loss {loss}", loss=loss),
        tr("accuracy {share:.3f}", share=numbers.score)
        if run.dataset.task == "classification"
        else f"R² {numbers.score:.3f}",
    ]
    axes.set_title(tr(", ").join(told))
    figure.legend(loc="outside lower left", ncols=3, borderaxespad=0.2)
    return finish(figure, path)
