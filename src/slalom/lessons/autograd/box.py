"""A node of a computational graph as a box: its name, its value, and below them its gradient."""

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle
from torch import Tensor

from slalom.core.arrays import Float64Array
from slalom.core.language import tr
from slalom.lessons.autograd.flow import Node, number
from slalom.plots.toolkit import BLUE, CHINESE, INK, PALE

# Lengths in the size of the letters, which all have the same width.
LETTER, ROW, EDGE, BAND, CORNER = 0.602, 1.2, 0.5, 0.5, 0.5
MOST_SHOWN = 4  # rows or columns of a table

DASHES: Any = (0, (3, 2))
VARIABLE, CONSTANT, OPERATION, BEHIND_GRADIENT = "#d8e9f6", "#f0f0f0", "#ffffff", "#fbe3d6"
DARK_VERMILLION = "#a34400"  # small letters need more contrast


class Content(NamedTuple):
    """What a box says, the value and the gradient in rows."""

    label: str
    value: list[str]
    gradient: list[str]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the box."""
        letters = max(map(len, [self.label, *self.value, *self.gradient]))
        rows = 1 + len(self.value) + len(self.gradient)
        return (
            2 * EDGE + LETTER * max(3, letters),
            2 * EDGE + ROW * rows + BAND * bool(self.gradient),
        )


def content(node: Node, value: Tensor, gradient: Tensor | None) -> Content:
    """The words for a node; a number says its value by its name."""
    rows = table(value)
    return Content(
        tr("constant") if node.make is not None and node.label == "constant" else node.label,
        [] if rows == [node.label] else rows,
        [] if gradient is None else table(gradient),
    )


class Box:
    """A node: its name, its value, and below a line its gradient."""

    def __init__(
        self,
        axes: Axes,
        letters: float,
        node: Node,
        content: Content,
        centre: Float64Array,
    ) -> None:
        (x, y), (width, height), (label, value, gradient) = centre, content.size, content
        left, top = x - width / 2, y + height / 2
        bottom = top - height
        shape = f"round,pad=0,rounding_size={CORNER}"
        fill = OPERATION if node.inputs else VARIABLE if node.make is None else CONSTANT
        line = "-" if gradient else DASHES
        room = BAND + ROW * len(gradient) if gradient else 0.0
        body = FancyBboxPatch((left, bottom), width, height, shape, fc=fill, lw=0)
        self.band = Rectangle((left, bottom), width, room, fc=BEHIND_GRADIENT, ec=DARK_VERMILLION)
        self.outline = FancyBboxPatch((left, bottom), width, height, shape, fill=False, ls=line)
        for patch in (body, self.band, self.outline):
            axes.add_patch(patch)
        self.band.set_clip_path(body)  # round at the bottom as the box is
        style: dict[str, Any] = {
            "family": ["monospace", CHINESE],
            "fontsize": letters,
            "ha": "center",
            "va": "center",
            "linespacing": 1.1,
        }
        below = top - EDGE - ROW * (1 + len(value) / 2)
        axes.text(x, top - EDGE - ROW / 2, label, weight="bold", **style)
        self.value = axes.text(x, below, "\n".join(value), color=BLUE, **style)
        self.gradient = axes.text(
            x, bottom + room / 2, "\n".join(gradient), color=DARK_VERMILLION, **style
        )
        self.show(known=True, reached=True)

    @property
    def parts(self) -> list[Any]:
        """What `show` changes, the lowest first."""
        return [self.band, self.outline, self.value, self.gradient]

    def show(self, known: bool, reached: bool, glow: str = INK, width: float = 1.2) -> None:
        """With its value and its gradient or without, and with an edge of this colour."""
        self.outline.set_edgecolor(glow if known or glow != INK else PALE)
        self.outline.set_linewidth(width)
        self.value.set_visible(known)
        self.band.set_visible(reached and bool(self.gradient.get_text()))
        self.gradient.set_visible(reached)


def table(values: Tensor) -> list[str]:
    """The rows of numbers as text, of one width; the middle of a large table is left out.

    >>> table(Tensor([[1, -20], [0.5, 3]]))
    ['  1 -20', '0.5   3']
    """
    grid = np.atleast_2d(values.numpy())
    if grid.size == 1:
        return [number(grid.item())]
    rows, columns = (_shown(count) for count in grid.shape)
    cells = [
        ["…" if r is None or c is None else number(grid[r, c], digits=3) for c in columns]
        for r in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [" ".join(map(str.rjust, row, widths)) for row in cells]


def _shown(count: int) -> list[int | None]:
    if count <= MOST_SHOWN:
        return list(range(count))
    return [*range(MOST_SHOWN - 2), None, count - 1]
