"""Tables in the sheets of Excel workbooks."""

import csv
import io
import warnings
import zipfile
import zlib
from datetime import date, datetime, time
from itertools import zip_longest
from typing import Any
from xml.etree.ElementTree import ParseError

import pandas as pd

from slalom.core.errors import BadData, BadFile, MissingExtra, SlalomWarning, did_you_mean
from slalom.data.delimited import NOTES, parse_delimited

# What openpyxl raises of damaged workbooks.
_DAMAGES = (
    *(LookupError, ValueError, OSError, TypeError, AttributeError, EOFError, RuntimeError),
    *(ParseError, zipfile.BadZipFile, zlib.error),
)


def read_workbook(raw: bytes, where: str, part: str) -> pd.DataFrame:
    """The table in a sheet: the one that is named, or the first. Cells come as text.

    What stands above the column names is found as in text; so the sheet is written as such.
    """
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise MissingExtra(f"Reading the Excel workbook {where}", "excel") from error
    try:
        with warnings.catch_warnings():  # of openpyxl, about styles that it does not know
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
            names = book.sheetnames
            name = part or names[0]
            sheet = book[name] if name in names else None
            rows = [] if sheet is None else list(sheet.iter_rows(values_only=True))
    except _DAMAGES as error:
        raise BadFile(f"{where} is an Excel workbook, but cannot be read: {error}.") from None
    if sheet is None:
        raise BadFile(f"{where} has no sheet {part!r}. {did_you_mean(part, names)}")
    frame = _table(rows, f"{where}, sheet {name!r}")
    if len(names) > 1 and not part:
        note = f"the first of {len(names)} sheets was read ({name!r}; also {', '.join(names[1:])})"
        warnings.warn(f"{where}: {note}.", SlalomWarning, stacklevel=5)
        frame.attrs[NOTES] = (*frame.attrs.get(NOTES, ()), note)
    return frame


def _table(rows: list[tuple[Any, ...]], where: str) -> pd.DataFrame:
    cells = [[_text(value) for value in row] for row in rows]
    columns = list(zip_longest(*cells, fillvalue=""))  # some programs write no empty ends of rows
    used = [k for k, column in enumerate(columns) if any(column)]
    if not used:
        raise BadData(f"{where} is empty: a table was expected, with a row of column names first.")
    text = io.StringIO()
    table = zip(*columns[used[0] : used[-1] + 1], strict=True)
    csv.writer(text).writerows(row for row in table if any(row))
    return parse_delimited(text.getvalue().encode(), where)


def _text(value: Any) -> str:
    """A cell as text that is read back to the same."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ") if value.time() != time() else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
