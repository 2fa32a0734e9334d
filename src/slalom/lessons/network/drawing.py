"""A small net as a drawing: a number in each neuron, and one on each connection."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from numpy.typing import NDArray

from slalom.core.language import tr
from slalom.plots.toolkit import BLUE, INK, ORANGE, QUIET, Picture, halo, headline, look, picture

Values: TypeAlias = NDArray[Any] | Sequence[float | None]

WIDE, TALL = 7.8, 3.3  # of a panel, in inches, as all lengths here
ABOVE, BESIDE = 0.6, 0.1  # room for what is written above a panel, and on its sides
RADIUS = 0.3
ACROSS = (1.6, 3.9, 5.8)  # where the layers stand, from left to right
APART = (0.0, 1.3, 0.95, 0.76)  # of neurons in a layer of one, two, three and four


@look()
def forward_and_back(numbers: Mapping[str, Any]) -> Picture:
    """A net `2-w-1` twice: values and weights on the way forward, errors and gradients back.

    Args:
        numbers: as `slalom.lessons.network.there_and_back` gives them.
    """
    figure = picture(WIDE + 2 * BESIDE, 2 * (TALL + ABOVE))
    figure.set_layout_engine("none")  # in a panel a length of 1 is an inch
    width, height = figure.get_size_inches()
    back, forward = (
        figure.add_axes((BESIDE / width, up, WIDE / width, TALL / height)) for up in (0, 0.5)
    )
    output, loss = numbers["prediction"], tr("loss\n{loss:.3f}", loss=numbers["loss_before"])
    _panel(
        forward,
        [numbers["inputs"], numbers["hidden"], [output]],
        [numbers["weights"], numbers["weights_out"]],
        [numbers["biases"], numbers["bias_out"]],
    )
    taken = tr("the ride took\n{hours:.2f} hours", hours=numbers["hours_taken"])
    _end(forward, "-|>", f"{loss}\n\n{taken}")
    headline(
        forward,
        tr("Forward: the net predicts {hours:.2f} hours", hours=output),
        tr(
            "in a circle: its value.  on a line: its weight, the further from zero, the thicker.  "
            "b: the bias"
        ),
    )
    _panel(
        back,
        [[None, None], numbers["hidden_error"], [numbers["output_error"]]],
        [numbers["weights_gradient"], numbers["weights_out_gradient"]],
        [numbers["biases_gradient"], numbers["bias_out_gradient"]],
    )
    _end(back, "<|-", loss)
    headline(
        back,
        tr("Back: how the loss would change with each number"),
        tr(
            "in a circle: its error, the change with its value.  "
            "on a line: the gradient of the weight.  b: that of the bias"
        ),
    )
    return figure


def _panel(
    axes: Axes, layers: Sequence[Values], weights: list[NDArray[Any]], biases: list[NDArray[Any]]
) -> None:
    """The net with these numbers; a layer's weights are `[to, from]`."""
    axes.set_xlim(0, WIDE)
    axes.set_ylim(-TALL / 2, TALL / 2)
    axes.set_axis_off()
    places = [
        np.column_stack([np.full(len(layer), x), _spread(len(layer))])
        for x, layer in zip(ACROSS, layers, strict=True)
    ]
    largest = max(float(np.abs(between).max()) for between in weights) or 1.0
    for (left, right), between in zip(pairwise(places), weights, strict=True):
        _connect(axes, left, right, between, largest)
    below: list[Values] = [[None] * len(layers[0]), *biases]
    for place, layer, bias in zip(places, layers, below, strict=True):
        for (x, y), value, b in zip(place, layer, bias, strict=True):
            axes.add_patch(Circle((x, y), RADIUS, facecolor="white", edgecolor=INK, zorder=3))
            if value is not None:
                axes.text(x, y, f"{value:.2f}", ha="center", va="center", zorder=4, fontsize=10)
            if b is not None:
                axes.text(
                    x, y - RADIUS - 0.03, f"b {b:.2f}", ha="center", va="top", zorder=4,
                    fontsize=9, path_effects=halo(3),
                )  # fmt: skip
    inputs = tr("distance\n(10 km)"), tr("height\n(100 m)")
    for (x, y), name in zip(places[0], inputs, strict=True):
        axes.text(x - 0.45, y, name, ha="right", va="center")


def _spread(neurons: int) -> NDArray[np.float64]:
    """Heights of the neurons of a layer, the first on top."""
    end = APART[neurons - 1] * (neurons - 1) / 2
    return np.linspace(end, -end, neurons)


def _connect(
    axes: Axes, left: NDArray[Any], right: NDArray[Any], weights: NDArray[Any], largest: float
) -> None:
    """Lines from layer to layer: the thicker, the nearer to the `largest`; dashed below zero."""
    # Numbers stand where lines are far apart: at the side of the layer that has more neurons.
    shares = np.linspace(0.6, 0.78, len(left)) if len(right) > 1 else np.full(len(left), 0.36)
    for (to, origin), weight in np.ndenumerate(weights):
        start, end = left[origin], right[to]
        axes.plot(
            *np.stack([start, end]).T,
            color=BLUE if weight >= 0 else ORANGE,
            linestyle="-" if weight >= 0 else (0, (3, 1)),
            linewidth=0.8 + 5 * abs(weight) / largest,
            solid_capstyle="butt",
            zorder=1,
        )
        x, y = start + shares[origin] * (end - start)
        axes.text(
            x, y, f"{weight:.2f}", ha="center", va="center", fontsize=9, zorder=2,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.9},
        )  # fmt: skip


def _end(axes: Axes, arrow: str, text: str) -> None:
    """What stands behind the output, and whether something goes there or comes from there."""
    axes.annotate(
        "",
        (ACROSS[-1] + 0.95, 0),
        (ACROSS[-1] + RADIUS + 0.08, 0),
        arrowprops={"arrowstyle": arrow, "color": QUIET, "linewidth": 2.0},
    )
    axes.text(ACROSS[-1] + 1.05, 0, text, ha="left", va="center")
