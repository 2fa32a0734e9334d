"""The promise: the numbers are those of a plain PyTorch script.

Each script here is written with torch alone and shares no line with Slalom; it is what a person
would write. Losses must agree at every step, and so must the final weights. The reference engine is
torch itself: 1e-6 relative. The others sum in another order, and each step builds on the last: 2e-5
after some hundred steps.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import slalom
from slalom import MLP, SGD, Adagrad, Adam, RMSprop

pytestmark = pytest.mark.slow

CLOSE = {"reference": 1e-6, "batched": 2e-5, "native": 2e-5}

either_engine = pytest.mark.parametrize("engine", CLOSE)


def weights_of(module: nn.Module) -> np.ndarray:
    return nn.utils.parameters_to_vector(module.parameters()).detach().numpy()


def losses_of(run: slalom.Run, member: int = 0) -> np.ndarray:
    return run.history.query("member == @member")["train_loss"].to_numpy()


@either_engine
def test_the_regression_of_a_parabola_is_that_of_a_plain_script(engine: str) -> None:
    torch.manual_seed(0)
    x = torch.linspace(-1, 1, 100).reshape(-1, 1)
    y = x**2 + 0.2 * torch.rand(x.shape)

    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
    loss_function = nn.MSELoss()
    losses = []
    for _ in range(200):
        optimizer.zero_grad()
        loss = loss_function(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    data = slalom.Dataset(x.numpy(), y.numpy(), task="regression")
    run = slalom.train(MLP(1, 10, 1), data, optimizer=SGD(lr=0.2), steps=200, seed=3, engine=engine)
    np.testing.assert_allclose(losses_of(run), losses, rtol=CLOSE[engine])
    np.testing.assert_allclose(weights_of(run.model()), weights_of(net), rtol=1e-5, atol=1e-6)
    assert losses[-1] < 0.1 * losses[0]  # it learns


@either_engine
def test_the_classification_of_two_gaussians_is_that_of_a_plain_script(engine: str) -> None:
    torch.manual_seed(0)
    ones = torch.ones(100, 2)
    x = torch.cat([torch.normal(2 * ones, 1), torch.normal(-2 * ones, 1)])
    y = torch.cat([torch.zeros(100), torch.ones(100)]).long()

    torch.manual_seed(5)
    net = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 2))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    loss_function = nn.CrossEntropyLoss()
    losses = []
    for _ in range(100):
        loss = loss_function(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    data = slalom.Dataset(x.numpy(), y.numpy(), task="classification")
    run = slalom.train(
        MLP(2, 10, 2), data, optimizer=SGD(lr=0.02), steps=100, seed=5, engine=engine
    )
    np.testing.assert_allclose(losses_of(run), losses, rtol=CLOSE[engine])
    np.testing.assert_allclose(weights_of(run.model()), weights_of(net), rtol=1e-5, atol=1e-6)
    assert losses[-1] < 0.5 * losses[0]


RACERS: list[tuple[slalom.optim.Optimizer, Callable[..., torch.optim.Optimizer]]] = [
    (SGD(lr=0.01), lambda p: torch.optim.SGD(p, lr=0.01)),
    (SGD(lr=0.01, momentum=0.8), lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.8)),
    (Adagrad(lr=0.01), lambda p: torch.optim.Adagrad(p, lr=0.01)),
    (RMSprop(lr=0.01, alpha=0.9), lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9)),
    (Adam(lr=0.01, betas=(0.9, 0.99)), lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.9, 0.99))),
]


@pytest.fixture(scope="module")
def points() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    x = torch.linspace(-1, 1, 1000).reshape(-1, 1)
    return x, x**2 + 0.1 * torch.normal(torch.zeros_like(x))


@pytest.fixture(scope="module")
def races(points: tuple[torch.Tensor, torch.Tensor]) -> dict[str, slalom.Run]:
    data = slalom.Dataset(points[0].numpy(), points[1].numpy(), task="regression")
    arguments: dict[str, Any] = {"batch_size": 32, "epochs": 12}
    racers = [ours for ours, _ in RACERS]
    return {e: slalom.race(MLP(1, 20, 1), data, racers, engine=e, **arguments) for e in CLOSE}


@either_engine
@pytest.mark.parametrize("racer", range(len(RACERS)), ids=[o.label for o, _ in RACERS])
def test_every_racer_runs_as_in_a_plain_script_with_a_data_loader(
    racer: int,
    engine: str,
    races: dict[str, slalom.Run],
    points: tuple[torch.Tensor, torch.Tensor],
) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 1))
    optimizer = RACERS[racer][1](net.parameters())
    loss_function = nn.MSELoss()
    loader = DataLoader(
        TensorDataset(*points),
        batch_size=32,
        shuffle=True,
        generator=torch.Generator().manual_seed(0),
    )
    losses = []
    for _ in range(12):
        for x, y in loader:
            loss = loss_function(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

    assert len(losses) == 12 * 32
    race = races[engine]
    np.testing.assert_allclose(losses_of(race, racer), losses, rtol=CLOSE[engine])
    last = race.engine.read(race.state, [racer])[0]
    np.testing.assert_allclose(last, weights_of(net), rtol=1e-5, atol=1e-6)
