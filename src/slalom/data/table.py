"""One pandas DataFrame from whatever holds a table."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from slalom.core.errors import BadData
from slalom.data.delimited import NOTES as NOTES
from slalom.data.delimited import check_names
from slalom.data.files import read_file

_DENSE_CELLS = 10_000_000
"""A sparse matrix up to this size (80 MB when dense) is made dense."""


def read_table(source: Any) -> pd.DataFrame:
    """The table in `source`, with text as names of its columns and rows numbered from 0.

    Args:
        source: a path to delimited text (comma, semicolon, tab, bar or runs of blanks; any
            encoding; with header or not, then the columns are called column_1, ...), Parquet (also
            a folder of its parts), Arrow or Feather, JSON lines, SQLite (`file.db::table`) or an
            Excel workbook (`file.xlsx::sheet`; extra `excel`); compressed by gzip, zip, bzip2, xz
            or zstandard, or not; `-` is standard input. Or a pandas or polars DataFrame; or a NumPy
            array or scipy sparse matrix [rows, columns] (its columns are called x0, x1, ...).

    Text files come back with every cell as text: what the columns mean is decided by the schema,
    once, at fitting, and not again by each file. A column without a name is called unnamed_3.

    Raises:
        BadFile: when the file is missing, unreadable, or no table at all.
        BadData: when there are no rows, rows are ragged, or column names repeat.

    Example:
        >>> read_table(np.array([[1.0, 2.0], [3.0, 4.0]])).columns.tolist()
        ['x0', 'x1']
    """
    if isinstance(source, str | Path):
        return _named(read_file(str(source)), str(source))
    if isinstance(source, pd.DataFrame):
        return _named(source, "The DataFrame")
    if _is_polars(source):
        return _named(source.to_pandas(), "The polars DataFrame")
    if _is_sparse(source):
        return _read_array(_dense(source))
    if isinstance(source, np.ndarray):
        return _read_array(source)
    raise BadData(
        "A table must be a path, a pandas or polars DataFrame, a NumPy array or a scipy sparse "
        f"matrix, but {type(source).__module__}.{type(source).__qualname__} was given."
    )


def _is_sparse(source: Any) -> bool:
    sparse = sys.modules.get("scipy.sparse")  # as with polars, below
    return sparse is not None and bool(sparse.issparse(source))


def _is_polars(source: Any) -> bool:
    polars = sys.modules.get("polars")  # a polars frame exists only where polars was imported
    if polars is None:
        return False
    if isinstance(source, polars.LazyFrame):
        raise BadData("A polars LazyFrame holds no rows yet. Give its .collect() instead.")
    return isinstance(source, polars.DataFrame)


def _dense(matrix: Any) -> Any:
    rows, columns = matrix.shape
    if rows * columns > _DENSE_CELLS:
        raise BadData(
            f"The sparse matrix of {rows:,} x {columns:,} would have {rows * columns:,} cells when "
            f"dense; at most {_DENSE_CELLS:,} are made dense. Reduce its columns first, for "
            "example with sklearn.decomposition.TruncatedSVD."
        )
    return matrix.toarray()


def _read_array(array: Any) -> pd.DataFrame:
    if array.ndim != 2:
        raise BadData(
            f"An array must have 2 dimensions [rows, columns], but its shape is {array.shape}. "
            "Give array.reshape(-1, 1) when it is one column, array.reshape(1, -1) when one row."
        )
    names = [f"x{i}" for i in range(array.shape[1])]
    return _named(pd.DataFrame(np.asarray(array), columns=names), "The array")


def _named(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    if not frame.shape[1] or not len(frame):
        raise BadData(
            f"{where} has {len(frame)} rows and {frame.shape[1]} columns: nothing to work with."
        )
    return text_names(frame, where).reset_index(drop=True)


def text_names(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """The frame with text, stripped, as names of its columns; `where` names it in errors.

    Raises:
        BadData: when names repeat, or have several levels.
    """
    if isinstance(frame.columns, pd.MultiIndex):
        raise BadData(
            f"{where} has column names of {frame.columns.nlevels} levels. Flatten them to one, for "
            'example with frame.columns = ["_".join(map(str, name)) for name in frame.columns].'
        )
    names = [
        f"unnamed_{i}" if pd.isna(name) or not str(name).strip() else str(name).strip()
        for i, name in enumerate(frame.columns, start=1)
    ]
    check_names(names, where)
    return frame.set_axis(names, axis="columns")
