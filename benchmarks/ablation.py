"""What is each ingredient of the default estimators worth? Each is left out once.

Error (what is left of R2, or the log loss) of `Regressor()` and `Classifier()` on the rows that
splits of development hold back, beside the same with one ingredient out. What costs nothing when it
is left out should go out. Another population of the same kind moves an error by some per cent, and
by half where few rows are tested on; so each change stands beside its standard error over splits.

    python benchmarks/ablation.py --data ../shared/data
    python benchmarks/ablation.py --only wine yacht --without embeddings dropout
"""

import argparse
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias
from unittest.mock import patch

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from harness.results import FOLDER, markdown, write
from slalom import Classifier, Constant, Regressor
from slalom.data.columns import number
from slalom.tabular import default, distinct, doubt, elimination, ensemble, splits
from tables import TABLES, at_hand, scored

FULL = "nothing"
Prepare: TypeAlias = Callable[[pd.DataFrame, pd.DataFrame], Iterable[pd.DataFrame]]
# Which would take hours, or say the same as another.
LARGE = ("diamonds", "taxis", "penguins_raw")


def best_alone(predictions: NDArray[np.float64], score: Any) -> NDArray[np.float64]:
    """All weight on the candidate that is best on all validation rows."""
    losses = [score(each) for each in predictions]
    return np.eye(len(predictions))[int(np.argmin(losses))]


# What is left out, and what of the program is something else then: (module, name, value).
INGREDIENTS: Mapping[str, Iterable[tuple[Any, str, Any]]] = {
    FULL: [],
    "nets that a core's cache holds": [
        (default, "WIDTHS", (64, 96, 128, 192)),
        (default, "EMBEDDED", 512),
    ],
    "embeddings": [(default, "EMBEDDED", 0)],
    "nets without embeddings": [(default, "PLAIN", 0)],
    "dropout": [(default, "DROPOUTS", (0.0,))],
    "weight decay": [(default, "DECAYS", (0.0,))],
    "embeddings of large scale": [(default, "SCALES", default.SCALES[:-3])],
    "beta2 below .999": [(default, "BETAS", ((0.9, 0.999),))],
    "activations but ReLU": [(default, "ACTIVATIONS", ("relu",))],
    "a falling rate": [(default, "CosineAnnealingLR", Constant)],
    "halving on the first fold": [(elimination, "RUNGS", ()), (elimination, "KEPT", 1.0)],
    "longer trainings": [(default, "LONGEST", 1.0)],
    "five folds": [(splits, "SMALL", 0)],
    "the ensemble": [(ensemble, "greedy_weights", best_alone)],
    "doubt": [(doubt, "HALF", 0.0)],
    "features of few values": [(number, "_FEW_VALUES", ())],
    "features of far values": [(number.Scale, "fit_tail", lambda self, values: None)],
    "copies as rows": [(distinct, "MOST_COPIES", 0.0)],
}


def error(name: str, folder: Path, seed: int, prepare: Prepare = lambda *parts: parts) -> float:
    """What is left unexplained, or the log loss, on one split.

    Args:
        prepare: makes of training and test rows those that are used.
    """
    table = TABLES[name]
    X, y = table.read(folder)
    classes = table.task == "classification"
    parts = train_test_split(
        X, y, test_size=0.2, random_state=seed, stratify=y if classes else None
    )
    train, test = prepare(*parts[:2])
    model = (Classifier if classes else Regressor)(progress=False).fit(train, parts[2])
    scores = scored(model, test, parts[3], table.task)
    return scores["log_loss"] if classes else 1 - scores["r2"]


def error_without(without: str, name: str, folder: Path, seed: int) -> float:
    with ExitStack() as stack:
        for module, attribute, value in INGREDIENTS[without]:
            stack.enter_context(patch.object(module, attribute, value))
        return error(name, folder, seed)


def main() -> None:
    parser = parser_of(__doc__)
    others = list(INGREDIENTS)[1:]
    parser.add_argument("--without", nargs="*", default=others, choices=others)
    arguments = parser.parse_args()
    compare("ablation", "without", arguments.without, error_without, arguments)


def parser_of(docstring: str) -> argparse.ArgumentParser:
    """What every comparison with the default takes on the command line."""
    parser = argparse.ArgumentParser(description=docstring.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    every = [name for name in TABLES if name not in LARGE]
    parser.add_argument("--only", nargs="*", default=every, choices=list(TABLES))
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--out", type=Path, default=FOLDER)
    return parser


def compare(
    file: str,
    what: str,
    ways: Iterable[str],
    error_of: Callable[[str, str, Path, int], float],
    arguments: argparse.Namespace,
) -> None:
    """Measure each way, and the default, on every table and split; write it to results/`file`.

    Args:
        what: the column that says which way.
        error_of: from a way, the name of a table, its folder and a seed to the error.
    """
    folder, names = at_hand(arguments.data, arguments.only)
    rows: list[dict[str, Any]] = []
    for seed in range(arguments.splits):
        for name in names:
            for way in [FULL, *ways]:
                row = {"error": error_of(way, name, folder, seed)}
                rows.append({what: way, "table": name, "split": seed, **row})
                print(rows[-1], flush=True)
    results = pd.DataFrame(rows)
    work = f"Change of the error in per cent, the first {arguments.splits} splits of development."
    write(file, results, work, summary(results, what), folder=arguments.out)


def summary(results: pd.DataFrame, what: str) -> str:
    """A row a value of column `what`: the change in the geometric mean, by table and in all."""
    errors = results.pivot_table("error", ["table", "split"], what, sort=False)
    change = np.log(errors.div(errors[FULL], axis=0)).drop(columns=FULL)
    by_table = change.groupby("table", sort=False).mean()
    rows = [
        [
            name,
            *(f"{_per_cent(value):+.1f}" for value in by_table[name]),
            f"{_per_cent(logs.mean()):+.1f}",
            f"{100 * logs.std() / np.sqrt(len(logs)):.1f}",
            f"{(logs > 0).sum()} of {len(logs)}",
        ]
        for name, logs in change.items()
    ]
    means = errors[FULL].groupby("table", sort=False).mean()
    whole = [f"error, {what} {FULL}", *(f"{value:.4f}" for value in means), "", "", ""]
    return markdown([what, *by_table.index, "all", "±", "worse in"], [*rows, whole])


def _per_cent(log: float) -> float:
    return 100 * float(np.expm1(log))


if __name__ == "__main__":
    main()
