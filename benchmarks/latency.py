"""How long a person waits for a small training: retraining while a slider moves.

    python benchmarks/latency.py

Each line is timed beside a plain PyTorch loop that does the same steps, in turns, in one process
that has everything imported and compiled; medians, and the ratio of medians. `with frames` computes
the 60 frames of the animation too, which the loop does not. The table lands in
`benchmarks/results/latency.csv` and `.md`.
"""

import argparse
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import slalom
from harness.results import digits, markdown, write
from slalom import MLP, SGD, Adagrad, Adam, RMSprop

RACERS = [SGD(0.01), SGD(0.01, momentum=0.8), Adagrad(0.01), RMSprop(0.01, alpha=0.9), Adam(0.01)]
ROWS = 3600  # of the grid of points that a picture of decision regions shows


def loop(data: slalom.Dataset, widths: list[int], make: Any, steps: int, batch: int | None) -> None:
    """What a person would write, with tensors and one thread."""
    torch.manual_seed(0)
    layers: list[torch.nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers[:-1])
    optimizer = make(net.parameters())
    x, y = torch.from_numpy(data.X), torch.from_numpy(data.y)
    losses, done = [], 0
    while done < steps:
        order = torch.randperm(len(x)) if batch else torch.arange(len(x))
        for rows in torch.split(order, batch or len(x)):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(
                net(x[rows] if batch else x), y[rows] if batch else y
            )
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            done += 1


def jobs() -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """By name: a training of ours, and the loop that does the same steps."""
    points, many = (slalom.toys.quadratic(n, noise=0.2, seed=1) for n in (100, 1000))

    def curve(frames: int) -> Callable[[], Any]:
        net, sgd = MLP(1, 10, 1), SGD(lr=0.2)
        return lambda: slalom.train(net, points, optimizer=sgd, steps=200, frames=frames).frames

    def race(frames: int) -> Callable[[], Any]:
        return lambda: slalom.race(MLP(1, 20, 1), many, RACERS, epochs=12, frames=frames).frames

    def curve_loop() -> None:
        loop(points, [1, 10, 1], lambda p: torch.optim.SGD(p, lr=0.2), 200, None)

    def race_loop() -> None:
        for racer in RACERS:
            loop(many, [1, 20, 1], racer.build, 12 * 32, 32)

    return {
        "1-10-1, 200 steps": (curve(0), curve_loop),
        "1-10-1, 200 steps, with 60 frames": (curve(60), curve_loop),
        "five racers, 1000 points, 12 epochs": (race(0), race_loop),
        "five racers, 1000 points, 12 epochs, with 60 frames": (race(60), race_loop),
    }


def milliseconds(action: Callable[[], Any]) -> float:
    """Of one call."""
    began = time.perf_counter()
    action()
    return 1e3 * (time.perf_counter() - began)


def run(turns: int) -> pd.DataFrame:
    """A row a job: medians over so many turns."""
    rows = []
    for name, actions in jobs().items():
        for action in actions:
            action()
        times = np.array([[milliseconds(action) for action in actions] for _ in range(turns)])
        ours, theirs = np.median(times, axis=0)
        rows.append(
            {
                "job": name,
                "slalom ms": ours,
                "loop ms": theirs,
                "ratio": theirs / ours,
            }
        )
    moons = slalom.train(MLP(2, 20, 20, 2), slalom.toys.moons(300), steps=100, frames=0)
    X = np.random.default_rng(0).normal(size=(ROWS, 2)).astype(np.float32)
    asked = [milliseconds(lambda: moons.predict(X, member=0)) for _ in range(turns)]
    name = f"predictions on {ROWS} rows, 2-20-20-2, a member"
    return pd.DataFrame([*rows, {"job": name, "slalom ms": float(np.median(asked))}])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--turns", type=int, default=25, help="how often each is timed")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the loop is faster so
    rows = run(arguments.turns)
    title = f"Medians of {arguments.turns} turns, ours and the loop one after the other."
    cells = ([row.job, *map(digits, row[1:])] for row in rows.itertuples(index=False))
    write("latency", rows, title, markdown(rows.columns, cells), folder=arguments.out)


if __name__ == "__main__":
    main()
