"""A table from a file of any kind that people keep tables in, known by its bytes."""

import bz2
import gzip
import io
import json
import lzma
import re
import sqlite3
import sys
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.parquet

from slalom.core.errors import BadData, BadFile, did_you_mean
from slalom.data.delimited import parse_delimited
from slalom.data.sheets import read_workbook

STDIN = "-"
PART = "::"  # parts a file and the name of a table, a sheet or a file in it

_FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save it as .xlsx",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\x89HDF": "an HDF5 file",
}
_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*"|\[\s*\{)')  # objects, in a list or not
_KINDS = "delimited text (CSV), Parquet, Arrow, Excel (.xlsx), JSON lines or SQLite"


def read_file(source: str) -> pd.DataFrame:
    """The table in a file; see `slalom.read_table`."""
    if source == STDIN:
        return _read(sys.stdin.buffer.read(), "standard input", "")
    path, part = _parted(source)
    if path.is_dir():
        return _read_folder(path)
    if _begins(path, b"SQLite format 3"):
        return _read_sqlite(path, part)
    return _read(_bytes_of(path), str(path), part)


def _parted(source: str) -> tuple[Path, str]:
    """The file, and what is named within it; a file whose own name has the sign is taken whole."""
    name, sign, part = source.rpartition(PART)
    return (Path(name), part) if sign and not Path(source).exists() else (Path(source), "")


def _read(raw: bytes, where: str, part: str) -> pd.DataFrame:
    """The table in the bytes of a file, compressed or not."""
    for magic, (name, unpacked) in _COMPRESSED.items():
        if raw.startswith(magic):
            try:
                inside = unpacked(raw)
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
                raise BadFile(f"{where} is {name}, but damaged or cut off: {error}.") from None
            return _read(inside, where, part)
    if raw.startswith(b"PK\x03\x04"):
        return _read_zip(raw, where, part)
    if part:
        raise BadFile(f"{where} holds one table alone, so leave out {PART}{part}.")
    if raw.startswith(b"PAR1"):
        return _from_arrow(lambda: pyarrow.parquet.read_table(io.BytesIO(raw)), "Parquet", where)
    if raw.startswith(b"ARROW1"):
        file = pyarrow.BufferReader(raw)
        return _from_arrow(lambda: pyarrow.ipc.open_file(file).read_all(), "Arrow", where)
    for magic, what in _FOREIGN.items():
        if raw.startswith(magic):
            raise BadFile(f"{where} is {what}. Expected {_KINDS}: save the table in one of these.")
    if _JSON.match(raw):
        return _read_json(raw, where)
    return parse_delimited(raw, where)


def _zstd(raw: bytes) -> bytes:
    with pyarrow.CompressedInputStream(pyarrow.BufferReader(raw), "zstd") as stream:
        return bytes(stream.read())


_COMPRESSED: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": ("gzipped", gzip.decompress),
    b"BZh": ("compressed with bzip2", bz2.decompress),
    b"\xfd7zXZ": ("compressed with xz", lzma.decompress),
    b"\x28\xb5\x2f\xfd": ("compressed with zstandard", _zstd),
}


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BadFile(f"There is no file {path}. {_nearby(path)}") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise BadFile(f"{path} cannot be read: {error}.") from None


def _begins(path: Path, magic: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except (OSError, ValueError):  # which reading it tells
        return False


def _nearby(path: Path) -> str:
    if not path.parent.is_dir():
        return f"There is no folder {path.parent} either."
    files = sorted(file.name for file in path.parent.iterdir() if file.is_file())
    if not files:
        return f"The folder {path.parent} holds no files."
    return did_you_mean(path.name, files[:50])


def _from_arrow(read: Callable[[], Any], kind: str, where: str) -> pd.DataFrame:
    try:
        # Without pandas' metadata a named index stays a column and is not lost.
        frame: pd.DataFrame = read().to_pandas(ignore_metadata=True)
    except (pyarrow.ArrowException, OSError, ValueError) as error:  # ValueError: of its metadata
        raise BadFile(f"{where} begins like {kind}, but cannot be read: {error}.") from None
    return frame


def _read_folder(path: Path) -> pd.DataFrame:
    """The parts of one table, as programs for large data write them."""
    if not any(path.rglob("*.parquet")):
        raise BadFile(
            f"{path} is a folder without Parquet files (.parquet). Expected a file with one table "
            "in it, or a folder of the parts of one."
        )
    return _from_arrow(lambda: pyarrow.parquet.read_table(path), "a folder of Parquet", str(path))


def _read_zip(raw: bytes, where: str, part: str) -> pd.DataFrame:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = [n for n in archive.namelist() if not n.endswith("/") and "__MACOSX" not in n]
            is_workbook = "xl/workbook.xml" in names
            inside = b"" if is_workbook else archive.read(_chosen(part, names, "file", where))
    except BadFile:
        raise
    # What zipfile raises of damaged, encrypted and unknown archives; ValueError of a wrong place.
    except (zipfile.BadZipFile, RuntimeError, ValueError, OSError, EOFError, zlib.error) as error:
        raise BadFile(f"{where} is a zip archive, but cannot be read: {error}.") from None
    return read_workbook(raw, where, part) if is_workbook else _read(inside, where, "")


def _read_sqlite(path: Path, part: str) -> pd.DataFrame:
    where = str(path)
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            found = database.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
                " AND name NOT LIKE 'sqlite_%'"
            )
            name = _chosen(part, [row[0] for row in found], "table", where)
            quoted = name.replace('"', '""')
            return pd.read_sql_query(f'SELECT * FROM "{quoted}"', database)
    except (sqlite3.Error, pd.errors.DatabaseError) as error:
        raise BadFile(f"{where} is an SQLite database, but cannot be read: {error}.") from None


def _chosen(part: str, names: list[str], what: str, where: str) -> str:
    """The one that is named, or the only one."""
    if part in names:
        return part
    if not part and len(names) == 1:
        return names[0]
    if not names:
        raise BadFile(f"{where} holds no {what}.")
    if part:
        raise BadFile(f"{where} has no {what} {part!r}. {did_you_mean(part, names)}")
    raise BadFile(
        f"{where} holds {len(names)} {what}s: {', '.join(names[:10])}"
        f"{', ...' if names[10:] else ''}. Name one: {where}{PART}{names[0]}"
    )


def _read_json(raw: bytes, where: str) -> pd.DataFrame:
    """Objects one a line, or in one list; a row each."""
    try:
        text = raw.decode("utf-8-sig").strip()
        listed = text.startswith("[")
        rows = (
            _json(text, 1, where)
            if listed
            else [
                _json(line, number, where)
                for number, line in enumerate(text.splitlines(), start=1)
                if line.strip()
            ]
        )
    except (UnicodeDecodeError, RecursionError) as error:
        raise BadFile(f"{where} begins like JSON, but cannot be read: {error}.") from None
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise BadData(f"{where} must hold objects, one a row, such as {{'size': 3}}.")
    for row in rows:
        for name, value in row.items():
            if isinstance(value, dict | list):
                raise BadData(
                    f"{where}: {name!r} holds a {type(value).__name__}, but a cell of a table is "
                    "one value. Flatten it first, for example with pandas.json_normalize."
                )
    return pd.DataFrame(rows)


def _json(text: str, line: int, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadFile(
            f"{where}, line {line + error.lineno - 1}: not readable as JSON ({error.msg}). "
            "Expected one object a line, or a list of them."
        ) from None
