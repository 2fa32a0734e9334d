"""Pictures of deciding: how far three numbers go, and how large the graph of any number is."""

import numpy as np
from matplotlib.axes import Axes

from slalom.core.language import tr
from slalom.lessons.structures.decide import INPUTS, decide
from slalom.plots.toolkit import BLUE, INK, QUIET, VERMILLION, Picture, look, picture

MOST = 7  # turns of the smallest number that is drawn


@look()
def choices() -> Picture:
    """The way of each input, and nodes of the graph against the input."""
    figure = picture(8, 3.4)
    left, right = figure.subplots(1, 2, width_ratios=(5, 3))
    for row, number in enumerate(INPUTS):
        _chain(left, -row, decide(number).passed)
    left.set(xlim=(-0.5, MOST + 0.5), ylim=(0.5 - len(INPUTS), 0.5), xticks=range(MOST + 1))
    left.set(yticks=[], xlabel=tr("turns through the layer"))
    left.grid(False)
    left.spines["left"].set_visible(False)
    left.set_title(tr("One net, three inputs"))
    asked = np.geomspace(INPUTS[-1], 2, 120).tolist()
    right.plot(asked, [decide(number).nodes for number in asked], ".", color=BLUE, markersize=4)
    for number in INPUTS:
        right.plot(number, decide(number).nodes, "o", color=VERMILLION)
    right.set_xscale("log")
    right.set_xticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
    right.set(xlabel=tr("input"), ylabel=tr("nodes in the graph"))
    right.set_title(tr("The size of its graph"))
    return figure


def _chain(axes: Axes, y: int, passed: list[float]) -> None:
    """Numbers in boxes from left to right, an arrow for each turn."""
    for turn, value in enumerate(passed):
        last = turn == len(passed) - 1
        axes.text(
            turn, y, f"{value:.2g}" if value < 1 else f"{value:.2f}",
            ha="center", va="center", fontsize=9, color="white" if last else INK,
            bbox={"boxstyle": "round", "fc": VERMILLION if last else "white", "ec": QUIET},
        )  # fmt: skip
        if not last:
            axes.annotate(
                "", (turn + 0.7, y), (turn + 0.32, y),
                arrowprops={"arrowstyle": "->", "color": QUIET},
            )  # fmt: skip
