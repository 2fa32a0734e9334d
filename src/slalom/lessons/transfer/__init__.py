"""Lesson 11: what a net has learned on one task helps it on another, if they need the same."""

from copy import deepcopy
from functools import partial
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from slalom.data import Dataset, Split
from slalom.lessons.common import SEED, train
from slalom.lessons.lesson import Lesson, Number, Result, Whole
from slalom.lessons.prose import Text
from slalom.lessons.transfer.drawing import draw_rows, draw_seen, draw_steps, draw_tasks
from slalom.nets import MLP, Net, NetSpec
from slalom.optim import SGD
from slalom.population import Member, Population

Float64Array: TypeAlias = NDArray[np.float64]

FOR_A = 900  # images for the first task; the others are for the second
HELD_OUT = 400  # images at the end that no training sees
COUNTS = (10, 20, 50, 100, 200)  # rows of the second task
REPEATS = 6  # each with rows and first weights of its own
STEPS_A = 300


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


def _learn(
    net: NetSpec, data: Dataset, count: int, lr: float, steps: int, watched: bool
) -> Float64Array:
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
