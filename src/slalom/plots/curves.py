"""Learning curves of a population: one line a member, one colour an optimizer, the best named."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from slalom.core.arrays import Float64Array
from slalom.core.colours import INK, QUIET
from slalom.core.colours import OPTIMIZERS as COLORS
from slalom.core.errors import BadPlan
from slalom.core.language import tr
from slalom.plots.labels import loss_words, member_labels, number, shortened
from slalom.plots.style import (
    color_of,
    end_labels,
    finish,
    halo,
    line_of,
    look,
    picture,
    whole_ticks,
)
from slalom.training import Outcome

THICK = 3  # members drawn as thick lines
NAMED_ALL = 6  # up to so many members the legend names every one
POINTS = 500  # about one a pixel: more cannot be seen
ALL_POINTS = 120_000  # of all members, so that a thousand draw in about a second


@dataclass(frozen=True, eq=False)
class Curves:
    """The numbers behind learning curves; lists run over the members, `[P]`.

    Args:
        measure: which loss: that on validation rows, or on training rows.
        unit: what x counts.
        x, y: each member's curve, finite values only; may be empty.
        score: what members are ranked by, as on the leaderboard; infinite where there is nothing.
        order: member numbers, the best first.
        diverged: x of the step at which a member diverged; NaN for the others.
    """

    measure: Literal["validation", "training"]
    unit: Literal["epoch", "step"]
    x: tuple[Float64Array, ...]
    y: tuple[Float64Array, ...]
    score: Float64Array
    order: NDArray[np.int64]
    diverged: Float64Array

    @property
    def trained(self) -> int:
        """How many members have a curve, or diverged before they had one."""
        curves = np.array([len(y) > 0 for y in self.y])
        return int((curves | ~np.isnan(self.diverged)).sum())


def curves(run: Outcome, measure: Literal["validation", "training"] | None = None) -> Curves:
    """The learning curves of a run.

    Args:
        run: at least one step must be in its history.
        measure: which loss; validation when members were validated more than once, else training.

    Raises:
        BadPlan: when the history is empty.
    """
    history, state, plan = run.history, run.state, run.plan
    if not len(history):
        raise BadPlan(
            "This run has no history to draw: it was stopped before its first record. Train longer."
        )
    members = len(run.population)
    bounds = np.searchsorted(history["member"].to_numpy(), np.arange(members + 1))
    if measure is None:
        times = history["validation_loss"].notna().groupby(history["member"]).sum().max()
        measure = "validation" if times >= 2 else "training"
    longest = (state.layout.total_steps / state.layout.steps_per_epoch).max()
    unit: Literal["epoch", "step"] = "step" if plan.steps or longest < 2 else "epoch"
    xs = history[unit].to_numpy(dtype=np.float64)
    ys = history["validation_loss" if measure == "validation" else "train_loss"].to_numpy()
    drawn = np.isfinite(ys)
    parts = [slice(a, b) for a, b in pairwise(bounds)]
    score = _scores(run, history, bounds)
    at = np.where(state.diverged_at >= 0, state.diverged_at, np.nan)
    return Curves(
        measure=measure,
        unit=unit,
        x=tuple(xs[part][drawn[part]] for part in parts),
        y=tuple(ys[part][drawn[part]] for part in parts),
        score=score,
        order=np.argsort(score, kind="stable"),
        diverged=at if unit == "step" else at / state.layout.steps_per_epoch,
    )


def _scores(run: Outcome, history: pd.DataFrame, bounds: NDArray[np.int64]) -> Float64Array:
    """What `Outcome.leaderboard` ranks by, for all members at once."""
    if run.validated:
        return run.state.best_loss.copy()
    losses = history["train_loss"].to_numpy()
    some = bounds[1:] > bounds[:-1]
    last = np.where(some, losses[np.maximum(bounds[1:] - 1, 0)], np.inf)
    gone = run.state.diverged_at >= 0
    return np.where(gone | ~np.isfinite(last), np.inf, last)


def thin(x: Float64Array, y: Float64Array, points: int) -> tuple[Float64Array, Float64Array]:
    """At most about `points` points `[n]` that draw the same line: lowest and highest of each bin.

    Shorter curves are returned as they are. First and last point are kept.
    """
    if len(x) <= max(points, 4):
        return x, y
    bins = max(points // 2 - 1, 1)
    edges = np.linspace(0, len(y), bins + 1).astype(int)
    kept = {0, len(y) - 1}
    for start, end in pairwise(edges):
        kept |= {start + int(y[start:end].argmin()), start + int(y[start:end].argmax())}
    index = np.array(sorted(kept))
    return x[index], y[index]


def limits(numbers: Curves) -> tuple[float, float, bool]:
    """Lowest and highest loss to show, and whether on a log axis.

    The best three are shown whole, the better half nearly so, and where members usually start;
    what shoots above that while it diverges leaves the picture, so that it does not flatten the
    others.
    """
    drawn = [k for k in numbers.order if len(numbers.y[k])]
    if not drawn:
        return 0.0, 1.0, False
    better = drawn[: (len(drawn) + 1) // 2]
    low = min(float(numbers.y[k].min()) for k in drawn)
    starts = np.array([numbers.y[k][0] for k in drawn])
    high = max(
        *(float(numbers.y[k].max()) for k in drawn[:THICK]),
        float(starts[np.abs(starts) <= 30 * np.median(np.abs(starts))].max(initial=low)),
        float(np.quantile(np.concatenate([numbers.y[k] for k in better]), 0.95)),
    )
    if low > 0 and high / low >= 10:
        room = (high / low) ** 0.04
        return low / room, high * room, True
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room, False


@look()
def learning_curves(run: Outcome, path: str | Path | None = None) -> Figure:
    """Draw the learning curves of a population.

    The loss on validation rows, or on training rows where there was no validation, against epochs
    (steps when the plan counts steps, or is shorter than two epochs). Thin lines for all, thick
    ones for the best three, a cross where a member diverged. A single net shows both losses.

    Args:
        run: what `slalom.train` returned.
        path: where to write the picture (PNG, SVG, PDF); nowhere when not given.

    Raises:
        BadPlan: when the run has no history.
        BadFile: when the picture cannot be written.

    Example:
        >>> import slalom
        >>> run = slalom.train(slalom.MLP(1, 8, 1), slalom.toys.quadratic(50), steps=20)
        >>> learning_curves(run).axes[0].get_xlabel()
        'step'
    """
    numbers = curves(run)
    figure = picture()
    axes = figure.add_subplot()
    low, high, log = limits(numbers)
    if log:
        axes.set_yscale("log")
    axes.set_ylim(low, high)
    names = [member.optimizer.name for member in run.population]
    _draw_all(axes, numbers, names)
    _draw_best(axes, figure, numbers, names, member_labels(run.population))
    if len(names) == 1 and numbers.measure == "validation":
        _draw_training(axes, curves(run, "training"), names[0], numbers)
    gone = _draw_diverged(axes, numbers, names, high)
    named = _name_optimizers(axes, names, gone)
    axes.set_xlabel(tr("epoch") if numbers.unit == "epoch" else tr("step"))
    axes.set_ylabel(_measured(numbers, loss_words(run.plan.loss)))
    whole_ticks(axes)
    axes.set_title(_title(numbers, run.population[0].optimizer.label), pad=33 if named else None)
    return finish(figure, path)


def _measured(numbers: Curves, kind: str) -> str:
    """What the height of a curve is; a single net shows both losses."""
    if numbers.measure == "training":
        return tr("training loss ({kind})", kind=kind)
    if len(numbers.order) == 1:
        return tr("loss ({kind})", kind=kind)
    return tr("validation loss ({kind})", kind=kind)


def _title(numbers: Curves, optimizer: str) -> str:
    members, best = numbers.trained, float(numbers.score[numbers.order[0]])
    if len(numbers.order) == 1:
        return f"{shortened(optimizer, 50)}: {_end(numbers, number(best))}"
    if not np.isfinite(best):
        return tr("All {members:,} members diverged", members=members)
    loss = number(best)
    if numbers.measure == "validation":
        return tr("Best validation loss of {members:,} members: {loss}", members=members, loss=loss)
    return tr("Best training loss of {members:,} members: {loss}", members=members, loss=loss)


def _end(numbers: Curves, loss: str) -> str:
    """What became of a single member."""
    at = numbers.diverged[0]
    if np.isnan(at):
        validated = numbers.measure == "validation"
        return (
            tr("best validation loss {loss}", loss=loss)
            if validated
            else tr("training loss {loss}", loss=loss)
        )
    if numbers.unit == "epoch":
        return tr("diverged at epoch {epoch:.4g}", epoch=at)
    return tr("diverged at step {step:.4g}", step=at)


def _best(numbers: Curves) -> list[int]:
    """Members with a score and a curve, the best first."""
    return [int(k) for k in numbers.order if np.isfinite(numbers.score[k]) and len(numbers.y[k])]


def _line(numbers: Curves, k: int, points: int) -> Float64Array:
    """A member's curve `[n, 2]`, on to the step at which it diverged, where its cross stands."""
    x, y = thin(numbers.x[k], numbers.y[k], points)
    if np.isfinite(numbers.diverged[k]):
        x, y = np.append(x, numbers.diverged[k]), np.append(y, y[-1])
    return np.column_stack([x, y])


