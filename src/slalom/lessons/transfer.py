"""Lesson 11: what a net has learned on one task helps it on another, if they need the same."""

from copy import deepcopy
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from slalom.data.dataset import Dataset, Split
from slalom.lessons.common import SEED
from slalom.lessons.lesson import Lesson, Number, Result, Whole
from slalom.lessons.prose import Text
from slalom.nets import MLP, Net, NetSpec
from slalom.optim import SGD
from slalom.plots.style import (
    BLUE,
    INK,
    QUIET,
    VERMILLION,
    class_color,
    end_labels,
    halo,
    look,
    picture,
    whole_ticks,
)
from slalom.population import Member, Population
from slalom.training import train

Floats: TypeAlias = NDArray[np.float64]

FOR_A = 900  # images for the first task; the others are for the second
HELD_OUT = 400  # images at the end that no training sees
COUNTS = (10, 20, 50, 100, 200)  # rows of the second task
REPEATS = 6  # each with rows and first weights of its own
STEPS_A = 300
WAYS = ("from nothing", "fine-tuned", "frozen trunk")
COLORS, LINES, MARKERS = (QUIET, BLUE, VERMILLION), (":", "--", "-"), ("s", "^", "o")
TITLE: dict[str, Any] = {"x": 0.01, "ha": "left", "fontsize": 12, "fontweight": "bold"}


