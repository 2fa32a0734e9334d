"""Large delimited text without anything unusual, read by Arrow's parser."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.csv
from numpy.typing import NDArray

from slalom.data.columns.cells import MISSING

_CHUNK = 1 << 20  # what is made of so many bytes stays in a core's cache
# White space besides the blank and the tab, which `strip` takes away: in ASCII, and in UTF-8.
_RARE = (b"\0", b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\x1f")
_WIDE = re.compile(
    rb"\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80"
)


def read_plain(raw: bytes, start: int, delimiter: str, names: list[str]) -> pd.DataFrame | None:
    """The rows of delimited text as a table of text; None where another parser might read others.

    Args:
        raw: UTF-8.
        start: where the first row begins, a byte.
        delimiter: one sign.
        names: of the columns, at least two.
    """
    if not _is_plain(raw, delimiter):
        return None
    try:
        table = pyarrow.csv.read_csv(
            pyarrow.BufferReader(pyarrow.py_buffer(raw).slice(start)),
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=1 << 22),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=b'"' in raw
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pyarrow.large_string()),
                strings_can_be_null=True,
                null_values=sorted(MISSING),
            ),
        )
    except pyarrow.ArrowInvalid:  # what is wrong, and in which line, the other parser says
        return None
    text = pd.StringDtype(na_value=np.nan)
    frame: pd.DataFrame = table.to_pandas(types_mapper={pyarrow.large_string(): text}.get)
    return frame


def _is_plain(raw: bytes, delimiter: str) -> bool:
    """Whether all parsers read the same: fields have no blanks at their ends, quotation marks stand
    at their ends alone or are doubled, and lines end in one way."""
    rare = [*_RARE, *([b"\t"] if delimiter != "\t" else [])]
    if any(blank in raw for blank in rare):
        return False
    if b"\r" in raw and raw.count(b"\r") != raw.count(b"\r\n"):
        return False
    if not raw.isascii() and _WIDE.search(raw):
        return False
    data = np.frombuffer(raw, dtype=np.uint8)
    quotes = np.concatenate([*_places(data, '"')]) if b'"' in raw else np.empty(0, dtype=np.int64)
    ends = np.zeros(256, dtype=bool)
    ends[[ord("\n"), ord("\r"), ord(delimiter)]] = True
    if not _are_around_fields(quotes, data, ends):
        return False
    return not any(_any_at_ends(blanks, quotes, data, ends) for blanks in _places(data, " "))


def _places(data: NDArray[Any], sign: str) -> Iterator[NDArray[np.int64]]:
    """Where a sign stands, some at a time."""
    for start in range(0, len(data), _CHUNK):
        yield np.flatnonzero(data[start : start + _CHUNK] == ord(sign)) + start


def _are_around_fields(quotes: NDArray[Any], data: NDArray[Any], ends: NDArray[np.bool_]) -> bool:
    """Whether quotation marks open and close fields, or are doubled within them."""
    if len(quotes) % 2:
        return False
    opening, closing, last = quotes[::2], quotes[1::2], len(data) - 1
    doubled = opening[1:] == closing[:-1] + 1
    opens = ends[data[opening - 1]] | (opening == 0) | np.append(False, doubled)
    after = data[np.minimum(closing + 1, last)]
    return bool((opens & (ends[after] | (closing == last) | np.append(doubled, False))).all())


def _any_at_ends(
    blanks: NDArray[Any], quotes: NDArray[Any], data: NDArray[Any], ends: NDArray[np.bool_]
) -> bool:
    """Whether a blank stands at an end of a field."""
    last = len(data) - 1
    before, after = data[blanks - 1], data[np.minimum(blanks + 1, last)]
    at_ends = ends[before] | ends[after]
    if len(quotes):
        quoted = np.searchsorted(quotes, blanks) % 2 == 1
        at_ends = np.where(quoted, (before == ord('"')) | (after == ord('"')), at_ends)
    return bool((at_ends | (blanks == 0) | (blanks == last)).any())
