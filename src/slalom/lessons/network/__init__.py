"""Lesson 1: a small net forward and back, and a ball on the error curve of a weight."""

from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.data import Dataset
from slalom.lessons.common import SEED, train
from slalom.lessons.lesson import Lesson, Number, Result, Sweep, Whole
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
    mlp = MLP(2, width, 1, activation="tanh")
    passed = there_and_back(mlp, ride, seed)
    distances = RIDES[:, 0]
    return Result(
        numbers={
            **passed,
            **trained(mlp, ride, lr, seed),
            "rates": np.array(rates),
            "one_weight": np.array([descent.path for descent in one]),
            "one_loss": np.array([descent.losses for descent in one]),
            "two_weights": np.array([descent.path for descent in two]),
            "two_loss": np.array([descent.losses for descent in two]),
            "slope": float((2 * (start * distances - HOURS) * distances).mean()),
            "limit": one[0].limit,
            "steep_limit": two[0].limit,
        },
        figures={
            "net": partial(forward_and_back, passed),
            "ball": partial(valley, one),
            "surface": partial(surface, two),
        },
        claims={
            "slow_arrives": one[0].verdict == "arrives",
            "arrives": one[1].verdict == "arrives",
            "fast_diverges": one[2].verdict == "diverges",
            "fast_swings": one[2].verdict == "swings",
            "fast_arrives": one[2].verdict == "arrives",
            "surface_diverges": two[2].verdict == "diverges",
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


def trained(mlp: MLP, ride: int, lr: float, seed: int) -> Numbers:
    """What training on all rides makes of the net, and of its prediction for one of them."""
    data = Dataset(RIDES.numpy(), HOURS[:, None].numpy(), task="regression")
    run = train(mlp, data, optimizer=SGD(lr), seed=seed, steps=TRAINING_STEPS, engine="reference")
    losses = run.history["train_loss"].to_numpy()
    return {
        "training_steps": TRAINING_STEPS,
        "parameters": run.state.parameters.size,
        "first_loss": losses[0],
        "final_loss": losses[-1],
        "trained_prediction": run.model()(RIDES[ride - 1]).item(),
    }


def descend(x: torch.Tensor, weights: list[float], rate: float, steps: int) -> Descent:
    """Gradient descent on the loss of `prediction = x @ weights`.

    Args:
        x: inputs `[N, W]`.
        weights: where it starts, `W` numbers.
        rate: learning rate.
        steps: how many.
    """
    w = torch.tensor(weights, requires_grad=True)
    path, heights = [], []
    for _ in range(steps + 1):
        loss = ((x @ w - HOURS) ** 2).mean()
        path.append(w.tolist())
        heights.append(loss.item())
        (gradient,) = torch.autograd.grad(loss, w)
        w = (w - rate * gradient).detach().requires_grad_()
    inputs, hours = x.double().numpy(), HOURS.double().numpy()

    def height(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        errors = weights @ inputs.T - hours
        result: NDArray[np.float64] = (errors**2).mean(axis=-1)
        return result

    steepest = np.linalg.eigvalsh(inputs.T @ inputs / len(inputs))[-1]
    lowest = np.linalg.lstsq(inputs, hours)[0]
    return Descent(rate, np.array(path), np.array(heights), height, lowest, 1 / float(steepest))


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
    sweeps=(Sweep("lr", (0.02, 0.05, 0.1, 0.15, 0.16, 0.25), "ball"),),
    thumbnail="ball",
)
