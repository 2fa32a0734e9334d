"""From numbers as people write them to numbers.

Understood are decimal commas, thousands in every common form, currencies, percent signs, accounting
negatives such as (82), a minus behind the number, and a unit that all numbers of a column have.
"""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slalom.core.arrays import Float64Array
from slalom.data.columns.cells import (
    MOSTLY,
    NOTHING,
    Mask,
    Series,
    as_text,
    is_numeric,
    plain_numbers,
)

_CODES = (
    "AUD|BGN|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KRW|MXN|MYR|NOK|NZD|PHP|PLN|"
    "RMB|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR"
)
_NAMES = r"kr\.?|zł|Kč|Ft|lei|S?Fr\.?|Rs\.?|руб\.?|р\.|元|円"
_SIGNS = r"(?:[A-Z]{1,3})?[$€£¥₹₽₩₺₪฿₫₦₴₱₡₲₵₸]"
_CURRENCY = re.compile(rf"^(?:{_SIGNS}|{_CODES}|{_NAMES})|(?:{_SIGNS}|[%‰]|{_CODES}|{_NAMES})$")
_SPACED_THOUSANDS = re.compile(r"(?<=\d)[ '’\u2009\u202f\xa0](?=\d{3}(?!\d))")
_COMMA_THOUSANDS = re.compile(r"^[+-]?[1-9]\d{0,2}(?:(?:,\d{3})+|(?:,\d{2})+,\d{3})(\.\d*)?$")
_DOT_THOUSANDS = re.compile(r"^[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?$")
_COMMA_DECIMAL = re.compile(r"^[+-]?\d*,\d+(e[+-]?\d+)?$", re.IGNORECASE)
_MANY_DOTS = re.compile(r"^[+-]?\d{1,3}(\.\d{3}){2,}$")
_IN_BRACKETS = re.compile(r"^([^\d()]*)\((.*\d.*)\)$")
_NUMBER = r"[+-]?\.?\d(?:[\d.,'’ \xa0]*\d)?\.?(?:e[+-]?\d+)?"
_UNIT = r"[^\W\d_][^\s;,]*(?: [^\W\d_]+)?|[°'\"′″]\w?"
_MEASURE = re.compile(rf"^{_NUMBER}\s*({_UNIT})$")
_SAMPLE = 20


def numbers(series: Series, decimal: str = ".", unit: str = "") -> tuple[Float64Array, Mask]:
    """The cells as float64 [N] (NaN where missing or not a number), and a mask [N] of those that
    hold something that is not a finite number. What says "nothing here" (`NOTHING`) is missing.

    `decimal` is the decimal mark of text cells, from `decimal_mark`, and `unit` what stands behind
    them, from `unit_of`. Infinities count as not understood.
    """
    values, present = _parsed(series, decimal, unit)
    failed = present & ~np.isfinite(values)
    if failed.any():
        values = np.where(failed, np.nan, values)
    return values, failed


def words_among_numbers(series: Series) -> Mask:
    """A mask [N] of the cells that are neither missing nor a number (an infinite one neither)."""
    unit = unit_of(series)
    values, present = _parsed(series, decimal_mark(series, unit), unit)
    return present & np.isnan(values)


def decimal_mark(series: Series, unit: str = "") -> str:
    """ "," when the text cells write one and a half as 1,5, else ".".

    "1,234" alone is taken as a thousands separator, as the rest of the column may show: one cell
    such as "0,5" or "1.234,5" settles it for all.
    """
    if is_numeric(series):
        return "."
    words = np.asarray(as_text(series).dropna().unique(), dtype=object)
    bare = [_bare(_measured(w, unit)) for w in words if "," in w or w.count(".") > 1]
    commas = [
        w
        for w in bare
        if _MANY_DOTS.match(w)
        or (_COMMA_DECIMAL.match(w) and not _COMMA_THOUSANDS.match(w))
        or (_DOT_THOUSANDS.match(w) and "," in w)
    ]
    return "," if commas else "."


def unit_of(series: Series) -> str:
    """What stands behind nearly all numbers of a column of text, such as "kg"; "" if nothing does.

    Singular and plural are one unit ("1 day", "2 days").
    """
    if is_numeric(series):
        return ""
    words = np.asarray(as_text(series).dropna().unique(), dtype=object)
    return _unit(words) if _unit(words[:_SAMPLE]) else ""


def _unit(words: Iterable[str]) -> str:
    """The unit of nearly all of these words, if it is the same."""
    found = [_MEASURE.match(_unsigned(word)) for word in words if word.lower() not in NOTHING]
    units = pd.Series([_folded(match[1]) for match in found if match], dtype="str")
    if not len(units):
        return ""
    unit = str(units.mode()[0])
    return unit if (units == unit).sum() >= MOSTLY * len(found) else ""


def _folded(unit: str) -> str:
    unit = unit.strip()
    return unit[:-1] if len(unit) > 3 and unit.endswith("s") else unit


def _measured(word: str, unit: str) -> str:
    """A word without the unit."""
    match = _MEASURE.match(_unsigned(word)) if unit else None
    if match and _folded(match[1]) == unit:
        return word[: word.rindex(match[1])].strip()
    return word


def _parsed(series: Series, decimal: str, unit: str) -> tuple[Float64Array, Mask]:
    """The numbers [N], NaN where there are none, and a mask of the cells that are not missing."""
    if is_numeric(series):
        values = plain_numbers(series)
        return values, ~np.isnan(values)
    codes, words = pd.factorize(as_text(series))
    plain = np.asarray(words, dtype=object)  # much quicker to go through than pandas' strings
    parsed = _plainly(plain) if decimal == "." and not unit else None
    if parsed is None:
        parsed = np.array([_number(_measured(word, unit), decimal) for word in plain])
    there = np.array([word.lower() not in NOTHING for word in plain] + [False])
    return np.append(parsed, np.nan)[codes].astype(np.float64), there[codes]


def _plainly(words: NDArray[Any]) -> Float64Array | None:
    """The numbers of words that Python reads as such; None if one is none."""
    if "_" in "".join(words):  # Python would read 1_0 as ten
        return None
    try:
        return words.astype(np.float64)
    except ValueError:
        return None


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
    word = _unsigned(word)
    sign = word[:1] if word[:1] in "+-" else ""
    word = _CURRENCY.sub("", word[len(sign) :].strip()).strip()
    if not sign and word[:1] in "+-":  # "$-5"
        sign, word = word[:1], word[1:].strip()
    return sign + _SPACED_THOUSANDS.sub("", word)


def _unsigned(word: str) -> str:
    """A word with its minus in front, if it is one, be it written (82) or 82-."""
    word = word.replace("\u2212", "-").strip()
    if brackets := _IN_BRACKETS.match(word):
        word = f"-{brackets[1]}{brackets[2]}"
    elif word.endswith("-") and word[:1] not in "+-" and any(map(str.isdigit, word)):
        word = f"-{word[:-1].strip()}"
    return word
