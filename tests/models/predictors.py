"""Predictors put together by hand, without a training."""

from typing import Any

import numpy as np
import pandas as pd
import torch

from slalom import MLP, losses
from slalom.data.schema import Schema
from slalom.data.target import ClassificationTarget, RegressionTarget
from slalom.models import Predictor
from slalom.nets import Net

TABLE = pd.DataFrame(
    {
        "size": [1.0, 2.5, None, 4.0, 0.5, 3.0] * 5,
        "colour": ["red", "blue", "red", None, "green", "blue"] * 5,
        "day": pd.date_range("2024-01-01", periods=30).astype(str),
        "flag": [True, False, True] * 10,
        "constant": "same",
    }
)
SCHEMA = Schema.fit(TABLE)
INPUTS = len(SCHEMA.feature_names)


class Tied(torch.nn.Module):
    """A module of a user: two names for one weight, a buffer, whole numbers, float64."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = torch.nn.Linear(inputs, inputs).double()
        self.second = torch.nn.Linear(inputs, inputs)
        self.second.weight = self.first.weight
        self.norm = torch.nn.BatchNorm1d(inputs)
        self.last = torch.nn.Linear(inputs, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.norm(self.second(self.first(x).relu())))


def regression(*nets: Any, weights: tuple[float, ...] = (0.25, 0.75)) -> Predictor:
    """Values in thousands from two nets, or those given."""
    recipes = nets or (MLP(INPUTS, 8, 1), MLP(INPUTS, 5, 4, 1, activation="gelu", dropout=0.5))
    return Predictor(
        schema=SCHEMA,
        target=RegressionTarget(("price",), (5000.0,), (1000.0,), (".",)),
        loss=losses.Huber(delta=0.5),
        nets=recipes,
        modules=tuple(net.build(seed=k).float().eval() for k, net in enumerate(recipes)),
        weights=weights if len(recipes) == len(weights) else (1.0,),
        noise=(50.0,),
        about={"rows": 30, "seconds": 1.5, "from": "a test"},
    )


def classification(classes: tuple[Any, ...] = ("no", "perhaps", "yes")) -> Predictor:
    """Three classes from two nets."""
    recipes = (MLP(INPUTS, 8, len(classes)), MLP(INPUTS, len(classes)))
    return Predictor(
        schema=SCHEMA,
        target=ClassificationTarget("answer", classes),
        loss=losses.CrossEntropy(weight=(1.0,) * len(classes)),
        nets=recipes,
        modules=tuple(net.build(seed=k).eval() for k, net in enumerate(recipes)),
        weights=(0.5, 0.5),
    )


def tied() -> Predictor:
    """A predictor with the module of a user."""
    return regression(Net(Tied, inputs=INPUTS, outputs=1))


def same(one: Predictor, other: Predictor, table: Any = TABLE) -> None:
    """Assert that both say the same about a table, to the bit."""
    np.testing.assert_array_equal(one.predict(table), other.predict(table))
    if one.task == "classification":
        np.testing.assert_array_equal(one.predict_proba(table), other.predict_proba(table))
    else:
        np.testing.assert_array_equal(one.predict_std(table), other.predict_std(table))
