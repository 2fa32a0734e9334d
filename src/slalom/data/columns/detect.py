"""The one place that decides of which kind a column is."""

import re
from typing import TypeAlias

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype

from slalom.core.arrays import Float64Array
from slalom.data.columns.boolean import Boolean
from slalom.data.columns.category import Category, frequent_levels
from slalom.data.columns.cells import (
    MOSTLY,
    Series,
    as_text,
    counted,
    is_datetime,
    is_nothing,
    is_numeric,
    truths,
)
from slalom.data.columns.dates import compact_format, date_formats, seconds
from slalom.data.columns.dropped import Dropped, Presence
from slalom.data.columns.moment import Datetime
from slalom.data.columns.number import Number
from slalom.data.columns.numerals import decimal_mark, numbers, unit_of, words_among_numbers
from slalom.data.columns.text import Text

Column: TypeAlias = Number | Boolean | Category | Datetime | Text | Presence | Dropped

_COUNTED = 20  # rows at least, for fewer may go up by chance
_LATEST = 20  # number of the first row that a split has kept
_SAMPLE, _FAR_FROM = 1000, 0.5  # cells to look at first, and the share that decides
_IDENTIFIER_NAME = re.compile(
    r"(^|[^a-z])(id|ids|uid|uuid|guid|index|idx|row|rownum|key|unnamed|no|nr|number|serial)([^a-z]|$)",
    re.IGNORECASE,
)
_CAMEL_ID = re.compile(r"[a-z]I[dD]$|^unnamed", re.ASCII)


def fit_column(name: str, series: Series, numbering: bool = True) -> Column:
    """Decide the kind of a column from its cells and fit it.

    The same cells give the same kind, whether they come as text or with a dtype, in any order of
    the rows, but for one that counts them. Only a categorical dtype of pandas or polars is taken
    at its word.

    Args:
        name: of the column.
        series: its cells.
        numbering: whether a column that counts the rows from 0 or 1 is left out.

    Example:
        >>> import pandas as pd
        >>> fit_column("when", pd.Series(["2024-01-31", "2024-02-01"])).kind
        'Datetime'
    """
    if is_datetime(series):
        return _fit_datetime(name, series, ("ISO8601",))
    if _could_be_days(series) and (compact := compact_format(as_text(series))):
        return _fit_datetime(name, series, (compact,))
    if is_numeric(series):
        return _fit_numbers(name, series, numbering)
    text = as_text(series)
    if text.isna().all():
        return Dropped(name, "every cell is missing")
    if isinstance(series.dtype, pd.CategoricalDtype):
        return _fit_words(name, text)
    if compact := compact_format(text):
        return _fit_datetime(name, text, (compact,))
    if _are_codes(text):
        return _fit_words(name, text)
    if _are_numbers(text):
        return _fit_numbers(name, text, numbering)
    if text.nunique() > 1 and not truths(text)[1].any():
        return Boolean.fit(name, text)
    if formats := date_formats(text):
        return _fit_datetime(name, text, formats)
    if unit_of(text):
        return _fit_numbers(name, text, numbering)
    return _fit_words(name, text)


def _could_be_days(series: Series) -> bool:
    """Whether numbers lie where days written as 20240131 do, if they are any."""
    if not (is_integer_dtype(series.dtype) or is_float_dtype(series.dtype)):
        return False
    present = series.dropna()
    return len(present) > 0 and bool(present.between(19_000_101, 21_000_101).all())


def _are_numbers(text: Series) -> bool:
    """Whether nearly all cells are plain numbers, those aside that say "nothing here"."""
    sample = text.iloc[:: len(text) // _SAMPLE + 1]
    if len(sample) < len(text) and words_among_numbers(sample).mean() > _FAR_FROM:
        return False  # as all of it would say after a while
    words = int(words_among_numbers(text).sum())
    present = int((text.notna() & ~is_nothing(text)).sum())
    return words < present and words <= (1 - MOSTLY) * present


def _are_codes(text: Series) -> bool:
    """Whether these are digits that are no numbers, for some begin with a zero, as in 02139."""
    words = text[~is_nothing(text)].dropna().unique().astype(object)
    digits = [word for word in words if word.isdecimal()]
    return len(digits) >= MOSTLY * len(words) and any(w[0] == "0" and len(w) > 2 for w in digits)


def _fit_numbers(name: str, series: Series, numbering: bool) -> Column:
    unit = unit_of(series)
    values, _ = numbers(series, decimal_mark(series, unit), unit)
    present = values[~np.isnan(values)]
    if not present.size:
        return Dropped(name, "no cell holds a finite number")
    if present.min() == present.max():
        if series.nunique() > 1:
            return Dropped(name, "its numbers are too alike for float64 to tell them apart")
        return _constant(name, f"{present[0]:g}", len(series) - len(present))
    if np.isin(present, (0, 1)).all() and not truths(series)[1].any():
        return Boolean.fit(name, series)
    if len(present) == len(series) and _is_numbering(name, present):
        return Dropped(name, "it numbers the rows (a different whole number in each)")
    if numbering and len(present) == len(series) and _counts_rows(series, present):
        return Dropped(name, "it numbers the rows in their order; if it is time, give it as dates")
    return Number.fit(name, series)


def _fit_datetime(name: str, series: Series, formats: tuple[str, ...]) -> Column:
    values, _ = seconds(series, formats[0], formats[1:])
    present = values[~np.isnan(values)]
    if not present.size:
        return Dropped(name, "every cell is missing")
    if present.min() == present.max():
        return _constant(name, as_text(series).dropna().iloc[0], len(series) - len(present))
    return Datetime.fit(name, series, formats)


def _fit_words(name: str, text: Series) -> Column:
    present = text.dropna()
    if present.nunique() == 1:
        return _constant(name, present.iloc[0], len(text) - len(present))
    levels = frequent_levels(text)
    if 2 * present.isin(levels).sum() >= len(present):
        return Category.fit(name, text)
    counted_words = Text.fit(name, text)
    if counted_words is not None:
        return counted_words
    if levels:
        return Category.fit(name, text)
    different = counted(present.nunique(), "different word")
    return Dropped(name, f"{different} in {counted(len(present), 'row')}, like an identifier")


def _constant(name: str, value: str, missing: int) -> Column:
    if missing:
        return Presence(name, value)
    return Dropped(name, f"constant, always {value!r}")


def _counts_rows(series: Series, values: Float64Array) -> bool:
    """Whether whole numbers go up with the rows from 0 or 1 on, nearly without a gap.

    A training split has gaps and may lack the first rows; a column of floating-point numbers is no
    counter.
    """
    if is_float_dtype(series.dtype) or len(values) < _COUNTED:
        return False
    whole, low, high = (values == np.floor(values)).all(), values.min(), values.max()
    dense = 0 <= low <= _LATEST and high - low < 2 * len(values)
    return bool(whole and dense and (np.diff(values) > 0).all())


def _is_numbering(name: str, values: Float64Array) -> bool:
    """Whole numbers, all different, under a name that says identifier.

    Without such a name a year, a time step or the x of a curve would look the same, and those are
    what there is to learn from. Neither order nor gaps count: a training split has neither.
    """
    if not (_IDENTIFIER_NAME.search(name) or _CAMEL_ID.search(name)):
        return False
    return bool((values == np.floor(values)).all()) and len(np.unique(values)) == len(values)
