"""Lesson 1: a small net forward and back, and a ball on the error curve of a weight."""

from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.data import Dataset
from slalom.lessons.common import SEED, train
from slalom.lessons.lesson import Lesson, Number, Result, Whole
from slalom.lessons.network.descent import Descent, surface, valley
from slalom.lessons.network.drawing import forward_and_back
from slalom.lessons.prose import Text
from slalom.nets import MLP
from slalom.optim import SGD

Numbers: TypeAlias = dict[str, Any]

# Distance in 10 km, height gained in 100 m, time in hours.
TABLE = torch.tensor(
    [
        [0.5, 0.8, 0.40],
        [0.8, -0.6, 0.24],
        [1.0, 1.4, 0.75],
        [1.2, -1.0, 0.33],
        [1.5, 0.4, 0.78],
        [1.8, 1.6, 1.12],
        [2.0, -0.8, 0.75],
        [2.2, 1.0, 1.21],
    ]
)
RIDES, HOURS = TABLE[:, :2], TABLE[:, 2]
TRAINING_STEPS = 500


def network(
    width: int, ride: int, lr: float, steps: int, start: float, second_start: float, seed: int
) -> Result:
    """One ride through a net and back, its training, and descents of one weight and of two."""
    rates = (lr / 10, lr, 3 * lr)
    one = [descend(RIDES[:, :1], [start], rate, steps) for rate in rates]
    two = [descend(RIDES, [start, second_start], rate, steps) for rate in rates]
    passed = there_and_back(MLP(2, width, 1, activation="tanh"), ride, seed)
    distances = RIDES[:, 0]
    return Result(
        numbers={
            **passed,
            **trained(MLP(2, width, 1, activation="tanh"), lr, seed),
            "rates": np.array(rates),
            "one_weight": np.array([path for path, _ in one]),
            "one_loss": np.array([heights for _, heights in one]),
            "two_weights": np.array([path for path, _ in two]),
            "two_loss": np.array([heights for _, heights in two]),
            "slope": float((2 * (start * distances - HOURS) * distances).mean()),
            "limit": 1 / float((distances**2).mean()),
        },
        figures={
            "net": partial(forward_and_back, passed),
            "ball": partial(valley, _descents(RIDES[:, :1], rates, one)),
            "surface": partial(surface, _descents(RIDES, rates, two)),
        },
    )


def there_and_back(mlp: MLP, ride: int, seed: int) -> Numbers:
    """One ride through an untrained net: all values on the way, and all that comes back."""
    net: Any = mlp.build(seed)
    inputs, target = RIDES[ride - 1], HOURS[ride - 1 : ride]
    hidden = net[:2](inputs)
    output = net[2](hidden)
    hidden.retain_grad()
    output.retain_grad()
    loss = torch.nn.functional.mse_loss(output, target)
    loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
    names = ("weights", "biases", "weights_out", "bias_out")
    parameters = dict(zip(names, net.parameters(), strict=True))
    return {
        "inputs": inputs.numpy(),
        "hidden": hidden.detach().numpy(),
        "prediction": output.item(),
        "hours_taken": target.item(),
        "loss_before": loss.item(),
        "output_error": output.grad.item(),
        "hidden_error": hidden.grad.numpy(),
        **{name: values.detach().numpy() for name, values in parameters.items()},
        **{f"{name}_gradient": values.grad.numpy() for name, values in parameters.items()},
    }


def trained(mlp: MLP, lr: float, seed: int) -> Numbers:
    """What training on all rides makes of the net."""
    data = Dataset(RIDES.numpy(), HOURS[:, None].numpy(), task="regression")
    run = train(mlp, data, optimizer=SGD(lr), seed=seed, steps=TRAINING_STEPS, engine="reference")
    losses = run.history["train_loss"].to_numpy()
    return {
        "training_steps": TRAINING_STEPS,
        "parameters": run.state.parameters.size,
        "first_loss": losses[0],
        "final_loss": losses[-1],
    }


def descend(
    x: torch.Tensor, weights: list[float], rate: float, steps: int
) -> tuple[list[list[float]], list[float]]:
    """Gradient descent on the loss of `prediction = x @ weights`.

    Args:
        x: inputs `[N, W]`.
        weights: where it starts, `W` numbers.
        rate: learning rate.
        steps: how many.

    Returns:
        The weights `[steps + 1][W]` and the loss `[steps + 1]`, the start first.
    """
    w = torch.tensor(weights, requires_grad=True)
    path, heights = [], []
    for _ in range(steps + 1):
        loss = ((x @ w - HOURS) ** 2).mean()
        path.append(w.tolist())
        heights.append(loss.item())
        (gradient,) = torch.autograd.grad(loss, w)
        w = (w - rate * gradient).detach().requires_grad_()
    return path, heights


def _descents(
    x: torch.Tensor, rates: tuple[float, ...], made: list[tuple[list[list[float]], list[float]]]
) -> tuple[Descent, ...]:
    inputs, hours = x.double().numpy(), HOURS.double().numpy()

    def height(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        errors = weights @ inputs.T - hours
        result: NDArray[np.float64] = (errors**2).mean(axis=-1)
        return result

    lowest = np.linalg.lstsq(inputs, hours)[0]
    return tuple(
        Descent(rate, np.array(path), np.array(losses), height, lowest)
        for rate, (path, losses) in zip(rates, made, strict=True)
    )


LESSON = Lesson(
    name="network",
    parameters=(
        Whole("width", 3, Text("hidden neurons", "隐藏神经元数"), low=1, high=4),
        Whole("ride", 3, Text("ride that the net looks at", "让网络看第几次骑行"), low=1, high=8),
        Number("lr", 0.16, Text("learning rate", "学习率"), low=0.001, high=0.25, log=True),
        Whole("steps", 30, Text("steps of the ball", "小球走的步数"), low=5, high=40),
        Number("start", 1.4, Text("first weight at the start", "第一个权重的起点"), low=-3, high=3),
        Number(
            "second_start",
            -1.2,
            Text("second weight at the start", "第二个权重的起点"),
            low=-3,
            high=3,
        ),
        SEED,
    ),
    function=network,
    scripts=("network.py",),
)
