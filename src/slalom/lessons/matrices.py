"""A matrix as coloured cells with its entries in them."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.text import Text
from numpy.typing import NDArray

from slalom.plots.toolkit import BLUE, ORANGE

SIGNS = LinearSegmentedColormap.from_list("signs", [ORANGE, "white", BLUE])


def cells(axes: Axes, matrix: NDArray[Any], largest: float) -> Any:
    """Draw a matrix as cells: orange below zero, blue above. Returns the image.

    Args:
        axes: where.
        matrix: `[rows, columns]`.
        largest: the size of the numbers that get the strongest colour.
    """
    axes.grid(False)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    reach = 1.6 * largest  # not the full colours, so that figures stay legible on them
    return axes.imshow(matrix, cmap=SIGNS, vmin=-reach, vmax=reach, aspect="auto")


def entries(axes: Axes, matrix: NDArray[Any], form: str = "", size: float = 13) -> list[Text]:
    """Write the entries of a matrix into its cells, row by row; `form` as in a format string."""
    return [
        axes.text(j, i, format(matrix[i, j], form), ha="center", va="center", fontsize=size)
        for i, j in np.ndindex(matrix.shape)
    ]
