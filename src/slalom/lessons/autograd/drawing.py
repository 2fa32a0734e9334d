"""A computational graph as a picture, and as a movie: values forward, gradients backward."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Patch
from matplotlib.text import Text

from slalom.core.arrays import Float64Array
from slalom.core.language import tr
from slalom.lessons.autograd.box import (
    BEHIND_GRADIENT,
    CONSTANT,
    DARK_VERMILLION,
    DASHES,
    OPERATION,
    VARIABLE,
    Box,
    Content,
    content,
)
from slalom.lessons.autograd.flow import Flow, Unclear, number
from slalom.lessons.autograd.layout import Layout, layout
from slalom.plots.toolkit import (
    BLUE,
    INK,
    QUIET,
    VERMILLION,
    Movie,
    Picture,
    look,
    picture,
    shortened,
)

MARGIN = 1.2  # around the graph, in the size of the letters
LARGE, SMALL = 13.0, 9.0  # points; smaller only where the figure has reached its limits
SMALLEST = 5.5  # points: 12 pixels in a file
NARROWEST, WIDEST, HIGHEST = 8.0, 14.0, 9.0  # inches
ABOVE, BELOW = 0.1, 0.07  # of the width, for the title and for the legend
EVENT_MS, SMOOTHEST, MOST_MOMENTS = 800, 8, 60  # of the movie; an event has up to 8 moments


def check_size(flow: Flow) -> None:
    """Refuse a graph that would be drawn too small to be read.

    Raises:
        Unclear: when it is.
    """
    if _letters(_placed(flow, _contents(flow))) < SMALLEST:
        raise Unclear(
            tr(
                "its graph is too large to be drawn so that it can be read. Use fewer operations, "
                "or smaller tables."
            )
        )


@look()
def draw_graph(flow: Flow) -> Picture:
    """The whole graph, with all values and gradients."""
    return _Stage(flow).figure


@look()
def film(flow: Flow) -> Movie:
    """Values appear from left to right, then gradients from right to left."""
    stage = _Stage(flow)
    places = range(len(flow.nodes))
    leaves = [i for i in places if not flow.nodes[i].inputs]
    forward = [leaves, *([i] for i in places if flow.nodes[i].inputs)]
    backward = [i for i in reversed(places) if flow.gradients[i] is not None]
    events = len(forward) + len(backward)
    beats = max(1, min(SMOOTHEST, MOST_MOMENTS // events))

    def show(moment: int) -> None:
        k, beat = divmod(moment, beats)
        share = (beat + 1) / beats  # at 1 the dots have arrived
        done = k + int(share == 1)
        known = {i for now in forward[:done] for i in now}
        reached = set(backward[: max(0, done - len(forward))])
        if k < len(forward):
            stage.show(known, reached, forward[k], share, back=False)
        else:
            stage.show(known, reached, [backward[k - len(forward)]], share, back=True)

    return Movie(stage.figure, beats * events, show, stage.moving, pace=EVENT_MS // beats)


class _Stage:
    """The figure with everything on it; `show` takes parts away again."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        contents = _contents(flow)
        self.layout = _placed(flow, contents)
        self.figure, axes, letters = _canvas(self.layout)
        self.note = _headlines(self.figure, flow)
        _legend(self.figure, flow)
        _draw_arrows(axes, self.layout, letters)
        self.boxes = [
            Box(axes, letters, *own)
            for own in zip(flow.nodes, contents, self.layout.centres, strict=True)
        ]
        (self.dots,) = axes.plot([], [], "o", markersize=0.8 * letters)

    @property
    def moving(self) -> list[Any]:
        """What `show` changes, the lowest first."""
        return [part for box in self.boxes for part in box.parts] + [self.dots, self.note]

    def show(
        self,
        known: Collection[int],
        reached: Collection[int],
        now: Collection[int],
        share: float,
        back: bool,
    ) -> None:
        """One moment.

        Args:
            known: nodes whose value is shown.
            reached: nodes whose gradient is shown.
            now: nodes of this event.
            share: how far the dots have come, from 0 to 1.
            back: whether gradients flow.
        """
        color = VERMILLION if back else BLUE
        for i, box in enumerate(self.boxes):
            glow = (color, 0.4 + 2.6 * share) if i in now else ()
            box.show(i in known, i in reached, *glow)
        arrows = [line for i in now for line in (self._leaving(i) if back else self._entering(i))]
        dots = [_along(line, share) for line in arrows if share < 1]
        self.dots.set_data(*np.reshape(dots, (-1, 2)).T)
        self.dots.set_color(color)
        said = shortened(self.flow.nodes[max(now)].text, 50)
        if back:
            self.note.set_text(tr("backward: the gradient at  {node}", node=said))
        elif self.flow.nodes[max(now)].inputs:
            self.note.set_text(tr("forward:  {node}", node=said))
        else:
            self.note.set_text(tr("forward: variables and numbers"))

    def _entering(self, i: int) -> Sequence[Float64Array]:
        return self.layout.arrows[i]

    def _leaving(self, i: int) -> list[Float64Array]:
        """The lines from which gradients come to a node, in their direction."""
        return [
            line[::-1]
            for k, node in enumerate(self.flow.nodes)
            for j, line in zip(node.inputs, self.layout.arrows[k], strict=True)
            if j == i and self.flow.gradients[k] is not None
        ]


