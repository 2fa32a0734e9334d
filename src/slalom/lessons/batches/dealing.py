"""How rows are dealt out: a film of rows that flow into steps, and a table of all epochs."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from slalom.core.arrays import Float64Array
from slalom.core.language import tr
from slalom.data.batches import steps_per_epoch
from slalom.plots.toolkit import (
    INK,
    PALE,
    QUIET,
    Movie,
    Picture,
    headline,
    look,
    picture,
    rows_of,
)

Color: TypeAlias = tuple[float, float, float, float]

GAP = 0.4  # between batches, in rows
FILMED = 2  # epochs in the film: the second has another order

# The stage of the film, in inches: where each line of cards begins, and how far it may reach.
LEFT, WIDE, HIGH = 0.95, 6.95, 4.35
TABLE, QUEUE, FLOOR = 3.75, 2.85, 0.55  # lower edges
CARD = 0.55  # the height of a card in the table and in the queue
STACK = 2.0  # the highest stack of a step

# Of the film, in moments.
SHUFFLING = 14
STEPPING = 96  # for all steps together, if each can have 3 to 12


@dataclass(frozen=True, eq=False)
class Flow:
    """Where each card is at each moment of the film; a card is a row of the table in an epoch.

    Args:
        pairs: x and y of each card, `[cards, 2]`.
        boxes: left, bottom, width and height in the table, in the queue and in its step,
            `[3, cards, 4]`.
        leaves: the moment at which it leaves table and queue, `[2, cards]`.
        taken: the moment at which each step has all its rows, `[steps]`.
        flight: moments from the queue to the step. No moment is without a movement, for GIFs do
            not keep those.
    """

    pairs: Float64Array
    boxes: Float64Array
    leaves: NDArray[np.int64]
    taken: NDArray[np.int64]
    flight: int

    @property
    def moments(self) -> int:
        return int(self.taken[-1]) + 1

    def way(self, moment: int) -> Float64Array:
        """How much of the way to queue and step each card has behind it, `[2, cards]`."""
        lasts = np.array([[SHUFFLING], [self.flight]])
        share: Float64Array = np.clip((moment - self.leaves) / lasts, 0, 1)
        return share * share * (3 - 2 * share)  # starts and stops gently

    def at(self, moment: int) -> Float64Array:
        """The box of each card, `[cards, 4]`; no number before it leaves the table."""
        first, second = self.way(moment)[..., None]
        table, queue, step = self.boxes
        box = table + first * (queue - table) + second * (step - queue)
        return np.where(moment < self.leaves[0, :, None], np.nan, box)


def flow_of(pairs: Float64Array, batch_size: int) -> Flow:
    """The film of epochs `pairs [epochs, rows, 2]`."""
    epochs, rows, _ = pairs.shape
    batches = steps_per_epoch(rows, batch_size)
    place, epoch = np.tile(np.arange(rows), epochs), np.repeat(np.arange(epochs), rows)
    batch = place // batch_size
    step = epoch * batches + batch

    wide = min(0.66, WIDE / (rows + GAP * (batches - 1)))  # of a card
    row = pairs.reshape(-1, 2)[:, 0] - 1  # x counts the rows of the table from 1
    card = np.ones_like(row)
    table = [LEFT + wide * row, TABLE * card, wide * card, CARD * card]
    queue = [LEFT + wide * (place + GAP * batch), QUEUE * card, wide * card, CARD * card]
    slot = min(1.6, WIDE / (epochs * batches))
    high = min(0.25, STACK / min(batch_size, rows))
    floor = FLOOR + high * (place - batch * batch_size)
    stack = [LEFT + slot * (step + 0.06), floor, 0.88 * slot * card, high * card]

    flight = int(np.clip(STEPPING // (epochs * batches), 3, 12))
    begins = epoch * (SHUFFLING + batches * flight)
    leaves = np.stack([begins, begins + SHUFFLING + batch * flight])
    boxes = np.stack([np.column_stack(where) for where in (table, queue, stack)])
    taken = leaves[1, place % batch_size == 0] + flight
    return Flow(pairs.reshape(-1, 2), boxes, leaves, taken, flight)


@look()
def flowing(pairs: Float64Array, batch_size: int) -> Movie:
    """Rows flow into steps: shuffled in each epoch, then batch by batch into a stack each.

    Args:
        pairs: x and y in the order in which they come, `[epochs, rows, 2]`; the first epochs are
            shown.
        batch_size: rows a batch.
    """
    filmed = pairs[:FILMED]
    epochs, rows, _ = filmed.shape
    batches = steps_per_epoch(rows, batch_size)
    flow = flow_of(filmed, batch_size)
    figure = picture(8.0, 4.9)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set(xlim=(0, 8), ylim=(0, HIGH))
    still = flow.boxes[0][:rows]
    _cards(axes, still, filmed[0], [_shade(row, rows) for row in filmed[0, :, 0] - 1])
    for height, name in (
        (TABLE + CARD / 2, tr("table:\nx over y")),
        (QUEUE + CARD / 2, tr("epoch,\nshuffled")),
        (FLOOR + STACK / 2, tr("each step\nand its rows")),
    ):
        axes.text(LEFT - 0.12, height, name, ha="right", va="center")
    moving = _signs_of_steps(axes, flow, epochs, batches)

    colors = [_shade(row, rows) for row in flow.pairs[:, 0] - 1]
    cards = PolyCollection([], edgecolors=QUIET, linewidths=0.8)
    axes.add_collection(cards)
    names = [axes.text(0, 0, "", ha="center", va="center", fontsize=9) for _ in flow.pairs]
    note = headline(axes, tr("Rows flow into steps"), " ")
    said = _captions(flow, rows, batch_size, batches)

    def show(i: int) -> None:
        boxes, way = flow.at(i), flow.way(i)
        there = ~np.isnan(boxes[:, 0])
        cards.set_verts(_corners(boxes[there]))
        cards.set_facecolor([colors[k] for k in np.flatnonzero(there)])
        # While cards cross each other between table and queue, they have no names.
        for name, pair, box, (queued, stepped) in zip(names, flow.pairs, boxes, way.T, strict=True):
            text = _name(pair, in_a_line=stepped > 0.3)
            name.set_visible(bool(queued in {0, 1}) and _fits(text, *box[2:]))
            name.set_text(text)
            name.set_position((box[0] + box[2] / 2, box[1] + box[3] / 2))
        for sign, taken in zip(moving, flow.taken, strict=True):
            sign.set_visible(bool(i >= taken))
        note.set_text(said[i])

    return Movie(figure, flow.moments, show, [cards, *names, *moving, note])


def _signs_of_steps(axes: Axes, flow: Flow, epochs: int, batches: int) -> list[Rectangle]:
    """Numbers of steps and epochs under the stacks; and what marks a step once it is taken."""
    lowest = flow.boxes[2][:, 1].min()
    left, bottom, width, _ = flow.boxes[2][flow.boxes[2][:, 1] == lowest].T
    every = 1 if width[0] > 0.25 else 5
    for step in range(epochs * batches):
        if step == 0 or (step + 1) % every == 0:
            middle = left[step] + width[step] / 2
            axes.text(middle, bottom[step] - 0.16, f"{step + 1}", ha="center", va="center")
    for epoch in range(epochs):
        first, last = epoch * batches, (epoch + 1) * batches - 1
        middle = (left[first] + left[last] + width[last]) / 2
        name = tr("epoch {epoch}", epoch=epoch + 1)
        axes.text(middle, 0.12, name, ha="center", va="center")
        if epoch:
            between = left[first] - 0.07 * width[first]
            axes.plot([between, between], [FLOOR, FLOOR + STACK], color=PALE, linewidth=1.5)
    axes.text(LEFT - 0.12, FLOOR - 0.16, tr("step"), ha="right", va="center")
    signs = [
        Rectangle((left[k], FLOOR - 0.045), width[k], 0.045, color=INK)
        for k in range(epochs * batches)
    ]
    for sign in signs:
        axes.add_patch(sign)
    return signs


def _captions(flow: Flow, rows: int, batch_size: int, batches: int) -> list[str]:
    """What stands above each moment."""
    said = []
    for moment in range(flow.moments):
        step = int((moment >= flow.taken - flow.flight).sum()) - 1  # the last that has begun
        shuffled = int((moment >= np.unique(flow.leaves[0])).sum())
        if step < (shuffled - 1) * batches:
            said.append(tr("epoch {epoch}: the rows are shuffled", epoch=shuffled))
        else:
            size = min(batch_size, rows - step % batches * batch_size)
            said.append(
                tr(
                    "epoch {epoch}, step {step}: one loss, one gradient, one update from {rows}",
                    epoch=shuffled,
                    step=step + 1,
                    rows=rows_of(size),
                )
            )
    return said


@look()
def batch_table(pairs: Float64Array, batch_size: int) -> Picture:
    """The rows of each epoch in their order, batch by batch.

    Args:
        pairs: x and y, `[epochs, rows, 2]`.
        batch_size: rows a batch.
    """
    epochs, rows, _ = pairs.shape
    batches = steps_per_epoch(rows, batch_size)
    width = rows + GAP * (batches - 1)
    figure = picture(8.0, 1.1 + 0.42 * epochs)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_xlim(-0.12 * width, 1.005 * width)
    axes.set_ylim(-epochs, 0.6)
    place = np.arange(rows) + GAP * (np.arange(rows) // batch_size)
    for epoch, dealt in enumerate(pairs):
        name = tr("epoch {epoch}", epoch=epoch + 1)
        axes.text(-0.3, -epoch - 0.5, name, ha="right", va="center")
        boxes = np.column_stack(np.broadcast_arrays(place, -epoch - 0.96, 1.0, 0.92))
        _cards(axes, boxes, dealt, [_shade(row, rows) for row in dealt[:, 0] - 1])
    for batch in range(batches):
        first = batch * batch_size
        size = min(batch_size, rows - first)
        whole = tr("batch {batch}", batch=batch + 1)
        name = whole if size * 7 / width > 0.7 else f"{batch + 1}"
        axes.text(place[first] + size / 2, 0.3, name, ha="center", va="center", fontsize=9)
    axes.set_title(_steps_an_epoch(rows, batch_size, batches))
    return figure


def _steps_an_epoch(rows: int, size: int, batches: int) -> str:
    if batches == 1:
        return tr("{rows} rows in batches of {size}: 1 step an epoch", rows=rows, size=size)
    title = tr(
        "{rows} rows in batches of {size}: {steps} steps an epoch",
        rows=rows,
        size=size,
        steps=batches,
    )
    short = rows % size
    return tr("{title}, the last with {rows}", title=title, rows=rows_of(short)) if short else title


def _cards(axes: Axes, boxes: Float64Array, pairs: Float64Array, colors: list[Color]) -> None:
    """Cards that stay where they are, each with its x over its y."""
    axes.add_collection(
        PolyCollection(_corners(boxes), facecolors=colors, edgecolors=QUIET, linewidths=0.8)
    )
    for (left, bottom, width, height), pair in zip(boxes, pairs, strict=True):
        axes.text(
            left + width / 2, bottom + height / 2, _name(pair), ha="center", va="center", fontsize=9
        )


def _corners(boxes: Float64Array) -> list[Float64Array]:
    """The corners `[4, 2]` of each of the boxes `[n, 4]`."""
    left, bottom, width, height = boxes.T
    right, top = left + width, bottom + height
    corners = np.array([[left, right, right, left], [bottom, bottom, top, top]])
    return list(corners.transpose(2, 1, 0))


def _name(pair: Float64Array, in_a_line: bool = False) -> str:
    """What stands on a card."""
    x, y = pair
    return f"{x:g}, {y:g}" if in_a_line else f"{x:g}\n{y:g}"


def _fits(text: str, width: float, height: float) -> bool:
    """Whether small letters have room in so many inches."""
    lines = text.split("\n")
    return 0.07 * max(map(len, lines)) <= width and 0.13 * len(lines) <= height


def _shade(row: float, rows: int) -> Color:
    """The colour of a row, by its place in the table."""
    return colormaps["YlGnBu"](0.05 + 0.6 * row / max(rows - 1, 1))
