"""From the cells of one column to numbers, truth values and points in time.

Everything here takes a pandas Series of any dtype, so that a table means the same whether it came
as text, as pandas, as polars or as Parquet. What a cell could not be read as is handed back as a
mask; `check_understood` turns such a mask into an error or a warning.
"""

import re
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

MOSTLY = 0.95
"""From this share of the present cells on, a column counts as numbers (dates) with a few slips."""

_TRUTH = {
    **dict.fromkeys(["true", "yes", "y", "t", "on", "1", "1.0"], 1.0),
    **dict.fromkeys(["false", "no", "n", "f", "off", "0", "0.0"], 0.0),
}
_CURRENCY = re.compile(r"^(?:[$€£¥₹]|USD|EUR|GBP|CHF)|(?:[$€£¥₹%]|USD|EUR|GBP|CHF)$")
_SPACED_THOUSANDS = re.compile(r"(?<=\d)[ '\u2009\u202f\xa0](?=\d{3}(?!\d))")
_COMMA_THOUSANDS = re.compile(r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$")
_DOT_THOUSANDS = re.compile(r"^[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?$")
_COMMA_DECIMAL = re.compile(r"^[+-]?\d*,\d+(e[+-]?\d+)?$", re.IGNORECASE)
_MANY_DOTS = re.compile(r"^[+-]?\d{1,3}(\.\d{3}){2,}$")

_DAYS = (
    *("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d"),
    *("%m/%d/%y", "%d/%m/%y", "%d.%m.%y"),
    *("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y"),
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
TIMES_OF_DAY = ("%H:%M:%S", "%H:%M")
_DATE_FORMATS = ("ISO8601", *(d + t for t in _TIMES for d in _DAYS), *TIMES_OF_DAY)
_DATE_SAMPLE = 1000
_DATE_LIKE = re.compile(r"\d\D+\d|\d{8}")  # pandas also takes "-1" for a year


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


def numbers(series: Series, decimal: str = ".") -> tuple[Float64Array, Mask]:
    """The cells as float64 [N] (NaN where missing or not a number), and a mask [N] of those that
    hold something that is not a finite number.

    `decimal` is the decimal mark of text cells, from `decimal_mark`. Thousands separators, a
    currency, a percent sign ("12%" is 12) and surrounding spaces are understood. Infinities count
    as not understood.
    """
    values, present = _parsed_numbers(series, decimal)
    failed = present & ~np.isfinite(values)
    if failed.any():
        values = np.where(failed, np.nan, values)
    return values, failed


def words_among_numbers(series: Series) -> Mask:
    """A mask [N] of the cells that are neither missing nor a number (an infinite one neither)."""
    values, present = _parsed_numbers(series, decimal_mark(series))
    return present & np.isnan(values)


def is_numeric(series: Series) -> bool:
    """Whether the dtype itself is one of numbers, truth values or time differences."""
    return types.is_numeric_dtype(series.dtype) or types.is_timedelta64_dtype(series.dtype)


def decimal_mark(series: Series) -> str:
    """ "," when the text cells write one and a half as 1,5, else ".".

    "1,234" alone is taken as a thousands separator, as the rest of the column may show: one cell
    such as "0,5" or "1.234,5" settles it for all.
    """
    if is_numeric(series):
        return "."
    words = np.asarray(as_text(series).dropna().unique(), dtype=object)
    bare = [_bare(word) for word in words if "," in word or word.count(".") > 1]
    commas = [
        w
        for w in bare
        if _MANY_DOTS.match(w)
        or (_COMMA_DECIMAL.match(w) and not _COMMA_THOUSANDS.match(w))
        or (_DOT_THOUSANDS.match(w) and "," in w)
    ]
    return "," if commas else "."


def truths(series: Series) -> tuple[Float64Array, Mask]:
    """The cells as 1.0, 0.0 or NaN [N], and a mask of those that are neither true nor false."""
    if is_numeric(series):
        values = _plain_numbers(series)
        failed = ~np.isnan(values) & (values != 0) & (values != 1)
        return np.where(failed, np.nan, values), failed
    text = as_text(series)
    values = np.asarray(text.str.lower().map(_TRUTH), dtype=np.float64)
    return values, text.notna().to_numpy() & np.isnan(values)


def is_datetime(series: Series) -> bool:
    """Whether the dtype itself is one of points in time."""
    return types.is_datetime64_any_dtype(series.dtype)


def date_format(text: Series) -> str | None:
    """The format in which most text cells are dates, or None.

    Judged on up to 1000 different cells. Where day and month cannot be told apart anywhere, the
    month comes first with slashes and the day with dots.
    """
    words = np.sort(text.dropna().unique().astype(object))
    few, many = (words[:: len(words) // most + 1] for most in (20, _DATE_SAMPLE))
    shares = {f: _share(many, f) for f in _DATE_FORMATS if _share(few, f)}
    best = max(shares, key=lambda f: shares[f], default="ISO8601")
    return best if shares.get(best, 0) >= MOSTLY else None


def seconds(series: Series, format: str) -> tuple[Float64Array, Mask]:
    """The cells as seconds since 1970 in UTC, float64 [N] (NaN where missing), and a mask of those
    that are no date. `format` is for text cells, from `date_format`."""
    if is_datetime(series):
        stamps = pd.DatetimeIndex(series)
        stamps = stamps.tz_localize("UTC") if stamps.tz is None else stamps.tz_convert("UTC")
        return _epoch_seconds(stamps), np.zeros(len(series), dtype=bool)
    codes, words = pd.factorize(as_text(series))
    parsed = np.append(_epoch_seconds(_stamps(np.asarray(words, dtype=object), format)), np.nan)
    values: Float64Array = parsed[codes]
    return values, (codes >= 0) & np.isnan(values)


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


def _parsed_numbers(series: Series, decimal: str) -> tuple[Float64Array, Mask]:
    """The numbers [N], NaN where there are none, and a mask of the cells that are not missing."""
    if is_numeric(series):
        values = _plain_numbers(series)
        return values, ~np.isnan(values)
    codes, words = pd.factorize(as_text(series))
    plain = np.asarray(words, dtype=object)  # much quicker to go through than pandas' strings
    parsed = np.array([_number(word, decimal) for word in plain] + [np.nan], dtype=np.float64)
    return np.asarray(parsed[codes], dtype=np.float64), codes >= 0


def _plain_numbers(series: Series) -> Float64Array:
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


def _number(word: str, decimal: str) -> float:
    if decimal == "." and "_" not in word:  # Python would read 1_0 as ten
        try:
            return float(word)
        except ValueError:
            pass
    return _loose_number(_bare(word), decimal)


def _loose_number(bare: str, decimal: str) -> float:
    if decimal == "," and (_DOT_THOUSANDS.match(bare) or "," in bare):
        bare = bare.replace(".", "").replace(",", ".", 1)
    elif _COMMA_THOUSANDS.match(bare):
        bare = bare.replace(",", "")
    try:
        return np.nan if "_" in bare else float(bare)
    except ValueError:
        return np.nan


def _bare(word: str) -> str:
    """The digits and marks of a number, without currency, percent sign and spaces between."""
    word = word.replace("\u2212", "-").strip()
    sign = word[:1] if word[:1] in "+-" else ""
    word = _CURRENCY.sub("", word[len(sign) :].strip()).strip()
    return sign + _SPACED_THOUSANDS.sub("", word)


def _share(words: Any, format: str) -> float:
    return 1 - float(np.mean(_stamps(words, format).isna())) if len(words) else 0.0


def _stamps(words: Any, format: str) -> pd.DatetimeIndex:
    words = [word if _DATE_LIKE.search(word) else None for word in words]
    stamps = pd.to_datetime(words, format=format, errors="coerce", utc=True)
    return pd.DatetimeIndex(stamps)


def _epoch_seconds(stamps: pd.DatetimeIndex) -> Float64Array:
    micros = stamps.as_unit("us").asi8
    return np.where(stamps.isna(), np.nan, micros / 1e6)
