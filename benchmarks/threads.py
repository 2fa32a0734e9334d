"""Do two threads train a population twice as fast as one?

    python benchmarks/threads.py

64 members 16-64-64-1 with SGD in batches of 128; one thread and two, in turns.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from harness import charts
from harness.results import FOLDER, digits, markdown, write
from harness.timing import clock
from peers import Job
from peers.job import surface
from peers.slalom_engine import Slalom, engine_of
from slalom import SGD
from slalom.plots import style

MEMBERS, STEPS = 64, 128


def times(turns: int, seconds: float) -> dict[int, list[float]]:
    """Seconds of one step of the population, by the number of threads."""
    X, y = surface()
    rates = tuple(map(float, np.geomspace(0.05, 0.005, MEMBERS)))
    job = Job(X, y, (16, 64, 64, 1), "relu", SGD(0.05), rates, batch=128)
    engines = {n: Slalom(job, STEPS, engine_of("native", threads=n)) for n in (1, 2)}
    stretches = {}
    for n, contestant in engines.items():
        contestant.advance(1)
        stretches[n] = max(1, round(seconds / (clock(contestant, 1) * STEPS)))
    measured: dict[int, list[float]] = {n: [] for n in engines}
    for _ in range(turns):
        for n, contestant in engines.items():
            measured[n].append(clock(contestant, stretches[n]))
    return measured


@style.look()
def draw(rows: pd.DataFrame, path: Path) -> None:
    figure = style.picture(8, 2.2)
    axes = figure.subplots()
    axes.barh(
        [f"{n} thread{'s' * (n > 1)}" for n in rows["threads"]], rows["step_us"], color=charts.OURS
    )
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("microseconds a step of the population")
    ratio = rows["step_us"].iloc[0] / rows["step_us"].iloc[1]
    style.headline(
        axes, f"Two threads are {ratio:.2f} times as fast", "64 members 16-64-64-1, batch 128"
    )
    charts.save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter turns")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    measured = times(*((3, 0.1) if arguments.quick else (15, 0.3)))
    rows = pd.DataFrame(
        {
            "threads": n,
            "step_us": np.median(values) * 1e6,
            "lowest_us": min(values) * 1e6,
            "highest_us": max(values) * 1e6,
            "turns": len(values),
        }
        for n, values in measured.items()
    )
    one = rows["step_us"].iloc[0]
    text = markdown(
        ["threads", "us a step", "lowest", "highest", "times as fast"],
        [
            [r.threads, *map(digits, (r.step_us, r.lowest_us, r.highest_us, one / r.step_us))]
            for r in rows.itertuples()
        ],
    )
    write("threads", rows, text, folder=arguments.out)
    draw(rows, arguments.out / "threads.png")


if __name__ == "__main__":
    main()
