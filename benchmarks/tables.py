"""How good are the default estimators on real tables, beside boosted trees and an MLP?

Five seeded 80/20 splits, defaults and no hand-work, everybody on both cores. The peers get their
features from skrub's `tabular_pipeline`: CatBoost, LightGBM, XGBoost, HistGradientBoosting and
scikit-learn's MLP. `mlp+` is the MLP helped a little: 1000 iterations at most, and for regression a
standardised target. R2 of numbers; log loss of classes, with the accuracy beside it; seconds of
fitting and predicting.

    python benchmarks/tables.py --data ../shared/data                   every table
    python benchmarks/tables.py --data ../shared/data --only mpg tips   some of them
"""

import argparse
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from catboost import CatBoostClassifier, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler
from skrub import tabular_pipeline
from xgboost import XGBClassifier, XGBRegressor

from harness.results import FOLDER, markdown, write
from slalom import Classifier, Regressor

# Splits 0 to 299 belong to development: features and recipes were chosen on some of them.
FIRST_SPLIT, SPLITS = 300, 5
BOOSTERS = ("catboost", "lightgbm", "xgboost", "histogram")


@dataclass(frozen=True)
class Table:
    """A table, what to predict, and the columns that would give the answer away."""

    file: str
    target: str
    task: str
    leaks: tuple[str, ...] = ()

    def read(self, folder: Path) -> tuple[pd.DataFrame, pd.Series]:
        """What to learn from, and the target; classes as numbers, as XGBoost wants them."""
        frame = pd.read_csv(folder / self.file).drop(columns=list(self.leaks))
        frame = frame.dropna(subset=[self.target])
        y = frame.pop(self.target)
        if self.task == "classification":
            y = pd.Series(LabelEncoder().fit_transform(y), index=y.index)
        return frame, y


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


def at_hand(folder: Path, names: list[str]) -> tuple[Path, list[str]]:
    """Where tables are, the examples at least, and which of these are there; says which are not."""
    folder = folder if folder.is_dir() else Path("examples")
    missing = [name for name in names if not (folder / TABLES[name].file).exists()]
    if missing:
        print(f"Not in {folder}, so left out: {', '.join(missing)}", file=sys.stderr)
    return folder, [name for name in names if name not in missing]


PEERS: dict[str, tuple[type, type, dict[str, Any]]] = {
    "catboost": (
        CatBoostRegressor,
        CatBoostClassifier,
        {"verbose": False, "allow_writing_files": False, "random_seed": 0},
    ),
    "lightgbm": (LGBMRegressor, LGBMClassifier, {"verbose": -1, "random_state": 0}),
    "xgboost": (XGBRegressor, XGBClassifier, {"random_state": 0}),
    "histogram": (
        HistGradientBoostingRegressor,
        HistGradientBoostingClassifier,
        {"random_state": 0},
    ),
    "mlp": (MLPRegressor, MLPClassifier, {"random_state": 0}),
    "mlp+": (MLPRegressor, MLPClassifier, {"random_state": 0, "max_iter": 1000}),
}
MODELS = ("slalom", *PEERS)


def contestant_of(name: str, task: str) -> Any:
    """A fresh model with its defaults."""
    classes = task == "classification"
    if name == "slalom":
        return (Classifier if classes else Regressor)(progress=False)
    regressor, classifier, arguments = PEERS[name]
    model = (classifier if classes else regressor)(**arguments)
    if name == "mlp+" and not classes:
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    return tabular_pipeline(model)


def scored(model: Any, X: pd.DataFrame, y: pd.Series, task: str) -> dict[str, float]:
    """R2, or log loss and accuracy."""
    if task == "regression":
        return {"r2": r2_score(y, model.predict(X))}
    shares = model.predict_proba(X)
    accuracy = accuracy_score(y, model.classes_[shares.argmax(axis=1)])
    return {"log_loss": log_loss(y, shares, labels=model.classes_), "accuracy": accuracy}


def measure(name: str, table: Table, folder: Path, splits: int, models: list[str]) -> list[dict]:
    """One row a split and model."""
    X, y = table.read(folder)
    stratify = y if table.task == "classification" else None
    rows = []
    for seed in range(FIRST_SPLIT, FIRST_SPLIT + splits):
        parts = train_test_split(X, y, test_size=0.2, random_state=seed, stratify=stratify)
        X_train, X_test, y_train, y_test = parts
        for model in models:
            contestant = contestant_of(model, table.task)
            began = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # peers that have not converged, unseen categories
                contestant.fit(X_train, y_train)
                scores = scored(contestant, X_test, y_test, table.task)
            seconds = time.perf_counter() - began
            rows.append(
                {"table": name, "split": seed, "model": model, **scores, "seconds": seconds}
            )
            print(rows[-1], flush=True)
    return rows


def report(results: pd.DataFrame) -> list[str]:
    """Means over the splits, as Markdown: scores, accuracies, seconds."""
    means = {
        column: results.pivot_table(column, "table", "model", sort=False).dropna(how="all")
        for column in ("r2", "log_loss", "accuracy", "seconds")
        if column in results
    }
    parts = []
    for column, title, digits in (
        ("r2", "R2 (more is better)", 4),
        ("log_loss", "Log loss (less is better)", 4),
        ("accuracy", "Accuracy", 3),
        ("seconds", "Seconds, fitting and predicting", 1),
    ):
        if column not in means:
            continue
        frame = means[column].round(digits)
        low = column in ("log_loss", "seconds")
        best = frame.min(axis=1) if low else frame.max(axis=1)
        rows = [
            [name, *(f"**{v:.{digits}f}**" if v == best[name] else f"{v:.{digits}f}" for v in row)]
            for name, row in frame.iterrows()
        ]
        parts.append(f"{title}:\n\n" + markdown(["table", *frame.columns], rows))
    return [*parts, places(means)] if set(BOOSTERS) <= set(results["model"]) else parts


def places(means: dict[str, pd.DataFrame]) -> str:
    """How often Slalom is better than the best and than the second of the boosters."""
    unexplained = 1 - means["r2"] if "r2" in means else None
    errors = pd.concat([unexplained, means.get("log_loss")])
    ranked = errors[list(BOOSTERS)].apply(sorted, axis=1, result_type="expand")
    first, second = ((errors["slalom"] < ranked[k]).sum() for k in (0, 1))
    return (
        f"In the mean better than the best of the four boosters on {first} of {len(errors)} "
        f"tables, than the second best on {second}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", nargs="*", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=MODELS)
    parser.add_argument("--splits", type=int, default=SPLITS)
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    folder, names = at_hand(arguments.data, arguments.only)
    results = pd.DataFrame(
        row
        for name in names
        for row in measure(name, TABLES[name], folder, arguments.splits, arguments.models)
    )
    work = f"Splits {FIRST_SPLIT} to {FIRST_SPLIT + arguments.splits - 1}, 80 % to train on."
    write("tables", results, work, *report(results), folder=arguments.out)


if __name__ == "__main__":
    main()
