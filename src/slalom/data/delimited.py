"""Delimited text (CSV and its relatives) as a table in which every cell is text.

`csv` is the only parser, so that what is checked is what is read: a row with a field too many or
too few is an error with its line number, never a shifted or a lost row.
"""

import codecs
import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from charset_normalizer import from_bytes

from slalom.core.errors import BadData, BadFile, SlalomWarning
from slalom.data.columns.cells import MISSING, as_text, decimal_mark, numbers

# The order decides between delimiters that split the file equally well: in a file without header
# the comma also "splits" the decimal commas of "1,5;2,5".
_DELIMITERS = ("\t", ";", "|", ",")
_SAMPLE_ROWS = 200
_CHUNK_ROWS = 50_000  # Python strings are large; pandas' are compact

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Accented letters and typical signs, one or two (then a small letter) between ASCII: Western text.
# In other scripts (and other code pages) they come in runs or turn into signs such as superscripts.
_ACCENT = r"[À-ÖØ-öø-ÿŠšŽžŒœŸ€£§°µß«»–—‘’“”…][ß-öø-ÿ]?"
_WESTERN = re.compile(rf"[\x00-\x7f]*(?:{_ACCENT}[\x00-\x7f]+)*(?:{_ACCENT})?")
# What tables are written in, when not in UTF-8; code pages of old printers would fit as well.
_LEGACY = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r"),
    *("gb18030", "big5", "cp932", "euc_jp", "cp949"),
]


class _Row(NamedTuple):
    line: int  # where the row begins in the file, from 1
    fields: list[str]


def parse_delimited(raw: bytes, where: str) -> pd.DataFrame:
    """The table in the bytes of a text file; `where` names the file in errors.

    Delimiter (comma, semicolon, tab or bar), encoding and header are detected. Cells are text,
    stripped, with missing markers as NaN. Blank lines are no rows, except that in a table of one
    column an empty line is a row with a missing cell.

    Raises:
        BadData: when rows are ragged or column names repeat, or there is no row.
        BadFile: when the bytes are no text.
    """
    text = _decoded(raw, where)
    if not text.strip():
        raise BadData(f"{where} is empty: a table was expected, with a line of column names first.")
    delimiter = _delimiter(text)
    width = len(next(_rows(text, delimiter, where)).fields)
    sample = list(islice(_checked(text, delimiter, width, where), _SAMPLE_ROWS))
    has_header = _has_header([row.fields for row in sample])
    names = _names(sample[0].fields) if has_header else _numbered(width, where)
    check_names(names, where)
    return _frame(_checked(text, delimiter, width, where), names, has_header, where)


def _decoded(raw: bytes, where: str) -> str:
    encoding = next((name for bom, name in _BOMS if raw.startswith(bom)), "utf-8")
    if encoding in ("utf-8", "utf-8-sig") and b"\0" in raw:
        raise BadFile(
            f"{where} is not a text file (byte {raw.index(0)} is zero). Expected delimited text "
            "(CSV), gzipped or not, or Parquet."
        )
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise BadFile(
                f"{where} begins like {encoding} text, but is not: {error}. It may be cut off; "
                "save it again as UTF-8."
            ) from None
    return _guessed(raw, where)


def _guessed(raw: bytes, where: str) -> str:
    try:
        western = raw.decode("cp1252")
    except UnicodeDecodeError:
        western = None
    guess = None
    if western is None or not _WESTERN.fullmatch(western):
        guess = from_bytes(raw, cp_isolation=_LEGACY).best()
    if guess is not None:
        encoding, text = guess.encoding, str(guess)
    elif western is not None:
        encoding, text = "cp1252", western
    else:
        raise BadFile(
            f"{where} is neither UTF-8 nor in any other known text encoding. Save it as UTF-8 "
            "text, or as Parquet."
        )
    warnings.warn(
        f"{where} is not UTF-8; it was read as {encoding}, which is a guess. If letters look "
        "wrong, save the file as UTF-8.",
        SlalomWarning,
        stacklevel=5,
    )
    return text


