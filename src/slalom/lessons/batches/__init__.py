"""Lesson 9: which rows come in which batch, and what the size of a batch does to training."""

import time
from collections.abc import Iterable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, TensorDataset

from slalom.data import Dataset, toys
from slalom.data.batches import Shuffle, steps_per_epoch
from slalom.lessons.batches.pictures import (
    Clouds,
    Curve,
    batch_table,
    costs,
    curves,
    noise_of_batches,
)
from slalom.lessons.common import train
from slalom.lessons.lesson import Lesson, Number, Result, Whole
from slalom.lessons.prose import Text
from slalom.nets import MLP
from slalom.optim import SGD
from slalom.population import grid
from slalom.runs import Run

Float64Array: TypeAlias = NDArray[np.float64]

NET = MLP(1, 20, 1)
POINTS = 1000
SIZES = (1, 4, 16, 64, 256)
MIDDLE = SIZES.index(16)  # the batch size with which rows are left in order for once
DRAWS = 200  # batches of each size, for the noise
SEEDS = 32  # nets behind each curve
TIMED = 50  # steps of each size, for the time


def batches(rows: int, batch_size: int, epochs: int, lr: float, seed: int) -> Result:
    """Orders of rows, gradients of batches, and trainings with batches of several sizes."""
    per_epoch = steps_per_epoch(rows, batch_size)
    shuffle = Shuffle(seed, rows)
    orders = np.array([shuffle.order(epoch).numpy() for epoch in range(epochs)])
    data = toys.quadratic(POINTS, noise=0.1, seed=1)
    population = grid(
        net=NET, optimizer=SGD(lr), batch_size=list(SIZES), seed=range(seed, seed + SEEDS)
    )
    run = train(population, data, epochs=epochs, record="step")
    losses = np.array([final_loss(run, k * SEEDS) for k in range(len(SIZES))])
    full, gradients = batch_gradients(run.model(MIDDLE * SEEDS), data, seed)
    noise = np.sqrt(((gradients - full) ** 2).sum(axis=2).mean(axis=1))
    return Result(
        numbers={
            "orders": orders,
            "batches_per_epoch": per_epoch,
            "last_batch": rows - batch_size * (per_epoch - 1),
            "total_steps": epochs * per_epoch,
            "points": POINTS,
            "draws": DRAWS,
            "averaged": SEEDS,
            "sizes": np.array(SIZES),
            "full_length": float(np.linalg.norm(full)),
            "noise": noise,
            "steps_taken": np.array([epochs * steps_per_epoch(POINTS, size) for size in SIZES]),
            "final_losses": losses,
            "loss_shuffled": losses[MIDDLE],
            "loss_in_order": loss_in_order(data, SIZES[MIDDLE], epochs, lr, seed),
        },
        figures={
            "table": partial(batch_table, orders, batch_size),
            "noise": partial(noise_of_batches, Clouds(SIZES, full, gradients, noise)),
            "curves": partial(
                curves, [mean_curve(run, k, size) for k, size in enumerate(SIZES)], SEEDS
            ),
            "time": partial(costs, SIZES, seconds_a_step(data), POINTS),
        },
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


def seconds_a_step(data: Dataset) -> Float64Array:
    """How long a step of a plain PyTorch loop takes here, by batch size: the median of some."""
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


LESSON = Lesson(
    name="batches",
    parameters=(
        Whole("rows", 10, Text("rows of the table", "表中的行数"), low=2, high=24),
        Whole("batch_size", 8, Text("rows in a batch", "一批的行数"), low=1, high=24),
        Whole("epochs", 4, Text("epochs", "轮次数"), low=1, high=10),
        Number("lr", 0.1, Text("learning rate", "学习率"), low=0.001, high=0.2, log=True),
        Whole("seed", 0, Text("random seed of the orders", "打乱顺序的随机种子"), low=0, high=9999),
    ),
    function=batches,
    scripts=("batches.py", "batch_size.py"),
    only_here=frozenset({"averaged"}),  # the scripts train one of them
)
