"""The pictures of lesson 6: the film of a training, and what each answer costs."""

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from slalom.core.language import tr
from slalom.plots.toolkit import (
    BLUE,
    PALE,
    QUIET,
    VERMILLION,
    Movie,
    halo,
    look,
    movie,
    picture,
)
from slalom.runs import Run

MOMENTS, SECONDS = 60, 5  # of the film: at most so many moments, in about so much time


def film(run: Run) -> Movie:
    """The regions while the net learns, with about the same change from one moment to the next.

    Learning is fast at first and slow later, so evenly spaced steps would show a jump, and then
    nothing.
    """
    predictions = np.array([frame.predictions[0] for frame in run.frames])
    moved = np.abs(np.diff(predictions, axis=0)).mean(axis=(1, 2))
    shown = evenly(np.concatenate([[0.0], np.cumsum(moved)]))
    whole = movie(run)
    return replace(
        whole,
        moments=len(shown),
        show=lambda i: whole.show(int(shown[i])),
        pace=1000 * SECONDS // len(shown),
    )


def evenly(way: NDArray[np.float64]) -> NDArray[np.intp]:
    """Which places on a way to stop at, `[at most MOMENTS]`, about equally far apart.

    Args:
        way: how far each place is from the first one, `[places]`, never less than the one before.

    >>> evenly(np.sqrt(np.arange(10_000.0)))[:4].tolist()
    [0, 3, 12, 26]
    """
    wanted = np.linspace(0, way[-1], MOMENTS)
    return np.unique([0, *np.searchsorted(way, wanted[:-1]), len(way) - 1])


@look()
def draw_costs(
    before: NDArray[np.float32], after: NDArray[np.float32], right: NDArray[np.bool_]
) -> Figure:
    """What answers cost, on the curve -log p, and how often which p came before and after.

    Args:
        before, after: the cross entropy of each row, before and after training, `[N]`.
        right: whether the row is right after training, `[N]`.
    """
    figure = picture(8, 6)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    highest = max(5.0, 1.1 * float(after.max()))
    curve = np.linspace(0.0, highest, 400)
    top.plot(np.exp(-curve), curve, color=QUIET, linewidth=1.4)
    for kind, label, color, marker in (
        (right, tr("right answers: {count}", count=right.sum()), BLUE, "o"),
        (~right, tr("wrong answers: {count}", count=(~right).sum()), VERMILLION, "X"),
    ):
        top.scatter(
            np.exp(-after[kind]),
            after[kind],
            s=60,
            color=color,
            marker=marker,
            edgecolor="white",
            linewidth=0.6,
            zorder=3,
            label=label,
        )
    worst = float(np.exp(-after.max()))
    on_the_right = worst > 0.7  # where the words would not fit beside it
    top.annotate(
        tr("the worst answer"),
        (worst, float(after.max())),
        (-10 if on_the_right else 10, 8),
        textcoords="offset points",
        ha="right" if on_the_right else "left",
        fontsize=10,
        path_effects=halo(),
    )
    top.set_ylabel(tr("cost = −log p  (nats)"))
    top.set_ylim(-0.03 * highest, highest)
    top.set_title(tr("A sure wrong answer costs most, a sure right one next to nothing"))
    top.legend(loc="upper right", fontsize=10)
    bins = np.linspace(0, 1, 26)
    bottom.hist(
        np.exp(-before), bins, color=PALE, edgecolor=QUIET, hatch="///", label=tr("before training")
    )
    bottom.hist(
        np.exp(-after), bins, histtype="step", color=BLUE, linewidth=2.2, label=tr("after training")
    )
    bottom.legend(loc="upper left", fontsize=10, ncols=2)
    bottom.set_xlabel(tr("p, the probability that the net gives to the right class"))
    bottom.set_ylabel(tr("points"))
    bottom.set_xlim(-0.02, 1.02)
    return figure
