"""Arrays that people pass to pictures, checked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slalom.core.arrays import Float64Array
from slalom.core.errors import BadData


def column(values: ArrayLike, what: str) -> Float64Array:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not len(array):
        raise BadData(f"{what} must be [rows], one number or more, but its shape is {array.shape}.")
    if not np.isfinite(array).all():
        where = int(np.argmax(~np.isfinite(array)))
        raise BadData(f"{what} must hold finite numbers, but {what}[{where}] is {array[where]}.")
    return array


def codes(labels: ArrayLike, classes: Sequence[Any], what: str) -> NDArray[np.int64]:
    """The place of each label among the classes."""
    values = np.asarray(labels)
    if values.ndim != 1 or not len(values):
        raise BadData(
            f"{what} must be labels [rows], one or more, but its shape is {values.shape}."
        )
    if all(isinstance(c, str) for c in classes) and np.issubdtype(values.dtype, np.integer):
        if values.min() < 0 or values.max() >= len(classes):
            raise BadData(f"{what} must be places of classes, 0 to {len(classes) - 1}.")
        return values.astype(np.int64)
    places = {c: k for k, c in enumerate(classes)}
    found = [places.get(value, -1) for value in values.tolist()]
    if min(found) < 0:
        known = ", ".join(repr(c) for c in list(classes)[:10])
        raise BadData(
            f"{what} must hold one of the classes ({known}), but {what}[{found.index(-1)}] is "
            f"{values.tolist()[found.index(-1)]!r}."
        )
    return np.array(found, dtype=np.int64)


def check_rows(truth: int, other: int, what: str) -> None:
    if truth != other:
        raise BadData(f"truth has {truth} rows, but {what} has {other}.")
