"""Lesson 7: one net as a class and as a Sequential, and a net that no Sequential can be."""

from collections.abc import Mapping
from functools import partial
from math import isfinite
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray

from slalom.core.language import tr
from slalom.data import Dataset, toys
from slalom.lessons.common import SEED, train
from slalom.lessons.lesson import Choice, Lesson, Number, Result, Whole
from slalom.lessons.matrices import cells, entries
from slalom.lessons.prose import Text
from slalom.nets import MLP
from slalom.nets import Net as Recipe
from slalom.optim import SGD
from slalom.plots.toolkit import (
    BLUE,
    INK,
    VERMILLION,
    Movie,
    Picture,
    end_labels,
    look,
    movie,
    picture,
    whole_ticks,
)
from slalom.population import grid
from slalom.runs import Run

Array = NDArray[Any]

STEPS = 200
LEGIBLE = 24  # entries of a table: of so many the numbers themselves are shown


class Net(torch.nn.Module):
    """`[B, I]` to `[B, 1]` by one hidden layer; as learners write it."""

    def __init__(self, inputs: int, width: int, activation: str) -> None:
        super().__init__()
        self.hidden = torch.nn.Linear(inputs, width)
        self.output = torch.nn.Linear(width, 1)
        self.act = getattr(torch.nn.functional, activation)

    def forward(self, x: torch.Tensor) -> Any:
        return self.output(self.act(self.hidden(x)))


