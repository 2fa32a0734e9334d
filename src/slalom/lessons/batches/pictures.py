"""Pictures of batches: the noise of their gradients, how nets learn from them, their time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from slalom.core.language import tr
from slalom.data.batches import steps_per_epoch
from slalom.plots.toolkit import (
    INK,
    QUIET,
    Picture,
    class_color,
    class_marker,
    halo,
    look,
    picture,
)

Float64Array: TypeAlias = NDArray[Any]

DASHES: tuple[Any, ...] = ("-", (0, (6, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1, 1.5)), (0, (3, 1)))
BINS = 40  # points of a curve: enough to see where it goes, few enough to even out its noise


@dataclass(frozen=True, eq=False)
class Clouds:
    """Gradients of batches around the gradient of all rows.

    Args:
        sizes: of the batches, `S` of them.
        full: the gradient of all rows, `[D]`.
        gradients: of random batches, `[S, draws, D]`.
        noise: how far they are from `full`, root of the mean square, `[S]`.
    """

    sizes: Sequence[int]
    full: Float64Array
    gradients: Float64Array
    noise: Float64Array


@dataclass(frozen=True, eq=False)
class Curve:
    """The loss after each step, `[steps]`, with batches of one size."""

    size: int
    steps: Float64Array
    losses: Float64Array


@look()
def noise_of_batches(clouds: Clouds) -> Picture:
    """Gradients of batches of three sizes in two of their directions, and their noise by size."""
    figure = picture(8.0, 3.9)
    cloud, line = figure.subplots(1, 2)
    across, up = _telling(clouds.gradients[0])
    for place in (0, len(clouds.sizes) // 2, len(clouds.sizes) - 1):
        drawn = clouds.gradients[place]
        cloud.scatter(
            drawn[:, across],
            drawn[:, up],
            s=9,
            color=class_color(place),
            marker=class_marker(place),
            label=tr("batch size {size}", size=clouds.sizes[place]),
        )
    cloud.plot(
        clouds.full[across], clouds.full[up], "+", color=INK, markersize=18, markeredgewidth=1,
        label=tr("all rows"), path_effects=halo(2.2),
    )  # fmt: skip
    cloud.set_xlabel(tr("gradient of one parameter"))
    cloud.set_ylabel(tr("gradient of another one"))
    cloud.set_title(tr("Each point: a batch"), fontsize=11)
    cloud.legend(loc="best", handletextpad=0.3, labelspacing=0.8)
    sizes = np.array(clouds.sizes)
    line.loglog(sizes, clouds.noise, "o", color=INK, label=tr("measured"), zorder=3)
    line.loglog(sizes, clouds.noise[0] / np.sqrt(sizes), color=QUIET, label=tr("1 / √(batch size)"))
    full = float(np.linalg.norm(clouds.full))
    line.axhline(
        full, color=class_color(0), linestyle=(0, (5, 2)), label=tr("length of that gradient")
    )
    _size_axis(line, clouds.sizes)
    for show in (line.yaxis.set_major_formatter, line.yaxis.set_minor_formatter):
        show(FuncFormatter(lambda noise, _: f"{noise:g}"))
    line.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    line.set_ylabel(tr("distance from the gradient of all rows"))
    line.set_title(tr("Four times the rows, half the noise"), fontsize=11)
    line.legend(loc="lower left")
    return figure


def _telling(gradients: Float64Array) -> tuple[int, int]:
    """Of gradients `[draws, D]`: the parameter that differs most, and the one that adds most to it.

    Many parameters rise and fall together, and two of these would give a line, not a cloud.
    """
    away = gradients - gradients.mean(axis=0)
    across = int((away**2).sum(axis=0).argmax())
    one = away[:, across]
    rest = away - np.outer(one, one @ away / (one @ one))
    return across, int((rest**2).sum(axis=0).argmax())


@look()
def curves(made: Sequence[Curve], nets: int) -> Picture:
    """The loss against steps, and against rows seen; each curve the mean of so many nets."""
    figure = picture(8.0, 4.2)
    by_step, by_row = figure.subplots(1, 2, sharey=True)
    for place, curve in enumerate(made):
        steps, losses = _even(curve.steps, curve.losses)
        style = {
            "color": class_color(place),
            "linestyle": DASHES[place],
            "linewidth": 1.8,
            "label": tr("batch size {size}", size=curve.size),
        }
        by_step.loglog(steps, losses, **style)
        by_row.loglog(steps * curve.size, losses, **style)
    by_step.set_ylabel(tr("loss of the batch (mean of {nets} nets)", nets=nets))
    by_step.set_xlabel(tr("steps"))
    by_row.set_xlabel(tr("rows seen"))
    by_step.set_title(tr("The same losses, step by step"), fontsize=11)
    by_row.set_title(tr("... and row by row"), fontsize=11)
    figure.legend(
        *by_step.get_legend_handles_labels(), loc="outside lower center", ncols=5, handlelength=2.8,
        columnspacing=1.2,
    )  # fmt: skip
    return figure


def _even(steps: Float64Array, losses: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Means over stretches of steps that get longer in proportion: they look even on a log axis."""
    stretch = np.round(np.log(steps) / np.log(max(steps[-1], 2)) * BINS)
    _, part, counts = np.unique(stretch, return_inverse=True, return_counts=True)
    return np.bincount(part, steps) / counts, np.bincount(part, losses) / counts


@look()
def costs(sizes: Sequence[int], seconds: Float64Array, points: int) -> Picture:
    """The time of a step and of an epoch, by batch size."""
    figure = picture(8.0, 3.4)
    step, epoch = figure.subplots(1, 2)
    steps = np.array([steps_per_epoch(points, size) for size in sizes])
    step.plot(sizes, seconds * 1e6, "o-", color=INK)
    step.set_ylabel(tr("microseconds"))
    step.set_ylim(0, 1.3 * 1e6 * seconds.max())
    step.set_title(tr("A step, on this machine"), fontsize=11)
    epoch.loglog(sizes, seconds * steps * 1e3, "o-", color=INK)
    epoch.set_ylabel(tr("milliseconds"))
    epoch.set_title(tr("An epoch of {rows} rows", rows=points), fontsize=11)
    step.set_xscale("log")
    for axes in (step, epoch):
        _size_axis(axes, sizes)
    return figure


def _size_axis(axes: Axes, sizes: Sequence[int]) -> None:
    axes.set_xlabel(tr("batch size"))
    axes.xaxis.set_major_locator(FixedLocator(list(sizes)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:g}"))
