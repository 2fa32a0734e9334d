"""How a text file holds its table: what stands above it, and what parts its columns."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile

import pandas as pd

from slalom.data.columns.numerals import decimal_mark, numbers

# The order decides between delimiters that split the file equally well: in a file without header
# the comma also "splits" the decimal commas of "1,5;2,5".
DELIMITERS = ("\t", ";", "|", ",")
BLANKS = " "  # runs of them
SAMPLE_ROWS = 200

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_ENDS = re.compile(r"\r\n|\r|\n")
_RUN = re.compile(r"[ \t]{2,}|\t")


@dataclass(frozen=True)
class Dialect:
    """How a table stands in a text.

    Args:
        delimiter: what parts the columns; `BLANKS` for runs of blanks.
        above: the lines above the table that are none of it.
        header: column names that stand in a comment, as a line; else "".
        guessed: whether titles were left out, which nothing but their look tells.
    """

    delimiter: str
    above: tuple[str, ...] = ()
    header: str = ""
    guessed: bool = False

    def table_of(self, text: str) -> str:
        """The text of the table alone, with a tab for each run of blanks."""
        start = sum(map(len, self.above))
        text = self.header + text[start:] if start else text
        return parted(text) if self.delimiter == BLANKS else text

    @property
    def left_out(self) -> tuple[str, ...]:
        """The lines above that hold something which is not read."""
        lines = [line.strip() for line in self.above if line.strip()]
        return tuple(lines[:-1] if self.header else lines)

    @property
    def mark(self) -> str:
        """The delimiter of `table_of`."""
        return "\t" if self.delimiter == BLANKS else self.delimiter


def dialect_of(text: str) -> Dialect:
    """The dialect of a text that is not blank."""
    lines = list(islice(lines_of(text), 4 * SAMPLE_ROWS))
    first = next((k for k, line in enumerate(lines) if line.strip()), 0)
    given = _SEPARATOR.fullmatch(lines[first].strip())
    skipped = first + 1 if given else first
    comments = list(
        takewhile(lambda line: line.startswith("#") or not line.strip(), lines[skipped:])
    )
    if not any(line.startswith("#") for line in comments) or len(comments) == len(lines[skipped:]):
        comments = []
    body = lines[skipped + len(comments) :]
    delimiter = given[1] if given else delimiter_of("".join(body))
    titles = _titles(body, delimiter)
    above = [*lines[:skipped], *comments, *body[:titles]]
    header = "" if titles else _commented_header(comments, body, delimiter)
    return Dialect(delimiter, tuple(above), header, guessed=titles > 0)


def lines_of(text: str) -> Iterator[str]:
    """The lines of a text with their ends, one after another: nothing is copied as a whole."""
    return (match[0] for match in _LINE.finditer(text))


def fields_of(text: str, delimiter: str) -> Iterator[list[str]]:
    """The fields of each line that is not blank, as far as they can be read."""
    text = parted(text) if delimiter == BLANKS else text
    mark = "\t" if delimiter == BLANKS else delimiter
    try:
        for fields in csv.reader(lines_of(text), delimiter=mark):
            if any(field.strip() for field in fields) or len(fields) > 1:
                yield fields
    except csv.Error:
        return


def delimiter_of(text: str) -> str:
    """The one that cuts most of the first lines into equally many fields, at least two."""
    shares = {mark: _regularity(text, mark) for mark in DELIMITERS}
    best = max(DELIMITERS, key=lambda mark: shares[mark])
    if shares[best]:
        return best
    return BLANKS if _stands_in_blanks(text) else ","


def are_numbers(cells: list[str]) -> bool:
    """Whether most of these cells are numbers."""
    series = pd.Series(cells, dtype="str")
    values, failed = numbers(series, decimal_mark(series))
    found = len(values) - int(pd.isna(values).sum())
    return bool(found) and failed.sum() <= found / 4


def parted(text: str) -> str:
    """Text with a tab for each run of blanks in a line, and none at its ends."""
    # A single blank parts columns too, unless there are runs: then it stands in words.
    run = _RUN if _regularity_of_runs(text, _RUN) else re.compile(r"[ \t]+")
    return "\n".join(run.sub("\t", line.strip()) for line in _ENDS.split(text))


def _regularity(text: str, delimiter: str) -> float:
    """The share of lines with as many fields as most have, if these are two or more."""
    widths = Counter(len(f) for f in islice(fields_of(text, delimiter), SAMPLE_ROWS))
    if not widths:
        return 0.0
    width, count = max(widths.items(), key=lambda item: item[1])
    return count / widths.total() if width > 1 else 0.0


def _regularity_of_runs(text: str, run: re.Pattern[str]) -> bool:
    lines = [line for line in _ENDS.split(text[:50_000])[:SAMPLE_ROWS] if line.strip()]
    widths = {len(run.split(line.strip())) for line in lines}
    return len(lines) > 1 and len(widths) == 1 and min(widths) > 1


def _stands_in_blanks(text: str) -> bool:
    """Whether blanks part columns: as many in each line, and numbers in one column at least."""
    if '"' in text:
        return False
    found = [f for f in fields_of(text, BLANKS) if f][:SAMPLE_ROWS]
    if len(found) < 2 or len({len(f) for f in found}) > 1 or len(found[0]) < 2:
        return False
    return any(are_numbers(list(column)) for column in zip(*found[1:], strict=True))


def _titles(lines: list[str], delimiter: str) -> int:
    """How many lines stand above the line of column names: titles, and blank lines.

    Such a line has less than half of the fields that most lines have, and the first one that has
    all of them holds names.
    """
    if delimiter == BLANKS:  # which are found only where all lines have as many fields
        return 0
    rows = [next(fields_of(line, delimiter), []) for line in lines[:SAMPLE_ROWS]]
    widths = Counter(len(row) for row in rows if row)
    if not widths:
        return 0
    width = max(widths.items(), key=lambda item: item[1])[0]
    filled = [sum(bool(field.strip()) for field in row) for row in rows]
    start = next(
        (k for k, row in enumerate(rows) if len(row) == width and 2 * filled[k] > width), 0
    )
    if width < 2 or not start or not any(filled[:start]):
        return 0
    named = filled[start] == width and not any(are_numbers([cell]) for cell in rows[start])
    few = all(2 * count <= width for count in filled[:start])
    return start if named and few else 0


def _commented_header(comments: list[str], body: list[str], delimiter: str) -> str:
    """The last comment, if it names as many columns as there are, and no other line does.

    Where all columns hold words the first row may be either; then a hash that stands right before
    the first name, as in `#name,town`, says that this line holds them.
    """
    last = next((line for line in reversed(comments) if line.strip()), "")
    names = next(fields_of(last.lstrip("# \t"), delimiter), [])
    rows = list(islice(fields_of("".join(body), delimiter), SAMPLE_ROWS))
    if not rows or len(names) != len(rows[0]) or len(names) < 2:
        return ""
    if any(are_numbers([name]) for name in names):
        return ""
    measured = any(
        are_numbers([row[k] for row in rows[1:] if k < len(row)]) for k in range(len(names))
    )
    named = any(are_numbers([cell]) for cell in rows[0]) or (not measured and last[1:2].strip())
    return last.lstrip("# \t") if named else ""
