"""Where the nodes of a graph stand: in columns, so that every arrow runs from left to right.

The method is that of Sugiyama, Tagawa and Toda (1981): a column for each distance from the result,
an order within each column by the barycentres of neighbours, then heights as near to those of the
neighbours as the boxes allow. Where an arrow passes a column it has a narrow place there, a
passage, like a node.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Float64Array: TypeAlias = NDArray[np.float64]

BETWEEN_COLUMNS, BETWEEN_ROWS, PASSAGE = 2.6, 1.0, 0.6
SWEEPS = 12
LEVEL = 8  # how much more passages of one arrow pull at each other, which keeps it straight
_T = np.linspace(0, 1, 20)
BEND = np.stack([_T, _T**2 * (3 - 2 * _T)])  # level at both ends


@dataclass(frozen=True, eq=False)
class Layout:
    """Positions in the unit of the boxes' sizes, from the lower left corner.

    Args:
        centres: of the boxes, `[n, 2]`.
        arrows: for each node and each of its inputs, the line `[m, 2]` from the one to the other.
        size: width and height of the whole.
    """

    centres: Float64Array
    arrows: tuple[tuple[Float64Array, ...], ...]
    size: tuple[float, float]


class _Link(NamedTuple):
    """From one place to one in the next column, which it enters at `port`: -1/2 above to 1/2."""

    start: int
    end: int
    port: float


def layout(inputs: Sequence[Sequence[int]], sizes: Sequence[tuple[float, float]]) -> Layout:
    """Place boxes of these sizes.

    Args:
        inputs: of each node, by number; nodes come after their inputs, the result is the last.
        sizes: width and height of each node.

    >>> layout([(), (0, 0)], [(2, 1), (2, 1)]).centres.round(1).tolist()
    [[1.0, 0.5], [5.6, 0.5]]
    """
    columns, ways = _ways(inputs)
    heights = [height for _, height in sizes] + [PASSAGE] * (len(columns) - len(sizes))
    links = sorted({link for own in ways for way in own for link in way})
    y = _settled(_ordered(columns, len(sizes), links), len(sizes), heights, links)
    top = max(np.add(y, np.divide(heights, 2)))
    widths = np.zeros(max(columns) + 1)
    for column, (width, _) in zip(columns, sizes, strict=False):
        widths[column] = max(widths[column], width)
    rights = np.cumsum(widths + BETWEEN_COLUMNS) - BETWEEN_COLUMNS
    lefts = rights - widths
    middles = (lefts + rights) / 2

    def line(way: list[_Link]) -> Float64Array:
        """Level through the columns, and a bend between them."""
        first, last = way[0].start, way[-1].end
        xs = [middles[columns[first]] + sizes[first][0] / 2]
        ys = [y[first]]
        for start, end, port in way:
            left, right = rights[columns[start]], lefts[columns[end]]
            xs.extend(left + (right - left) * BEND[0])
            ys.extend(y[start] + (y[end] + port * heights[end] - y[start]) * BEND[1])
        xs.append(middles[columns[last]] - sizes[last][0] / 2)
        ys.append(ys[-1])
        return np.column_stack([xs, top - np.array(ys)])

    centres = np.array([[middles[column] for column in columns], top - y]).T[: len(sizes)]
    arrows = tuple(tuple(line(way) for way in own) for own in ways)
    return Layout(centres, arrows, (float(rights[-1]), float(top - min(y - np.divide(heights, 2)))))


def _ways(inputs: Sequence[Sequence[int]]) -> tuple[list[int], list[list[list[_Link]]]]:
    """The column of each place, and the links of each arrow; places after the nodes are passages.

    A node stands as far to the right as its arrows allow: a variable is near to where it is used.
    All arrows from one node share its passages.
    """
    distance = [0] * len(inputs)
    for i in reversed(range(len(inputs))):
        for j in inputs[i]:
            distance[j] = max(distance[j], distance[i] + 1)
    columns = [max(distance) - own for own in distance]
    passages: dict[tuple[int, int], int] = {}
    ways: list[list[list[_Link]]] = []
    for i, own in enumerate(inputs):
        ways.append([])
        for k, j in enumerate(own):
            places = [j]
            for column in range(columns[j] + 1, columns[i]):
                if (j, column) not in passages:
                    passages[j, column] = len(columns)
                    columns.append(column)
                places.append(passages[j, column])
            ports = [0.0] * (len(places) - 1) + [(k + 1) / (len(own) + 1) - 0.5]
            ways[-1].append(list(map(_Link, places, [*places[1:], i], ports)))
    return columns, ways


def _ordered(columns: Sequence[int], nodes: int, links: Sequence[_Link]) -> list[list[int]]:
    """The places of each column from above, with few crossings."""
    # As they are written: in a tree nothing crosses then. A passage goes with its first node.
    source = list(range(nodes)) + [0] * (len(columns) - nodes)
    for link in sorted(links, key=lambda link: columns[link.start]):
        if link.end >= nodes:
            source[link.end] = source[link.start]
    rows: list[list[int]] = [[] for _ in range(max(columns) + 1)]
    for place in sorted(range(len(columns)), key=source.__getitem__):
        rows[columns[place]].append(place)
    best, fewest = rows, _crossings(rows, columns, links)
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        rows = [list(row) for row in rows]
        onward = sweep % 2 == 0
        for row in rows if onward else rows[::-1]:
            at = _positions(rows)
            wanted: dict[int, list[float]] = {place: [] for place in row}
            for start, end, port in links:
                if (end if onward else start) in wanted:
                    own, value = (end, at[start]) if onward else (start, at[end] + port)
                    wanted[own].append(value)
            row.sort(key=lambda place: float(np.mean(wanted[place] or at[place])))
        if (now := _crossings(rows, columns, links)) < fewest:
            best, fewest = rows, now
    return best


def _positions(rows: Sequence[Sequence[int]]) -> dict[int, int]:
    return {place: k for row in rows for k, place in enumerate(row)}


def _crossings(
    rows: Sequence[Sequence[int]], columns: Sequence[int], links: Sequence[_Link]
) -> int:
    at = _positions(rows)
    total = 0
    for column in range(len(rows) - 1):
        pairs = [(at[a], at[b] + port) for a, b, port in links if columns[a] == column]
        starts, ends = np.array(pairs).T
        turned = np.subtract.outer(starts, starts) * np.subtract.outer(ends, ends) < 0
        total += int(turned.sum()) // 2
    return total


def _settled(
    rows: Sequence[Sequence[int]], nodes: int, heights: Sequence[float], links: Sequence[_Link]
) -> Float64Array:
    """The height of each place, growing downwards: near to its neighbours, and none on another."""
    from scipy.optimize import isotonic_regression  # loaded here: a third of a second

    y = np.zeros(len(heights))
    for sweep in range(2 * SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            aims: dict[int, list[float]] = {place: [] for place in row}
            for start, end, port in links:
                arrives = port * heights[end]
                pull = LEVEL if min(start, end) >= nodes else 1
                if end in aims:
                    aims[end] += pull * [y[start] - arrives]
                if start in aims:
                    aims[start] += pull * [y[end] + arrives]
            own = np.array([heights[place] for place in row])
            stacked = np.cumsum(own + BETWEEN_ROWS) - own / 2
            aim = np.array([np.mean(aims[place] or y[place]) for place in row])
            # The nearest heights at which each place has its room under the one before.
            y[list(row)] = isotonic_regression(aim - stacked).x + stacked
    return y
