"""Pictures of remembering: a movie of the training, the worth of memory, graphs of all sizes."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from slalom.core.language import tr
from slalom.lessons.structures.remember import TURN, Followed, turn
from slalom.plots.toolkit import (
    BLUE,
    PALE,
    QUIET,
    VERMILLION,
    Movie,
    Picture,
    headline,
    look,
    picture,
    whole_ticks,
)

Array = NDArray[Any]

SCREEN = 3 * TURN  # moments across the picture
MOMENTS = 70
LENGTHS_SHOWN = 40


@look()
def film(followed: Followed) -> Movie:
    """What the net says, step after step, as on an oscilloscope: over what it said before."""
    figure = picture(8, 5.6)
    above, below = figure.subplots(2, 1, height_ratios=(3, 2))
    turns = np.arange(SCREEN) / TURN
    sine, cosine = (values.ravel() for values in turn(0, SCREEN))
    heard = tr("sine: what it hears")
    above.plot(turns, sine, color=QUIET, linestyle=":", linewidth=1.2, label=heard)
    above.plot(turns, cosine, color=PALE, linewidth=7, label=tr("cosine: what is wanted"))
    (old,) = above.plot(turns, cosine, color=BLUE, linewidth=1.6, label=tr("what it said"))
    (new,) = above.plot(
        turns, cosine, color=VERMILLION, linewidth=3, label=tr("what it says in this step")
    )
    above.set(ylim=(-1.5, 1.5), xlim=(0, 3), xlabel=tr("turns (after three, back to the left)"))
    figure.legend(loc="outside upper right", ncols=4, handlelength=1.6, columnspacing=1.2)
    note = headline(above, tr("From the sine to the cosine, piece after piece"), " ")
    steps = np.arange(1, len(followed.pieces) + 1)
    below.plot(steps, followed.losses, color=PALE)
    (line,) = below.plot([], [], color=VERMILLION)
    (dot,) = below.plot([], [], "o", color=VERMILLION)
    _loss_axes(below)
    said = np.concatenate([piece.said for piece in followed.pieces])
    # Early steps change most, so they are shown more closely.
    along = np.linspace(0, 1, MOMENTS) ** 1.5 * (len(steps) - 1)
    chosen = np.unique(along.round().astype(int))

    def show(moment: int) -> None:
        k = int(chosen[moment])
        piece = followed.pieces[k]
        end = piece.start + len(piece.said)
        old.set_ydata(_on_screen(said, max(0, end - SCREEN + 3), end))
        new.set_ydata(_on_screen(said, piece.start, end))
        note.set_text(
            tr(
                "step {step}: a piece of {moments} moments, a graph of {nodes} nodes, "
                "loss {loss:.4f}",
                step=k + 1,
                moments=len(piece.said),
                nodes=piece.nodes,
                loss=piece.loss,
            )
        )
        line.set_data(steps[: k + 1], followed.losses[: k + 1])
        dot.set_data(steps[k : k + 1], followed.losses[k : k + 1])

    return Movie(figure, len(chosen), show, [old, new, note, line, dot])


def _on_screen(said: Array, start: int, end: int) -> Array:
    """Moments `start` to `end` at their places, nothing elsewhere: `[SCREEN]`."""
    places = np.full(SCREEN, np.nan)
    moments = np.arange(start, end)
    places[moments % SCREEN] = said[moments]
    return places


def _loss_axes(axes: Axes) -> None:
    axes.set_yscale("log")
    label = tr("without memory: 0.5")
    axes.axhline(0.5, color=QUIET, linestyle="--", linewidth=1.2, label=label)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1))  # above, where no curve can come
    axes.set(xlabel=tr("step"), ylabel=tr("loss (mean squared error)"))
    whole_ticks(axes)


@look()
def memory(followed: Followed) -> Picture:
    """The trained net on the next turn: with the hidden state it has, and with an empty one."""
    figure = picture(8, 3.8)
    axes = figure.add_subplot()
    moments = np.arange(TURN)
    axes.plot(moments, turn(followed.end, TURN)[1], color=PALE, linewidth=7, label=tr("cosine"))
    label = tr("hidden state carried on")
    axes.plot(moments, followed.carried, color=BLUE, linewidth=2, label=label)
    axes.plot(
        moments, followed.emptied, color=VERMILLION, linestyle=(0, (3, 1.5)), linewidth=2,
        marker="s", markevery=5, markersize=5, label=tr("hidden state emptied"),
    )  # fmt: skip
    axes.set(xlabel=tr("moment"), ylabel=tr("what the net says"), xlim=(0, TURN - 1))
    farthest = max(np.abs(said).max() for said in (followed.carried, followed.emptied))
    axes.set_ylim(-max(1.5, 1.1 * farthest), max(1.5, 1.1 * farthest))
    axes.legend(loc="upper right", ncols=3, bbox_to_anchor=(1, 1.0))
    numbers = followed.numbers()
    title = tr(
        "First quarter turn: error {carried:.4f}, without its state {emptied:.4f}",
        carried=numbers["carried_error"],
        emptied=numbers["emptied_error"],
    )
    axes.set_title(title)
    return figure


@look()
def graphs(followed: Followed) -> Picture:
    """Lengths of the first pieces, and nodes of the computational graph against length."""
    figure = picture(8, 3.6)
    left, right = figure.subplots(1, 2)
    lengths = followed.lengths[:LENGTHS_SHOWN]
    left.bar(np.arange(1, len(lengths) + 1), lengths, color=BLUE, width=0.8)
    left.set(xlabel=tr("step"), ylabel=tr("length of the piece (moments)"))
    left.grid(axis="x", visible=False)
    whole_ticks(left)
    left.set_title(tr("The first {count} pieces", count=len(lengths)))
    right.scatter(followed.lengths, followed.nodes, s=18, color=BLUE)
    right.set(xlabel=tr("length of the piece (moments)"), ylabel=tr("nodes in the graph"))
    right.set(xlim=(0, None), ylim=(0, None))
    right.set_title(tr("Every step builds its own graph"))
    return figure
