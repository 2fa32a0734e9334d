"""Pictures of races: a panel for each racer, and how the end depends on the learning rate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from slalom.core.arrays import Float64Array
from slalom.core.language import tr
from slalom.lessons.race.valley import MARKERS
from slalom.plots.toolkit import (
    INK,
    QUIET,
    Picture,
    color_of,
    halo,
    headline,
    line_of,
    look,
    number,
    picture,
    whole_ticks,
)


@dataclass(frozen=True, eq=False)
class Race:
    """What the picture of a race shows.

    Args:
        names: of the racers, `R` of them.
        rates: their learning rates, `[R]`.
        losses: mean of each epoch, `[R, seeds, epochs]`; infinite where it has diverged.
        floor: the loss that noise alone leaves.
    """

    names: Sequence[str]
    rates: Float64Array
    losses: Float64Array
    floor: float

    @property
    def medians(self) -> Float64Array:
        """Over the seeds, `[R, epochs]`."""
        return np.median(self.losses, axis=1)


@look()
def race_picture(race: Race) -> Picture:
    """A panel for each racer, its seeds thin and their median bold; in the last one all ends."""
    figure = picture(8.0, 5.6)
    panels = figure.subplots(2, 3, sharey=True)
    low, high = _limits(race)
    epochs = np.arange(1, race.losses.shape[-1] + 1)
    for axes, name, rate, losses, median in zip(
        panels.flat, race.names, race.rates, race.losses, race.medians, strict=False
    ):
        shown = np.where(losses <= high, losses, np.nan)  # a line ends where it leaves the panel
        axes.plot(epochs, shown.T, color=color_of(name), linewidth=0.8, alpha=0.6)
        axes.plot(
            epochs,
            np.where(median <= high, median, np.nan),
            color=color_of(name),
            linewidth=2.6,
            path_effects=halo(4.2),
        )
        axes.set_xlim(1, epochs[-1])
        whole_ticks(axes)
        axes.set_xlabel(tr("epoch"))
        axes.set_title(tr("{name}, rate {rate:.2g}", name=name, rate=rate), fontsize=11)
    ends = panels.flat[-1]
    _draw_ends(ends, race, high)
    for axes in panels.flat:
        axes.set_yscale("log")
        axes.set_ylim(low, high)
        axes.axhline(race.floor, color=QUIET, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
        axes.yaxis.set_minor_formatter(NullFormatter())
    figure.supylabel(tr("training loss, mean of the epoch"), fontsize=10)
    figure.suptitle(_title(race), x=0.01, ha="left", size=12, weight="bold")
    return figure


def _title(race: Race) -> str:
    """Who ends lowest; two whose losses differ by less than a tenth end level."""
    ends = race.medians[:, -1]
    best, second = np.argsort(ends)[:2]
    name, loss = race.names[best], number(ends[best])
    if not np.isfinite(ends[best]):
        return tr("Every optimizer diverged")
    if ends[second] < 1.1 * ends[best]:
        other = race.names[second]
        return tr(
            "{name} and {other} end level: training loss {loss}", name=name, other=other, loss=loss
        )
    return tr("{name} ends lowest: training loss {loss}", name=name, loss=loss)


def _limits(race: Race) -> tuple[float, float]:
    """From below the lowest loss to somewhat above where the racers begin."""
    finite = race.losses[np.isfinite(race.losses)]
    begin = race.losses[..., 0]
    high = 2.0 * float(np.median(begin[np.isfinite(begin)]))
    return 0.7 * min(float(finite.min()), race.floor), max(high, 3 * race.floor)


def _draw_ends(axes: Axes, race: Race, high: float) -> None:
    """The loss of the last epoch: a dot for each seed, a line at the median."""
    for place, (name, ends) in enumerate(zip(race.names, race.losses[..., -1], strict=True)):
        beside = place + np.linspace(-0.25, 0.25, len(ends))
        axes.plot(beside, np.where(ends <= high, ends, np.nan), ".", color=color_of(name), ms=7)
        if (beyond := ends > high).any():
            crosses = np.full(beyond.sum(), high)
            axes.plot(beside[beyond], crosses, "x", color=color_of(name), clip_on=False)
        axes.plot([place - 0.35, place + 0.35], [np.median(ends)] * 2, color=INK, linewidth=1.6)
    axes.set_xticks(range(len(race.names)), race.names, rotation=35, ha="right")
    axes.set_title(tr("In the last epoch"), fontsize=11)


@look()
def rates_picture(
    names: Sequence[str],
    rates: Float64Array,
    found: Float64Array,
    lr: float,
    floor: float,
    seeds: int,
) -> Picture:
    """The final loss of each optimizer against its learning rate, the lowest marked.

    Args:
        names: of the racers, `R` of them.
        rates: that were tried, `[rates]`.
        found: the loss at the end, `[R, rates]`.
        lr: of the race in which all have the same.
        floor: the loss that noise alone leaves.
        seeds: of which each loss is the median.
    """
    figure = picture(8.0, 5.0)
    axes = figure.add_subplot()
    low = found[np.isfinite(found)].min(initial=1.0)
    top = 1.0
    axes.axhline(floor, color=QUIET, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.annotate(
        tr("variance of the noise: {loss}", loss=number(floor)),
        (rates[-1], floor),
        (0, -3),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=9,
        color=QUIET,
    )
    axes.axvline(lr, color=INK, linewidth=1, linestyle=":")
    axes.annotate(
        tr("the same for all"), (lr, top), (4, -4), textcoords="offset points", va="top", fontsize=9
    )
    for name, losses in zip(names, found, strict=True):
        best = losses.argmin()
        axes.plot(
            rates,
            np.minimum(losses, 1e6),  # what diverged leaves at the top
            color=color_of(name),
            linestyle=line_of(name),
            linewidth=2,
            marker=MARKERS[name],
            markevery=[best],
            markersize=10,
            markeredgecolor="white",
            label=tr("{name}: best at {rate:.2g}", name=name, rate=rates[best]),
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(0.6 * min(low, floor), top)
    axes.set_xlabel(tr("learning rate"))
    axes.set_ylabel(tr("training loss, mean of the last epoch"))
    figure.legend(loc="outside lower center", ncols=3, handlelength=3.5)
    headline(
        axes,
        tr("Every optimizer has a learning rate of its own"),
        tr("line: median of {seeds} seeds; marker: lowest loss", seeds=seeds),
    )
    return figure
