"""Harder shapes: what a net with two hidden layers makes of each of them."""

from functools import cache

from matplotlib.figure import Figure

from slalom.core.language import tr
from slalom.data import toys
from slalom.lessons.common import train
from slalom.nets import MLP
from slalom.optim import SGD
from slalom.plots.toolkit import (
    INK,
    draw_boundaries,
    draw_classes,
    draw_regions,
    look,
    picture,
    region_numbers,
)
from slalom.runs import Run


@cache
def trained() -> tuple[Run, ...]:
    """A net on each shape, trained once: no parameter of the lesson changes them."""
    shapes = (
        (toys.moons(300, noise=0.15), 0.5),
        (toys.circles(300), 0.5),
        (toys.checkerboard(400), 0.2),
        (toys.spirals(300, classes=2), 0.5),
        (toys.spirals(400, classes=4), 0.5),
        (toys.blobs(300, classes=5), 0.05),  # far from 0: gradients are large
    )
    return tuple(
        train(MLP(2, 32, 32, data.targets), data, optimizer=SGD(lr), steps=3000, frames=0)
        for data, lr in shapes
    )


@look()
def draw_shapes() -> Figure:
    """Regions and accuracy on six harder shapes."""
    figure = picture(8, 6)
    panels = figure.subplots(2, 3)
    names = (
        tr("moons"),
        tr("circles"),
        tr("checkerboard"),
        tr("2 spirals"),
        tr("4 spirals"),
        tr("5 blobs"),
    )
    for axes, name, run in zip(panels.flat, names, trained(), strict=True):
        numbers = region_numbers(run)
        draw_regions(axes, numbers.across, numbers.up, numbers.probabilities)
        draw_boundaries(axes, numbers)
        draw_classes(axes, numbers.X, numbers.y, numbers.predicted != numbers.y, size=9)
        share = f"{numbers.train_accuracy:.1%}"
        title = tr("{name}: {share}", name=name, share=share)
        axes.set_title(title, fontsize=11, pad=5)
        axes.tick_params(labelbottom=False, labelleft=False, length=0)
    figure.suptitle(
        tr("Two hidden layers bend the border around almost anything"),
        x=0.01,
        ha="left",
        fontsize=12,
        fontweight="bold",
        color=INK,
    )
    return figure
