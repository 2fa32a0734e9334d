"""Where does the time of a step go, and how much of it must be?

    python benchmarks/step.py

One member on one thread. Each piece of its step is repeated alone, on the tables of a training;
what the whole step takes beyond their sum lies between them. The last column is what the products
alone would take at the peak of a core: the roofline of arithmetic.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

import peak
from harness import charts
from harness.results import FOLDER, digits, markdown, write
from peers import Job
from peers.job import surface
from slalom import SGD, Adam, toys
from slalom.engine import Native
from slalom.engine.native.batches import gather, shuffle, skip
from slalom.engine.native.compile import sealed
from slalom.engine.native.curve import curve_gradient
from slalom.engine.native.helping import outputs_of_some, workspace_of
from slalom.engine.native.layout import ACTIVE, ERROR, INPUTS, OUTPUTS
from slalom.engine.native.losses import loss_of_panels
from slalom.engine.native.network import add_gradients, backpropagate
from slalom.engine.native.tiles import PANEL, pitch_of
from slalom.engine.native.updates import update
from slalom.plots import style

PIECES = ("batch", "forward", "loss", "backward", "gradients", "update")
BATCH, FORWARD, LOSS, BACKWARD, GRADIENTS, UPDATE = range(len(PIECES))
START, ENOUGH = np.int64(0), 0.02  # seconds of a measurement


@sealed
def repeat(
    piece: int, times: int, nets: Any, data: Any, common: Any, shared: Any, shuffled: bool
) -> None:
    """Do one piece of a step of member 0 so many times; its batch lies in the window."""
    workspace, member = workspace_of(shared.workspace, 0), nets.members[0]
    geometry, layers, p, p0 = nets.geometries[0], nets.layers[0], nets.parameters, member.parameters
    depth, window = geometry.depth, workspace.window
    features, rows, outputs = layers[0, INPUTS], common.rows, layers[depth - 1, OUTPUTS]
    z0, d0 = layers[depth - 1, ACTIVE], layers[depth - 1, ERROR]
    size = -(-rows // member.steps_per_epoch)
    panels = -(-size // PANEL)
    for n in range(times):
        if piece == BATCH and shuffled:
            if n % member.steps_per_epoch == 0:
                skip(workspace.words, 2 * rows)
                shuffle(workspace.words, workspace.order[:rows])
            gather(data, data.train, workspace.order, START, size, window, START)
        if piece == UPDATE:
            update(
                member.rule,
                nets.hyper[0],
                0.0,
                n + 1,
                p,
                p0,
                workspace.gradient,
                nets.slots,
                member.slots,
                geometry.parameters,
            )
        for first in range(0, panels, geometry.chunk):
            some, x0 = min(geometry.chunk, panels - first), first * PANEL * features
            samples = min(some * PANEL, size - first * PANEL)
            if piece == FORWARD:
                key, x, arena = np.uint64(0), window.X, workspace.arena
                outputs_of_some(nets, geometry, layers, p0, x, x0, arena, some, 0.0, key, START)
            if piece == LOSS:
                loss_of_panels(
                    common.loss,
                    common.numbers,
                    workspace.arena,
                    z0,
                    workspace.arena,
                    d0,
                    outputs,
                    window.y,
                    first * PANEL,
                    window.weight,
                    first * PANEL,
                    1.0 / size,
                    samples,
                    workspace.sums,
                )
            if piece == BACKWARD and not geometry.curve:
                backpropagate(layers, START, depth, geometry.relu, p, p0, workspace.arena, some)
            if piece == GRADIENTS and geometry.curve:
                hidden, g = layers[0, OUTPUTS], workspace.gradient
                curve_gradient(p, p0, hidden, window.X, x0, workspace.arena, d0, samples, g)
            elif piece == GRADIENTS:
                add_gradients(
                    layers,
                    START,
                    depth,
                    window.X,
                    x0,
                    window.samples,
                    first * PANEL * pitch_of(features),
                    workspace.arena,
                    some,
                    workspace.gradient,
                    workspace.sums,
                )


def jobs() -> dict[str, Job]:
    """Steps from the smallest to the largest, by what they are."""
    few, many = toys.quadratic(100, noise=0.2, seed=1), toys.quadratic(1000, noise=0.1, seed=1)
    X, y = surface(features=16)
    sgd, adam = SGD(0.05), Adam(1e-3)
    made = {
        "1-10-1, all 100 rows, SGD": Job(few.X, few.y, (1, 10, 1), "relu", SGD(0.2), (0.2,)),
        "1-20-1, batch 32, Adam": Job(many.X, many.y, (1, 20, 1), "relu", adam, (1e-3,), 32),
    }
    for w, batch in ((16, 32), (16, 128), (64, 128), (128, 128), (256, 1024)):
        widths = (16, w, w, 1)
        made[f"{w}, batch {batch}, SGD"] = Job(X, y, widths, "relu", sgd, (0.05,), batch)
    made["16, batch 128, SGD, tanh"] = Job(X, y, (16, 16, 16, 1), "tanh", sgd, (0.05,), 128)
    made["16, batch 128, Adam"] = Job(X, y, (16, 16, 16, 1), "relu", adam, (1e-3,), 128)
    return made


def pieces(job: Job, turns: int) -> dict[str, float]:
    """Nanoseconds of every piece of a step, and of the whole."""
    session = Native(threads=1).prepare(job.plan(), job.data())
    state = session.start()
    session.advance(state, 3)
    tables = session.stretch(state, 0, 1)
    shared = tables.shared(1)
    tables.work(shared)
    shuffled = job.batch is not None

    def alone(piece: int) -> Callable[[int], Any]:
        return lambda times: repeat(
            piece, times, tables.nets, tables.data, tables.common, shared, shuffled
        )

    actions = {name: alone(n) for n, name in enumerate(PIECES)}
    actions["whole"] = lambda steps: session.advance(state, steps)
    for action in actions.values():
        action(1)
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(turns):
        for name, action in actions.items():
            times[name].append(_nanoseconds(action))
    return {name: float(np.median(own)) for name, own in times.items()}


def _nanoseconds(action: Callable[[int], Any]) -> float:
    """Of one repetition, of so many that they take long enough."""
    times, spent = 16, 0.0
    while spent < ENOUGH:
        times *= 4
        began = time.perf_counter()
        action(times)
        spent = time.perf_counter() - began
    return spent / times * 1e9


@style.look()
def draw(rows: pd.DataFrame, path: Path) -> None:
    """Each step as a bar of its pieces, in shares of the whole."""
    figure = style.picture(8, 4.2)
    axes: Axes = figure.subplots()
    left = np.zeros(len(rows))
    for name, color in zip([*PIECES, "between"], style.CLASS_COLORS, strict=False):
        share = rows[name] / rows["whole"]
        axes.barh(rows["job"], share, left=left, color=color, label=name)
        left += share
    axes.plot(rows["peak"] / rows["whole"], rows["job"], "k|", ms=14, label="products at the peak")
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the time of a step")
    axes.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.4, -0.16), fontsize=8)
    style.headline(axes, "Where the time of a step goes", "one member, one thread")
    charts.save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer turns")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    turns = 3 if arguments.quick else 9
    most = max(peak.gflops(1, turns=turns))
    rows = pd.DataFrame(
        {"job": n} | pieces(job, turns) | {"peak": job.flops / most} for n, job in jobs().items()
    )
    rows["between"] = rows["whole"] - rows[list(PIECES)].sum(axis=1)
    columns = ["whole", *PIECES, "between", "peak"]
    table = markdown(
        ["one step, in ns", *columns[:-1], "products at the peak"],
        [[r["job"], *(digits(r[c]) for c in columns)] for _, r in rows.iterrows()],
    )
    note = "Nets are 16-w-w-1 where only a width is given; ReLU where nothing is said."
    write(
        "step",
        rows,
        table,
        note,
        f"Peak of one core: {digits(most)} GFLOP/s.",
        folder=arguments.out,
    )
    draw(rows, arguments.out / "step.png")


if __name__ == "__main__":
    main()