def _contents(flow: Flow) -> list[Content]:
    return list(map(content, flow.nodes, flow.values, flow.gradients))


def _placed(flow: Flow, contents: Sequence[Content]) -> Layout:
    return layout([node.inputs for node in flow.nodes], [own.size for own in contents])


def _inches(layout: Layout) -> Float64Array:
    """Width and height with letters of one point."""
    return np.add(layout.size, 2 * MARGIN) / 72


def _letters(layout: Layout) -> float:
    """The size of the letters, in points."""
    width, height = _inches(layout)
    wanted = np.clip(NARROWEST / width, SMALL, LARGE)
    return float(min(wanted, WIDEST / width, HIGHEST / height))


def _canvas(layout: Layout) -> tuple[Picture, Axes, float]:
    """A figure for this layout, axes in which a length of 1 is that of the letters, their size."""
    letters = _letters(layout)
    width, up = _inches(layout) * letters
    across = max(NARROWEST, width)
    above, below = across * ABOVE, across * BELOW
    whole = up + above + below
    figure = picture(across, whole)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, below / whole, 1, up / whole))
    axes.set_axis_off()
    beside = (across * 72 / letters - layout.size[0]) / 2
    axes.set(xlim=(-beside, layout.size[0] + beside), ylim=(-MARGIN, layout.size[1] + MARGIN))
    return figure, axes, letters


def _headlines(figure: Picture, flow: Flow) -> Text:
    """The title, and a line below it, which is returned. They are as wide as the figure."""
    width, height = figure.get_size_inches()
    title = f"{shortened(flow.nodes[-1].text, 64)} = {number(flow.values[-1].item())}"
    note = tr("from left to right the values, from right to left the gradients of the result")
    left, scale = 0.02, width / NARROWEST
    figure.text(
        left, 1 - 0.0375 * width / height, title, fontsize=12 * scale, weight="bold", va="center"
    )
    return figure.text(left, 1 - 0.07 * width / height, note, fontsize=10 * scale, va="center")


def _legend(figure: Picture, flow: Flow) -> None:
    edge: dict[str, Any] = {"linewidth": 1.2, "edgecolor": INK}
    patches = [
        Patch(facecolor=VARIABLE, label=tr("variable"), **edge),
        Patch(facecolor=OPERATION, label=tr("operation"), **edge),
        Patch(facecolor=BEHIND_GRADIENT, edgecolor=DARK_VERMILLION, label=tr("gradient")),
    ]
    if None in flow.gradients:
        label = tr("no gradient")
        patches.append(Patch(facecolor=CONSTANT, linestyle=DASHES, label=label, **edge))
    size = 10 * figure.get_size_inches()[0] / NARROWEST
    figure.legend(handles=patches, loc="lower center", ncols=len(patches), fontsize=size)


def _draw_arrows(axes: Axes, layout: Layout, letters: float) -> None:
    lines = [line for own in layout.arrows for line in own]
    axes.add_collection(LineCollection(lines, colors=QUIET, linewidths=1.4))
    tips = np.array([line[-1] for line in lines]).reshape(-1, 2) - [0.25, 0]
    axes.plot(*tips.T, ">", color=QUIET, markersize=0.55 * letters)


def _along(line: Float64Array, share: float) -> Float64Array:
    """The point at this share of the length of a line."""
    length = np.insert(np.cumsum(np.hypot(*np.diff(line, axis=0).T)), 0, 0)
    return np.array([np.interp(share * length[-1], length, axis) for axis in line.T])