def _draw_all(axes: Axes, numbers: Curves, names: list[str]) -> None:
    """Every member that is not among the best, the worst first so that better ones lie on top."""
    best = _best(numbers)[:THICK]
    many = [int(k) for k in numbers.order[::-1] if len(numbers.y[k]) and k not in best]
    points = int(np.clip(ALL_POINTS / max(len(names), 1), 60, POINTS))
    axes.add_collection(
        LineCollection(
            [_line(numbers, k, points) for k in many],
            colors=[color_of(names[k]) for k in many],
            linestyles=[line_of(names[k]) for k in many] if len(names) <= 12 else "-",
            linewidths=1.2 if len(names) <= 12 else 0.9 if len(names) <= 100 else 0.6,
            alpha=float(np.clip(4 / np.sqrt(len(names)), 0.2, 0.85)),
            rasterized=len(names) > 100,  # keeps SVG and PDF of a thousand members small
        ),
        autolim=False,
    )
    ends = [x.max() for x in numbers.x if len(x)]
    starts = [x.min() for x in numbers.x if len(x)]
    gone = numbers.diverged[np.isfinite(numbers.diverged)]
    right = max([*ends, *gone], default=1.0)
    left = min([*starts, *gone], default=0.0)
    room = 0.01 * (right - left) or 1.0
    axes.set_xlim(left - room, right + room)


