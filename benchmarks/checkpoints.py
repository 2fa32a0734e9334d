"""What does it cost to keep a run? Its folder, and the seconds of a checkpoint.

10,000 members for 200 epochs each, a record an epoch: nets of 1-10-1 on 100 points, all at once,
and of 8-16-1 on 500 in batches of 64. A checkpoint is written every 30 seconds by default, so one
that takes 0.6 seconds costs 2 %.

    python benchmarks/checkpoints.py
    python benchmarks/checkpoints.py --quick     a tenth of the members
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from harness.results import FOLDER, markdown, write
from slalom import MLP, Adam, Dataset, grid, toys
from slalom.engine import Native
from slalom.losses import MSE
from slalom.plan import Plan
from slalom.runs import Store
from slalom.runs.keeping import EVERY, Keeper
from slalom.runs.run import Run
from slalom.training import Training

TURNS = 5


def table(rows: int = 500, columns: int = 8) -> Dataset:
    X = np.random.default_rng(0).normal(size=(rows, columns))
    return Dataset(X, np.sin(X).sum(axis=1), "regression").split(validation=0.2)


CASES = {
    "1-10-1": (MLP(1, 10, 1), toys.quadratic(100, noise=0.1, seed=1).split(0.2), None),
    "8-16-1": (MLP(8, 16, 1), table(), 64),
}


def measure(name: str, members: int, epochs: int) -> dict[str, float | str]:
    net, data, batch = CASES[name]
    rates = np.geomspace(1e-4, 1e-1, members).tolist()
    population = grid(net=net, optimizer=Adam(), lr=rates, batch_size=batch)
    plan = Plan(population, MSE(), epochs=epochs)
    with TemporaryDirectory() as place:
        folder = Store(place).new(plan, data, "run", {})
        training = Training(plan, data, Native())
        training.advance()
        keeper, seconds = Keeper(folder, training), []
        for _ in range(TURNS):
            began = time.perf_counter()
            keeper.keep("running")
            seconds.append(time.perf_counter() - began)
        largest = folder.checkpoints()[0].stat().st_size
        for older in folder.checkpoints()[1:]:
            older.unlink()
        began = time.perf_counter()
        keeper.end(Run.of(training.snapshot(), training.engine))
        ended = time.perf_counter() - began
        size = sum(path.stat().st_size for path in Path(folder.path).iterdir())
    one = float(np.median(seconds))
    return {
        "net": name,
        "training_s": training.seconds,
        "checkpoint_mb": largest / 1e6,
        "checkpoint_s": one,
        "share": one / EVERY,
        "end_s": ended,
        "folder_mb": size / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the members")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    members = 1000 if arguments.quick else 10_000
    results = pd.DataFrame(measure(name, members, 200) for name in CASES)
    rows = [
        [
            row["net"],
            f"{row['training_s']:.1f}",
            f"{row['checkpoint_mb']:.0f}",
            f"{row['checkpoint_s']:.2f}",
            f"{100 * row['share']:.1f} %",
            f"{row['end_s']:.1f}",
            f"{row['folder_mb']:.0f}",
        ]
        for _, row in results.iterrows()
    ]
    head = [
        "net",
        "training, s",
        "checkpoint, MB",
        "checkpoint, s",
        "of 30 s",
        "end, s",
        "folder, MB",
    ]
    work = f"{members:,} members, 200 epochs, a record an epoch; the folder with two checkpoints."
    write("checkpoints", results, work, markdown(head, rows), folder=arguments.out)


if __name__ == "__main__":
    main()
