"""Two parameters on the surface of their loss: five optimizers go down one valley."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from slalom.core.arrays import Float64Array
from slalom.core.language import tr
from slalom.data import Dataset
from slalom.engine import Reference
from slalom.losses import MSE
from slalom.nets import MLP
from slalom.optim import Optimizer
from slalom.plan import Plan
from slalom.plots.toolkit import INK, Movie, color_of, halo, headline, line_of, look, picture
from slalom.population import Member, Population

MARKERS = {"SGD": "o", "Momentum": "s", "Adagrad": "^", "RMSprop": "D", "Adam": "v"}

# The line y = 1.5 x - 3, whose inputs are neither centred nor scaled: a long and slanting valley.
X = np.linspace(-1, 5, 40)
BOTTOM = np.array([1.5, -3.0])
LR, STEPS = 0.1, 60
# The direction in which it is flattest: where the matrix of second derivatives stretches least.
ALONG = np.linalg.eigh([[np.mean(X * X), X.mean()], [X.mean(), 1.0]]).eigenvectors[:, 0]


def valley_paths(optimizers: Sequence[Optimizer], seed: int) -> Float64Array:
    """Weight and bias of a 1-1 net after each step, for each optimizer: `[5, STEPS + 1, 2]`."""
    y = BOTTOM[0] * X + BOTTOM[1]
    data = Dataset(X[:, None].astype(np.float32), y.astype(np.float32), task="regression")
    members = [Member(MLP(1, 1), optimizer, seed=seed) for optimizer in optimizers]
    return parameters_of(members, data, STEPS)


def parameters_of(members: Sequence[Member], data: Dataset, steps: int) -> Float64Array:
    """All parameters of nets of one shape, at first and after each step: `[P, steps + 1, D]`."""
    plan = Plan(Population(tuple(members)), MSE(), steps=steps)
    session = Reference().prepare(plan, data)
    state = session.start()
    path = [state.parameters.reshape(len(members), -1).copy()]
    for _ in range(steps):
        session.advance(state, 1)
        path.append(state.parameters.reshape(len(members), -1).copy())
    return np.stack(path, axis=1).astype(np.float64)


def valley_claims(paths: Float64Array) -> dict[str, bool]:
    """What the prose says of these paths."""
    first, second = np.diff(paths[0], axis=0)[:2]  # steps of SGD
    along = (paths[1] - BOTTOM) @ ALONG  # how far Momentum is before the star, along the floor
    last = np.linalg.norm(np.diff(paths[3], axis=0)[-10:], axis=1)  # steps of RMSprop
    return {
        "sgd_staggers": bool(first @ second < 0),
        "momentum_passes": bool((-along * np.sign(along[0])).max() > 0.1),
        "rmsprop_trembles": bool(last.mean() > 0.02),
    }


@look()
def valley_movie(names: Sequence[str], paths: Float64Array) -> Movie:
    """The paths over the surface of the loss, step by step."""
    figure = picture(8.0, 5.2)
    axes = figure.add_subplot()
    start = paths[0, 0]
    room = np.array([1.1, 1.5])
    low, high = np.minimum(start, BOTTOM) - room, np.maximum(start, BOTTOM) + room
    weights, biases = (np.linspace(a, b, 200) for a, b in zip(low, high, strict=True))
    fitted = weights[None, :, None] * X + biases[:, None, None]
    surface = ((fitted - (BOTTOM[0] * X + BOTTOM[1])) ** 2).mean(axis=-1)
    levels = [0.0, *np.geomspace(0.03, surface.max(), 9)]
    greys = [str(shade) for shade in np.linspace(1.0, 0.72, len(levels) - 1)]
    axes.contourf(weights, biases, surface, levels, colors=greys)
    axes.contour(weights, biases, surface, levels, colors="white", linewidths=1)
    ends = [  # over the racers, which stand on them at first and in the end
        *axes.plot(*start, "x", color=INK, markersize=13, markeredgewidth=2, path_effects=halo(4)),
        *axes.plot(*BOTTOM, "*", color=INK, markersize=20, markerfacecolor="none"),
    ]
    axes.grid(visible=False)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.set_xlabel(tr("weight"))
    axes.set_ylabel(tr("bias"))
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
    title = headline(axes, tr("Five ways down the same valley"), " ")

    def show(i: int) -> None:
        for trail, head, path in zip(trails, heads, paths, strict=True):
            trail.set_data(*path[: i + 1].T)
            head.set_data(*path[i : i + 1].T)
        title.set_text(tr("step {step}; cross: start, star: lowest loss; dark: high loss", step=i))

    return Movie(figure, paths.shape[1], show, [*trails, *heads, *ends, title])
