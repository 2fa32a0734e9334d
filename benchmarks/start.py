"""How long does the first training of a process wait for the compiler?

    python benchmarks/start.py

Each training is run in a fresh process: with an empty cache folder, with the folder that the run
before filled, and without one that can be written. Times are those beyond importing torch and
Slalom.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from harness import charts
from harness.results import FOLDER, digits, markdown, write
from peers.slalom_engine import NAMES
from slalom.plots import style

CACHE = "SLALOM_CACHE_DIR"
UNWRITABLE = os.path.join(os.devnull, "cache")  # below a file, so that not even root may write

REGRESSION = """slalom.train(
        MLP(1, 10, 1),
        toys.quadratic(100),
        optimizer=SGD(0.2),
        steps=200,
        frames=0,
        engine={engine!r},
    )"""
RACE = """slalom.race(
        MLP(1, 20, 1),
        toys.quadratic(1000),
        [SGD(0.01), SGD(0.01, momentum=0.8), Adagrad(0.01), RMSprop(0.01), Adam(0.01)],
        epochs=12,
        frames=0,
        engine={engine!r},
    )"""
TRAININGS = {"regression, 200 steps": REGRESSION, "race of five, 12 epochs": RACE}

PROCESS = """
import json, time
began = time.perf_counter()
import torch, slalom
from slalom import MLP, SGD, Adagrad, Adam, RMSprop, toys
import slalom.runs.train
times = [time.perf_counter() - began]
for _ in range(2):
    began = time.perf_counter()
    {training}
    times.append(time.perf_counter() - began)
print(json.dumps(times))
"""


def seconds(training: str, engine: str, cache: str) -> list[float]:
    """Of the imports, the first training and the second, in a fresh process."""
    program = PROCESS.format(training=training.format(engine=engine))
    environment = os.environ | {CACHE: cache}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    values: list[float] = json.loads(done.stdout.splitlines()[-1])
    return values


def run(engine: str, turns: int) -> pd.DataFrame:
    """One row a process; those that need not compile, which are quick, run `turns` times."""
    rows = []
    for name, training in TRAININGS.items():
        with tempfile.TemporaryDirectory() as folder:
            filled = [("filled folder", folder)] * turns
            for cache, where in [("empty folder", folder), *filled, ("no folder", UNWRITABLE)]:
                imports, first, second = seconds(training, engine, where)
                times = {"imports_s": imports, "first_s": first, "second_s": second}
                rows.append({"training": name, "cache": cache} | times)
                print(rows[-1], flush=True)
    return pd.DataFrame(rows)


@style.look()
def draw(medians: pd.DataFrame, path: Path) -> None:
    figure = style.picture(8, 3.2)
    axes = figure.subplots()
    names = [f"{training}: {cache}" for training, cache in medians.index]
    texts = [f"{digits(s)} s" for s in medians["first_s"]]
    charts.bars(axes, names, medians["first_s"], texts, ours=names)
    axes.set_xlabel("seconds of the first training, beyond the imports")
    style.headline(
        axes, "The first training of a process", "with and without compiled code on disk"
    )
    charts.save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--engine", choices=NAMES, default="native")
    parser.add_argument("--quick", action="store_true", help="fewer turns")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    rows = run(arguments.engine, 1 if arguments.quick else 9)
    each = rows.groupby(["training", "cache"], sort=False)
    medians = each[["imports_s", "first_s", "second_s"]].median()
    spread = each["first_s"].agg(["min", "max"])
    text = markdown(
        ["training", "cache", "first (s)", "lowest to highest", "second (s)", "imports (s)"],
        [
            [
                *place,
                digits(r["first_s"]),
                f"{digits(spread.loc[place, 'min'])} to {digits(spread.loc[place, 'max'])}",
                digits(r["second_s"]),
                digits(r["imports_s"]),
            ]
            for place, r in medians.iterrows()
        ],
    )
    write("start", rows, f"Engine: {arguments.engine}.", text, folder=arguments.out)
    draw(medians, arguments.out / "start.png")


if __name__ == "__main__":
    main()
