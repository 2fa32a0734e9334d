"""Lesson 5: a net of one hidden layer bends its line onto noisy points, five lines a step."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from slalom.core.arrays import Float64Array
from slalom.core.language import tr
from slalom.data import Dataset, toys
from slalom.lessons.common import ACTIVATION, SEED, train
from slalom.lessons.lesson import Lesson, Number, Result, Sweep, Whole
from slalom.lessons.prose import Text
from slalom.nets import MLP
from slalom.optim import SGD
from slalom.plots.toolkit import (
    BLUE,
    QUIET,
    VERMILLION,
    learning_curves,
    look,
    movie,
    number,
    picture,
)
from slalom.runs import Run


def regression(
    points: int, noise: float, width: int, activation: str, lr: float, steps: int, seed: int
) -> Result:
    """Fit y = x^2 + noise and keep 60 frames of it; then the same without `zero_grad`."""
    data = toys.quadratic(points, noise=noise, seed=1)
    net = MLP(1, width, 1, activation=activation)
    run = train(net, data, optimizer=SGD(lr), seed=seed, steps=steps, engine="reference")
    losses = run.history["train_loss"].to_numpy()
    kept, line_by_line = without_reset(net.build(seed), data, lr, steps)
    numbers = {
        "parameters": run.state.parameters.size,
        "losses": losses,
        "first_loss": losses[0],
        "final_loss": losses[-1],
        "noise_variance": noise**2 / 12,
        "kept_losses": kept,
        "kept_loss": kept[-1],
        **line_by_line,
    }
    return Result(
        numbers=numbers,
        figures={
            "film": partial(movie, run),
            "losses": partial(draw_losses, run, numbers["noise_variance"]),
            "lines": partial(draw_leaving_out, losses, kept),
        },
        claims=claims(numbers, noise),
    )


def claims(numbers: Mapping[str, Any], noise: float) -> dict[str, bool]:
    """What the prose says of these numbers."""
    first, final, kept = (numbers[f"{name}_loss"] for name in ("first", "final", "kept"))
    return {
        "noisy": noise > 0,
        "diverged": not np.isfinite(final),
        "fell": bool(final < first),
        "below_noise": bool(final < numbers["noise_variance"]),
        "kept_diverged": not np.isfinite(kept),
        "kept_worse": bool(kept > final),
    }


def without_reset(
    net: torch.nn.Module, data: Dataset, lr: float, steps: int
) -> tuple[Float64Array, dict[str, float]]:
    """Losses of a training without `zero_grad`, and what its first step did to a bias.

    The first step is as in any training, for there are no old gradients yet. Losses are `[steps]`,
    or fewer where it diverges.
    """
    X, Y = torch.from_numpy(data.X), torch.from_numpy(data.y)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    bias = list(net.parameters())[-1]
    before, losses, after, gradient = bias.item(), [], 0.0, 0.0
    for step in range(steps):
        loss = torch.nn.functional.mse_loss(net(X), Y)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
        if step == 0:
            assert bias.grad is not None  # backward() made it
            gradient, after = bias.grad.item(), bias.item()
        if not np.isfinite(losses[-1]):
            break
    one_step = {"bias_before": before, "bias_gradient": gradient, "bias_after": after}
    return np.array(losses), one_step


@look()
def draw_losses(run: Run, noise_variance: float) -> Figure:
    """The loss in each step, and the variance of the noise, below which a net learns the noise."""
    figure = learning_curves(run)
    axes = figure.axes[0]
    if noise_variance > 0:
        axes.axhline(
            noise_variance,
            color=QUIET,
            linewidth=1.2,
            linestyle=(0, (4, 3)),
            zorder=1,
            label=tr("variance of the noise: {loss}", loss=number(noise_variance)),
        )
        axes.legend(loc="upper right")
        axes.set_ylim(bottom=min(axes.get_ylim()[0], 0.8 * noise_variance))
    return figure


@look()
def draw_leaving_out(losses: Float64Array, kept: Float64Array) -> Figure:
    """The losses with all five lines, and without `zero_grad`."""
    figure = picture(8, 4)
    axes = figure.add_subplot()
    for values, color, label in (
        (kept, VERMILLION, tr("without zero_grad: loss {loss}", loss=number(kept[-1]))),
        (losses, BLUE, tr("all five lines: loss {loss}", loss=number(losses[-1]))),
    ):
        steps = np.arange(1, len(values) + 1)
        axes.plot(steps, np.where(np.isfinite(values), values, np.nan), color=color, label=label)
    axes.set_yscale("log")
    axes.set_xlabel(tr("step"))
    axes.set_ylabel(tr("loss"))
    axes.legend(loc="upper right")
    return figure


LESSON = Lesson(
    name="regression",
    parameters=(
        Whole("points", 100, Text("points", "数据点数"), low=2, high=1000),
        Number("noise", 0.2, Text("width of the noise", "噪声的宽度"), low=0, high=2),
        Whole("width", 10, Text("hidden neurons", "隐藏神经元数"), low=1, high=200),
        ACTIVATION,
        Number("lr", 0.2, Text("learning rate", "学习率"), low=1e-5, high=100, log=True),
        Whole("steps", 200, Text("steps", "步数"), low=2, high=3000),
        replace(SEED, default=11),  # whose first line can be seen in the picture
    ),
    function=regression,
    scripts=("regression.py", "regression_without_reset.py", "live.py"),
    sweeps=(Sweep("lr", (0.002, 0.02, 0.2, 0.5, 2), "film"),),
)
