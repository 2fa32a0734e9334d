"""Delimited text (CSV and its relatives) as a table in which every cell is text.

`csv` says what a file holds: a row with a field too many or too few is an error with its line
number, never a shifted or a lost row. Large files without anything unusual are read by Arrow: see
`slalom.data.plain`.
"""

import codecs
import csv
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import NamedTuple

import pandas as pd
from charset_normalizer import from_bytes

from slalom.core.errors import BadData, BadFile, SlalomWarning
from slalom.data.columns.cells import MISSING, as_text, shortened
from slalom.data.dialect import BLANKS, SAMPLE_ROWS, Dialect, are_numbers, dialect_of, lines_of
from slalom.data.plain import read_plain

NOTES = "slalom_notes"  # attribute of a frame: what was left out when it was read
_CHUNK_ROWS = 50_000  # Python strings are large; pandas' are compact
_HEAD = 1 << 19  # bytes of a large file that are looked at before it is read

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


class _Source(NamedTuple):
    """The text of a table alone."""

    text: str
    delimiter: str
    where: str  # names the file in errors
    above: int  # lines of the file before the text


class _Layout(NamedTuple):
    """How a table stands in its file, as far as its first lines tell."""

    source: _Source
    dialect: Dialect
    names: list[str]
    has_header: bool


def parse_delimited(raw: bytes, where: str) -> pd.DataFrame:
    """The table in the bytes of a text file; `where` names the file in errors.

    Delimiter (comma, semicolon, tab, bar or runs of blanks), encoding, header, and what stands
    above it are detected. Cells are text, stripped, with missing markers as NaN. Blank lines are no
    rows, except that in a table of one column an empty line is a row with a missing cell.

    What was left out is told by `attrs[NOTES]` of the frame.

    Raises:
        BadData: when rows are ragged or column names repeat, or there is no row.
        BadFile: when the bytes are no text.
    """
    frame = _quickly_read(raw, where)
    if frame is not None:
        return frame
    text = _decoded(raw, where)
    if not text or text.isspace():
        raise BadData(f"{where} is empty: a table was expected, with a line of column names first.")
    layout = _layout(text, where)
    rows = _checked(layout.source, len(layout.names))
    return _told(_frame(rows, layout.names, layout.has_header), layout)


def _layout(text: str, where: str) -> _Layout:
    """How a table stands in a text, of which the first lines are enough."""
    dialect = dialect_of(text)
    source = _Source(dialect.table_of(text), dialect.mark, where, len(dialect.above))
    if not source.text or source.text.isspace():
        raise BadData(f"{where} has no table below its first lines: add column names and rows.")
    width = len(next(_rows(source)).fields)
    sample = list(islice(_checked(source, width), SAMPLE_ROWS))
    has_header = _has_header([row.fields for row in sample])
    names = _names(sample[0].fields) if has_header else _numbered(width)
    check_names(names, where)
    return _Layout(source, dialect, names, has_header)


def _quickly_read(raw: bytes, where: str) -> pd.DataFrame | None:
    """The table of a large file, if its first lines tell how all of it is to be read."""
    end = raw.rfind(b"\n", 0, _HEAD) + 1
    if len(raw) < 2 * _HEAD or raw.count(b"\n", 0, end) < 4 * SAMPLE_ROWS:
        return None
    bom = len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0
    try:
        head = raw[bom:end].decode()
    except UnicodeDecodeError:
        return None
    if "\0" in head:  # UTF-16, or no text
        return None
    try:
        layout = _layout(head, where)
    except BadData:  # which may be of the cut alone
        return None
    if layout.dialect.delimiter == BLANKS or layout.dialect.header or len(layout.names) < 2:
        return None
    table = head[sum(map(len, layout.dialect.above)) :]
    first = next(islice(_rows(layout.source), int(layout.has_header), None)).line
    lines = islice(lines_of(table), first - layout.source.above - 1)
    start = end - len(table.encode()) + len("".join(lines).encode())
    frame = read_plain(raw, start, layout.source.delimiter, layout.names)
    return None if frame is None else _told(frame, layout)