def _draw_best(
    axes: Axes, figure: Figure, numbers: Curves, names: list[str], labels: list[str]
) -> None:
    ranked = _best(numbers)
    thick = ranked[:THICK]
    for place, k in reversed(list(enumerate(thick))):
        x, y = thin(numbers.x[k], numbers.y[k], POINTS)
        marker = "o" if len(x) < 3 else None
        axes.plot(
            x,
            y,
            color=color_of(names[k]),
            linestyle=line_of(names[k]) if len(names) > 1 else "-",
            marker=marker,
            linewidth=2.4 if place == 0 else 1.8,
            path_effects=halo(4.2),
            zorder=5 - place,
        )
        if numbers.measure == "validation":
            at = int(numbers.y[k].argmin())
            axes.plot(
                numbers.x[k][at],
                numbers.y[k][at],
                marker="o",
                markersize=6.5,
                color=color_of(names[k]),
                markeredgecolor="white",
                clip_on=False,
                zorder=7 - place,
            )
    if len(names) == 1:
        return
    end_labels(
        axes,
        [float(numbers.y[k][-1]) for k in thick],
        [f"{place} {names[k]}" for place, k in enumerate(thick, start=1)],
        [color_of(names[k]) for k in thick],
    )
    named = ranked if len(names) <= NAMED_ALL else thick
    handles = [
        Line2D(
            [],
            [],
            color=color_of(names[k]),
            linestyle=line_of(names[k]),
            linewidth=2.4 if k in thick else 1.2,
            label=f"{place}  {shortened(labels[k], 100)}:  {number(float(numbers.score[k]))}",
        )
        for place, k in enumerate(named, start=1)
    ]
    if handles:
        _legend_below(figure, handles)


def _legend_below(figure: Figure, handles: list[Line2D]) -> None:
    figure.legend(handles=handles, loc="outside lower left", handlelength=3.2, borderaxespad=0.2)


def _draw_training(axes: Axes, training: Curves, name: str, validation: Curves) -> None:
    """The training loss of a single member beside its validation loss."""
    x, y = thin(training.x[0], training.y[0], POINTS)
    low, high, log = limits(training)
    now_low, now_high = axes.get_ylim()
    axes.set_ylim(min(low, now_low), max(high, now_high))
    if log and min(low, now_low) > 0:
        axes.set_yscale("log")
        axes.set_ylim(min(low, now_low), max(high, now_high))
    left, right = axes.get_xlim()
    axes.set_xlim(min(left, float(x.min())), right)
    axes.plot(x, y, color=QUIET, linewidth=1.1, zorder=2)
    ends = [float(validation.y[0][-1]), float(y[-1])]
    end_labels(axes, ends, [tr("validation"), tr("training")], [color_of(name), QUIET])


def _draw_diverged(axes: Axes, numbers: Curves, names: list[str], high: float) -> int:
    """A cross where each member diverged (at the top when above it); how many there are."""
    gone = np.flatnonzero(np.isfinite(numbers.diverged))
    if not len(gone):
        return 0
    last = [numbers.y[k][-1] if len(numbers.y[k]) else high for k in gone]
    axes.scatter(
        numbers.diverged[gone],
        np.minimum(last, high),
        marker="x",
        s=36 if len(gone) <= 40 else 16,
        linewidths=1.6 if len(gone) <= 40 else 0.9,
        c=[color_of(names[k]) for k in gone],
        clip_on=False,
        zorder=6,
    )
    return len(gone)


def _name_optimizers(axes: Axes, names: list[str], gone: int) -> bool:
    """A row above the axes, if needed: which colour is which optimizer, what a cross means."""
    known = [*(n for n in COLORS if n in names), *sorted(set(names) - set(COLORS))]
    handles = []
    if len(names) > NAMED_ALL:
        styled = len(names) <= 12
        alike = len({names.count(name) for name in known}) == 1
        handles += [
            Line2D(
                [],
                [],
                color=color_of(name),
                linestyle=line_of(name) if styled else "-",
                linewidth=1.8,
                label=name if alike else f"{name} ({names.count(name):,})",
            )
            for name in known
        ]
    if gone:
        handles.append(
            Line2D(
                [],
                [],
                color=INK,
                marker="x",
                linestyle="none",
                label=tr("{count:,} diverged", count=gone),
            )
        )
    if handles:
        axes.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0, 1.02),
            borderaxespad=0.2,
            ncols=len(handles),
            handlelength=2.6 if len(names) <= 12 else 1.6,  # long enough to show dashes
            handletextpad=0.5,
            columnspacing=1.0,
            borderpad=0.1,
        )
    return bool(handles)