def _rows(text: str, delimiter: str, where: str) -> Iterator[_Row]:
    """The rows that are not blank; those of one field may be."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line, started = 1, False
    try:
        for fields in reader:
            blank = not any(fields) and len(fields) < 2
            if not blank or started:
                started = True
                yield _Row(line, fields)
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadData(
            f"{where}, line {line}: not readable as delimited text ({error}). Look for a quotation "
            "mark that is never closed, or one in the middle of a quoted field."
        ) from None


def _delimiter(text: str) -> str:
    """The one that cuts the first rows into equally many fields, at least two; more is better."""

    def score(delimiter: str) -> tuple[float, bool]:
        try:
            rows = [r.fields for r in islice(_rows(text, delimiter, ""), _SAMPLE_ROWS) if r.fields]
        except BadData:
            return 0.0, False
        width = len(rows[0])
        return (sum(len(r) == width for r in rows) / len(rows) if width > 1 else 0.0), width > 1

    best = max(_DELIMITERS, key=score)
    return best if score(best)[1] else ","


def _checked(text: str, delimiter: str, width: int, where: str) -> Iterator[_Row]:
    """The rows of a table, each with `width` fields."""
    for row in _rows(text, delimiter, where):
        fields = row.fields
        if len(fields) == width:
            yield row
        elif width == 1 and not fields:
            yield _Row(row.line, [""])
        elif len("".join(fields).strip()) or len(fields) > 1:
            shown = repr(delimiter.replace("\t", "tab"))
            raise BadData(
                f"{where}, line {row.line}: expected {width} fields, as in the first line, but "
                f"found {len(fields)} (delimiter {shown}). Correct the line: put text that holds "
                "the delimiter in quotation marks, and write a missing cell as an empty field."
            )


def _has_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns.

    Where a column holds numbers, a first cell that is none is a name. Without columns of numbers
    the first row is a header unless all its cells occur again below.
    """
    first = [cell.strip() for cell in rows[0]]
    if len(rows) == 1:
        return not all(_are_numbers([cell]) for cell in first)
    below = [[cell.strip() for cell in column] for column in zip(*rows[1:], strict=True)]
    columns = list(zip(first, below, strict=True))
    measured = [(cell, column) for cell, column in columns if _are_numbers(column)]
    votes = [not _are_numbers([cell]) for cell, _ in measured if cell not in MISSING]
    if not votes:
        return not all(cell in column for cell, column in columns)
    if any(votes):
        return 2 * sum(votes) >= len(votes)
    words = [pair for pair in columns if pair not in measured]
    return _counts_up([cell for cell, _ in measured]) and (
        any(cell not in column for cell, column in words)
        or any("." in cell for _, column in measured for cell in column)
    )


def _counts_up(cells: list[str]) -> bool:
    """Whether these are names such as 0, 1, 2 (pandas writes them) or 2019, 2020."""
    if len(cells) < 2 or not all(cell.isdecimal() for cell in cells):
        return False
    return all(int(b) - int(a) == 1 for a, b in pairwise(cells))


def _are_numbers(cells: list[str]) -> bool:
    series = pd.Series(cells, dtype="str")
    values, failed = numbers(series, decimal_mark(series))
    found = np.isfinite(values).sum()
    return bool(found) and failed.sum() <= found / 4


def _names(header: list[str]) -> list[str]:
    return [name.strip() or f"unnamed_{i}" for i, name in enumerate(header, start=1)]


def _numbered(width: int, where: str) -> list[str]:
    names = [f"column_{i}" for i in range(1, width + 1)]
    warnings.warn(
        f"{where} has no header: its first line looks like data and was read as a row, and the "
        f"columns are called {names[0]} to {names[-1]}. If the first line "
        "does hold names, write them so that they are no numbers.",
        SlalomWarning,
        stacklevel=5,
    )
    return names


def check_names(names: list[str], where: str) -> None:
    """Raise `BadData` when a column name repeats."""
    repeated = [repr(name) for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise BadData(
            f"{where} has more than one column called {', '.join(repeated)}. Every column needs a "
            "name of its own; rename or remove the repeated ones."
        )


def _frame(rows: Iterator[_Row], names: list[str], has_header: bool, where: str) -> pd.DataFrame:
    if has_header:
        next(rows)
    chunks = []
    while chunk := [row.fields for row in islice(rows, _CHUNK_ROWS)]:
        columns = zip(*chunk, strict=True)
        chunks.append(
            pd.DataFrame(
                {
                    name: as_text(pd.Series(column, dtype="str"))
                    for name, column in zip(names, columns, strict=True)
                }
            )
        )
    if not chunks:
        raise BadData(
            f"{where} has a header ({', '.join(names[:5])}{', ...' if names[5:] else ''}) but no "
            "rows. Add rows, one a line."
        )
    return pd.concat(chunks, ignore_index=True)
