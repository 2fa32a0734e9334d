"""Pictures of looking: filters, what they find, and what the nets get right and wrong."""

from typing import Any

import numpy as np

from slalom.core.language import tr
from slalom.lessons.structures.look import MOVES, Looked
from slalom.plots.toolkit import (
    BLUE,
    ORANGE,
    QUIET,
    VERMILLION,
    Picture,
    draw_filters,
    draw_image,
    draw_maps,
    halo,
    look,
    picture,
)

DOUBTED = 8  # digits that are shown


@look()
def filter_pairs(looked: Looked) -> Picture:
    """Each filter of the first layer before training, and below it after."""
    tile = 6.4 / len(looked.after)  # inches; few filters would else be very large
    figure = picture(8, 0.9 + 2 * min(max(tile, 0.7), 1.4))
    draw_filters(figure, looked.before[:, None], looked.after[:, None])
    title = tr("Filters of the first layer, before and after training")
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


@look()
def maps(looked: Looked) -> Picture:
    """A digit, and in each feature map where its filter finds what it looks for."""
    figure = picture(8, 3.6)
    parts: Any = figure.subfigures(1, 2, width_ratios=(1, 2.4))
    left, right = parts
    axes = left.subplots()
    draw_image(axes, looked.images[0], "Greys", 0, 1)
    axes.set_xlabel(tr("8x8 pixels"))
    title = tr("A digit: {digit}", digit=looked.labels[0])
    left.suptitle(title, x=0.05, ha="left", weight="bold")
    rows = 1 if len(looked.maps) < 4 else 2
    draw_maps(right, looked.maps, rows, label=tr("found, after relu"))
    title = tr("Its feature maps, one for each filter")
    right.suptitle(title, x=0.02, ha="left", weight="bold")
    return figure


@look()
def accuracy(looked: Looked) -> Picture:
    """Accuracy of both nets on unseen digits, in place and moved: a mark a run."""
    figure = picture(8, 4.2)
    axes = figure.add_subplot()
    names = (tr("convolutional"), tr("fully connected"))
    places = np.arange(len(MOVES))
    for net, (color, marker, side) in enumerate(((BLUE, "o", -0.18), (ORANGE, "s", 0.18))):
        runs = looked.accuracies[net]
        axes.bar(places + side, runs.mean(axis=0), 0.34, color=color, alpha=0.35, zorder=2)
        across = places + side + np.linspace(-0.13, 0.13, len(runs))[:, None]
        axes.scatter(
            across, runs, s=26, color=color, marker=marker, edgecolor="white", linewidth=0.7,
            zorder=3, label=names[net],
        )  # fmt: skip
        for place, mean in zip(places, runs.mean(axis=0), strict=True):
            axes.text(
                place + side, 0.03, f"{mean:.2f}", ha="center", zorder=4, path_effects=halo(2)
            )
    moves = {
        "in place": tr("in place"),
        "left": tr("1 pixel left"),
        "right": tr("1 pixel right"),
        "up": tr("1 pixel up"),
        "down": tr("1 pixel down"),
    }
    axes.set_xticks(places, [moves[name] for name in MOVES])
    axes.grid(axis="x", visible=False)
    axes.set_ylim(0, 1.03)
    axes.set_ylabel(tr("accuracy on unseen digits"))
    axes.legend(loc="lower left", ncols=2, bbox_to_anchor=(0, 1), borderaxespad=0.2)
    look, dense = looked.accuracies.mean(axis=1)
    title = tr(
        "In place {look[0]:.2f} and {dense[0]:.2f}, "
        "one pixel sideways {look[1]:.2f} and {dense[1]:.2f}",
        look=(look[0], look[1:3].mean()),
        dense=(dense[0], dense[1:3].mean()),
    )
    axes.set_title(title, pad=26)
    return figure


@look()
def doubts(looked: Looked) -> Picture:
    """The unseen digits whose class the first convolutional net finds least probable."""
    of_class = looked.probabilities[np.arange(len(looked.labels)), looked.labels]
    figure = picture(8, 2.0)
    for axes, k in zip(figure.subplots(1, DOUBTED), np.argsort(of_class)[:DOUBTED], strict=True):
        draw_image(axes, looked.images[k], "Greys", 0, 1)
        title = tr("is {digit}", digit=looked.labels[k])
        axes.set_title(title, loc="center", fontsize=11, pad=4)
        color = VERMILLION if looked.wrong[k] else QUIET
        label = tr("net: {digit}", digit=looked.answers[k])
        axes.set_xlabel(label, fontsize=11, color=color)
    count = int(looked.wrong.sum())
    figure.suptitle(
        tr(
            "{wrong} of {all} unseen digits are told wrong; these are the hardest",
            wrong=count,
            all=len(looked.labels),
        ),
        x=0.01,
        ha="left",
        weight="bold",
    )
    return figure
