"""What is read of each cell before any arithmetic: one number, or one for each word of a text.

An exported model takes these numbers, for a graph has no dates and no words. Everything after
them (medians, scales, levels, cycles) is inside the graph: see `slalom.models.export.graph`.
"""

import re
from typing import Any

import numpy as np
import pandas as pd

from slalom.core.arrays import Float64Array
from slalom.data.columns.cells import Series, as_text, truths
from slalom.data.columns.dates import seconds
from slalom.data.columns.numerals import numbers
from slalom.data.missing import stands_for


def read_cells(frame: pd.DataFrame, readings: list[dict[str, Any]]) -> Float64Array:
    """The numbers `[N, R]` that are read of a table's cells, NaN where a cell is missing.

    Args:
        frame: the table; it needs the column of each reading.
        readings: what is read, in this order. Each names its `column` and what its cells are:
            `number` (with a `decimal` mark and a `unit`), `truth` (1 or 0), `time` (seconds since
            1970, from text of a `format` or of `others`), `level` (its place among `levels`; one
            more than the last for all others) or `words` (how often each of `words` occurs).
            Values in `missing` stand for a missing cell.
    """
    lacking = [each["column"] for each in readings if each["column"] not in frame.columns]
    if lacking:
        raise KeyError(f"the table lacks the column {lacking[0]!r}")
    parts = [_read(_without(frame[each["column"]], each), each) for each in readings]
    return np.concatenate(parts, axis=1, dtype=np.float64)


def _without(series: Series, reading: dict[str, Any]) -> Series:
    """The column without the cells that stand for missing ones."""
    values = reading.get("missing")
    return series.mask(stands_for(series, values)) if values else series


def _read(series: Series, reading: dict[str, Any]) -> Float64Array:
    """The numbers `[N, k]` of one column."""
    cells = reading["cells"]
    if cells == "words":
        return _word_counts(as_text(series), reading["words"])
    if cells == "number":
        values, _ = numbers(series, reading["decimal"], reading["unit"])
    elif cells == "truth":
        values, _ = truths(series)
    elif cells == "time":
        values, _ = seconds(series, reading["format"], tuple(reading["others"]))
    else:
        values = _places(as_text(series), reading["levels"])
    return values[:, None]


def _places(text: Series, levels: list[str]) -> Float64Array:
    found = pd.Index(levels, dtype=object).get_indexer(pd.Index(text, dtype=object))
    places = np.where(found < 0, len(levels), found).astype(np.float64)
    places[text.isna().to_numpy()] = np.nan
    return places


def _word_counts(text: Series, words: list[str]) -> Float64Array:
    found = [re.findall(r"\b\w\w+\b", cell.lower()) for cell in text.fillna("")]
    counts = [[row.count(word) for word in words] for row in found]
    return np.array(counts, dtype=np.float64).reshape(len(text), len(words))
