"""Lesson 13: a wide net learns the noise of few points by heart; what stops it, and what else
goes wrong in trainings."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from slalom.core.language import tr
from slalom.data import Dataset, Split, toys
from slalom.diagnosis import diagnose
from slalom.lessons.common import SEED, train
from slalom.lessons.lesson import Lesson, Number, Result, Whole
from slalom.lessons.overfitting.pictures import Case, bending, cases, curves
from slalom.lessons.prose import Text
from slalom.nets import MLP
from slalom.optim import SGD, Adam
from slalom.population import Member
from slalom.runs import Run

FRAMES = 200  # of which the movie shows some, close together where the lines change fast
SHORT = 200  # epochs, in which the troubles of the last picture show


def overfitting(
    rows: int,
    noise: float,
    width: int,
    dropout: float,
    lr: float,
    epochs: int,
    patience: int,
    seed: int,
) -> Result:
    """A net without and with dropout, the first also with early stopping, and trainings in trouble.

    All nets are 1-width-width-1 with tanh and see the same points.
    """
    data = points(rows, noise)
    net = MLP(1, width, width, 1, activation="tanh")
    both = [Member(net.adjusted(dropout=p), Adam(lr), seed=seed) for p in (0.0, dropout)]
    run = fit(both, data, epochs=epochs, frames=FRAMES)
    stopped = fit(net, data, optimizer=Adam(lr), seed=seed, epochs=epochs, patience=patience)
    plain, dropped = (run.history[run.history["member"] == k] for k in (0, 1))
    split, state = data.folds[0], run.state
    numbers = {
        "training_rows": len(split.train),
        "validation_rows": len(split.validation),
        "training_losses": plain["train_loss"].to_numpy(),
        "validation_losses": plain["validation_loss"].to_numpy(),
        "final_training": plain["train_loss"].iloc[-1],
        "final_validation": plain["validation_loss"].iloc[-1],
        "best_epoch": int(state.best_step[0]),
        "best_validation": state.best_loss[0],
        "kept_epoch": int(stopped.state.best_step[0]),
        "stopped_epoch": int(stopped.state.step[0]),
        "dropout_validation": dropped["validation_loss"].tail(-(-epochs // 10)).mean(),
        "noise_variance": noise**2,
    }
    return Result(
        numbers=numbers,
        figures={
            "film": partial(bending, run, stopped),
            "curves": partial(curves, run, stopped),
            "diagnoses": lambda: cases(troubles()),
        },
        claims=claims(numbers, noise, dropout, epochs),
    )


def claims(
    numbers: Mapping[str, Any], noise: float, dropout: float, epochs: int
) -> dict[str, bool]:
    """What the prose says of these numbers."""
    best, end = numbers["best_validation"], numbers["final_validation"]
    dropped = numbers["dropout_validation"]
    return {
        "noisy": noise > 0,
        "final_validation_higher": bool(end > numbers["final_training"]),
        "learned_noise": bool(numbers["final_training"] < numbers["noise_variance"] / 2),
        "parted": bool(numbers["best_epoch"] > 1 and end > 1.1 * best),
        "fell": numbers["best_epoch"] > 1,
        "stopped": numbers["stopped_epoch"] < epochs,
        "missed": numbers["kept_epoch"] < numbers["best_epoch"],
        "dropping": dropout > 0,
        "dropout_better": bool(dropped < 0.9 * end),
        "dropout_worse": bool(dropped > 1.1 * end),
    }


def points(rows: int, noise: float) -> Dataset:
    """Noisy points of a sine; two of five, drawn by chance, are held out."""
    order = np.random.default_rng(1).permutation(rows)
    held = rows * 2 // 5
    split = Split(np.sort(order[held:]), np.sort(order[:held]))
    return toys.sine(rows, noise=noise, seed=1).with_folds((split,))


def fit(members: Any, data: Dataset, **arguments: Any) -> Run:
    """A training in plain PyTorch, whose numbers a script can have too."""
    return train(members, data, engine="reference", **({"frames": 0} | arguments))


def troubles() -> list[Case]:
    """Trainings that go well or wrong in their own way, always the same ones."""
    few, more = points(40, 0.3), points(400, 0.3)
    net = MLP(1, 100, 100, 1, activation="tanh")
    relu = net.adjusted(activation="relu")
    every = {
        tr("A wide net"): (net, few, Adam(0.003), 4 * SHORT),
        tr("The same net, ten times as many points"): (net, more, Adam(0.003), SHORT),
        tr("The same net, learning rate 0.000001"): (net, few, Adam(1e-6), SHORT),
        tr("The same net, SGD, learning rate 10"): (net, few, SGD(10.0), SHORT),
        tr("The same net with relu, learning rate 1"): (relu, few, Adam(1.0), SHORT),
    }
    found = []
    for name, (other, data, optimizer, epochs) in every.items():
        run = fit(other, data, optimizer=optimizer, seed=0, epochs=epochs)
        found.append(Case(name, run, 0, diagnose(run, 0)))
    return found


LESSON = Lesson(
    name="overfitting",
    parameters=(
        Whole("rows", 40, Text("points, held-out ones included", "数据点数，包括留出的"), 10, 200),
        Number("noise", 0.3, Text("standard deviation of the noise", "噪声的标准差"), 0, 1),
        Whole("width", 100, Text("neurons in each hidden layer", "每个隐藏层的神经元数"), 1, 200),
        Number("dropout", 0.3, Text("share of neurons dropped", "丢弃的神经元所占的比例"), 0, 0.9),
        Number("lr", 0.003, Text("learning rate of Adam", "Adam 的学习率"), 1e-6, 1, log=True),
        Whole("epochs", 800, Text("epochs", "轮次数"), 20, 2000),
        Whole("patience", 100, Text("epochs to wait", "等待的轮次数"), 1, 2000),
        SEED,
    ),
    function=overfitting,
    scripts=("overfitting.py",),
    only_here=frozenset({"dropout_validation"}),
)
