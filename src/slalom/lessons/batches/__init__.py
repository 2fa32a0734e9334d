"""Lesson 9: which rows come in which batch, and what the size of a batch does to training."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from slalom.core.arrays import Float64Array
from slalom.data.batches import Shuffle, steps_per_epoch
from slalom.lessons.batches.dealing import batch_table, flowing
from slalom.lessons.batches.learning import (
    DRAWS,
    MIDDLE,
    POINTS,
    SEEDS,
    SIZES,
    learned,
    seconds_a_step,
)
from slalom.lessons.batches.pictures import costs, curves, noise_of_batches
from slalom.lessons.lesson import Lesson, Number, Result, Sweep, Whole
from slalom.lessons.prose import Text


def batches(rows: int, batch_size: int, epochs: int, lr: float, seed: int) -> Result:
    """Pairs in batches, gradients of batches, and trainings with batches of several sizes."""
    pairs = pairs_of(rows, epochs, seed)
    per_epoch = steps_per_epoch(rows, batch_size)
    made, seconds = learned(epochs, lr, seed), seconds_a_step()
    numbers = {
        "pairs": pairs,
        "batches_per_epoch": per_epoch,
        "last_batch": rows - batch_size * (per_epoch - 1),
        "total_steps": epochs * per_epoch,
        "points": POINTS,
        "draws": DRAWS,
        "averaged": SEEDS,
        "sizes": np.array(SIZES),
        "full_length": float(np.linalg.norm(made.clouds.full)),
        "noise": made.clouds.noise,
        "steps_taken": np.array([epochs * steps_per_epoch(POINTS, size) for size in SIZES]),
        "final_losses": made.final_losses,
        "loss_shuffled": made.final_losses[MIDDLE],
        "loss_in_order": made.loss_in_order,
        "same_step": made.same_step,
        "last_epoch": made.last_epoch,
        "best_size": SIZES[int(made.last_epoch.argmin())],
        "step_microseconds": 1e6 * seconds,
        "epoch_milliseconds": np.array(
            [1e3 * s * steps_per_epoch(POINTS, n) for s, n in zip(seconds, SIZES, strict=True)]
        ),
    }
    return Result(
        numbers=numbers,
        figures={
            "flow": partial(flowing, pairs, batch_size),
            "table": partial(batch_table, pairs, batch_size),
            "noise": partial(noise_of_batches, made.clouds),
            "curves": partial(curves, made.curves, SEEDS),
            "time": partial(costs, SIZES, seconds, POINTS),
        },
        claims=claims(numbers, rows, batch_size),
    )


def pairs_of(rows: int, epochs: int, seed: int) -> Float64Array:
    """x counts up from 1, y down to 1: in the order in which they come, `[epochs, rows, 2]`."""
    shuffle = Shuffle(seed, rows)
    orders = np.array([shuffle.order(epoch).numpy() for epoch in range(epochs)])
    return np.stack([orders + 1, rows - orders], axis=-1).astype(float)


def claims(numbers: Mapping[str, Any], rows: int, batch_size: int) -> dict[str, bool]:
    """What the prose says of these numbers."""
    same_step, last_epoch = numbers["same_step"], numbers["last_epoch"]
    return {
        "whole": batch_size >= rows,
        "exact": rows % batch_size == 0,
        "order_hurts": bool(numbers["loss_in_order"] > 1.1 * numbers["loss_shuffled"]),
        "alike": bool(max(same_step) < 1.25 * min(same_step)),
        "more_steps_help": bool(last_epoch[1] < last_epoch[4]),
        "single_rows_best": bool(last_epoch[0] == min(last_epoch)),
    }


LESSON = Lesson(
    name="batches",
    parameters=(
        Whole("rows", 10, Text("rows of the table", "表中的行数"), low=2, high=24),
        Whole("batch_size", 8, Text("rows in a batch", "一批的行数"), low=1, high=24),
        Whole("epochs", 4, Text("epochs", "轮次数"), low=1, high=10),
        Number("lr", 0.1, Text("learning rate", "学习率"), low=0.001, high=0.2, log=True),
        Whole("seed", 0, Text("random seed of the orders", "打乱顺序的随机种子"), low=0, high=9999),
    ),
    function=batches,
    scripts=("batches.py", "batch_size.py"),
    # The scripts train one net of each size, and measure no time.
    only_here=frozenset(
        {
            "averaged",
            "same_step",
            "last_epoch",
            "best_size",
            "step_microseconds",
            "epoch_milliseconds",
        }
    ),
    sweeps=(
        Sweep("batch_size", (3, 5, 8, 10), "flow"),
        Sweep("lr", (0.003, 0.01, 0.03, 0.1, 0.2), "curves"),
    ),
)
