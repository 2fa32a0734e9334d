"""Lesson 4: activation functions, and what they do to the gradients of a deep net."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.core.errors import Diverged
from slalom.data import Dataset, toys
from slalom.lessons.activations import drawing
from slalom.lessons.activations.advice import measured
from slalom.lessons.common import ACTIVATION, SEED, train
from slalom.lessons.lesson import Lesson, Number, Result, Sweep, Whole
from slalom.lessons.prose import Text
from slalom.nets import ACTIVATIONS, MLP, Function
from slalom.optim import SGD

Float64Array = NDArray[np.float64]

NAMES = ACTIVATION.options
FOUR = ("relu", "sigmoid", "tanh", "softplus")
OTHERS = tuple(name for name in NAMES if name not in FOUR)
X = np.linspace(-5, 5, 201)  # where the functions are drawn
PROBED = slice(10, None, 20)  # where the derivative of one's own function is checked
SCORES, STRETCHES = np.array([2.0, 1.0, 0.5, -1.0]), (0.3, 1.0, 3.0)
LINE = torch.linspace(-1.2, 1.2, 200)[:, None]  # where nets are asked for a line
HIDDEN = 64  # neurons in each layer of the deep net


def wave(x: torch.Tensor) -> torch.Tensor:
    """An activation function of one's own."""
    return torch.sin(2 * x)


