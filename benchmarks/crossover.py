"""From which width on does the reference engine, torch's own products, win?

    python benchmarks/crossover.py

One member 16-w-w-1 alone, on both cores of either engine: the case in which torch is at its best.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from harness import charts
from harness.results import FOLDER, digits, markdown, write
from harness.timing import clock
from peers import Job
from peers.job import surface
from peers.slalom_engine import Slalom, engine_of
from slalom import SGD, Adam
from slalom.plots import style

WIDTHS, BATCHES, OPTIMIZERS = (256, 512, 1024, 2048, 4096), (32, 128, 1024), (SGD(0.01), Adam(1e-4))
ENGINES = ("native", "reference")
STRETCH, PACE = 0.1, 100e9  # seconds of a stretch, and the FLOP/s that we guess


def times(job: Job, turns: int) -> dict[str, float]:
    """Microseconds of a step by either engine."""
    steps = max(1, int(STRETCH * PACE / job.flops))
    contestants = {name: Slalom(job, steps, engine_of(name)) for name in ENGINES}
    for contestant in contestants.values():
        contestant.session.advance(contestant.state, 1)
    measured: dict[str, list[float]] = {name: [] for name in ENGINES}
    for _ in range(turns):
        for name, contestant in contestants.items():
            measured[name].append(clock(contestant, 1) * 1e6)
    return {name: float(np.median(own)) for name, own in measured.items()}


@style.look()
def draw(rows: pd.DataFrame, path: Path) -> None:
    figure = style.picture(8, 3.4)
    axes = figure.subplots()
    for (optimizer, batch), own in rows.groupby(["optimizer", "batch"]):
        line = "-" if optimizer == "SGD" else "--"
        color = style.class_color(BATCHES.index(batch))
        axes.plot(
            own["width"], own["ratio"], line, color=color, label=f"{optimizer}, batch {batch}"
        )
    axes.axhline(1, color=style.INK, lw=0.8)
    axes.set_xscale("log", base=2)
    axes.set_xticks(WIDTHS, [str(w) for w in WIDTHS])
    axes.set_ylim(0)
    axes.set_xlabel("width w")
    axes.set_ylabel("times as fast")
    axes.legend(ncols=2, fontsize=8)
    style.headline(axes, "Native against reference engine", "one member 16-w-w-1, two cores")
    charts.save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer widths and turns")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    X, y = surface()
    rows = []
    widths, turns = (WIDTHS[:2], 3) if arguments.quick else (WIDTHS, 5)
    for w, batch, optimizer in product(widths, BATCHES, OPTIMIZERS):
        job = Job(X, y, (16, w, w, 1), "relu", optimizer, (optimizer.lr,), batch)
        own = times(job, turns)
        rows.append({"width": w, "batch": batch, "optimizer": optimizer.name} | own)
        print(rows[-1], flush=True)
    rows = pd.DataFrame(rows)
    rows["ratio"] = rows["reference"] / rows["native"]
    table = markdown(
        ["width x batch, optimizer", "native (us a step)", "reference", "times as fast"],
        [
            [f"{r.width} x {r.batch} {r.optimizer}", *map(digits, (r.native, r.reference, r.ratio))]
            for r in rows.itertuples()
        ],
    )
    write("crossover", rows, table, folder=arguments.out)
    draw(rows, arguments.out / "crossover.png")


if __name__ == "__main__":
    main()
