"""A table with the predictions of a model beside its columns."""

from typing import Any

import numpy as np
import pandas as pd

from slalom.core.errors import BadData
from slalom.data.target import ClassificationTarget
from slalom.models.predictor import Predictor


def with_predictions(predictor: Predictor, frame: pd.DataFrame) -> pd.DataFrame:
    """The table with the columns of the prediction behind its own.

    For classes the likeliest one and the probability of each, for numbers the prediction and its
    standard deviation.

    Raises:
        BadData: when the table has a column of that name, or does not fit the model.
    """
    target = predictor.target
    added: dict[str, Any] = {}
    if isinstance(target, ClassificationTarget):
        probabilities = predictor.predict_proba(frame)
        added["prediction"] = target.decode(probabilities.argmax(axis=1))
        columns = probabilities.T
    else:
        both = [predictor.predict(frame), predictor.predict_std(frame)]
        columns = np.stack(both, axis=-1).reshape(len(frame), -1).T
    added |= dict(zip(predictor.column_names, columns, strict=True))
    _check_free(list(added), frame.columns.tolist())
    return frame.assign(**added)


def _check_free(added: list[str], present: list[str]) -> None:
    taken = [name for name in added if name in present]
    if taken:
        raise BadData(
            f"The table already has a column {taken[0]!r}, which the prediction would overwrite. "
            "Rename or remove it."
        )
