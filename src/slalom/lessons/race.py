"""Lesson 10: five optimizers race, at the same learning rate and each at its own best."""

from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from slalom.data import Dataset, toys
from slalom.engine import Reference
from slalom.lessons.common import SEED, train
from slalom.lessons.lesson import Lesson, Number, Result, Whole
from slalom.lessons.prose import Text
from slalom.losses import MSE
from slalom.nets import MLP
from slalom.optim import SGD, Adagrad, Adam, Optimizer, RMSprop
from slalom.plan import Plan
from slalom.plots.toolkit import INK, QUIET, Movie, color_of, halo, headline, line_of, look, picture
from slalom.plots.toolkit import race as race_picture
from slalom.population import Member, Population, grid
from slalom.runs import Run

Float64Array: TypeAlias = NDArray[np.float64]

NET = MLP(1, 20, 1)
NOISE = 0.1
SEEDS = 9
RATES = np.logspace(-4, 1, 31)  # learning rates that each optimizer tries
MARKERS = {"SGD": "o", "Momentum": "s", "Adagrad": "^", "RMSprop": "D", "Adam": "v"}

# The line y = 1.5 x - 3, whose inputs are neither centred nor scaled: a long and slanting valley.
VALLEY_X = np.linspace(-1, 5, 40)
VALLEY_BOTTOM = (1.5, -3.0)
VALLEY_LR, VALLEY_STEPS = 0.1, 60


def racers(lr: float, momentum: float) -> list[Optimizer]:
    """The five optimizers with this learning rate."""
    return [
        SGD(lr),
        SGD(lr, momentum=momentum),
        Adagrad(lr),
        RMSprop(lr, alpha=0.9),
        Adam(lr, betas=(0.9, 0.99)),
    ]


def final_losses(run: Run) -> Float64Array:
    """The mean loss of the last epoch of each member, `[P]`; infinite where it diverged."""
    return np.where(run.state.diverged_at < 0, run.state.train_loss, np.inf)


def losses_of(run: Run, steps: int) -> Float64Array:
    """The loss of each member at each step, `[P, steps]`; infinite where it has diverged."""
    losses = np.full((len(run.population), steps), np.inf)
    history = run.history
    losses[history["member"], history["step"] - 1] = history["train_loss"]
    return np.where(np.isnan(losses), np.inf, losses)


def tried(data: Dataset, optimizers: list[Optimizer], seed: int, **arguments: Any) -> Float64Array:
    """Final losses of each optimizer at each of `RATES`: `[optimizers, rates]`, median over seeds.

    One population: every optimizer with every learning rate and every seed.
    """
    population = grid(net=NET, optimizer=optimizers, lr=RATES, seed=range(seed, seed + SEEDS))
    run = train(population, data, record="epoch", **arguments)
    return np.median(final_losses(run).reshape(len(optimizers), len(RATES), SEEDS), axis=-1)


def valley_paths(optimizers: list[Optimizer], seed: int) -> Float64Array:
    """Weight and bias of a 1-1 net after each step, for each optimizer: `[5, steps + 1, 2]`."""
    data = Dataset(
        VALLEY_X[:, None].astype(np.float32),
        (VALLEY_BOTTOM[0] * VALLEY_X + VALLEY_BOTTOM[1]).astype(np.float32),
        task="regression",
    )
    members = tuple(Member(MLP(1, 1), optimizer, seed=seed) for optimizer in optimizers)
    session = Reference().prepare(Plan(Population(members), MSE(), steps=VALLEY_STEPS), data)
    state = session.start()
    path = [state.parameters.reshape(-1, 2).copy()]
    for _ in range(VALLEY_STEPS):
        session.advance(state, 1)
        path.append(state.parameters.reshape(-1, 2).copy())
    return np.stack(path, axis=1).astype(np.float64)


def race(
    points: int, lr: float, momentum: float, batch_size: int, epochs: int, seed: int
) -> Result:
    """One race with the reference engine, races over seeds, and the search for the best rates."""
    data = toys.quadratic(points, noise=NOISE, seed=1)
    optimizers = racers(lr, momentum)
    seeds = range(seed, seed + SEEDS)
    length: dict[str, Any] = {"batch_size": batch_size, "epochs": epochs}
    watched: dict[str, Any] = {"record": "step", **length}

    one = train(grid(net=NET, optimizer=optimizers, seed=seed), data, engine="reference", **watched)
    losses = losses_of(one, int(one.state.layout.total_steps[0]))
    same = train(grid(net=NET, optimizer=optimizers, seed=seeds), data, **watched)
    found = tried(data, optimizers, seed, **length)
    best_rates = RATES[found.argmin(axis=1)]
    tuned = [replace(o, lr=float(rate)) for o, rate in zip(optimizers, best_rates, strict=True)]
    fair = train(grid(net=NET, optimizer=tuned, seed=seeds), data, **watched)
    paths = valley_paths(racers(VALLEY_LR, momentum), seed)
    names = [optimizer.name for optimizer in optimizers]
    per_epoch = int(one.state.layout.steps_per_epoch[0])
    return Result(
        numbers={
            "steps": losses.shape[1],
            "losses": losses,
            "final_losses": losses[:, -per_epoch:].mean(axis=1),
            "paths": paths,
            "noise_variance": NOISE**2 / 12,
            "trained": found.size * SEEDS,
            "best_rates": best_rates,
            "best_losses": found.min(axis=1),
        },
        figures={
            "same": partial(race_picture, same),
            "valley": partial(valley_movie, names, paths),
            "rates": partial(rates_picture, names, found, lr),
            "fair": partial(race_picture, fair),
        },
    )