def transfer(known: int, rows: int, width: int, lr: float, steps: int, seed: int) -> Result:
    """Train a trunk on single digits, then learn pairs of digits from few rows in three ways."""
    images, digits = _digits()
    first = _task_a(images, digits, known, width, lr, seed)
    trunk = torch.nn.Sequential(*list(first)[:-1])  # all but the output layer
    nets = (
        MLP(64, width, width, 5, activation="tanh"),
        Net(partial(_with_head, trunk, width, frozen=False)),
        Net(partial(_with_head, trunk, width, frozen=True)),
    )
    pairs = Dataset(images[FOR_A:], digits[FOR_A:] // 2, task="classification")
    counts = sorted({*COUNTS, rows})
    curves = {
        count: np.array([_learn(net, pairs, count, lr, steps, count == rows) for net in nets])
        for count in counts
    }
    accuracies = np.stack([curves[count][..., -1] for count in counts], axis=1)
    seen = digits[-HELD_OUT:] < known
    with torch.no_grad():
        answers = first(torch.from_numpy(images[-HELD_OUT:][seen])).argmax(dim=1).numpy()
    nothing, fine, frozen = accuracies[:, counts.index(rows)].mean(axis=1)
    return Result(
        numbers={
            "counts": counts,
            "repeats": REPEATS,
            "held_out": HELD_OUT,
            "head": 5 * width + 5,
            "most": counts[-1],
            "accuracies": accuracies,
            "known_accuracy": (answers == digits[-HELD_OUT:][seen]).mean(),
            "nothing": nothing,
            "fine": fine,
            "frozen": frozen,
            "nothing_most": accuracies[0, -1].mean(),
            "fine_most": accuracies[1, -1].mean(),
            "frozen_most": accuracies[2, -1].mean(),
        },
        figures={
            "tasks": partial(draw_tasks, images, digits, known),
            "rows": partial(draw_rows, counts, accuracies, rows),
            "steps": partial(draw_steps, curves[rows], rows),
            "seen": partial(draw_seen, images[-HELD_OUT:], digits[-HELD_OUT:], trunk),
        },
    )


def _digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Images `[1797, 64]` with values from 0 to 1, and what they show, in a random order."""
    images, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    return (images[order] / 16).astype(np.float32), digits[order]


def _task_a(
    images: NDArray[np.float32],
    digits: NDArray[np.int64],
    known: int,
    width: int,
    lr: float,
    seed: int,
) -> torch.nn.Sequential:
    """A net that tells the digits below `known` apart."""
    rows = np.flatnonzero(digits[:FOR_A] < known)
    run = train(
        MLP(64, width, width, known, activation="tanh"),
        Dataset(images[rows], digits[rows], task="classification"),
        optimizer=SGD(lr),
        steps=STEPS_A,
        seed=seed,
        engine="reference",
    )
    return torch.nn.Sequential(*run.model().children())


def _with_head(trunk: torch.nn.Sequential, width: int, frozen: bool) -> torch.nn.Sequential:
    """A copy of the trunk, and behind it an output layer with new weights."""
    layers = deepcopy(trunk).requires_grad_(not frozen)
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, 5))


def _learn(net: NetSpec, data: Dataset, count: int, lr: float, steps: int, watched: bool) -> Floats:
    """Accuracy on the rows held out, `[repeats, steps]`, or `[repeats, 1]` if not `watched`.

    Each repeat draws its own `count` rows to train on.
    """
    pool = data.rows - HELD_OUT
    held_out = np.arange(pool, data.rows)
    repeats = range(REPEATS)
    drawn = [np.random.default_rng(k).permutation(pool)[:count] for k in repeats]
    run = train(
        Population(tuple(Member(net, SGD(lr), seed=k, fold=k) for k in repeats)),
        data.with_folds(tuple(Split(rows, held_out) for rows in drawn)),
        steps=steps,
        validate_every=1 if watched else steps,
        engine="reference",
    )
    return run.history["accuracy"].dropna().to_numpy().reshape(REPEATS, -1)


@look()
def draw_tasks(images: NDArray[np.float32], digits: NDArray[np.int64], known: int) -> Figure:
    """An image of each digit, and what each task asks of it."""
    figure = picture(8, 1.7)
    for digit, axes in enumerate(figure.subplots(1, 10)):
        image = images[np.flatnonzero(digits == digit)[0]]
        axes.imshow(image.reshape(8, 8), cmap="gray_r")
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
        asked = digit if digit < known else "–"
        axes.set_xlabel(f"A: {asked}\nB: {digit // 2}", fontsize=10, color=INK)
    figure.suptitle("Task A: which digit? Task B: which pair?", **TITLE)
    return figure


@look()
def draw_rows(counts: list[int], accuracies: Floats, rows: int) -> Figure:
    """Accuracy against the number of rows, for `accuracies [ways, counts, repeats]`."""
    figure = picture(8, 4.8)
    axes = figure.add_subplot()
    axes.set_xscale("log")
    apart = [count for count in counts if count == rows or not 0.75 < count / rows < 1.34]
    axes.set_xticks(apart, [str(count) for count in apart])  # with room for each label
    axes.minorticks_off()
    _draw_ways(axes, np.array(counts), accuracies, marked=True)
    axes.set_xlabel("rows of task B to train on")
    nothing, _, frozen = accuracies.mean(axis=-1)
    axes.set_title(
        f"Frozen trunk against none: {frozen[0]:.0%} to {nothing[0]:.0%} with {counts[0]} rows, "
        f"{frozen[-1]:.0%} to {nothing[-1]:.0%} with {counts[-1]}",
        fontsize=11,
    )
    return figure


@look()
def draw_steps(accuracies: Floats, rows: int) -> Figure:
    """Accuracy after each step, for `accuracies [ways, repeats, steps]`."""
    figure = picture(8, 4.8)
    axes = figure.add_subplot()
    steps = accuracies.shape[-1]
    _draw_ways(axes, np.arange(1, steps + 1), accuracies.swapaxes(1, 2), marked=False)
    whole_ticks(axes)
    axes.set_xlabel("step")
    nothing, fine, frozen = accuracies[..., -1].mean(axis=1)
    axes.set_title(
        f"With {rows} rows: {frozen:.0%} behind a frozen trunk, {fine:.0%} fine-tuned, "
        f"{nothing:.0%} from nothing",
        fontsize=11,
    )
    return figure


def _draw_ways(axes: Axes, x: NDArray[np.int64], accuracies: Floats, marked: bool) -> None:
    """A line and a band for each way, from `accuracies [ways, len(x), repeats]`."""
    means, spreads = accuracies.mean(axis=-1), accuracies.std(axis=-1)
    for mean, spread, color, line, marker in zip(
        means, spreads, COLORS, LINES, MARKERS, strict=True
    ):
        axes.fill_between(x, mean - spread, mean + spread, color=color, alpha=0.15, linewidth=0)
        axes.plot(
            x,
            mean,
            color=color,
            linestyle=line,
            linewidth=2.4,
            marker=marker if marked else None,
            path_effects=halo(),
        )
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.set_ylabel(f"accuracy on {HELD_OUT} other rows")
    end_labels(axes, means[:, -1].tolist(), list(WAYS), list(COLORS))


@look()
def draw_seen(
    images: NDArray[np.float32], digits: NDArray[np.int64], trunk: torch.nn.Sequential
) -> Figure:
    """Images as the net gets them and as the trunk gives them on, flattened onto a plane."""
    figure = picture(8, 4.4)
    with torch.no_grad():
        outputs = trunk(torch.from_numpy(images)).numpy()
    panels = figure.subplots(1, 2)
    for axes, values, name in zip(
        panels,
        (images, outputs),
        ("without a trunk: 64 pixels", f"with it: {outputs.shape[1]} outputs of the trunk"),
        strict=True,
    ):
        plane = PCA(2).fit_transform(values)
        for digit in range(10):
            x, y = plane[digits == digit].T
            color = class_color(digit // 2)
            axes.scatter(x, y, s=30, marker=f"${digit}$", color=color, linewidth=0.3)
        axes.set_title(name, fontsize=11)
        axes.tick_params(labelbottom=False, labelleft=False, length=0)
    figure.suptitle(
        f"{len(images)} images, each drawn as its digit: what the new layer gets to see", **TITLE
    )
    return figure


LESSON = Lesson(
    name="transfer",
    parameters=(
        Whole(
            "known",
            10,
            Text("digits that task A tells apart, from 0", "任务 A 要区分的数字个数，从 0 数起"),
            low=2,
            high=10,
        ),
        Whole("rows", 20, Text("rows of task B", "任务 B 的行数"), low=5, high=400),
        Whole("width", 32, Text("neurons in each hidden layer", "每个隐藏层的神经元数"), 2, 64),
        Number("lr", 0.5, Text("learning rate", "学习率"), low=1e-3, high=1, log=True),
        Whole("steps", 100, Text("steps on task B", "任务 B 的步数"), low=2, high=150),
        SEED,
    ),
    function=transfer,
    scripts=("transfer.py",),
)