def value_and_slope(function: Function) -> tuple[Float64Array, Float64Array]:
    """A function and its derivative at `X`, each `[201]`."""
    x = torch.tensor(X, requires_grad=True)
    y = function(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    return y.detach().numpy(), slope.numpy()


def differences(function: Function) -> Float64Array:
    """Finite differences of a function at `X[PROBED]`, `[10]`."""
    x, h = torch.tensor(X[PROBED]), 1e-6
    return ((function(x + h) - function(x - h)) / (2 * h)).numpy()


def softmax_of_scores() -> Float64Array:
    """The scores times each stretch as probabilities: `[stretches, scores]`."""
    stretched = np.outer(STRETCHES, SCORES)
    return torch.softmax(torch.from_numpy(stretched), dim=1).numpy()


@cache
def fit(
    activation: str | Function, width: int, lr: float, steps: int, seed: int
) -> tuple[NDArray[np.float32], float]:
    """What a net predicts on `LINE` after training, `[200]`, and its loss.

    Where the training diverged the line is NaN, and the loss infinite.
    """
    data = points()
    run = train(
        MLP(1, width, 1, activation=activation),
        data,
        optimizer=SGD(lr),
        seed=seed,
        steps=steps,
        frames=0,
        engine="reference",
    )
    try:
        predicted = torch.from_numpy(run.predict(data.X))
        loss = torch.nn.functional.mse_loss(predicted, torch.from_numpy(data.y)).item()
    except Diverged:
        loss = np.inf
    if not np.isfinite(loss):
        return np.full(len(LINE), np.nan, np.float32), np.inf
    return run.predict(LINE.numpy())[:, 0], loss


def points() -> Dataset:
    """Points near the curve y = x^2."""
    return toys.quadratic(100, noise=0.2, seed=1)


@cache
def gradients_by_layer(activation: str, depth: int, scale: float, seed: int) -> Float64Array:
    """Root mean square of the loss's gradient at the output of each hidden layer, `[depth]`.

    As a multiple of the last one, so that all functions start from 1. In double precision, where
    the smallest of them are not rounded to zero.
    """
    net = MLP(1, *[HIDDEN] * depth, 1, activation=activation).build(seed).double()
    outputs = [torch.from_numpy(points().X).double().requires_grad_()]
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name.endswith("weight"):
                parameter.mul_(scale)
    for module in net.children():
        outputs.append(module(outputs[-1]))
    loss = torch.nn.functional.mse_loss(outputs[-1], torch.from_numpy(points().y).double())
    gradients = torch.autograd.grad(loss, outputs[2:-1:2])
    sizes = torch.stack([gradient.square().mean().sqrt() for gradient in gradients])
    return (sizes / sizes[-1]).numpy()


def activations(
    activation: str, width: int, lr: float, steps: int, depth: int, scale: float, seed: int
) -> Result:
    """Curves, softmax, three fits, gradients by layer, and the measurement."""
    curves = {name: value_and_slope(ACTIVATIONS[name]()) for name in NAMES}
    own = value_and_slope(wave)
    functions: dict[str, str | Function] = {
        "straight": "identity",
        "curved": activation,
        "waved": wave,
    }
    fits = {name: fit(function, width, lr, steps, seed) for name, function in functions.items()}
    default, scaled = (
        np.array([gradients_by_layer(name, depth, factor, seed) for name in NAMES])
        for factor in (1.0, scale)
    )
    probabilities, shares, data = softmax_of_scores(), measured(), points()
    relu, sigmoid = NAMES.index("relu"), NAMES.index("sigmoid")
    numbers = {
        "curves": np.array([values for values, _ in curves.values()]),
        "slopes": np.array([slopes for _, slopes in curves.values()]),
        "sigmoid_steepest": curves["sigmoid"][1].max(),
        "sigmoid_at_5": curves["sigmoid"][1][-1],
        "probabilities": probabilities,
        **{name: line for name, (line, _) in fits.items()},
        **{f"{name}_loss": loss for name, (_, loss) in fits.items()},
        "check_error": np.abs(own[1][PROBED] - differences(wave)).max(),
        "default": default,
        "scaled": scaled,
        "relu_arrives": default[relu, 0],
        "sigmoid_arrives": default[sigmoid, 0],
        "relu_scaled": scaled[relu, 0],
        **shares,
        # Of relu, tanh, sigmoid: at the best learning rate, the mean over the first weights.
        "digits_right": shares["convolutional"].mean(axis=2).max(axis=1),
        "remembering": (shares["recurrent"] > 0.75).sum(axis=(1, 2)),
        "nets": shares["recurrent"][0].size,
    }
    figures = {
        "four": partial(drawing.functions, X, {name: curves[name] for name in FOUR}),
        "others": partial(drawing.functions, X, {name: curves[name] for name in OTHERS}),
        "softmax": partial(drawing.softmax, SCORES, STRETCHES, probabilities),
        "line": partial(drawing.fits, data, activation, fits["curved"], fits["straight"]),
        "own": partial(drawing.own, X, own, (X[PROBED], differences(wave)), data, fits["waved"]),
        "gradients": partial(drawing.gradients, NAMES, activation, default, scaled, scale),
        "advice": partial(drawing.advice, shares),
    }
    return Result(numbers, figures, claims(numbers))


def claims(numbers: Mapping[str, Any]) -> dict[str, bool]:
    """What the prose says of these numbers."""
    straight, curved, waved = (numbers[f"{name}_loss"] for name in ("straight", "curved", "waved"))
    return {
        "straight_diverged": not np.isfinite(straight),
        "curved_diverged": not np.isfinite(curved),
        "waved_diverged": not np.isfinite(waved),
        "bend_helps": bool(np.isfinite(straight) and curved < straight / 2),
        "vanishes": bool(numbers["relu_arrives"] < 0.01),
        "grows": bool(numbers["relu_scaled"] > 1),
    }


LESSON = Lesson(
    name="activations",
    parameters=(
        ACTIVATION,
        Whole(
            "width",
            10,
            Text("hidden neurons of the net on the curve", "拟合曲线的网络的隐藏神经元数"),
            1,
            200,
        ),
        Number(
            "lr", 0.2, Text("learning rate on the curve", "拟合曲线的学习率"), 1e-4, 1, log=True
        ),
        Whole("steps", 500, Text("steps on the curve", "拟合曲线的步数"), low=1, high=3000),
        Whole("depth", 30, Text("hidden layers of the deep net", "深层网络的隐藏层数"), 2, 50),
        Number(
            "scale",
            4,
            Text("factor on the first weights of the deep net", "深层网络初始权重的倍数"),
            0.1,
            10,
            log=True,
        ),
        SEED,
    ),
    function=activations,
    scripts=("activations.py", "activations_advice.py"),
    sweeps=(Sweep("depth", (2, 5, 10, 20, 30, 50), "gradients"),),
    thumbnail="gradients",
)
