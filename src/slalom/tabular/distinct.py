"""Equal rows as one row that counts for all of them.

A row that stands in a table twice says what a sample weight of 2 says. Training on distinct rows
makes the two the same to the last bit, keeps copies of a training row out of the validation rows,
and does not depend on the order in which a table comes.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slalom.data.columns.cells import as_text
from slalom.data.dataset import Rows


def distinct_rows(
    frame: pd.DataFrame, target: NDArray[Any], weight: NDArray[np.float64]
) -> tuple[Rows, NDArray[np.float64]]:
    """The distinct rows of positive weight, in an order that depends on their content alone.

    Args:
        frame: features, `[N]` rows.
        target: numbers or labels, `[N]` or `[N, T]`.
        weight: `[N]`, 0 or more.

    Returns:
        Row numbers `[M]`, the first of each kind, and the summed weights `[M]`.

    Example:
        >>> frame = pd.DataFrame({"a": [1, 2, 1, 3]})
        >>> rows, weight = distinct_rows(frame, np.array([0.0, 1.0, 0.0, 1.0]),
        ...                              np.array([1.0, 1.0, 1.0, 0.0]))
        >>> sorted(zip(rows.tolist(), weight.tolist()))
        [(0, 2.0), (1, 1.0)]
    """
    kept = np.flatnonzero(weight > 0)
    whole = frame.iloc[kept].reset_index(drop=True)
    codes = np.unique(target[kept], return_inverse=True)[1].reshape(len(kept), -1)
    keys = row_hashes(whole) ^ (row_hashes(pd.DataFrame(codes.astype(np.float64))) * np.uint64(31))
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    return kept[first].astype(np.int64), np.bincount(group, weights=weight[kept]).astype(np.float64)


def row_hashes(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """A 64-bit hash of the content of each row; equal hashes of unequal rows are out of reach.

    Objects of any types are compared as the schema compares them, as text.
    """
    columns = {str(k): column for k, (_, column) in enumerate(frame.items())}
    plain = {k: as_text(c) if c.dtype == object else c for k, c in columns.items()}
    hashes = pd.util.hash_pandas_object(pd.DataFrame(plain), index=False)
    return np.asarray(hashes, dtype=np.uint64)
