"""Lesson 5: a net of one hidden layer bends its line onto noisy points."""

from functools import partial

from slalom.data import toys
from slalom.lessons.common import ACTIVATION, SEED, train
from slalom.lessons.lesson import Lesson, Number, Result, Whole
from slalom.lessons.prose import Text
from slalom.nets import MLP
from slalom.optim import SGD
from slalom.plots.toolkit import learning_curves, movie


def regression(
    points: int, noise: float, width: int, activation: str, lr: float, steps: int, seed: int
) -> Result:
    """Fit y = x^2 + noise and keep 60 frames of it."""
    data = toys.quadratic(points, noise=noise, seed=1)
    net = MLP(1, width, 1, activation=activation)
    run = train(net, data, optimizer=SGD(lr), seed=seed, steps=steps, engine="reference")
    losses = run.history["train_loss"].to_numpy()
    return Result(
        numbers={
            "parameters": run.state.parameters.size,
            "losses": losses,
            "first_loss": losses[0],
            "final_loss": losses[-1],
            "noise_variance": noise**2 / 12,
        },
        figures={"film": partial(movie, run), "losses": partial(learning_curves, run)},
    )


LESSON = Lesson(
    name="regression",
    parameters=(
        Whole("points", 100, Text("points", "数据点数"), low=2, high=1000),
        Number("noise", 0.2, Text("width of the noise", "噪声的宽度"), low=0, high=2),
        Whole("width", 10, Text("hidden neurons", "隐藏神经元数"), low=1, high=200),
        ACTIVATION,
        Number("lr", 0.2, Text("learning rate", "学习率"), low=1e-5, high=100, log=True),
        Whole("steps", 200, Text("steps", "步数"), low=2, high=3000),
        SEED,
    ),
    function=regression,
    scripts=("regression.py",),
)
