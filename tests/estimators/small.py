"""What the tests of both estimators share: quick populations, a table of all kinds, Ctrl-C."""

import signal
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from slalom import MLP, SGD, Adam, Member, Population, grid
from slalom.runs.train import carry_out

DIVERGES = SGD(1e12)


def small(inputs: int, outputs: int, **choices: Any) -> Population:
    """Three members with batches and dropout."""
    net = MLP(inputs, 16, outputs, activation="tanh", dropout=0.05)
    lrs = {"optimizer": Adam, "lr": [0.05, 0.02, 0.01]}
    return grid(**({"net": [net], "batch_size": 16} | lrs | choices))


def mixed_table(rows: int, seed: int = 0) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """A table with a column of each kind, numbers and words that follow from it."""
    rng = np.random.default_rng(seed)
    size, colour = rng.normal(size=rows), rng.choice(["red", "green", "blue"], rows)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D")
    flag = rng.random(rows) < 0.5
    fruit = rng.choice(["apple", "pear", "fig", "plum", "quince", "medlar"], (rows, 4))
    frame = pd.DataFrame(
        {
            "size": np.where(rng.random(rows) < 0.1, np.nan, size),
            "colour": pd.Series(colour).mask(pd.Series(rng.random(rows) < 0.1)),
            "level": pd.Categorical(rng.choice(["low", "high"], rows)),
            "day": days,
            "flag": flag,
            "words": [" ".join(basket) for basket in fruit],
            "constant": "same",
        }
    )
    number = pd.Series(size + 2 * (colour == "red") - flag, name="price")
    word = pd.Series(np.where(number > number.median(), "dear", "cheap"), name="verdict")
    return frame, number, word


def interrupt_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, Ctrl-C is pressed after the first stretch of every training of an estimator."""

    def press(_: Any) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("slalom.tabular.ensemble.carry_out", partial(carry_out, on_progress=press))


def with_diverging(population: Population) -> Population:
    """The same population with a member more, the first, that diverges at once."""
    inputs, *_, outputs = population[0].net.widths  # type: ignore[attr-defined]
    wild = Member(MLP(inputs, 8, outputs), DIVERGES, batch_size=16)  # relu grows without end
    return Population((wild, *population))
