"""The cells of one column as text or truth values, and what to say of those that are neither.

Everything here takes a pandas Series of any dtype, so that a table means the same whether it came
as text, as pandas, as polars or as Parquet. What a cell could not be read as is handed back as a
mask; `check_understood` turns such a mask into an error or a warning. See `numerals` for numbers,
`dates` for points in time.
"""

import warnings
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from pandas.api import types

from slalom.core.arrays import Float64Array
from slalom.core.errors import BadData, SlalomWarning

Features: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
Series: TypeAlias = "pd.Series[Any]"

_WORDS = ("NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "NaT")
MISSING = frozenset(("", "?", "null", "NULL", "Null", "None", *_WORDS))
"""What stands for a missing cell in text. Not "none" or "-": those are categories in real life."""

NOTHING = frozenset(
    [
        *(
            "-",
            "--",
            "---",
            "\u2013",
            "\u2014",
            ".",
            "..",
            "...",
            "*",
            "/",
            "_",
            "\\n",
            "n.a.",
            "n.a",
        ),
        *("none", "nil", "missing", "unknown", "unk", "unspecified", "undefined", "blank", "empty"),
        *("not available", "not applicable", "not known", "not recorded", "no data", "nodata"),
        *(
            "n/d",
            "n.d.",
            "n.d",
            "nd",
            "tbd",
            "tba",
            "(null)",
            "(blank)",
            "(none)",
            "<null>",
            "void",
        ),
        *(
            "#value!",
            "#div/0!",
            "#ref!",
            "#name?",
            "#null!",
            "#num!",
            "k.a.",
            "k. a.",
            "keine angabe",
        ),
        *("s/d", "sin dato", "sin datos", "non disponible", "inconnu", "нет", "нет данных"),
        *("无", "暂无", "不详", "未知", "缺失", "なし", "不明"),
    ]
)
"""What says that there is nothing, in small letters, where all else is numbers or dates."""

MOSTLY = 0.95
"""From this share of the present cells on, a column counts as numbers (dates) with a few slips."""

_TRUTH = {
    **dict.fromkeys(["true", "yes", "y", "t", "on", "1", "1.0"], 1.0),
    **dict.fromkeys(["false", "no", "n", "f", "off", "0", "0.0"], 0.0),
}


def as_text(series: Series) -> Series:
    """The cells as stripped text, missing ones (also `MISSING` markers) as NaN.

    Whole numbers lose their ".0", so that 3, 3.0 and "3" are the same level of a category.
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        levels = as_text(series.cat.categories.to_series())
        return levels.reset_index(drop=True).reindex(series.cat.codes).set_axis(series.index)
    if types.is_float_dtype(series.dtype):
        series = series.astype(object).map(_whole, na_action="ignore")
    text = series.astype("str").str.strip()
    return text.mask(text.isin(MISSING))


def is_nothing(text: Series) -> Mask:
    """A mask of the cells of `as_text` that say, among numbers or dates, that nothing is there."""
    return text.str.lower().isin(NOTHING).to_numpy()


def is_numeric(series: Series) -> bool:
    """Whether the dtype itself is one of numbers, truth values or time differences."""
    return types.is_numeric_dtype(series.dtype) or types.is_timedelta64_dtype(series.dtype)


def truths(series: Series) -> tuple[Float64Array, Mask]:
    """The cells as 1.0, 0.0 or NaN [N], and a mask of those that are neither true nor false."""
    if is_numeric(series):
        values = plain_numbers(series)
        failed = ~np.isnan(values) & (values != 0) & (values != 1)
        return np.where(failed, np.nan, values), failed
    text = as_text(series)
    values = np.asarray(text.str.lower().map(_TRUTH), dtype=np.float64)
    return values, text.notna().to_numpy() & np.isnan(values)


def is_datetime(series: Series) -> bool:
    """Whether the dtype itself is one of points in time."""
    return types.is_datetime64_any_dtype(series.dtype)


def check_understood(
    name: str, series: Series, failed: Mask, expected: str, known: tuple[str, ...] = ()
) -> None:
    """Answer cells that could not be read: an error when they are the most, else a warning.

    `known` are the words that already fitting took as missing; nobody needs to hear of them again.

    Raises:
        BadData: when most of the cells that are there are not what the column held in fitting.
    """
    if not failed.any():
        return
    text = as_text(series)
    strange = failed & ~text.isin(known).to_numpy()
    if not strange.any():
        return
    count, present = int(strange.sum()), int(text.notna().sum())
    shown = examples(text, strange)
    if count > present / 2:
        raise BadData(
            f"Column {name!r} must hold {expected}, as it did in fitting, but {count} of its "
            f"{present} cells do not: {shown}. Give the column as it was, or fit again."
        )
    warnings.warn(
        f"Column {name!r}: {count} of {present} cells are not {expected} and count as missing: "
        f"{shown}.",
        SlalomWarning,
        stacklevel=5,
    )


def examples(text: Series, mask: Mask, most: int = 3) -> str:
    """The first cells under the mask: "row 3 holds 'abc', row 7 holds 'x'" (the first row is 1)."""
    rows = np.flatnonzero(mask)[:most]
    return ", ".join(f"row {row + 1} holds {shortened(text.iloc[row])!r}" for row in rows)


def strange_words(series: Series, failed: Mask, most: int = 100) -> tuple[str, ...]:
    """The different words under the mask, sorted, for a spec to remember as missing."""
    if not failed.any():
        return ()
    return tuple(sorted(as_text(series)[failed].unique())[:most])


def counted(count: int, noun: str) -> str:
    """`counted(1, "cell")` is "1 cell", `counted(2000, "cell")` is "2,000 cells"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def shortened(value: str) -> str:
    """A cell as it is shown: its first 37 characters if it has more than 40."""
    return value if len(value) <= 40 else value[:37] + "..."


def plain_numbers(series: Series) -> Float64Array:
    """The numbers of a column whose dtype says that it has some, NaN where they are missing."""
    if types.is_complex_dtype(series.dtype):
        raise BadData(
            f"Complex data not supported: column {series.name!r} holds complex numbers. Give the "
            "real and the imaginary part as two columns."
        )
    if types.is_timedelta64_dtype(series.dtype):
        series = series.dt.total_seconds()
    with np.errstate(over="ignore"):  # a long double may be too large: infinite, thus missing
        return series.to_numpy(dtype=np.float64, na_value=np.nan)


def _whole(value: Any) -> Any:
    return int(value) if float(value).is_integer() else value
