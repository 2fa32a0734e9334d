"""Sequences of different lengths as a dataset."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slalom.core.errors import BadData
from slalom.data.dataset import Dataset, Task


def sequences(each: Sequence[ArrayLike], y: ArrayLike, task: Task) -> Dataset:
    """A dataset of sequences, filled up with zeros to the length of the longest.

    The net receives `[B, moments, features + 1]`: the last feature is 1 where a moment is there,
    and 0 behind the end of its sequence. `RNN(masked=True)` looks at it, and a net of your own can.

    Args:
        each: sequences `[moments, features]`, or `[moments]` for one feature.
        y, task: as for `Dataset`.

    Raises:
        BadData: when there is none, one is empty, or their features are not equally many.

    Example:
        >>> data = sequences([[1.0, 2.0, 3.0], [4.0]], [6.0, 4.0], task="regression")
        >>> data.X[1].tolist()
        [[4.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    """
    arrays = [_table(values, k) for k, values in enumerate(each)]
    if not arrays:
        raise BadData("A dataset needs at least one sequence, but none was given.")
    features = arrays[0].shape[1]
    X = np.zeros((len(arrays), max(map(len, arrays)), features + 1), dtype=np.float32)
    for k, array in enumerate(arrays):
        if array.shape[1] != features:
            raise BadData(
                f"Sequence {k} has {array.shape[1]} features a moment, but sequence 0 has "
                f"{features}. All must have equally many."
            )
        X[k, : len(array), :-1], X[k, : len(array), -1] = array, 1
    return Dataset(X, np.asarray(y), task)


def _table(values: ArrayLike, k: int) -> NDArray[np.float32]:
    """One sequence as `[moments, features]`."""
    try:
        array = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise BadData(f"Sequence {k} must hold numbers: {error}.") from None
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or not array.size:
        raise BadData(
            f"Sequence {k} must be [moments, features] with one moment or more, but its shape is "
            f"{np.shape(values)}."
        )
    return array
