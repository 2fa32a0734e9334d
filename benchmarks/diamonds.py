"""How long does a real table take, from a frame to a chosen model?

    python benchmarks/diamonds.py --data ../shared/data

The diamonds (53,940 rows), splits as in tables.py. Measured are `slalom.Regressor` with its default
population on the native and on the reference engine, and a grid search of scikit-learn over 32 MLPs
of like sizes, as long, on two processes.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, ShuffleSplit, train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skrub import tabular_pipeline

from harness import charts
from harness.results import FOLDER, digits, markdown, write
from slalom import Regressor
from slalom.data.batches import steps_per_epoch
from slalom.plots import style
from slalom.tabular.default import batch_size, usual_epochs
from slalom.tabular.splits import SHARE
from tables import FIRST_SPLIT, TABLES

HIDDEN = [(128, 128, 128), (256, 256), (128, 128), (64, 64)]
RATES = [1e-3, 2e-3, 5e-3, 1e-2]
ACTIVATIONS = ["relu", "tanh"]
OURS, SEARCH = ("slalom, native", "slalom, reference"), "scikit-learn grid search"


def search(rows: int) -> Pipeline:
    """MLPs trained as long, in as large batches, and selected on as many rows.

    Args:
        rows: that it is fitted on.
    """
    trained = round(rows * (1 - SHARE))
    net = MLPRegressor(
        batch_size=batch_size(trained), max_iter=usual_epochs(trained), random_state=0
    )
    model = TransformedTargetRegressor(net, transformer=StandardScaler())
    choices = {
        "regressor__hidden_layer_sizes": HIDDEN,
        "regressor__learning_rate_init": RATES,
        "regressor__activation": ACTIVATIONS,
    }
    held = ShuffleSplit(1, test_size=SHARE, random_state=0)
    return tabular_pipeline(GridSearchCV(model, choices, cv=held, n_jobs=2))  # prepared once


def models(engines: tuple[str, ...], rows: int, seed: int) -> dict[str, Callable[[], Any]]:
    """What makes each model."""
    ours = {
        f"slalom, {engine}": lambda engine=engine: Regressor(
            engine=engine, random_state=seed, progress=False
        )
        for engine in engines
    }
    return ours | {SEARCH: lambda: search(rows)}


def run(frame: pd.DataFrame, engines: tuple[str, ...], seeds: int) -> pd.DataFrame:
    """One row a split and model."""
    target = TABLES["diamonds"].target
    X, y = frame.drop(columns=target), frame[target]
    rows = []
    for engine in engines:  # what is compiled is compiled now; start.py measures how long it takes
        Regressor(engine=engine, epochs=1, progress=False).fit(X[:500], y[:500])
    for seed in range(seeds):
        parts = train_test_split(X, y, test_size=0.2, random_state=FIRST_SPLIT + seed)
        X_train, X_test, y_train, y_test = parts
        for name, make in models(engines, len(X_train), seed).items():
            model = make()
            began = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # nets that have not converged
                model.fit(X_train, y_train)
            seconds = time.perf_counter() - began
            score = r2_score(y_test, model.predict(X_test))
            rows.append(
                {"split": FIRST_SPLIT + seed, "model": name, "seconds": seconds, "r2": score}
            )
            print(rows[-1], flush=True)
    return pd.DataFrame(rows)


@style.look()
def draw(means: pd.DataFrame, path: Path) -> None:
    figure = style.picture(8, 2.8)
    axes = figure.subplots()
    texts = [f"{digits(r.seconds)} s, R2 {r.r2:.4f}" for r in means.itertuples()]
    charts.bars(axes, list(means.index), means["seconds"], texts, ours=OURS)
    axes.set_xlabel("seconds from the table to a chosen model")
    style.headline(axes, "The diamonds", "from the table to a model, two cores")
    charts.save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--engines", nargs="*", default=["native", "reference"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one split of 6000 rows")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    path = arguments.data / TABLES["diamonds"].file
    if not path.exists():
        print(f"Skipped: there is no {path}. Give the folder of the tables with --data.")
        return
    frame = pd.read_csv(path)
    if arguments.quick:
        frame = frame.sample(6000, random_state=0)
    rows = run(frame, tuple(arguments.engines), 1 if arguments.quick else arguments.seeds)
    means = rows.groupby("model", sort=False)[["seconds", "r2"]].mean()
    spread = rows.groupby("model")[["seconds", "r2"]].agg(["min", "max"])
    fastest = means["seconds"].iloc[0]
    text = markdown(
        ["model", "seconds", "lowest to highest", "times the first", "R2", "R2 of the splits"],
        [
            [
                name,
                digits(r.seconds),
                " to ".join(digits(v) for v in spread.loc[name, "seconds"]),
                digits(r.seconds / fastest),
                f"{r.r2:.4f}",
                " to ".join(f"{v:.4f}" for v in spread.loc[name, "r2"]),
            ]
            for name, r in zip(means.index, means.itertuples(), strict=True)
        ],
    )
    trained = round(len(frame) * 0.8 * (1 - SHARE))
    steps = usual_epochs(trained) * steps_per_epoch(trained, batch_size(trained))
    work = f"{len(frame):,} rows; nets of up to {steps:,} steps of {batch_size(trained)} rows."
    write("diamonds", rows, work, text, folder=arguments.out)
    draw(means, arguments.out / "diamonds.png")


if __name__ == "__main__":
    main()
