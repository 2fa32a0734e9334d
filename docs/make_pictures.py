"""Makes the pictures that the README shows: `python docs/make_pictures.py`."""

from pathlib import Path

import slalom
from slalom import MLP, SGD, Adagrad, Adam, RMSprop, grid, lessons
from slalom.lessons.files import content_of, name_of

PICTURES = Path(__file__).parent / "pictures"


def curve() -> None:
    data = slalom.toys.quadratic(100, noise=0.2, seed=1)
    run = slalom.train(MLP(1, 10, 1), data, optimizer=SGD(lr=0.2), steps=200)
    run.animate(PICTURES / "curve.gif")


def regions() -> None:
    data = slalom.toys.spirals(300, classes=3, seed=1)
    net = MLP(2, 64, 64, 3)
    run = slalom.train(net, data, optimizer=Adam(0.01), batch_size=32, epochs=100, frames=50)
    run.animate(PICTURES / "spirals.gif")


def race() -> None:
    racers = [
        SGD(0.01),
        SGD(0.01, momentum=0.8),
        Adagrad(0.01),
        RMSprop(0.01, alpha=0.9),
        Adam(0.01, betas=(0.9, 0.99)),
    ]
    data = slalom.toys.quadratic(1000, noise=0.1, seed=1)
    run = slalom.race(MLP(1, 20, 1), data, racers, batch_size=32, epochs=12, seeds=5)
    slalom.plots.race(run, path=PICTURES / "race.png")


def population() -> None:
    data = slalom.toys.moons(400, noise=0.2, seed=0).split(validation=0.25)
    members = grid(
        net=MLP(2, 16, 2),
        optimizer=[SGD(momentum=0.9), Adagrad(), RMSprop(), Adam()],
        lr=[0.001, 0.003, 0.01, 0.03, 0.1],
        seed=range(2),
    )
    run = slalom.train(members, data, epochs=60, batch_size=32)
    run.plot(PICTURES / "population.png")


def of_lessons() -> None:
    expression = {
        "expression": "mean((X @ w - y)**2)",
        "variables": "X = [[1, 2], [3, 4], [5, 6]]; w = [0.5, -1]; y = [1, 2, 3]",
    }
    shown: dict[str, tuple[str, dict[str, str]]] = {
        "network": ("ball", {}),
        "autograd": ("film", expression),
        "race": ("valley", {}),
        "map": ("zoom", {}),
    }
    for name, (figure, values) in shown.items():
        drawn = lessons.get(name).make(**values).figures[figure]()
        (PICTURES / name_of(f"lesson-{name}", drawn)).write_bytes(content_of(drawn))


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for draw in (curve, regions, race, population, of_lessons):
        draw()
