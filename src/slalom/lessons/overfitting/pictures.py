"""Pictures of overfitting: lines that bend to the noise, losses that part, trainings diagnosed."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from slalom.core.language import tr
from slalom.diagnosis import Diagnosis
from slalom.plots.toolkit import (
    BLUE,
    GREEN,
    INK,
    QUIET,
    VERMILLION,
    Movie,
    Picture,
    draw_points,
    halo,
    headline,
    look,
    picture,
    wrapped,
)
from slalom.runs import Run

MOMENTS = 60
PLAIN, DROPPED, KEPT = VERMILLION, GREEN, BLUE
DASH_DOT = (0, (6, 1.5, 1, 1.5))


@dataclass(frozen=True, eq=False)
class Case:
    """A training and what is said about it.

    Args:
        name: what was trained, in a few words.
        run, member: the training.
        diagnosis: of this member.
    """

    name: str
    run: Run
    member: int
    diagnosis: Diagnosis


@look()
def bending(run: Run, stopped: Run) -> Movie:
    """The lines without dropout and with it; the kept one appears when its epoch has come."""
    probe, last = run.probe, len(run.frames) - 1
    assert probe is not None  # the lesson asked for frames
    shown = np.unique(np.geomspace(1, last + 1, MOMENTS).round().astype(int)) - 1
    losses = np.stack(
        [run.history["validation_loss"][run.history["member"] == k].to_numpy() for k in (0, 1)]
    )
    best = int(stopped.state.best_step[0])
    kept = stopped.predict(probe)[:, 0]

    figure = picture(8, 5.2)
    axes = figure.add_subplot()
    data = run.dataset
    xy = np.column_stack([data.X[:, 0], data.y[:, 0]])
    draw_points(axes, xy[data.folds[0].train], xy[data.folds[0].validation], 30)
    axes.collections[0].set_facecolor(QUIET)  # dark: this picture is about which is which
    x = probe[:, 0]
    axes.plot(x, np.sin(np.pi * x), ":", color=INK, linewidth=1.4, label=tr("true curve"))
    room = 0.25 * np.ptp(xy[:, 1])
    axes.set_ylim(xy[:, 1].min() - room, xy[:, 1].max() + room)
    axes.set_xlim(x[0], x[-1])
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    lines = [
        axes.plot(
            x, np.full(len(x), np.nan), color=color, linestyle=style, linewidth=2.4, label=label
        )[0]
        for color, style, label in (
            (KEPT, DASH_DOT, tr("without dropout, weights of epoch {epoch}", epoch=best)),
            (DROPPED, (0, (6, 1.5)), tr("with dropout")),
            (PLAIN, "-", tr("without dropout")),
        )
    ]  # fmt: skip
    title = tr(
        "Early stopping keeps the line of epoch {best} of {total}",
        best=best,
        total=run.state.step[0],
    )
    note = headline(axes, title, " ")
    figure.legend(loc="outside lower left", ncols=3, borderaxespad=0.2, handlelength=3.6)

    def show(i: int) -> None:
        frame = run.frames[shown[i]]
        step = int(frame.step[0])
        lines[0].set_ydata(kept if step >= best else np.full(len(x), np.nan))
        lines[1].set_ydata(frame.predictions[1, :, 0])
        lines[2].set_ydata(frame.predictions[0, :, 0])
        told = [tr("epoch {epoch}", epoch=step)]
        if step:
            plain, dropped = losses[:, step - 1]
            told.append(
                tr(
                    "validation loss {plain:.3f} without dropout, {dropped:.3f} with it",
                    plain=plain,
                    dropped=dropped,
                )
            )
        note.set_text("   ".join(told))

    return Movie(figure, len(shown), show, [*lines, *axes.collections, note])


@look()
def curves(run: Run, stopped: Run) -> Picture:
    """Training and validation loss, epoch by epoch, without dropout and with it."""
    figure = picture(8, 4.2)
    left, right = figure.subplots(1, 2, sharey=True)
    best, end = int(stopped.state.best_step[0]), int(stopped.state.step[0])
    for axes, k, color in ((left, 0, PLAIN), (right, 1, DROPPED)):
        history = run.history[run.history["member"] == k]
        axes.plot(
            history["epoch"], history["train_loss"], color=QUIET, linewidth=0.9,
            label=tr("training"),
        )  # fmt: skip
        axes.plot(
            history["epoch"], history["validation_loss"], color=color, linewidth=2.0,
            path_effects=halo(3.4), label=tr("validation"),
        )  # fmt: skip
        axes.set_yscale("log")
        axes.set_xlabel(tr("epoch"))
        axes.legend(loc="upper right")
    left.set_ylabel(tr("loss (mean squared error)"))
    left.axvline(best, color=KEPT, linestyle=DASH_DOT, linewidth=1.6)
    left.plot(best, stopped.state.best_loss[0], "o", color=KEPT, markeredgecolor="white", ms=8)
    left.axvline(end, color=KEPT, linestyle="-", linewidth=1.0)
    headline(
        left,
        tr("Without dropout"),
        tr("epoch {best} is kept, the training stops at {end}", best=best, end=end),
    )
    share = getattr(run.population[1].net, "dropout", 0.0)
    headline(
        right,
        tr("With dropout"),
        tr("{share:.0%} of the hidden neurons missing in each step", share=share),
    )
    return figure


@look()
def cases(found: list[Case]) -> Picture:
    """A row for each training: its losses, and the diagnosis beside them."""
    texts = ["\n".join(wrapped(f.text(), 64) for f in case.diagnosis.findings) for case in found]
    heights = [max(1.8, 0.7 + 0.205 * (text.count("\n") + 1)) for text in texts]  # inches
    figure = picture(8, sum(heights))
    grid = figure.subplots(len(found), 2, width_ratios=[1, 2.7], height_ratios=heights)
    for (axes, beside), case, text in zip(grid, found, texts, strict=True):
        _losses(axes, case)
        beside.set_axis_off()
        beside.text(0, 1, case.name, fontsize=12, fontweight="bold", va="top")
        beside.annotate(
            text, (0, 1), (0, -22), xycoords="axes fraction", textcoords="offset points",
            fontsize=11, va="top", linespacing=1.3,
        )  # fmt: skip
    grid[-1, 0].set_xlabel(tr("epoch"))
    grid[0, 0].legend(loc="best", fontsize=9, handlelength=1.2)
    return figure


def _losses(axes: Axes, case: Case) -> None:
    history = case.run.history[case.run.history["member"] == case.member]
    axes.plot(history["epoch"], history["train_loss"], color=QUIET, lw=1.0, label=tr("training"))
    axes.plot(
        history["epoch"], history["validation_loss"], color=PLAIN, lw=2.0, label=tr("validation")
    )
    axes.set_ylabel(tr("loss"))
    axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    low, high = axes.dataLim.intervaly
    if high > 20 * low:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(3))
