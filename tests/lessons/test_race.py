"""The race, against the five rules written out in float64."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, TensorDataset

from slalom.data import toys
from slalom.lessons import race
from slalom.lessons.lesson import Result

pytestmark = pytest.mark.slow

Float64Array = NDArray[np.float64]

RULES = ("SGD", "Momentum", "Adagrad", "RMSprop", "Adam")


def rule(
    name: str, lr: float, momentum: float
) -> Callable[[Float64Array, Float64Array, int], Float64Array]:
    """The update of the lesson's prose: from parameters, gradient and step to parameters."""
    v = s = m = np.zeros(1)

    def update(w: Float64Array, g: Float64Array, t: int) -> Float64Array:
        nonlocal v, s, m
        if name == "SGD":
            return w - lr * g
        if name == "Momentum":
            v = momentum * v + g
            return w - lr * v
        if name == "Adagrad":
            s = s + g**2
            return w - lr * g / (np.sqrt(s) + 1e-10)
        if name == "RMSprop":
            s = 0.9 * s + 0.1 * g**2
            return w - lr * g / (np.sqrt(s) + 1e-8)
        m, s = 0.9 * m + 0.1 * g, 0.99 * s + 0.01 * g**2
        return w - lr * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.99**t)) + 1e-8)

    return update


@pytest.fixture(scope="module")
def small() -> Result:
    """A short race."""
    return race.race(points=64, lr=0.01, momentum=0.7, batch_size=32, epochs=2, seed=3)


@pytest.mark.parametrize("k", range(5), ids=RULES)
def test_a_path_in_the_valley_follows_its_rule(small: Result, k: int) -> None:
    update = rule(RULES[k], 0.1, 0.7)
    w = small.numbers["paths"][k, 0]
    x, path = np.linspace(-1, 5, 40), [w]
    for t in range(1, 61):
        error = w[0] * x + w[1] - (1.5 * x - 3)
        w = update(w, 2 * np.array([np.mean(error * x), np.mean(error)]), t)
        path.append(w)
    # RMSprop divides rounding by itself once the gradient is as small.
    assert np.abs(small.numbers["paths"][k][:40] - np.array(path)[:40]).max() < 1e-4


def test_whatever_the_seed_adagrad_tires_and_rmsprop_comes_to_the_star() -> None:
    start = []
    for seed in range(10_000):  # all that the lesson takes
        torch.manual_seed(seed)
        start.append([p.item() for p in torch.nn.Linear(1, 1).parameters()])
    x, star = np.linspace(-1, 5, 40), np.array([1.5, -3.0])
    stretch = 2 * np.array([[np.mean(x * x), x.mean()], [x.mean(), 1.0]])
    paths = {}
    for name in ("Adagrad", "RMSprop"):
        update, w = rule(name, 0.1, 0.0), np.array(start)
        paths[name] = [w]
        for t in range(1, 61):
            w = update(w, (w - star) @ stretch, t)
            paths[name].append(w)
    moves = np.linalg.norm(np.diff(paths["Adagrad"], axis=0), axis=2)
    assert (7 * moves[-1] < moves[0]).all()
    assert (np.linalg.norm(paths["Adagrad"][-1] - star, axis=1) > 0.5).all()
    assert (np.linalg.norm(paths["RMSprop"] - star, axis=2).min(axis=0) < 0.1).all()


def test_all_paths_start_at_the_weights_of_the_seed(small: Result) -> None:
    torch.manual_seed(3)
    start = [p.item() for p in torch.nn.Linear(1, 1).parameters()]
    assert np.array_equal(small.numbers["paths"][:, 0], np.array([start] * 5))


@pytest.mark.parametrize("k", range(5), ids=RULES)
def test_the_losses_of_a_racer_are_those_of_its_rule_in_float64(small: Result, k: int) -> None:
    data = toys.quadratic(64, noise=0.1, seed=1)
    torch.manual_seed(3)
    net = torch.nn.Sequential(torch.nn.Linear(1, 20), torch.nn.ReLU(), torch.nn.Linear(20, 1))
    net.double()
    loader = DataLoader(
        TensorDataset(torch.tensor(data.X).double(), torch.tensor(data.y).double()),
        batch_size=32,
        shuffle=True,
        generator=torch.Generator().manual_seed(3),
    )
    update, parameters = rule(RULES[k], 0.01, 0.7), list(net.parameters())
    losses = []
    for t, (X, y) in enumerate((batch for _ in range(2) for batch in loader), start=1):
        loss = torch.nn.functional.mse_loss(net(X), y)
        gradient = torch.autograd.grad(loss, parameters)
        flat = [torch.cat([p.detach().flatten() for p in part]) for part in (parameters, gradient)]
        w = torch.from_numpy(update(flat[0].numpy(), flat[1].numpy(), t))
        torch.nn.utils.vector_to_parameters(w, parameters)
        losses.append(loss.item())
    assert small.numbers["losses"][k] == pytest.approx(losses, rel=1e-4)
    assert small.numbers["final_losses"][k] == pytest.approx(np.mean(losses[-2:]), rel=1e-4)


def test_the_best_rate_is_the_one_with_the_lowest_loss_in_the_picture(small: Result) -> None:
    figure = small.figures["rates"]()
    lines = {line.get_label().split(":")[0]: line for line in figure.axes[0].lines}
    for name, rate, loss in zip(
        RULES, small.numbers["best_rates"], small.numbers["best_losses"], strict=True
    ):
        x, y = lines[name].get_data()
        assert (x[np.argmin(y)], np.min(y)) == (rate, loss)
        assert figure.axes[0].get_ylim()[0] < loss


def test_the_first_step_moves_a_parameter_by_what_the_prose_says(small: Result) -> None:
    moves = small.numbers["first_moves"] / 0.01
    assert moves[[2, 4]] == pytest.approx([1, 1], rel=1e-3)
    assert moves[3] == pytest.approx(10**0.5, rel=1e-3)
    assert moves[0] == moves[1]  # a speed that was 0


def test_a_racer_that_diverges_has_an_infinite_loss() -> None:
    result = race.race(points=64, lr=1, momentum=0.98, batch_size=64, epochs=20, seed=0)
    assert not np.isnan(result.numbers["losses"]).any()
    assert (result.numbers["best_rates"] > 0).all()
