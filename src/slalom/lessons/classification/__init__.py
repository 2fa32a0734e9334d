"""Lesson 6: a net tells classes apart, and is punished most where it is surely wrong."""

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.data import Dataset, toys
from slalom.lessons.classification.drawing import draw_costs, film
from slalom.lessons.classification.shapes import draw_shapes
from slalom.lessons.common import SEED, train
from slalom.lessons.lesson import Choice, Lesson, Number, Result, Sweep, Whole
from slalom.lessons.prose import Text
from slalom.nets import MLP
from slalom.optim import SGD

MOST_FRAMES = 401  # of which the film shows some
SURE = 0.9  # a probability from which on the prose calls an answer sure


def classification(
    shape: str,
    points: int,
    spread: float,
    arms: int,
    width: int,
    lr: float,
    steps: int,
    seed: int,
) -> Result:
    """Tell two clouds or several spirals apart, and see what each answer costs."""
    data = (
        toys.gaussians(points, spread=spread, seed=1)
        if shape == "gaussians"
        else toys.spirals(points, classes=arms, seed=1)
    )
    net = MLP(2, width, data.targets)
    frames = min(steps + 1, MOST_FRAMES)
    run = train(
        net, data, optimizer=SGD(lr), seed=seed, steps=steps, frames=frames, engine="reference"
    )
    losses = run.history["train_loss"].to_numpy()
    before, after = (_logits(module, data) for module in (net.build(seed), run.model()))
    costs_before, costs = _costs(before, data), _costs(after, data)
    right = after.argmax(dim=1).numpy() == data.y
    numbers: dict[str, Any] = {
        "classes": data.targets,
        "parameters": run.state.parameters.size,
        "losses": losses,
        "first_loss": losses[0],
        "final_loss": losses[-1],
        "blind_loss": np.log(data.targets),
        "accuracy": right.mean(),
        "wrong": (~right).sum(),
        "sure_before": (np.exp(-costs_before) > SURE).mean(),
        "sure_after": (np.exp(-costs) > SURE).mean(),
        "softmax_twice": np.e / (np.e + data.targets - 1),
        **_of_the_worst(after, costs, data),
        **_both_kinds_of_labels(after, data),
    }
    return Result(
        numbers=numbers,
        figures={
            "film": partial(film, run),
            "costs": partial(draw_costs, costs_before, costs, right),
            "shapes": draw_shapes,
        },
        claims={
            "clouds": shape == "gaussians",
            "learned": bool(right.mean() >= 0.9),
            "all_right": bool(right.all()),
            "worst_right": bool(right[costs.argmax()]),
            "began_blind": bool(abs(losses[0] - np.log(data.targets)) < 0.2),
        },
    )


def _logits(module: torch.nn.Module, data: Dataset) -> torch.Tensor:
    """What a net gives for each row: `[N, classes]`."""
    with torch.no_grad():
        logits: torch.Tensor = module(torch.from_numpy(data.X))
    return logits


def _costs(logits: torch.Tensor, data: Dataset) -> NDArray[np.float32]:
    """The cross entropy of each row: `[N]`."""
    y = torch.from_numpy(data.y)
    costs: NDArray[np.float32] = torch.nn.functional.cross_entropy(
        logits, y, reduction="none"
    ).numpy()
    return costs


def _of_the_worst(
    logits: torch.Tensor, costs: NDArray[np.float32], data: Dataset
) -> dict[str, Any]:
    """Of the row that costs most: what the net says, its class in both ways, and its cost."""
    worst = costs.argmax()
    return {
        "worst_logits": _rounded(logits[worst]),
        "worst_probabilities": _rounded(logits[worst].softmax(dim=0)),
        "worst_class": int(data.y[worst]),
        "worst_one_hot": [int(k == data.y[worst]) for k in range(data.targets)],
        "worst_cost": costs[worst],
    }


def _rounded(values: torch.Tensor) -> list[float]:
    """Numbers that read well in a sentence."""
    return [round(value, 2) for value in values.tolist()]


def _both_kinds_of_labels(logits: torch.Tensor, data: Dataset) -> dict[str, float]:
    """The loss after training, from class numbers and from one-hot rows."""
    y = torch.from_numpy(data.y)
    one_hot = torch.nn.functional.one_hot(y, data.targets).float()
    cross_entropy = torch.nn.functional.cross_entropy
    return {
        "label_loss": cross_entropy(logits, y).item(),
        "one_hot_loss": cross_entropy(logits, one_hot).item(),
    }


LESSON = Lesson(
    name="classification",
    parameters=(
        Choice(
            "shape",
            "gaussians",
            Text("what the points look like", "数据点的形状"),
            options=("gaussians", "spirals"),
        ),
        Whole("points", 200, Text("points", "数据点数"), low=20, high=1000),
        Number(
            "spread", 1.5, Text("spread of each gaussian cloud", "每团点云的散布程度"), 0.1, 2.5
        ),
        Whole("arms", 3, Text("number of spirals", "螺旋的条数"), low=2, high=6),
        Whole("width", 10, Text("hidden neurons", "隐藏神经元数"), low=1, high=100),
        Number("lr", 0.05, Text("learning rate", "学习率"), low=1e-3, high=1, log=True),
        Whole("steps", 100, Text("steps", "步数"), low=2, high=3000),
        SEED,
    ),
    function=classification,
    scripts=("classification.py",),
    sweeps=(Sweep("spread", (0.5, 1.0, 1.5, 2.0, 2.5), "film"),),
)
