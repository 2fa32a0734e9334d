"""How long do 100,000 nets take, and how much memory?

    python benchmarks/scale.py

100,000 members 1-10-1 on 100 points, full batch, SGD, 200 steps. Every run is a fresh process;
its peak memory is compared with that of a process that only imports torch and Slalom. Twice: as a
user trains, with the loss of every step of every member in memory, and the engine alone in
stretches of 20 steps whose losses are let go.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

from harness import charts
from harness.results import FOLDER, digits, markdown, write
from peers.slalom_engine import NAMES
from slalom.plots import style

PROCESS = """
import json, resource, time
import numpy as np, torch, pandas, slalom, slalom.runs.train
from slalom import MLP, SGD, Plan, grid, toys
from slalom.engine import Native, Reference
from slalom.losses import MSE

times = {{}}
def done(what):
    global began
    times[what] = time.perf_counter() - began
    began = time.perf_counter()

began = time.perf_counter()
{work}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps(times | {{"peak_mib": peak / 1024}}))
"""
SETUP = """
members = grid(net=[MLP(1, 10, 1)], optimizer=[SGD], lr=np.geomspace(0.2, 0.02, {members}))
done("population_s")
"""
TRAIN = """
run = slalom.train(members, toys.quadratic(100), steps={steps}, engine={engine!r}, progress=False)
done("train_s")
assert (run.state.step == {steps}).all()
"""
ENGINE = """
engine = Native() if {engine!r} == "native" else Reference()
state = engine.start(Plan(members, MSE(), steps={steps}), toys.quadratic(100))
done("start_s")
while state.training.any():
    engine.advance(state, 20)
done("train_s")
"""
WORK = {"imports only": "", "slalom.train": SETUP + TRAIN, "engine, losses let go": SETUP + ENGINE}


def run(engine: str, members: int, steps: int) -> pd.DataFrame:
    """One row a kind of process."""
    rows = []
    for name, work in WORK.items():
        program = PROCESS.format(work=work.format(engine=engine, members=members, steps=steps))
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        rows.append({"process": name} | json.loads(done.stdout.splitlines()[-1]))
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows).reindex(
        columns=["process", "population_s", "start_s", "train_s", "peak_mib"]
    )
    table["above_imports_mib"] = table["peak_mib"] - table["peak_mib"].iloc[0]
    return table


@style.look()
def draw(rows: pd.DataFrame, title: str, path: Path) -> None:
    figure = style.picture(8, 3.4)
    seconds, memory = figure.subplots(1, 2)
    for axes, column, label in (
        (seconds, "train_s", "seconds of training"),
        (memory, "above_imports_mib", "MiB above the imports"),
    ):
        axes.barh(rows["process"].iloc[1:], rows[column].iloc[1:], color=charts.OURS)
        axes.set_xlabel(label)
        axes.grid(axis="y", visible=False)
    memory.set_yticklabels([])
    style.headline(seconds, title, "1-10-1, 100 points, full batch, SGD")
    charts.save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--engine", choices=NAMES, default="native")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the members")
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    members = arguments.members // 100 if arguments.quick else arguments.members
    rows = run(arguments.engine, members, arguments.steps)
    header = [
        "process",
        "population (s)",
        "start (s)",
        "train (s)",
        "peak (MiB)",
        "above imports (MiB)",
    ]
    text = markdown(header, [[r[0], *map(digits, r[1:])] for r in rows.to_numpy()])
    title = f"{members:,} members, {arguments.steps} steps"
    write(
        "scale",
        rows,
        f"{title}. Engine: {arguments.engine}.",
        text,
        "`slalom.train` thins its history to two million rows. Its seconds include the "
        "engine's start and the history; those of the engine alone do not include its start.",
        folder=arguments.out,
    )
    draw(rows, title, arguments.out / "scale.png")


if __name__ == "__main__":
    main()
