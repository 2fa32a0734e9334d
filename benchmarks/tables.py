"""How good are the default estimators on real tables?

Mean score over seeded 80/20 splits, default settings and no hand-work, beside scikit-learn's MLP
and HistGradientBoosting after skrub's `tabular_pipeline`: R2 for regression, accuracy for
classification. `mlp+` is the MLP helped a little: 1000 iterations at most, and for regression a
standardised target.

    python benchmarks/tables.py --data ../shared/data                   every table
    python benchmarks/tables.py --data ../shared/data --only mpg tips   some of them

Writes a CSV of all runs and prints a Markdown table of the means.
"""

import argparse
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from skrub import tabular_pipeline

from slalom import Classifier, Regressor

# Splits 0 to 99 belong to development: features and recipes were chosen on some of them.
FIRST_SPLIT = 100


@dataclass(frozen=True)
class Table:
    """A table, what to predict, and the columns that would give the answer away."""

    file: str
    target: str
    task: str
    leaks: tuple[str, ...] = ()


TABLES = {
    "titanic": Table("titanic.csv", "survived", "classification", ("alive",)),
    "penguins": Table("penguins.csv", "species", "classification"),
    "penguins_raw": Table("penguins_raw.csv", "Species", "classification"),
    "diamonds": Table("diamonds.csv.gz", "price", "regression"),
    "mpg": Table("mpg.csv", "mpg", "regression"),
    "taxis": Table("taxis.csv.gz", "fare", "regression", ("total",)),
    "tips": Table("tips.csv", "tip", "regression"),
    "concrete": Table("uci/concrete/data.csv.gz", "compressive_strength", "regression"),
    "energy": Table("uci/energy/data.csv.gz", "heating_load", "regression"),
    "wine": Table("uci/wine-quality-red/data.csv.gz", "quality", "regression"),
    "yacht": Table("uci/yacht/data.csv.gz", "residuary_resistance", "regression"),
}


def contestants(task: str) -> dict[str, Any]:
    """Fresh models, each with its defaults."""
    if task == "classification":
        return {
            "slalom": Classifier(progress=False),
            "mlp": tabular_pipeline(MLPClassifier(random_state=0)),
            "mlp+": tabular_pipeline(MLPClassifier(random_state=0, max_iter=1000)),
            "boosting": tabular_pipeline(HistGradientBoostingClassifier(random_state=0)),
        }
    scaled = TransformedTargetRegressor(
        MLPRegressor(random_state=0, max_iter=1000), transformer=StandardScaler()
    )
    return {
        "slalom": Regressor(progress=False),
        "mlp": tabular_pipeline(MLPRegressor(random_state=0)),
        "mlp+": tabular_pipeline(scaled),
        "boosting": tabular_pipeline(HistGradientBoostingRegressor(random_state=0)),
    }


def measure(name: str, table: Table, folder: Path, splits: int, models: list[str]) -> list[dict]:
    """One row a split and model."""
    frame = pd.read_csv(folder / table.file).drop(columns=list(table.leaks))
    frame = frame.dropna(subset=[table.target])
    X, y = frame.drop(columns=table.target), frame[table.target]
    score = accuracy_score if table.task == "classification" else r2_score
    rows = []
    for seed in range(FIRST_SPLIT, FIRST_SPLIT + splits):
        stratify = y if table.task == "classification" else None
        parts = train_test_split(X, y, test_size=0.2, random_state=seed, stratify=stratify)
        X_train, X_test, y_train, y_test = parts
        for model, contestant in contestants(table.task).items():
            if model not in models:
                continue
            began = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # peers that have not converged, unseen categories
                predicted = contestant.fit(X_train, y_train).predict(X_test)
            rows.append(
                {
                    "table": name,
                    "split": seed,
                    "model": model,
                    "score": score(y_test, predicted),
                    "seconds": time.perf_counter() - began,
                }
            )
            print(rows[-1], flush=True)
    return rows


def summary(results: pd.DataFrame) -> str:
    """Mean score of each model on each table, and the seconds that ours took, as Markdown."""
    means = results.pivot_table("score", "table", "model", sort=False)
    seconds = results[results["model"] == "slalom"].groupby("table")["seconds"].mean()
    lines = ["| table | score | " + " | ".join(means.columns) + " | seconds of slalom |"]
    lines += ["|---|---|" + "---:|" * (len(means.columns) + 1)]
    for name, row in means.iterrows():
        kind = "accuracy" if TABLES[str(name)].task == "classification" else "R2"
        best = row.round(3).max()
        cells = [f"**{v:.3f}**" if round(v, 3) == best else f"{v:.3f}" for v in row]
        lines.append(f"| {name} | {kind} | {' | '.join(cells)} | {seconds.get(name, 0):.0f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", nargs="*", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--models", nargs="*", default=["slalom", "mlp", "mlp+", "boosting"])
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/tables.csv"))
    arguments = parser.parse_args()
    folder = arguments.data if arguments.data.is_dir() else Path("examples")
    missing = [name for name in arguments.only if not (folder / TABLES[name].file).exists()]
    if missing:
        print(f"Not in {folder}, so left out: {', '.join(missing)}", file=sys.stderr)
    results = pd.DataFrame(
        row
        for name in arguments.only
        if name not in missing
        for row in measure(name, TABLES[name], folder, arguments.splits, arguments.models)
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    results.to_csv(arguments.out, index=False)
    print(summary(results))


if __name__ == "__main__":
    main()
