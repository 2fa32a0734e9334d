"""How much a model needs each column of a table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.inspection import permutation_importance

from slalom.data.schema import Encoded
from slalom.models import Predictor
from slalom.tabular.scoring import Array, log_loss, r2

REPEATS = 5
CELLS = 100_000  # shuffled rows x columns a repeat, so that it takes seconds


class _Fitted(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What scikit-learn takes for a model that is fitted."""

    def fit(self, X: Any, y: Any) -> None: ...


def importance(predictor: Predictor, table: Encoded, truth: Array, seed: int) -> pd.DataFrame:
    """How much worse predictions get when the cells of one column are shuffled (Breiman 2001).

    Nothing is encoded anew: a shuffled column is the features of other rows.

    Args:
        predictor: the model.
        table: rows that it was not trained on.
        truth: class numbers `[N]`, or values `[N, T]`.
        seed: of the rows that are looked at, if they are many, and of the shuffling.

    Returns:
        One row a column, the most important first: column, harm (what is lost of the log likelihood
        or of R2) and error.
    """
    inputs = list(table.schema.inputs)
    rows = min(len(truth), max(200, CELLS // len(inputs)))
    chosen = np.sort(np.random.default_rng(seed).permutation(len(truth))[:rows])

    def goodness(_: Any, cells: Array, y: Array) -> float:
        predicted = predictor.predict_features(table.taken(_by_column(inputs, cells)))
        return -log_loss(y, predicted) if predictor.task == "classification" else r2(y, predicted)

    found = permutation_importance(
        _Fitted(),
        np.repeat(chosen[:, None], len(inputs), axis=1),  # which row each cell comes from
        truth[chosen],
        scoring=goodness,
        n_repeats=REPEATS,
        random_state=seed,
    )
    frame = pd.DataFrame(
        {"column": inputs, "harm": found.importances_mean, "error": found.importances_std}
    )
    return frame.sort_values("harm", ascending=False, kind="stable").reset_index(drop=True)


def _by_column(names: Sequence[str], cells: Array) -> dict[str, Array]:
    return dict(zip(names, cells.T, strict=True))
