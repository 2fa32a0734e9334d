"""From dates and times as people write them to seconds since 1970.

A column may hold dates of up to three formats. A cell that two of them read as two dates has no
reading, and counts as missing.
"""

import re
from typing import Any

import numpy as np
import pandas as pd

from slalom.core.arrays import Float64Array
from slalom.data.columns.cells import MOSTLY, Mask, Series, as_text, is_datetime, is_nothing

TIMES_OF_DAY = ("%H:%M:%S", "%H:%M")
COMPACT = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
MOST_FORMATS = 3

_DAYS = (
    *("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d"),
    *("%m/%d/%y", "%d/%m/%y", "%d.%m.%y"),
    *("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%y"),
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_FORMATS = ("ISO8601", *(d + t for t in _TIMES for d in _DAYS), *TIMES_OF_DAY)
_SAMPLE = 1000
_DATE_LIKE = re.compile(r"\d\D+\d|\d{8}")  # pandas also takes "-1" for a year
_YEARS = (1900, 2100)  # of dates written as numbers


def date_formats(text: Series) -> tuple[str, ...]:
    """The formats in which nearly all text cells are dates, the most frequent first; none if they
    are no dates.

    Judged on up to 1000 different cells. Where day and month cannot be told apart anywhere, the
    month comes first with slashes and the day with dots.
    """
    words = np.sort(text[~is_nothing(text)].dropna().unique().astype(object))
    words = words[:: len(words) // _SAMPLE + 1]
    left, found = words, list[str]()
    while len(left) and len(found) < MOST_FORMATS:
        best = _best_format(left, found)
        if not best:
            break
        found.append(best)
        left = left[np.isnan(_stamped(left, best))]
    return tuple(found) if len(left) <= (1 - MOSTLY) * len(words) else ()


def compact_format(text: Series) -> str:
    """The format of dates written as numbers, such as 20240131, if all cells are such; else ""."""
    words = np.asarray(text[~is_nothing(text)].dropna().unique(), dtype=object)
    lengths = {len(word) for word in words}
    format = COMPACT.get(min(lengths, default=0), "")
    if len(lengths) != 1 or not format or len(words) < 2:
        return ""
    if not all(word.isdecimal() and _YEARS[0] <= int(word[:4]) < _YEARS[1] for word in words):
        return ""
    return "" if np.isnan(_stamped(words, format)).any() else format


def seconds(series: Series, format: str, others: tuple[str, ...] = ()) -> tuple[Float64Array, Mask]:
    """The cells as seconds since 1970 in UTC, float64 [N] (NaN where missing), and a mask of those
    that are no date, or two. The formats are for text cells, from `date_formats`."""
    if is_datetime(series):
        stamps = pd.DatetimeIndex(series)
        stamps = stamps.tz_localize("UTC") if stamps.tz is None else stamps.tz_convert("UTC")
        return _epoch_seconds(stamps), np.zeros(len(series), dtype=bool)
    text = as_text(series)
    codes, words = pd.factorize(text.mask(is_nothing(text)))
    readings = [_stamped(np.asarray(words, dtype=object), each) for each in (format, *others)]
    parsed = np.append(_one_reading(np.stack(readings)), np.nan)
    values: Float64Array = parsed[codes]
    return values, (codes >= 0) & np.isnan(values)


def two_readings(text: Series, formats: tuple[str, ...]) -> Mask:
    """A mask of the text cells that these formats read as two dates."""
    words = np.asarray(text.fillna(""), dtype=object)
    readings = np.stack([_stamped(words, each) for each in formats])
    return np.isnan(_one_reading(readings)) & ~np.isnan(readings).all(axis=0)


def swapped(format: str) -> str:
    """The same format with day and month in the other order, if both are numbers; else ""."""
    if "%d" not in format or "%m" not in format:
        return ""
    return format.replace("%d", "%-").replace("%m", "%d").replace("%-", "%m")


def _best_format(words: Any, found: list[str]) -> str:
    """The format that most of these words have; "" if none has one, or it does not go together with
    those that were found."""
    few = words[:: len(words) // 20 + 1]
    own = [f for f in _FORMATS if not found or (f in TIMES_OF_DAY) == (found[0] in TIMES_OF_DAY)]
    shares = {f: _share(words, f) for f in own if _share(few, f)}
    return max(shares, key=lambda f: shares[f], default="")


def _one_reading(readings: Float64Array) -> Float64Array:
    """Of readings [F, W] the one of each word, NaN where there is none, or two that differ."""
    first = readings[0]
    for other in readings[1:]:
        differ = ~np.isnan(first) & ~np.isnan(other) & (first != other)
        first = np.where(differ, np.inf, np.where(np.isnan(first), other, first))
    return np.where(np.isinf(first), np.nan, first)


def _share(words: Any, format: str) -> float:
    return 1 - float(np.mean(np.isnan(_stamped(words, format)))) if len(words) else 0.0


def _stamped(words: Any, format: str) -> Float64Array:
    """Seconds since 1970 of words [W], NaN where they do not have the format."""
    words = [word if _DATE_LIKE.search(word) else None for word in words]
    stamps = pd.to_datetime(words, format=format, errors="coerce", utc=True)
    return _epoch_seconds(pd.DatetimeIndex(stamps))


def _epoch_seconds(stamps: pd.DatetimeIndex) -> Float64Array:
    micros = stamps.as_unit("us").asi8
    return np.where(stamps.isna(), np.nan, micros / 1e6)
