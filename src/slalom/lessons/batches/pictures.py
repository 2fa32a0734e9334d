"""Pictures of batches: their rows, the noise of their gradients, how nets learn from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from slalom.data.batches import steps_per_epoch
from slalom.plots.toolkit import (
    INK,
    QUIET,
    Picture,
    class_color,
    class_marker,
    counted,
    halo,
    look,
    picture,
)

Float64Array: TypeAlias = NDArray[Any]

GAP = 0.4  # between batches, in cells
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
def batch_table(orders: NDArray[np.int64], batch_size: int) -> Picture:
    """The rows of each epoch in their order, batch by batch; above them the rows as they lie.

    Args:
        orders: row numbers, `[epochs, rows]`.
        batch_size: rows a batch.
    """
    epochs, rows = orders.shape
    batches = steps_per_epoch(rows, batch_size)
    width = rows + GAP * (batches - 1)
    figure = picture(8.0, 1.6 + 0.42 * epochs)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_xlim(-0.12 * width, 1.005 * width)
    axes.set_ylim(-1.1 - epochs, 1.1)
    axes.text(-0.3, 0.5, "table", ha="right", va="center")
    place = np.arange(rows)
    _cells(axes, place, np.zeros(rows), place)
    place = place + GAP * (place // batch_size)
    for epoch, order in enumerate(orders):
        height = -1.1 - epoch
        axes.text(-0.3, height - 0.5, f"epoch {epoch + 1}", ha="right", va="center")
        _cells(axes, place, np.full(rows, height - 1), order)
    for batch in range(batches):
        first = batch * batch_size
        size = min(batch_size, rows - first)
        name = f"batch {batch + 1}" if size * 7 / width > 0.7 else f"{batch + 1}"
        axes.text(place[first] + size / 2, -0.55, name, ha="center", va="center", fontsize=9)
    title = f"{rows} rows in batches of {batch_size}: {counted(batches, 'step')} an epoch"
    short = rows % batch_size
    axes.set_title(
        f"{title}, the last with {counted(short, 'row')}" if short and batches > 1 else title
    )
    return figure


def _cells(axes: Axes, lefts: Float64Array, bottoms: Float64Array, rows: NDArray[np.int64]) -> None:
    """One square for each row: its colour and its number say which it is."""
    shade = colormaps["YlGnBu"]
    for left, bottom, row in zip(lefts, bottoms, rows, strict=True):
        color = shade(0.05 + 0.6 * row / max(len(rows) - 1, 1))
        axes.add_patch(Rectangle((left, bottom + 0.04), 1, 0.92, facecolor=color, edgecolor=QUIET))
        axes.text(left + 0.5, bottom + 0.5, str(row), ha="center", va="center", fontsize=9)


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
            label=f"batch size {clouds.sizes[place]}",
        )
    cloud.plot(
        clouds.full[across], clouds.full[up], "+", color=INK, markersize=18, markeredgewidth=1,
        label="all rows", path_effects=halo(2.2),
    )  # fmt: skip
    cloud.set_xlabel("gradient of one parameter")
    cloud.set_ylabel("gradient of another one")
    cloud.set_title("Each point: a batch", fontsize=11)
    cloud.legend(loc="best", handletextpad=0.3, labelspacing=0.8)
    sizes = np.array(clouds.sizes)
    line.loglog(sizes, clouds.noise, "o", color=INK, label="measured", zorder=3)
    line.loglog(sizes, clouds.noise[0] / np.sqrt(sizes), color=QUIET, label="1 / √(batch size)")
    full = float(np.linalg.norm(clouds.full))
    line.axhline(full, color=class_color(0), linestyle=(0, (5, 2)), label="length of that gradient")
    _size_axis(line, clouds.sizes)
    for show in (line.yaxis.set_major_formatter, line.yaxis.set_minor_formatter):
        show(FuncFormatter(lambda noise, _: f"{noise:g}"))
    line.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    line.set_ylabel("distance from the gradient of all rows")
    line.set_title("Four times the rows, half the noise", fontsize=11)
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
            "label": f"batch size {curve.size}",
        }
        by_step.loglog(steps, losses, **style)
        by_row.loglog(steps * curve.size, losses, **style)
    by_step.set_ylabel(f"loss of the batch (mean of {nets} nets)")
    by_step.set_xlabel("steps")
    by_row.set_xlabel("rows seen")
    by_step.set_title("The same losses, step by step", fontsize=11)
    by_row.set_title("... and row by row", fontsize=11)
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
    step.set_ylabel("microseconds")
    step.set_ylim(0, 1.3 * 1e6 * seconds.max())
    step.set_title("A step, on this machine", fontsize=11)
    epoch.loglog(sizes, seconds * steps * 1e3, "o-", color=INK)
    epoch.set_ylabel("milliseconds")
    epoch.set_title(f"An epoch of {points} rows", fontsize=11)
    step.set_xscale("log")
    for axes in (step, epoch):
        _size_axis(axes, sizes)
    return figure


def _size_axis(axes: Axes, sizes: Sequence[int]) -> None:
    axes.set_xlabel("batch size")
    axes.xaxis.set_major_locator(FixedLocator(list(sizes)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:g}"))
