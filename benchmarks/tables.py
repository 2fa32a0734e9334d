"""How good are the default estimators on real tables?

Mean score over seeded 80/20 splits, default settings and no hand-work, beside scikit-learn's MLP and
HistGradientBoosting after skrub's `tabular_pipeline`. R2 for regression, accuracy for classification.

    python benchmarks/tables.py --data ../shared/data                   every table
    python benchmarks/tables.py --data ../shared/data --only mpg tips   some of them

Writes a CSV and a Markdown table beside the printed one (`--out`).
"""

import argparse
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
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


def contestants(task: str) -> dict[str, object]:
    """Fresh models, each with its defaults."""
    if task == "classification":
        return {
            "slalom": Classifier(progress=False),
            "mlp": tabular_pipeline(MLPClassifier(random_state=0)),
            "boosting": tabular_pipeline(HistGradientBoostingClassifier(random_state=0)),
        }
    return {
        "slalom": Regressor(progress=False),
        "mlp": tabular_pipeline(MLPRegressor(random_state=0)),
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


def summary(results: pd.DataFrame) -> pd.DataFrame:
    """Mean score and seconds of each model on each table."""
    means = results.pivot_table(
        index="table", columns="model", values=["score", "seconds"], sort=False
    )
    means.columns = [f"{model} {value}" for value, model in means.columns]
    return means.round(4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", nargs="*", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--models", nargs="*", default=["slalom", "mlp", "boosting"])
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/tables"))
    arguments = parser.parse_args()
    results = pd.DataFrame(
        row
        for name in arguments.only
        for row in measure(name, TABLES[name], arguments.data, arguments.splits, arguments.models)
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    results.to_csv(arguments.out.with_suffix(".csv"), index=False)
    table = summary(results)
    table.reset_index().to_csv(
        arguments.out.with_name(arguments.out.name + "_summary.csv"), index=False
    )
    print(table.to_string())


if __name__ == "__main__":
    main()
