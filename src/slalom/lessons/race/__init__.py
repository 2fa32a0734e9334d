"""Lesson 10: five optimizers race, at the same learning rate and each at its own best."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from slalom.core.arrays import Float64Array
from slalom.data import Dataset, toys
from slalom.lessons.common import SEED, train
from slalom.lessons.lesson import Lesson, Number, Result, Sweep, Whole
from slalom.lessons.prose import Text
from slalom.lessons.race import valley
from slalom.lessons.race.pictures import Race, race_picture, rates_picture
from slalom.lessons.race.valley import parameters_of, valley_claims, valley_movie, valley_paths
from slalom.nets import MLP
from slalom.optim import SGD, Adagrad, Adam, Optimizer, RMSprop
from slalom.population import grid
from slalom.runs import Run

NET = MLP(1, 20, 1)
NOISE = 0.1
SEEDS = 9
RATES = np.logspace(-4, 1, 31)  # learning rates that each optimizer tries


@dataclass(frozen=True, eq=False)
class Search:
    """What each optimizer finds at each of `RATES`, and the race with its best one.

    Args:
        found: loss at the end, median over the seeds, `[5, rates]`.
        best_rates: `[5]`.
        fair: losses of the race with these, `[5, seeds, epochs]`.
    """

    found: Float64Array
    best_rates: Float64Array
    fair: Float64Array


def race(
    points: int, lr: float, momentum: float, batch_size: int, epochs: int, seed: int
) -> Result:
    """One race with the reference engine, races over seeds, and the search for the best rates."""
    data = toys.quadratic(points, noise=NOISE, seed=1)
    optimizers = racers(lr, momentum)
    names = [optimizer.name for optimizer in optimizers]
    population = grid(net=NET, optimizer=optimizers, batch_size=batch_size, seed=seed)
    one = train(population, data, epochs=epochs, record="step", engine="reference")
    losses = losses_of(one, int(one.state.layout.total_steps[0]))
    first = np.diff(parameters_of(list(population), data, steps=1), axis=1)
    same = race_over_seeds(data, optimizers, batch_size, epochs, seed)
    search = searched(points, momentum, batch_size, epochs, seed)
    paths = valley_paths(racers(valley.LR, momentum), seed)
    per_epoch = int(one.state.layout.steps_per_epoch[0])
    numbers = {
        "steps": losses.shape[1],
        "losses": losses,
        "final_losses": losses[:, -per_epoch:].mean(axis=1),
        "first_moves": np.abs(first).max(axis=(1, 2)),
        "paths": paths,
        "moves": np.linalg.norm(np.diff(paths, axis=1), axis=2),
        "left_over": np.linalg.norm(paths[:, -1] - valley.BOTTOM, axis=1),
        "noise_variance": NOISE**2 / 12,
        **numbers_of_races(names, same, search),
    }
    return Result(
        numbers=numbers,
        figures={
            "same": partial(
                race_picture, Race(names, np.full(len(names), lr), same, NOISE**2 / 12)
            ),
            "valley": partial(valley_movie, names, paths),
            "rates": partial(rates_picture, names, RATES, search.found, lr, NOISE**2 / 12, SEEDS),
            "fair": partial(
                race_picture, Race(names, search.best_rates, search.fair, NOISE**2 / 12)
            ),
        },
        claims={**valley_claims(paths), **claims(names, numbers)},
    )


def racers(lr: float, momentum: float) -> list[Optimizer]:
    """The five optimizers with this learning rate."""
    return [
        SGD(lr),
        SGD(lr, momentum=momentum),
        Adagrad(lr),
        RMSprop(lr, alpha=0.9),
        Adam(lr, betas=(0.9, 0.99)),
    ]


def losses_of(run: Run, records: int) -> Float64Array:
    """The loss of each member at each record, `[P, records]`; infinite where it has diverged."""
    losses = np.full((len(run.population), records), np.inf)
    for k in range(len(losses)):
        recorded = run.history["train_loss"][run.history["member"] == k]
        losses[k, : len(recorded)] = recorded
    return np.where(np.isnan(losses), np.inf, losses)


def race_over_seeds(
    data: Dataset, optimizers: list[Optimizer], batch_size: int, epochs: int, seed: int
) -> Float64Array:
    """The mean loss of each epoch, `[5, seeds, epochs]`."""
    population = grid(
        net=NET, optimizer=optimizers, batch_size=batch_size, seed=range(seed, seed + SEEDS)
    )
    run = train(population, data, epochs=epochs, record="epoch")
    return losses_of(run, epochs).reshape(len(optimizers), SEEDS, epochs)


@lru_cache(maxsize=4)  # a slider over the common learning rate does not search anew
def searched(points: int, momentum: float, batch_size: int, epochs: int, seed: int) -> Search:
    """One population: every optimizer with every learning rate and every seed."""
    data = toys.quadratic(points, noise=NOISE, seed=1)
    optimizers = racers(RATES[0], momentum)
    population = grid(
        net=NET,
        optimizer=optimizers,
        lr=RATES,
        batch_size=batch_size,
        seed=range(seed, seed + SEEDS),
    )
    run = train(population, data, epochs=epochs, record="epoch")
    final = np.where(run.state.diverged_at < 0, run.state.train_loss, np.inf)
    found = np.median(final.reshape(len(optimizers), len(RATES), SEEDS), axis=-1)
    best_rates = RATES[found.argmin(axis=1)]
    tuned = [replace(o, lr=float(rate)) for o, rate in zip(optimizers, best_rates, strict=True)]
    return Search(found, best_rates, race_over_seeds(data, tuned, batch_size, epochs, seed))


def numbers_of_races(names: list[str], same: Float64Array, search: Search) -> dict[str, Any]:
    """What the prose says of both races, and of the search between them."""
    ends, best = np.median(same[..., -1], axis=1), search.found.min(axis=1)
    good = (search.found <= 2 * best.min()).sum(axis=1)
    return {
        "same_losses": ends,
        "same_first": names[ends.argmin()],
        "same_last": names[ends.argmax()],
        "trained": search.found.size * SEEDS,
        "tried_losses": search.found,
        "best_rates": search.best_rates,
        "best_losses": best,
        "rate_spread": search.best_rates.max() / search.best_rates.min(),
        "loss_spread": best.max() / best.min(),
        "good_rates": good,
        "widest": names[good.argmax()],
    }


def claims(names: list[str], numbers: Mapping[str, Any]) -> dict[str, bool]:
    """What the prose says of these numbers."""
    found = numbers["tried_losses"]
    best = found.argmin(axis=1)
    two_places_on = found[0, best[0] + 2 : best[0] + 3]
    return {
        **{
            f"{name.lower()}_diverged": not np.isfinite(loss)
            for name, loss in zip(names, numbers["same_losses"], strict=True)
        },
        "between": bool((best > 0).all() and (best < len(RATES) - 1).all()),
        "rates_differ_more": bool(numbers["rate_spread"] > numbers["loss_spread"]),
        "above_noise": bool((numbers["best_losses"] > numbers["noise_variance"]).all()),
        "sgd_at_the_edge": bool((two_places_on > 10 * found[0].min()).any()),
    }


LESSON = Lesson(
    name="race",
    parameters=(
        Whole("points", 1000, Text("points", "数据点数"), low=32, high=1000),
        Number(
            "lr",
            0.01,
            Text("learning rate, the same for all", "共同的学习率"),
            low=1e-4,
            high=1,
            log=True,
        ),
        Number("momentum", 0.8, Text("momentum", "动量"), low=0.1, high=0.98),
        Whole("batch_size", 32, Text("rows in a batch", "每批的行数"), low=16, high=1000),
        Whole("epochs", 12, Text("epochs", "轮次数"), low=2, high=20),
        SEED,
    ),
    function=race,
    scripts=("race.py",),
    # The script races once; these take a population.
    only_here=frozenset(
        {
            "same_losses",
            "same_first",
            "same_last",
            "trained",
            "tried_losses",
            "best_rates",
            "best_losses",
            "rate_spread",
            "loss_spread",
            "good_rates",
            "widest",
        }
    ),
    sweeps=(Sweep("lr", (0.001, 0.003, 0.01, 0.03, 0.1, 0.3), "same"),),
    thumbnail="valley",
)