@look()
def rates_picture(names: list[str], found: Float64Array, lr: float) -> Figure:
    """The final loss of each optimizer against its learning rate, the lowest marked."""
    figure = picture(8.0, 5.0)
    axes = figure.add_subplot()
    low = found[np.isfinite(found)].min(initial=1.0)
    top = 1.0
    axes.axhline(NOISE**2 / 12, color=QUIET, linewidth=1)
    axes.annotate(
        "variance of the noise",
        (RATES[-1], NOISE**2 / 12),
        (0, -3),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=9,
        color=QUIET,
    )
    axes.axvline(lr, color=INK, linewidth=1, linestyle=":")
    axes.annotate(
        "the same for all", (lr, top), (4, -4), textcoords="offset points", va="top", fontsize=9
    )
    for name, losses in zip(names, found, strict=True):
        best = losses.argmin()
        axes.plot(
            RATES,
            np.minimum(losses, 1e6),  # what diverged leaves at the top
            color=color_of(name),
            linestyle=line_of(name),
            linewidth=2,
            marker=MARKERS[name],
            markevery=[best],
            markersize=10,
            markeredgecolor="white",
            label=f"{name}: best at {RATES[best]:.2g}",
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(min(0.6 * low, 0.6 * NOISE**2 / 12), top)
    axes.set_xlabel("learning rate")
    axes.set_ylabel("training loss, mean of the last epoch")
    figure.legend(loc="outside lower center", ncols=3, handlelength=3.5)
    headline(
        axes,
        "Every optimizer has a learning rate of its own",
        f"line: median of {SEEDS} seeds; marker: lowest loss",
    )
    return figure


@look()
def valley_movie(names: list[str], paths: Float64Array) -> Movie:
    """The paths over the surface of the loss, step by step."""
    figure = picture(8.0, 5.2)
    axes = figure.add_subplot()
    start, bottom = paths[0, 0], np.array(VALLEY_BOTTOM)
    room = np.array([1.1, 1.5])
    low, high = np.minimum(start, bottom) - room, np.maximum(start, bottom) + room
    weights, biases = (np.linspace(a, b, 200) for a, b in zip(low, high, strict=True))
    fitted = weights[None, :, None] * VALLEY_X + biases[:, None, None]
    surface = ((fitted - (bottom[0] * VALLEY_X + bottom[1])) ** 2).mean(axis=-1)
    levels = [0.0, *np.geomspace(0.03, surface.max(), 9)]
    greys = [str(shade) for shade in np.linspace(1.0, 0.72, len(levels) - 1)]
    axes.contourf(weights, biases, surface, levels, colors=greys)
    axes.contour(weights, biases, surface, levels, colors="white", linewidths=1)
    ends = [  # over the racers, which stand on them at first and in the end
        *axes.plot(*start, "x", color=INK, markersize=13, markeredgewidth=2, path_effects=halo(4)),
        *axes.plot(*bottom, "*", color=INK, markersize=20, markerfacecolor="none"),
    ]
    axes.grid(visible=False)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.set_xlabel("weight")
    axes.set_ylabel("bias")
    styles: list[dict[str, Any]] = [
        {"color": color_of(name), "linestyle": line_of(name), "linewidth": 2} for name in names
    ]
    trails = [axes.plot([], [], path_effects=halo(3.6), **style)[0] for style in styles]
    heads = [
        axes.plot([], [], MARKERS[name], color=color_of(name), markersize=9, markeredgecolor="w")[0]
        for name in names
    ]
    signs = [
        Line2D([], [], marker=MARKERS[name], markersize=7, label=name, **style)
        for name, style in zip(names, styles, strict=True)
    ]
    axes.legend(handles=signs, loc="lower left", handlelength=3.5, frameon=True, framealpha=0.85)
    title = headline(axes, "Five ways down the same valley", " ")

    def show(i: int) -> None:
        for trail, head, path in zip(trails, heads, paths, strict=True):
            trail.set_data(*path[: i + 1].T)
            head.set_data(*path[i : i + 1].T)
        title.set_text(f"step {i}; cross: start, star: lowest loss; dark: high loss")

    return Movie(figure, paths.shape[1], show, [*trails, *heads, *ends, title])


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
    only_here=frozenset({"trained", "best_rates", "best_losses"}),
)
