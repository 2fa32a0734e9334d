"""Two products of matrices as a movie: row times column above, entry times entry below."""

from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from slalom.core.language import tr
from slalom.lessons.matrices import cells, entries
from slalom.plots.toolkit import INK, Movie, look, picture

Whole = NDArray[np.int64]

PACE = 450  # milliseconds a moment: time to read a sum


@look()
def products(a: Whole, b: Whole) -> Movie:
    """How `a @ b` and `a * b` come about, for matrices `[n, n]`: a moment for each single product.

    Args:
        a, b: the matrices, of whole numbers.
    """
    n = len(a)
    figure = picture(8, 5.6)
    grid = figure.subplots(2, 3)
    rows = [_Row(grid[0], a, b, "a @ b", a @ b), _Row(grid[1], a, b, "a * b", a * b)]
    figure.suptitle(tr("@ multiplies rows by columns, * entries by entries"), fontweight="bold")
    moments = list(product(range(n), repeat=3))

    def show(moment: int) -> None:
        i, j, k = moments[moment]
        terms = a[i, : k + 1] * b[: k + 1, j]
        left = " + ".join(f"{_signed(a[i, m])}·{_signed(b[m, j])}" for m in range(k + 1))
        rows[0].show(i, j, int(terms.sum()), f"{left} = {terms.sum()}")
        rows[0].frame(0, (i, 0, 1, n), (i, k))
        rows[0].frame(1, (0, j, n, 1), (k, j))
        entry = int(a[i, j] * b[i, j])
        rows[1].show(i, j, entry, f"{_signed(a[i, j])}·{_signed(b[i, j])} = {entry}")
        for matrix in (0, 1):
            rows[1].frame(matrix, (i, j, 1, 1), (i, j))

    return Movie(
        figure, len(moments), show, [artist for row in rows for artist in row.moving], PACE
    )


def _signed(value: int) -> str:
    return f"({value})" if value < 0 else str(value)


class _Row:
    """Two matrices and their product, which is filled entry by entry."""

    def __init__(self, axes: NDArray[Any], a: Whole, b: Whole, name: str, result: Whole) -> None:
        self.size = len(a)
        self.result = result
        for panel, matrix, title in zip(axes[:2], (a, b), "ab", strict=True):
            cells(panel, matrix, largest=3)
            entries(panel, matrix)
            panel.set_title(title, loc="center", family="monospace")
        self.image = cells(axes[2], result, largest=max(1, int(np.abs(result).max())))
        self.texts = entries(axes[2], result)
        axes[2].set_title(name, loc="center", family="monospace")
        self.frames = [_rectangle(panel, 2.0) for panel in axes]
        self.now = [_rectangle(panel, 3.6) for panel in axes[:2]]
        self.sum = axes[2].annotate(
            "",
            (1, 0),
            (0, -18),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            fontsize=11,
        )
        axes[2].set_xlabel(" ", fontsize=14)  # keeps the room for it

    @property
    def moving(self) -> list[Any]:
        return [self.image, *self.texts, *self.frames, *self.now, self.sum]

    def show(self, i: int, j: int, value: int, told: str) -> None:
        """The entry that is being worked on; all before it are done, all behind it are empty."""
        at = i * self.size + j
        done = np.zeros_like(self.result)
        done.ravel()[:at] = self.result.ravel()[:at]
        done[i, j] = value
        self.image.set_data(done)
        for k, (text, entry) in enumerate(zip(self.texts, done.ravel(), strict=True)):
            text.set_text(str(entry) if k <= at else "")
        self.frames[2].set_bounds(j - 0.5, i - 0.5, 1, 1)
        self.sum.set_text(told)

    def frame(self, matrix: int, block: tuple[int, int, int, int], now: tuple[int, int]) -> None:
        """Frame a block (row, column, height, width) of a matrix, and in it the entry at hand."""
        i, j, height, width = block
        self.frames[matrix].set_bounds(j - 0.5, i - 0.5, width, height)
        self.now[matrix].set_bounds(now[1] - 0.5, now[0] - 0.5, 1, 1)


def _rectangle(axes: Axes, width: float) -> Rectangle:
    frame = Rectangle((-0.5, -0.5), 1, 1, fill=False, edgecolor=INK, linewidth=width, zorder=5)
    axes.add_patch(frame)
    return frame
