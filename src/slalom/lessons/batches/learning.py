"""What the size of a batch does: to its gradient, to a training, to the time of a step."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, TensorDataset

from slalom.core.arrays import Float64Array
from slalom.data import Dataset, toys
from slalom.data.batches import steps_per_epoch
from slalom.lessons.batches.pictures import Clouds, Curve
from slalom.lessons.common import train
from slalom.nets import MLP
from slalom.optim import SGD
from slalom.population import grid
from slalom.runs import Run

NET = MLP(1, 20, 1)
POINTS = 1000
SIZES = (1, 4, 16, 64, 256)
MIDDLE = SIZES.index(16)  # the batch size with which rows are left in order for once
DRAWS = 200  # batches of each size, for the noise
SEEDS = 32  # nets behind each curve
TIMED = 50  # steps of each size, for the time


@dataclass(frozen=True, eq=False)
class Learned:
    """What came of trainings with batches of each of `SIZES`.

    Args:
        clouds: gradients of batches around that of all rows, for one net.
        curves: the loss of each step, mean of `SEEDS` nets.
        final_losses: of one net on all rows, `[5]`; trained by a plain loop, as in the script.
        loss_in_order: the same with batches of 16 that are never shuffled.
        same_step: loss of a batch of 16, 64, 256 in the last steps that 256 rows a batch make, mean
            of the nets, `[3]`.
        last_epoch: loss of a batch in the last epoch, mean of the nets, `[5]`.
    """

    clouds: Clouds
    curves: tuple[Curve, ...]
    final_losses: Float64Array
    loss_in_order: float
    same_step: Float64Array
    last_epoch: Float64Array


@lru_cache(maxsize=8)  # a slider over the size of the batches above does not train anew
def learned(epochs: int, lr: float, seed: int) -> Learned:
    """Train a population, a net on rows that are never shuffled, and look at gradients."""
    data = toys.quadratic(POINTS, noise=0.1, seed=1)
    sizes = grid(net=NET, optimizer=SGD(lr), batch_size=list(SIZES), seed=seed)
    one = train(sizes, data, epochs=epochs, engine="reference")
    full, gradients = batch_gradients(one.model(MIDDLE), data, seed)
    noise = np.sqrt(((gradients - full) ** 2).sum(axis=2).mean(axis=1))
    seeds = range(seed, seed + SEEDS)
    many = grid(net=NET, optimizer=SGD(lr), batch_size=list(SIZES), seed=seeds)
    run = train(many, data, epochs=epochs, record="step")
    curves = tuple(mean_curve(run, k, size) for k, size in enumerate(SIZES))
    per_epoch = [steps_per_epoch(POINTS, size) for size in SIZES]
    fewest = slice((epochs - 1) * per_epoch[-1], epochs * per_epoch[-1])
    return Learned(
        clouds=Clouds(SIZES, full, gradients, noise),
        curves=curves,
        final_losses=np.array([final_loss(one, k) for k in range(len(SIZES))]),
        loss_in_order=loss_in_order(data, SIZES[MIDDLE], epochs, lr, seed),
        same_step=np.array([curve.losses[fewest].mean() for curve in curves[MIDDLE:]]),
        last_epoch=np.array(
            [curve.losses[-n:].mean() for curve, n in zip(curves, per_epoch, strict=True)]
        ),
    )


def batch_gradients(
    net: torch.nn.Module, data: Dataset, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Gradients of a net on all rows `[D]` and on random batches `[sizes, DRAWS, D]`."""
    X, y = torch.from_numpy(data.X), torch.from_numpy(data.y)
    generator = torch.Generator().manual_seed(seed)

    def gradient(rows: torch.Tensor) -> NDArray[np.float32]:
        loss = torch.nn.functional.mse_loss(net(X[rows]), y[rows])
        parts = torch.autograd.grad(loss, list(net.parameters()))
        return torch.cat([part.flatten() for part in parts]).numpy()

    full = gradient(torch.arange(POINTS))
    drawn = [
        [gradient(torch.randperm(POINTS, generator=generator)[:size]) for _ in range(DRAWS)]
        for size in SIZES
    ]
    return full, np.array(drawn)


def final_loss(run: Run, member: int) -> float:
    """The loss of a trained member on all rows."""
    errors = run.predict(run.dataset.X, member) - run.dataset.y
    return float((errors**2).mean())


def mean_curve(run: Run, place: int, size: int) -> Curve:
    """The loss of each step, mean over the seeds: of the batch size number `place`."""
    members = range(place * SEEDS, (place + 1) * SEEDS)
    history = run.history[run.history["member"].isin(members)]
    mean = history.groupby("step")["train_loss"].mean()
    return Curve(size, mean.index.to_numpy(float), mean.to_numpy(float))


def loss_in_order(data: Dataset, size: int, epochs: int, lr: float, seed: int) -> float:
    """The loss on all rows after training on batches that are never shuffled.

    Slalom always shuffles, so this is a plain PyTorch loop.
    """
    net = NET.build(seed)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    X, y = torch.from_numpy(data.X), torch.from_numpy(data.y)
    loader: Iterable[Any] = DataLoader(TensorDataset(X, y), size)
    for _ in range(epochs):
        for batch_x, batch_y in loader:
            loss = torch.nn.functional.mse_loss(net(batch_x), batch_y)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
            optimizer.step()
    with torch.no_grad():
        return torch.nn.functional.mse_loss(net(X), y).item()


@cache  # a property of the machine: the same on every page
def seconds_a_step() -> Float64Array:
    """How long a step of a plain PyTorch loop takes here, by batch size: the median of some."""
    data = toys.quadratic(POINTS, noise=0.1, seed=1)
    net = NET.build(seed=0)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
    X, y = torch.from_numpy(data.X), torch.from_numpy(data.y)

    def seconds(size: int) -> float:
        began = time.perf_counter()
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(net(X[:size]), y[:size])
        loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
        optimizer.step()
        return time.perf_counter() - began

    # In turns, so that a busy moment of the machine does not meet one size alone.
    return np.median([[seconds(size) for size in SIZES] for _ in range(TIMED)], axis=0)
