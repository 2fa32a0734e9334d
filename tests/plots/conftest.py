"""Runs that several tests draw, trained once; and a check that no picture leaves a trace."""

from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib
import pytest
from matplotlib import pyplot
from PIL import Image

import slalom
from slalom import MLP, SGD, Adam, RMSprop, grid, toys
from slalom.runs import Run


@pytest.fixture(autouse=True)
def no_trace() -> Iterator[None]:
    """pyplot knows no more figures, and matplotlib's settings are as before."""
    figures, settings = pyplot.get_fignums(), dict(matplotlib.rcParams)
    yield
    assert pyplot.get_fignums() == figures
    assert dict(matplotlib.rcParams) == settings


@pytest.fixture(scope="session")
def line_run() -> Run:
    """One member on one feature, validated."""
    data = toys.quadratic(60, noise=0.1, seed=1).split()
    return slalom.train(MLP(1, 8, 1), data, optimizer=SGD(0.2), steps=60, frames=5)


@pytest.fixture(scope="session")
def region_run() -> Run:
    """Four members on two features and three classes, validated."""
    data = toys.blobs(90, classes=3, seed=3).split()
    members = grid(net=MLP(2, 8, 3), optimizer=[SGD(0.1), Adam(0.02)], seed=[0, 1])
    return slalom.train(members, data, epochs=6, batch_size=32, frames=4)


@pytest.fixture(scope="session")
def race_run() -> Run:
    """Two optimizers and one that explodes, three seeds each, in batches."""
    data = toys.quadratic(64, noise=0.1, seed=1)
    optimizers = [SGD(0.05), Adam(0.02), SGD(1e4, momentum=0.9)]
    return slalom.race(MLP(1, 8, 1), data, optimizers, seeds=3, batch_size=16, epochs=8, frames=0)


@pytest.fixture(scope="session")
def grid_run() -> Run:
    """Forty members on the same split."""
    members = grid(
        net=MLP(1, 4, 1),
        optimizer=[SGD, RMSprop, Adam, "adamw", "adagrad"],
        lr=[0.001, 0.01, 0.1, 1.0],
        seed=[0, 1],
    )
    return slalom.train(members, toys.quadratic(40, seed=1).split(), epochs=5, batch_size=16)


@pytest.fixture(scope="session")
def lost_run() -> Run:
    """Two members that diverge, and never had a validation."""
    members = grid(net=MLP(1, 4, 1), optimizer=SGD, lr=[1e6, 1e7])
    return slalom.train(members, toys.quadratic(20), steps=30, frames=4)


@pytest.fixture(scope="session")
def image_size() -> Callable[[Path], tuple[int, int]]:
    """What tells width and height of a picture, reading it in full."""

    def size(path: Path) -> tuple[int, int]:
        with Image.open(path) as image:
            image.load()
            return image.size

    return size
