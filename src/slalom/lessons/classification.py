"""Lesson 6: a net tells classes apart, and is punished most where it is surely wrong."""

from functools import partial

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from slalom.data import Dataset, toys
from slalom.lessons.common import SEED, train
from slalom.lessons.lesson import Choice, Lesson, Number, Result, Whole
from slalom.lessons.prose import Text
from slalom.nets import MLP
from slalom.optim import SGD
from slalom.plots.toolkit import (
    BLUE,
    INK,
    PALE,
    QUIET,
    VERMILLION,
    draw_boundaries,
    draw_classes,
    draw_regions,
    halo,
    look,
    movie,
    picture,
    region_numbers,
)
from slalom.runs import Run


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
    run = train(net, data, optimizer=SGD(lr), seed=seed, steps=steps, engine="reference", frames=60)
    losses = run.history["train_loss"].to_numpy()
    before, after = (_logits(module, data) for module in (net.build(seed), run.model()))
    costs = _costs(after, data)
    worst = costs.argmax()
    right = after.argmax(dim=1).numpy() == data.y
    return Result(
        numbers={
            "classes": data.targets,
            "parameters": run.state.parameters.size,
            "losses": losses,
            "first_loss": losses[0],
            "final_loss": losses[-1],
            "blind_loss": np.log(data.targets),
            "accuracy": right.mean(),
            "wrong": (~right).sum(),
            "worst_logits": _rounded(after[worst]),
            "worst_probabilities": _rounded(after[worst].softmax(dim=0)),
            "worst_class": data.y[worst],
            "worst_cost": costs[worst],
        },
        figures={
            "film": partial(movie, run),
            "costs": partial(draw_costs, _costs(before, data), costs, right),
            "shapes": partial(draw_shapes, seed),
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


def _rounded(values: torch.Tensor) -> list[float]:
    """Numbers that read well in a sentence."""
    return [round(value, 2) for value in values.tolist()]


@look()
def draw_costs(
    before: NDArray[np.float32], after: NDArray[np.float32], right: NDArray[np.bool_]
) -> Figure:
    """What answers cost, on the curve -log p, and how often which p came before and after.

    Args:
        before, after: the cross entropy of each row, before and after training, `[N]`.
        right: whether the row is right after training, `[N]`.
    """
    figure = picture(8, 6)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    highest = max(5.0, 1.1 * float(after.max()))
    curve = np.linspace(0.0, highest, 400)
    top.plot(np.exp(-curve), curve, color=QUIET, linewidth=1.4)
    for kind, name, color, marker in (
        (right, "right", BLUE, "o"),
        (~right, "wrong", VERMILLION, "X"),
    ):
        top.scatter(
            np.exp(-after[kind]),
            after[kind],
            s=60,
            color=color,
            marker=marker,
            edgecolor="white",
            linewidth=0.6,
            zorder=3,
            label=f"{name} after training: {kind.sum()}",
        )
    top.annotate(
        "the worst answer",
        (float(np.exp(-after.max())), float(after.max())),
        (10, 8),
        textcoords="offset points",
        fontsize=10,
        path_effects=halo(),
    )
    top.set_ylabel("cost = −log p  (nats)")
    top.set_ylim(-0.03 * highest, highest)
    top.set_title("A sure wrong answer costs most, a sure right one next to nothing")
    top.legend(loc="upper right", fontsize=10)
    bins = np.linspace(0, 1, 26)
    bottom.hist(np.exp(-before), bins, color=PALE, edgecolor=QUIET, hatch="///", label="before")
    bottom.hist(np.exp(-after), bins, histtype="step", color=BLUE, linewidth=2.2, label="after")
    bottom.legend(loc="upper left", fontsize=10, ncols=2, title="training", alignment="left")
    bottom.set_xlabel("p, the probability that the net gives to the right class")
    bottom.set_ylabel("rows")
    bottom.set_xlim(-0.02, 1.02)
    return figure


def _harder(seed: int) -> dict[str, Run]:
    """A net with two hidden layers on each of the harder shapes."""
    shapes = {
        "moons": (toys.moons(300, noise=0.15), 0.5),
        "circles": (toys.circles(300), 0.5),
        "checkerboard": (toys.checkerboard(400), 0.2),
        "2 spirals": (toys.spirals(300, classes=2), 0.5),
        "4 spirals": (toys.spirals(400, classes=4), 0.5),
        "5 blobs": (toys.blobs(300, classes=5), 0.05),  # far from 0, so that gradients are large
    }
    return {
        name: train(
            MLP(2, 32, 32, data.targets), data, optimizer=SGD(lr), seed=seed, steps=3000, frames=0
        )
        for name, (data, lr) in shapes.items()
    }


@look()
def draw_shapes(seed: int) -> Figure:
    """Regions and accuracy on six harder shapes."""
    figure = picture(8, 6)
    panels = figure.subplots(2, 3)
    for axes, (name, run) in zip(panels.flat, _harder(seed).items(), strict=True):
        numbers = region_numbers(run)
        draw_regions(axes, numbers.across, numbers.up, numbers.probabilities)
        draw_boundaries(axes, numbers)
        draw_classes(axes, numbers.X, numbers.y, numbers.predicted != numbers.y, size=9)
        axes.set_title(f"{name}: {numbers.train_accuracy:.1%}", fontsize=11, pad=5)
        axes.tick_params(labelbottom=False, labelleft=False, length=0)
    figure.suptitle(
        "Two hidden layers bend the border around almost anything",
        x=0.01,
        ha="left",
        fontsize=12,
        fontweight="bold",
        color=INK,
    )
    return figure


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
            "spread", 1.5, Text("spread of each gaussian cloud", "每团高斯点云的散布程度"), 0.1, 2.5
        ),
        Whole("arms", 3, Text("number of spirals", "螺旋的条数"), low=2, high=6),
        Whole("width", 10, Text("hidden neurons", "隐藏神经元数"), low=1, high=100),
        Number("lr", 0.05, Text("learning rate", "学习率"), low=1e-3, high=1, log=True),
        Whole("steps", 100, Text("steps", "步数"), low=2, high=3000),
        SEED,
    ),
    function=classification,
    scripts=("classification.py",),
)
