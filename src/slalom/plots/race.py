"""The race of the optimizers: one lane each, the loss of every step, a band over seeds."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from slalom.core.arrays import Float64Array
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
from slalom.population import Population
from slalom.training import Outcome

LANES = 10  # more could not be told apart
POINTS = 600  # about one a pixel
SMOOTH = 25  # the smoothing window reaches this part of the race to both sides


@dataclass(frozen=True, eq=False)
class Lane:
    """Everything about one racer: an optimizer (and what else it has of its own) over its seeds.

    Args:
        label: what it is called, hyperparameters and all.
        name: of its optimizer, for the colour.
        members: its members, one a seed or fold.
        steps: updates done, `[S]`.
        losses: training loss of each member, `[len(members), S]`: NaN where not measured, infinite
            from where it diverged.
        final: median over the members of the mean loss of their last epoch; infinite when most of
            them diverged.
    """

    label: str
    name: str
    members: tuple[int, ...]
    steps: Float64Array
    losses: Float64Array
    final: float

    @property
    def diverged(self) -> int:
        """How many of its members diverged."""
        return int(np.isinf(self.losses[:, -1]).sum())


def lanes(run: Outcome) -> tuple[Lane, ...]:
    """The racers of a run, the best first: members that differ only by seed or fold share a lane.

    Raises:
        BadPlan: when the history is empty.
    """
    if not len(run.history):
        raise BadPlan(
            "This run has no history to draw: it was stopped before its first record. Train longer."
        )
    groups: dict[Any, list[int]] = {}
    for k, member in enumerate(run.population):
        groups.setdefault(replace(member, seed=0, fold=0), []).append(k)
    labels = member_labels(Population(tuple(groups)))
    made = [
        _lane(run, label, tuple(members))
        for label, members in zip(labels, groups.values(), strict=True)
    ]
    started = [lane for lane in made if len(lane.steps)]  # not all, when it was interrupted
    return tuple(sorted(started, key=lambda lane: lane.final))


def _lane(run: Outcome, label: str, members: tuple[int, ...]) -> Lane:
    history = run.history
    table = history[history["member"].isin(members)].pivot(
        index="step", columns="member", values="train_loss"
    )
    table = table.reindex(columns=list(members))
    steps = table.index.to_numpy(dtype=np.float64)
    losses = table.to_numpy(dtype=np.float64).T.copy()
    final = np.empty(len(members))
    for row, k in enumerate(members):
        at, per_epoch = run.state.diverged_at[k], run.state.layout.steps_per_epoch[k]
        measured = losses[row, np.isfinite(losses[row])]
        last = measured[-per_epoch:] if run.plan.record == "step" else measured[-1:]
        final[row] = last.mean() if at < 0 and len(last) else np.inf
        if at >= 0 and len(steps):
            losses[row, steps >= at] = np.inf
            losses[row, -1] = np.inf
    return Lane(
        label=label,
        name=run.population[members[0]].optimizer.name,
        members=members,
        steps=steps,
        losses=losses,
        final=float(np.median(final)),
    )


def smooth(values: Float64Array, window: int) -> Float64Array:
    """Centred running mean along the last axis `[..., S]`, over fewer values at both ends.

    NaN does not count; infinity spreads over the windows that touch it.

    >>> smooth(np.array([1.0, 2.0, 6.0]), 3).tolist()
    [1.5, 3.0, 4.0]
    """
    if window <= 1:
        return values
    half = window // 2
    known = np.isfinite(values)
    sums = np.cumsum(np.where(known, values, 0.0), axis=-1)
    counts = np.cumsum(known, axis=-1)
    infinite = np.cumsum(np.isinf(values), axis=-1)
    length = values.shape[-1]
    right = np.minimum(np.arange(length) + half, length - 1)
    left = np.arange(length) - half - 1

    def between(sums: NDArray[Any]) -> NDArray[Any]:
        return sums[..., right] - np.where(left >= 0, sums[..., np.maximum(left, 0)], 0)

    with np.errstate(invalid="ignore", divide="ignore"):
        means = between(sums) / between(counts)
    result: Float64Array = np.where(between(infinite) > 0, np.inf, means)
    return result


def middle(losses: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Median, lowest and highest over the members of `losses [M, S]`, each `[S]`.

    Members that diverged count as infinitely bad: they do not drop out of the median.
    """
    with np.errstate(invalid="ignore"):
        every = np.sort(losses, axis=0)  # NaN last
    count = (~np.isnan(every)).sum(axis=0)
    column = np.arange(every.shape[1])
    lower = every[np.maximum((count - 1) // 2, 0), column]
    upper = every[np.minimum(count // 2, len(every) - 1), column]
    median = np.where(lower == upper, lower, (lower + upper) / 2)
    return median, every[0], every[np.maximum(count - 1, 0), column]


def window_of(run: Outcome, steps: int) -> int:
    """Over how many steps to smooth: a fortieth of the race where batches make it noisy, else 1."""
    noisy = run.plan.record == "step" and any(m.batch_size is not None for m in run.population)
    return 2 * (steps // SMOOTH) + 1 if noisy else 1


@look()
def race(run: Outcome, path: str | Path | None = None) -> Figure:
    """Draw the race of the optimizers of a run.

    One line an optimizer, the training loss against the step. With minibatches the line is a
    running mean over a twelfth of the race, and the losses themselves lie faint behind it. With
    several seeds it is their median, in a band from the lowest to the highest. A cross stands where
    a racer (most of its seeds) diverged.

    Args:
        run: what `slalom.race` returned; the best ten racers are drawn.
        path: where to write the picture (PNG, SVG, PDF); nowhere when not given.

    Raises:
        BadPlan: when the run has no history.
        BadFile: when the picture cannot be written.

    Example:
        >>> import slalom
        >>> from slalom import MLP, SGD, Adam, toys
        >>> run = slalom.race(MLP(1, 8, 1), toys.quadratic(64), [SGD(0.1), Adam(0.1)], epochs=3)
        >>> [text.get_text()[:2] for text in race(run).legends[0].get_texts()]
        ['1 ', '2 ']
    """
    racers = lanes(run)
    drawn = racers[:LANES]
    window = window_of(run, max(len(lane.steps) for lane in drawn))
    figure = picture(height=3.9 + 0.2 * len(drawn))
    axes = figure.add_subplot()
    medians, lows = [], []
    crosses: list[tuple[float, float, str]] = []
    styles = _styles(drawn)
    for lane, style in zip(drawn, styles, strict=True):
        step = max(1, len(lane.steps) // POINTS)
        kept = np.unique(np.append(np.arange(0, len(lane.steps), step), len(lane.steps) - 1))
        median, lowest, highest = middle(smooth(lane.losses, window)[:, kept])
        medians.append(median[np.isfinite(median)])
        lows.append(lowest[np.isfinite(lowest)])
        color, steps = color_of(lane.name), lane.steps[kept]
        if len(lane.members) > 1:
            top = np.where(np.isinf(highest), np.finfo(np.float32).max, highest)
            axes.fill_between(steps, lowest, top, color=color, alpha=0.12, linewidth=0)
            for edge in (lowest, top):  # in the line's style, to see in grey whose band it is
                axes.plot(steps, edge, color=color, linestyle=style, linewidth=0.8)
        elif window > 1:
            axes.plot(lane.steps, lane.losses[0], color=color, alpha=0.22, linewidth=0.7)
        shown = np.isfinite(median)
        x, y = steps[shown], median[shown]
        if (gone := _gone(lane)) is not None and len(y):  # on to the cross
            x, y = np.append(x, gone), np.append(y, y[-1])
            crosses.append((gone, float(y[-1]), color))
        axes.plot(
            x,
            y,
            color=color,
            linestyle=style,
            linewidth=2.0,
            path_effects=halo(3.6),
            zorder=4,
            marker="o" if len(x) < 3 else None,
        )
    _scale(axes, medians, lows)
    for step_gone, last, color in crosses:
        axes.scatter(
            step_gone,
            min(last, axes.get_ylim()[1]),
            marker="x",
            s=50,
            linewidths=2,
            color=color,
            clip_on=False,
            zorder=6,
        )
    finished = [
        (place, lane, median)
        for place, (lane, median) in enumerate(zip(drawn, medians, strict=True), start=1)
        if np.isfinite(lane.final) and len(median)
    ]
    end_labels(
        axes,
        [float(median[-1]) for _, _, median in finished],
        [f"{place} {lane.name}" for place, lane, _ in finished],
        [color_of(lane.name) for _, lane, _ in finished],
    )
    figure.legend(
        handles=[
            Line2D(
                [],
                [],
                color=color_of(lane.name),
                linestyle=style,
                linewidth=2.0,
                label=f"{place}  {shortened(lane.label, 84)}:  {_result(lane)}",
            )
            for place, (lane, style) in enumerate(zip(drawn, styles, strict=True), start=1)
        ],
        loc="outside lower left",
        handlelength=3.2,
        borderaxespad=0.2,
        ncols=1,
        title=_explanation(racers, window),
        title_fontsize=9,
        alignment="left",
    )
    whole_ticks(axes)
    axes.margins(x=0.01)
    axes.set_xlabel(tr("step"))
    axes.set_ylabel(tr("training loss ({kind})", kind=loss_words(run.plan.loss)))
    axes.set_title(_title(racers))
    return finish(figure, path)


def _gone(lane: Lane) -> float | None:
    """The step at which most of its members had diverged."""
    diverged = np.isinf(middle(lane.losses)[0])
    return float(lane.steps[np.argmax(diverged)]) if diverged.any() else None


def _title(racers: tuple[Lane, ...]) -> str:
    best = racers[0]
    if not np.isfinite(best.final):
        return tr("Every optimizer diverged")
    loss = number(best.final)
    return tr("{name} ends lowest: training loss {loss}", name=best.name, loss=loss)


def _result(lane: Lane) -> str:
    if lane.diverged == len(lane.members):
        return tr("diverged")
    loss = number(lane.final)
    if lane.diverged:
        gone, all_seeds = lane.diverged, len(lane.members)
        return tr("{loss}, {gone} of {all} seeds diverged", loss=loss, gone=gone, all=all_seeds)
    return loss


def _explanation(racers: tuple[Lane, ...], window: int) -> str:
    """What lines and numbers are, in a line above the legend."""
    seeds = max(len(lane.members) for lane in racers)
    parts = []
    if seeds > 1:
        if window > 1:
            parts.append(tr("line: median of the mean over {steps} steps", steps=window))
        else:
            parts.append(tr("line: median"))
        parts.append(tr("band: lowest to highest of {seeds} seeds", seeds=seeds))
        parts.append(tr("number: mean loss of the last epoch, median"))
    else:
        if window > 1:
            parts.append(tr("line: mean over {steps} steps", steps=window))
            parts.append(tr("faint: every step"))
        parts.append(tr("number: mean loss of the last epoch"))
    if len(racers) > LANES:
        parts.append(tr("the best {shown} of {all} racers", shown=LANES, all=len(racers)))
    return tr("; ").join(parts)


def _styles(drawn: tuple[Lane, ...]) -> list[Any]:
    """The line style of each optimizer; others for its further lanes, which share its colour."""
    further = [(0, (3, 1.5)), (0, (1, 1)), (0, (8, 2, 2, 2)), (0, (2, 3)), (0, (12, 2))]
    styles: list[Any] = []
    for place, lane in enumerate(drawn):
        twins = sum(other.name == lane.name for other in drawn[:place])
        styles.append(line_of(lane.name) if not twins else further[(twins - 1) % len(further)])
    return styles


def _scale(axes: Axes, medians: list[Float64Array], lows: list[Float64Array]) -> None:
    """Limits around lines and bands; one that explodes leaves at three times the others.

    Args:
        axes: whose limits to set.
        medians, lows: of each lane, finite values only.
    """
    shown = [median for median in medians if len(median)]
    if not shown:
        return
    low = min(float(values.min()) for values in lows if len(values))
    starts = np.median([median[0] for median in shown])
    peaks = sorted(float(median.max()) for median in shown)
    high = min(peaks[-1], 3 * max(float(starts), peaks[(len(peaks) - 1) // 2]))
    if low > 0 and high / low >= 10:
        axes.set_yscale("log")
        room = (high / low) ** 0.06
        axes.set_ylim(low / room, high * room)
    else:
        room = 0.08 * (high - low) or 1.0
        axes.set_ylim(low - room, high + room)