def _told(frame: pd.DataFrame, layout: _Layout) -> pd.DataFrame:
    """The frame, with what is to be said of its file."""
    names, where = layout.names, layout.source.where
    notes = _left_out(layout.dialect, where)
    if notes:
        frame.attrs[NOTES] = notes
    if not layout.has_header:
        warnings.warn(
            f"{where} has no header: its first line looks like data and was read as a row, and the "
            f"columns are called {names[0]} to {names[-1]}. If the first line "
            "does hold names, write them so that they are no numbers.",
            SlalomWarning,
            stacklevel=6,
        )
    if not len(frame):
        raise BadData(
            f"{where} has a header ({', '.join(names[:5])}{', ...' if names[5:] else ''}) but no "
            "rows. Add rows, one a line."
        )
    return frame


def _left_out(dialect: Dialect, where: str) -> tuple[str, ...]:
    """What to say of lines above the table."""
    lines = dialect.left_out
    if not lines:
        return ()
    shown = ", ".join(repr(shortened(line)) for line in lines[:3]) + (", ..." if lines[3:] else "")
    count = "1 line" if len(lines) == 1 else f"{len(lines)} lines"
    note = f"{count} above the column names left out: {shown}"
    if dialect.guessed:
        warnings.warn(
            f"{where}: {note}. If these lines belong to the table, give all of them as many fields "
            "as the rows have.",
            SlalomWarning,
            stacklevel=6,
        )
    return (note,)


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
        stacklevel=6,
    )
    return text


def _rows(source: _Source) -> Iterator[_Row]:
    """The rows that are not blank; those of one field may be."""
    reader = csv.reader(lines_of(source.text), delimiter=source.delimiter, strict=True)
    line, started = source.above + 1, False
    try:
        for fields in reader:
            blank = not any(fields) and len(fields) < 2
            if not blank or started:
                started = True
                yield _Row(line, fields)
            line = source.above + reader.line_num + 1
    except csv.Error as error:
        raise BadData(
            f"{source.where}, line {line}: not readable as delimited text ({error}). Look for a "
            "quotation mark that is never closed, or one in the middle of a quoted field."
        ) from None


def _checked(source: _Source, width: int) -> Iterator[_Row]:
    """The rows of a table, each with `width` fields."""
    for row in _rows(source):
        fields = row.fields
        if len(fields) == width:
            yield row
        elif width == 1 and not fields:
            yield _Row(row.line, [""])
        elif len("".join(fields).strip()) or len(fields) > 1:
            shown = repr(source.delimiter.replace("\t", "tab"))
            raise BadData(
                f"{source.where}, line {row.line}: expected {width} fields, as in the first line, "
                f"but found {len(fields)} (delimiter {shown}). Correct the line: put text that "
                "holds the delimiter in quotation marks, and write a missing cell as an empty "
                "field."
            )


def _has_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns.

    Where a column holds numbers, a first cell that is none is a name. Without columns of numbers
    the first row is a header unless all its cells occur again below.
    """
    first = [cell.strip() for cell in rows[0]]
    if len(rows) == 1:
        return not all(are_numbers([cell]) for cell in first)
    below = [[cell.strip() for cell in column] for column in zip(*rows[1:], strict=True)]
    columns = list(zip(first, below, strict=True))
    measured = [(cell, column) for cell, column in columns if are_numbers(column)]
    votes = [not are_numbers([cell]) for cell, _ in measured if cell not in MISSING]
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


def _names(header: list[str]) -> list[str]:
    return [name.strip() or f"unnamed_{i}" for i, name in enumerate(header, start=1)]


def _numbered(width: int) -> list[str]:
    return [f"column_{i}" for i in range(1, width + 1)]


def check_names(names: list[str], where: str) -> None:
    """Raise `BadData` when a column name repeats."""
    repeated = [repr(name) for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise BadData(
            f"{where} has more than one column called {', '.join(repeated)}. Every column needs a "
            "name of its own; rename or remove the repeated ones."
        )


def _frame(rows: Iterator[_Row], names: list[str], has_header: bool) -> pd.DataFrame:
    if has_header:
        next(rows)
    chunks = [pd.DataFrame(columns=names, dtype="str")]
    while chunk := [row.fields for row in islice(rows, _CHUNK_ROWS)]:
        columns = dict(zip(names, zip(*chunk, strict=True), strict=True))
        chunks.append(
            pd.DataFrame({n: as_text(pd.Series(c, dtype="str")) for n, c in columns.items()})
        )
    return pd.concat(chunks[1:] or chunks, ignore_index=True)