class Deep(torch.nn.Module):
    """`[B, 1]` to `[B, 1]` by many hidden layers; with `skip` each adds what it finds to its input.

    Args:
        width: of every hidden layer.
        blocks: hidden layers after the first one.
        activation: its name in `torch.nn.functional`.
        skip: whether a layer gets past what came into it.
    """

    def __init__(self, width: int, blocks: int, activation: str, skip: bool) -> None:
        super().__init__()
        self.skip = skip
        self.first = torch.nn.Linear(1, width)
        self.blocks = torch.nn.ModuleList(torch.nn.Linear(width, width) for _ in range(blocks))
        self.last = torch.nn.Linear(width, 1)
        self.act = getattr(torch.nn.functional, activation)

    def stages(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The values after each hidden layer, `[B, width]` each."""
        values = [self.act(self.first(x))]
        for block in self.blocks:
            new = self.act(block(values[-1]))
            values.append(values[-1] + new if self.skip else new)
        return values

    def forward(self, x: torch.Tensor) -> Any:
        return self.last(self.stages(x)[-1])


def building(inputs: int, width: int, activation: str, blocks: int, lr: float, seed: int) -> Result:
    """Build a net twice and compare; train two deep nets, with and without skips."""
    net = Recipe(Net, inputs=inputs, width=width, activation=activation).build(seed)
    sequential = MLP(inputs, width, 1, activation=activation).build(seed)
    rows = torch.randn(100, inputs, generator=torch.Generator().manual_seed(1))
    outputs = [net(rows), sequential(rows)]
    for output in outputs:
        output.square().mean().backward()

    data = toys.quadratic(100, noise=0.2, seed=1)
    recipes = [
        Recipe(Deep, width=width, blocks=blocks, activation=activation, skip=skip)
        for skip in (False, True)
    ]
    members = grid(net=recipes, optimizer=SGD(lr), seed=seed)
    run = train(members, data, steps=STEPS, engine="reference")
    losses = [rows["train_loss"].iloc[-1] for _, rows in run.history.groupby("member")]
    chain: Any = recipes[0].build(seed)
    skips: Any = recipes[1].build(seed)
    spreads = {"chain": spread(chain, data), "skips": spread(skips, data)}
    numbers = {
        "class_text": str(net),
        "sequential_text": str(sequential),
        "class_names": [name for name, _ in net.named_parameters()],
        "sequential_names": [name for name, _ in sequential.named_parameters()],
        "parameters": count(net),
        "class_outputs": outputs[0].detach().numpy(),
        "sequential_outputs": outputs[1].detach().numpy(),
        "largest_difference": largest_difference(net, sequential, outputs),
        "deep_parameters": count(skips),
        "listed_parameters": count(skips.first) + count(skips.last),
        "mean_loss": data.y.var(),
        "chain_loss": losses[0],
        "skip_loss": losses[1],
        "chain_spreads": spreads["chain"],
        "skip_spreads": spreads["skips"],
        "first_spread": spreads["chain"][0],
        "chain_spread": spreads["chain"][-1],
        "skip_spread": spreads["skips"][-1],
        "chain_gradient": first_gradient(chain, data),
        "skip_gradient": first_gradient(skips, data),
    }
    return Result(
        numbers=numbers,
        figures={
            "parts": partial(parts, net, sequential, activation),
            "spreads": partial(spread_curves, spreads),
            "film": partial(training, run),
        },
        claims=claims(numbers),
    )


def claims(numbers: Mapping[str, Any]) -> dict[str, bool]:
    """What the prose says of these numbers."""
    first, chain, skip = (numbers[f"{name}_spread"] for name in ("first", "chain", "skip"))
    chain_loss, skip_loss, mean_loss = (
        numbers[f"{name}_loss"] for name in ("chain", "skip", "mean")
    )
    return {
        "nothing_gets_in": bool(first == 0),
        "chain_fades": bool(chain < first / 100),
        "skip_keeps": bool(skip > first / 2),
        "gradient_fades": bool(numbers["chain_gradient"] < numbers["skip_gradient"] / 100),
        "chain_diverged": not isfinite(chain_loss),
        "chain_blind": bool(chain_loss > 0.95 * mean_loss),
        "skip_diverged": not isfinite(skip_loss),
        "skip_wins": bool(skip_loss < chain_loss / 2),
        "chain_wins": bool(isfinite(skip_loss) and chain_loss < skip_loss / 2),
    }


def count(net: torch.nn.Module) -> int:
    """How many parameters a net knows of."""
    return sum(p.numel() for p in net.parameters())


def largest_difference(
    net: torch.nn.Module, other: torch.nn.Module, outputs: list[torch.Tensor]
) -> float:
    """Between the outputs, parameters and gradients of two nets."""
    pairs = [(outputs[0], outputs[1])]
    for p, q in zip(net.parameters(), other.parameters(), strict=True):
        assert p.grad is not None and q.grad is not None
        pairs += [(p, q), (p.grad, q.grad)]
    return max((p - q).abs().max().item() for p, q in pairs)


def spread(net: Any, data: Dataset) -> Array:
    """How much the values differ from point to point after each hidden layer, `[blocks + 1]`."""
    stages = net.stages(torch.from_numpy(data.X))
    return np.array([values.double().std(dim=0).mean().item() for values in stages])


def first_gradient(net: Any, data: Dataset) -> float:
    """The mean size of the gradients that arrive at the weights of the first layer."""
    X, Y = torch.from_numpy(data.X), torch.from_numpy(data.y)
    torch.nn.functional.mse_loss(net(X), Y).backward()  # type: ignore[no-untyped-call]
    return float(net.first.weight.grad.abs().mean())


@look()
def training(run: Run) -> Movie:
    """The movie of both nets under their names, with room for the first line of the chain."""
    made = movie(run)
    for axes, name in zip(made.figure.axes, (tr("chain"), tr("with skips")), strict=True):
        axes.set_title(name, fontsize=10.5, pad=21)
    low = axes.get_ylim()[0]
    first = float(run.frames[0].predictions[0].min())
    axes.set_ylim(bottom=np.clip(first - 0.1, low - 1, low))
    return made


@look()
def parts(net: Any, sequential: Any, activation: str) -> Picture:
    """Parameters and activation of both nets, one above the other."""
    figure = picture(8, 6.2)
    rows = figure.subplots(2, 3, width_ratios=(3, 2, 1.2))
    layers = ((net.hidden, net.output), (sequential[0], sequential[2]))
    kinds = ((tr("class Net"), activation), ("Sequential", str(sequential[1])))
    for row, module, (hidden, output), (kind, act) in zip(
        rows, (net, sequential), layers, kinds, strict=True
    ):
        names = [name for name, _ in module.named_parameters()]
        parameters(row[0], hidden, upright=False)
        row[0].set_ylabel(kind, fontsize=12, fontweight="bold")
        x = torch.linspace(-3, 3, 101)
        row[1].plot(x, getattr(torch.nn.functional, activation)(x), color=BLUE, linewidth=2)
        row[1].set_xlabel(tr("what comes into a neuron"))
        parameters(row[2], output, upright=True)
        titles = (f"{names[0]} | {names[1]}", act, f"{names[2]}\n{names[3]}")
        for axes, title in zip(row, titles, strict=True):
            axes.set_title(title, fontsize=10, family="monospace", fontweight="normal")
    figure.suptitle(tr("Same seed, same parameters: only the names differ"), fontweight="bold")
    return figure


def parameters(axes: Axes, layer: torch.nn.Linear, upright: bool) -> None:
    """Weights of a layer and, behind a line, its biases: a row for each output, or a column."""
    table = torch.column_stack([layer.weight, layer.bias]).detach().numpy()
    cells(axes, table.T if upright else table, largest=float(np.abs(table).max()))
    border = axes.axhline if upright else axes.axvline
    border(layer.in_features - 0.5, color=INK, linewidth=2.5)
    if table.size <= LEGIBLE:
        entries(axes, table.T if upright else table, ".2f", size=9)


NOTHING = 1e-12  # drawn for a spread of 0, which a logarithm does not have


@look()
def spread_curves(spreads: dict[str, Array]) -> Picture:
    """The spread of the values after each hidden layer, `[blocks + 1]`, before any training."""
    figure = picture(8, 4.4)
    axes = figure.add_subplot()
    looks = {"chain": (BLUE, "-", "o"), "skips": (VERMILLION, "--", "s")}
    for name, values in spreads.items():
        color, line, marker = looks[name]
        axes.semilogy(np.maximum(values, NOTHING), line, color=color, marker=marker, markersize=6)
    chain, skips = (values[-1] for values in spreads.values())
    axes.set_title(
        tr(
            "At last the values spread over {skips:.2g} with skips, {chain:.2g} without",
            skips=skips,
            chain=chain,
        )
    )
    axes.set_xlabel(tr("hidden layer"))
    axes.set_ylabel(tr("standard deviation over the points,\nmean of its neurons"))
    whole_ticks(axes)
    axes.get_ylim()  # settles the limits
    end_labels(
        axes,
        [float(values[-1]) for values in spreads.values()],
        [tr("chain"), tr("skips")],
        [looks[name][0] for name in spreads],
    )
    return figure


LESSON = Lesson(
    name="building",
    parameters=(
        Whole("inputs", 2, Text("inputs of the net", "网络的输入个数"), low=1, high=20),
        Whole("width", 8, Text("hidden neurons in a layer", "每层的隐藏神经元数"), low=1, high=64),
        Choice(
            "activation",
            "relu",
            Text("activation function", "激活函数"),
            options=("relu", "elu", "gelu", "sigmoid", "tanh"),
        ),
        Whole("blocks", 8, Text("hidden layers after the first", "第一层之后的隐藏层数"), 1, 12),
        Number("lr", 0.05, Text("learning rate", "学习率"), low=1e-4, high=1, log=True),
        SEED,
    ),
    function=building,
    scripts=("building.py",),
    thumbnail="film",
)
