"""The race of `slalom race`: five optimizers, one net, the same weights and batches for all."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from slalom.core.errors import BadData, did_you_mean
from slalom.data import toys
from slalom.data.dataset import Dataset, Rows
from slalom.data.target import fit_target
from slalom.engine.measure import measure
from slalom.nets import MLP
from slalom.optim import SGD, Adagrad, Adam, Optimizer, RMSprop
from slalom.runs import Run
from slalom.tabular.preparation import Preparation
from slalom.tabular.rows import with_target

RACERS: tuple[Optimizer, ...] = (
    SGD(0.01),
    SGD(0.01, momentum=0.8),
    Adagrad(0.01),
    RMSprop(0.01, alpha=0.9),
    Adam(0.01, betas=(0.9, 0.99)),
)
HIDDEN = 20
VALIDATION_SHARE = 0.2
TOY_POINTS = 1000
TOYS: dict[str, Any] = {**toys.REGRESSION, **toys.CLASSIFICATION}


def toy(name: str, seed: int = 0) -> Dataset:
    """A toy by its name, with 1000 points; `quadratic` with little noise, as in the notes.

    Example:
        >>> toy("moons").X.shape
        (1000, 2)
    """
    if name not in TOYS:
        raise BadData(f"There is no toy {name!r}. {did_you_mean(name, sorted(TOYS))}")
    noise = {"noise": 0.1} if name == "quadratic" else {}
    data: Dataset = TOYS[name](TOY_POINTS, seed=seed, **noise)
    return data


def table(source: Any, target: str, seed: int = 0) -> Dataset:
    """The features of a table, with a fifth of the rows for validation.

    Warns:
        SlalomWarning: when rows have no target.

    Raises:
        BadFile, BadData: when the table or its target cannot be used.
    """
    frame, _ = with_target(source, (target,), ())
    fitted, split = fit_target(frame[[target]]), _split(len(frame), seed)
    features = frame.drop(columns=[target])
    return Preparation.of(features, fitted, fitted.values(frame), validation=[split]).dataset


def net(data: Dataset) -> MLP:
    """One hidden layer of 20 units: 1-20-1 on a curve."""
    return MLP(data.X.shape[1], HIDDEN, data.targets)


def results(run: Run) -> pd.DataFrame:
    """One row an optimizer, the best first: its losses after the last step, as means over seeds.

    Losses are those on all training rows (and all validation rows, where there are any), not on the
    last batch. `spread` is the standard deviation over seeds, where there are several.
    """
    members = pd.DataFrame([_result(run, k) for k in range(len(run.population))])
    by_racer = members.groupby("optimizer", sort=False)
    frame = by_racer.mean(numeric_only=True)
    order = "validation loss" if "validation loss" in frame else "train loss"
    if by_racer.size().max() > 1:
        frame["spread"] = by_racer[order].std()
    frame["diverged"] = by_racer["diverged"].sum()
    if not frame["diverged"].any():
        frame = frame.drop(columns="diverged")
    return frame.sort_values(order, kind="stable", na_position="last").reset_index()


def _result(run: Run, k: int) -> dict[str, Any]:
    fold = run.dataset.folds[run.population[k].fold]
    parts = {"train": fold.train} | (
        {"validation": fold.validation} if len(fold.validation) else {}
    )
    found: dict[str, Any] = {"optimizer": run.population[k].optimizer.label}
    for name, rows in parts.items():
        loss, score = measure(run.state, k, rows)
        found |= {f"{name} loss": loss, f"{name} {run.metric}": score}
    return found | {"diverged": int(run.state.diverged_at[k] >= 0)}


def _split(rows: int, seed: int) -> tuple[Rows, Rows]:
    if rows < 5:
        raise BadData(f"{rows} rows with a target are too few for a race: at least 5 are needed.")
    train, validation = train_test_split(
        np.arange(rows), test_size=VALIDATION_SHARE, random_state=seed
    )
    return np.sort(train), np.sort(validation)
