"""Lesson 11: what a net has learned on one task helps it on another, if they need the same."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch

from slalom.lessons.common import SEED
from slalom.lessons.lesson import Lesson, Number, Result, Whole
from slalom.lessons.prose import Text
from slalom.lessons.transfer.drawing import draw_rows, draw_seen, draw_steps, draw_tasks
from slalom.lessons.transfer.learning import (
    FOR_A,
    HELD_OUT,
    REPEATS,
    digits,
    from_nothing,
    learn,
    learn_from_nothing,
    nearest_to_own,
    train_on_a,
)
from slalom.runs.transfer import transfer as with_new_layer

COUNTS = (10, 50, 200)  # rows of the second task, besides those that are asked for
# In shares of the images; between two steps of 1/2400, so that rounding decides no claim.
CLEAR, FAR = 0.021, 0.101


def transfer(known: int, rows: int, width: int, lr: float, steps: int, seed: int) -> Result:
    """Train a trunk on single digits, then learn pairs of digits from few rows in three ways."""
    images, shown = digits()
    run = train_on_a(known, width, lr, seed)
    first = torch.nn.Sequential(*run.model().children())
    trunk = torch.nn.Sequential(*list(first)[:-1])  # all but the output layer
    counts = sorted({*COUNTS, rows})
    ways = (
        (learn_from_nothing, from_nothing(width)),
        (learn, with_new_layer(run, outputs=5, freeze=False)),
        (learn, with_new_layer(run, outputs=5)),
    )
    curves = [
        [learned(net, count, lr, steps, count == rows) for count in counts] for learned, net in ways
    ]
    watched = np.array([way[counts.index(rows)] for way in curves])  # [ways, repeats, steps]
    numbers: dict[str, Any] = {
        "counts": counts,
        "fewest": counts[0],
        "most": counts[-1],
        "repeats": REPEATS,
        "held_out": HELD_OUT,
        "rows_a": int((shown[:FOR_A] < known).sum()),
        "all_parameters": from_nothing(width).size[0],
        "head": 5 * width + 5,
        "accuracies": np.array([[curve[:, -1] for curve in way] for way in curves]),
        "curves": watched,
    }
    numbers |= compared(numbers) | seen_by_the_head(first, known)
    return Result(
        numbers=numbers,
        figures={
            "tasks": partial(draw_tasks, images, shown, known),
            "rows": partial(draw_rows, counts, numbers["accuracies"], rows),
            "steps": partial(draw_steps, watched, rows),
            "seen": partial(
                draw_seen,
                images[-HELD_OUT:],
                shown[-HELD_OUT:],
                trunk,
                (numbers["pixels_apart"], numbers["trunk_apart"]),
            ),
        },
        claims=claims(numbers, known),
    )


def compared(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """The three ways against each other: means, repeats that are better, and how soon."""
    curves, accuracies = numbers["curves"], numbers["accuracies"]
    nothing, fine, frozen = curves[..., -1]
    gains = 100 * (accuracies[2] - accuracies[0]).mean(axis=1)  # in points
    reached = curves[2].mean(axis=0) > nothing.mean() - 1e-6  # equal, but for rounding
    return {
        "nothing": nothing.mean(),
        "fine": fine.mean(),
        "frozen": frozen.mean(),
        "fine_better": int((fine > nothing).sum()),
        "frozen_better": int((frozen > nothing).sum()),
        "gain_fewest": gains[0],
        "gain_most": gains[-1],
        "caught_up": int(reached.argmax()) + 1 if reached.any() else 0,
    }


def seen_by_the_head(first: torch.nn.Sequential, known: int) -> dict[str, float]:
    """How well task A was learned, and how well digits can be told apart behind its trunk.

    Of no image, where task A knows all digits, the share is no number.
    """
    images, shown = (torch.from_numpy(values[-HELD_OUT:]) for values in digits())
    of_a = shown < known
    with torch.no_grad():
        right = first(images).argmax(dim=1) == shown
        pixels = nearest_to_own(images, shown)
        behind_trunk = nearest_to_own(first[:-1](images), shown)
    return {
        "known_accuracy": _share(right[of_a]),
        "pixels_apart": _share(pixels),
        "trunk_apart": _share(behind_trunk),
        "known_apart": _share(behind_trunk[of_a]),
        "others_apart": _share(behind_trunk[~of_a]),
        "others_pixels": _share(pixels[~of_a]),
    }


def _share(which: torch.Tensor) -> float:
    return which.double().mean().item()


def claims(numbers: Mapping[str, Any], known: int) -> dict[str, bool]:
    """What the prose says of these numbers; a way is better when it is in every repeat."""
    nothing, fine, frozen = numbers["curves"][..., -1]
    clearer = numbers["trunk_apart"] - numbers["pixels_apart"]
    return {
        "all_known": known == 10,
        "frozen_helps": bool((frozen > nothing).all()),
        "frozen_hurts": bool((frozen < nothing).all()),
        "fine_helps": bool((fine > nothing).all()),
        "fine_hurts": bool((fine < nothing).all()),
        "frozen_above_fine": bool((frozen > fine).all()),
        "fine_above_frozen": bool((fine > frozen).all()),
        "gain_falls": bool(numbers["gain_fewest"] - numbers["gain_most"] > 100 * CLEAR),
        "catches_up": numbers["caught_up"] > 0,
        "clearer": clearer > CLEAR,
        "dimmer": clearer < -CLEAR,
        "others_lost": numbers["others_pixels"] - numbers["others_apart"] > FAR,
    }


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
    thumbnail="seen",
)
