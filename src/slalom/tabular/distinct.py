"""Equal rows: in an order that depends on their content alone, each by itself or as one.

A row that stands in a table twice says what a sample weight of 2 says, and here the two are the
same to the last bit, in whatever order a table comes.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slalom.data.columns.cells import as_text
from slalom.data.dataset import Rows

MOST_COPIES = 0.5  # of the rows have an equal one; with more, equal rows are put together
MOST_APART = 10_000  # rows that whole sample weights are written out as, if there are not more


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


def rows_to_split(
    frame: pd.DataFrame, target: NDArray[Any], weight: NDArray[np.float64]
) -> tuple[Rows, NDArray[np.float64]]:
    """The rows that are trained or selected on, and what each counts; see `distinct_rows`.

    Validation rows are to be like new rows. Where some rows are copies of others, so will be some
    of the new ones, and each row is by itself. Where most are, they were multiplied by somebody,
    and nets that learn them by heart would look good on copies: there equal rows are one row that
    counts for all of them, and so they are where weights are no small whole numbers.

    Measured on wine (a sixth of the rows are copies), three splits: R2 .384 for .349.
    """
    rows, counts = distinct_rows(frame, target, weight)
    whole = (counts == counts.round()).all() and counts.sum() <= max(len(frame), MOST_APART)
    if not whole or counts[counts > 1].sum() > MOST_COPIES * counts.sum():
        return rows, counts
    apart = np.repeat(rows, counts.astype(np.int64))
    return apart, np.ones(len(apart))


def row_hashes(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """A 64-bit hash of the content of each row; equal hashes of unequal rows are out of reach.

    Objects of any types are compared as the schema compares them, as text.
    """
    columns = {str(k): column for k, (_, column) in enumerate(frame.items())}
    plain = {k: as_text(c) if c.dtype == object else c for k, c in columns.items()}
    hashes = pd.util.hash_pandas_object(pd.DataFrame(plain), index=False)
    return np.asarray(hashes, dtype=np.uint64)
