"""One table in every kind of file that people keep tables in."""

import bz2
import gzip
import io
import json
import lzma
import random
import sqlite3
import subprocess
import sys
import warnings
import zipfile
from contextlib import suppress

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from slalom.core.errors import BadData, BadFile, MissingExtra, SlalomError, SlalomWarning
from slalom.data.schema import Schema
from slalom.data.table import read_table

FRAME = pd.DataFrame(
    {
        "size": [1.5, 2.25, 4.0, None],
        "sort": ["a", "b", "a", "b"],
        "day": pd.to_datetime(["2024-01-31", "2024-02-01", "2024-02-02", "2024-03-05"]),
        "new": [True, False, True, True],
    }
)
CSV = FRAME.to_csv(index=False).encode()
TRUTH = Schema.fit(FRAME).encode(FRAME)


def as_zip(raw, *names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names or ("t.csv",):
            archive.writestr(name, raw)
    return file.getvalue()


def as_zstd(raw):
    file = pa.BufferOutputStream()
    with pa.CompressedOutputStream(file, "zstd") as stream:
        stream.write(raw)
    return file.getvalue().to_pybytes()


def workbook(path, **sheets):
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        for name, (frame, row) in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False, startrow=row)
    return path


def database(path, **tables):
    connection = sqlite3.connect(path)
    for name, frame in tables.items():
        frame.astype({"day": str}).to_sql(name, connection, index=False)
    connection.close()
    return path


def assert_same(source):
    frame = read_table(source)
    assert list(frame) == list(FRAME)
    schema = Schema.fit(frame)
    assert [c.kind for c in schema.columns] == ["Number", "Category", "Datetime", "Boolean"]
    np.testing.assert_array_equal(schema.encode(frame), TRUTH)


PACKED = {
    "nothing": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstandard": as_zstd,
    "zip": as_zip,
    "zip of a Mac": lambda raw: as_zip(raw, "t.csv", "__MACOSX/._t.csv"),
    "zip in gzip": lambda raw: gzip.compress(as_zip(raw)),
}


@pytest.mark.parametrize("case", PACKED)
def test_a_compressed_file_is_known_by_its_bytes(case, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(PACKED[case](CSV))
    assert_same(path)


@pytest.mark.parametrize("case", ["gzip", "bzip2", "xz", "zstandard"])
def test_a_compressed_file_cut_off_is_a_bad_file(case, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(PACKED[case](CSV * 50)[:-20])
    with pytest.raises(BadFile, match=r"t\.csv is .*damaged or cut off"):
        read_table(path)


def test_parquet_arrow_and_feather(tmp_path):
    table = pa.Table.from_pandas(FRAME)
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    pyarrow.feather.write_feather(table, tmp_path / "t.feather")
    with pa.ipc.new_file(tmp_path / "t.arrow", table.schema) as writer:
        writer.write_table(table)
    for ending in ("parquet", "feather", "arrow"):
        assert_same(tmp_path / f"t.{ending}")


def test_a_folder_of_parquet_parts_is_one_table(tmp_path):
    for k in range(4):
        FRAME.iloc[k : k + 1].to_parquet(tmp_path / f"part-{k}.parquet")
    (tmp_path / "_SUCCESS").touch()
    assert_same(tmp_path)


def test_json_lines_and_a_list_of_objects(tmp_path):
    rows = json.loads(FRAME.astype({"day": str}).to_json(orient="records"))
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    (tmp_path / "t.json").write_text(json.dumps(rows, indent=1))
    assert_same(tmp_path / "t.jsonl")
    assert_same(tmp_path / "t.json")


BAD_JSON = {
    "a broken line": ('{"a": 1}\n{"a": }\n', BadFile, "line 2"),
    "a broken list": ('[{"a": 1},\n{"a": }]', BadFile, "line 2"),
    "a list in a cell": ('{"a": [1, 2]}\n', BadData, "'a' holds a list"),
    "an object in a cell": ('{"a": {"b": 2}}\n', BadData, "json_normalize"),
    "a number among objects": ('[{"a": 1}, 2]', BadData, "must hold objects"),
}


@pytest.mark.parametrize("case", BAD_JSON)
def test_json_that_is_no_table_is_answered_with_one_paragraph(case, tmp_path):
    text, kind, words = BAD_JSON[case]
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(kind, match=words):
        read_table(tmp_path / "t.json")


def test_a_database_with_one_table_and_one_of_several(tmp_path):
    assert_same(database(tmp_path / "one.db", houses=FRAME))
    path = database(tmp_path / "two.db", houses=FRAME, **{"other; --": FRAME.iloc[:2]})
    assert_same(f"{path}::houses")
    assert len(read_table(f"{path}::other; --")) == 2
    with pytest.raises(BadFile, match=r"holds 2 tables: houses, other; --\. Name one: .*::houses"):
        read_table(path)
    with pytest.raises(BadFile, match=r"no table 'house'.*Did you mean 'houses'"):
        read_table(f"{path}::house")


def test_an_empty_and_a_damaged_database_are_bad_files(tmp_path):
    path = database(tmp_path / "t.db", houses=FRAME)
    raw = path.read_bytes()
    path.write_bytes(raw[:100] + bytes(len(raw) - 100))
    with pytest.raises(BadFile, match=r"t\.db"):
        read_table(path)


def test_a_workbook_by_the_name_of_a_sheet(tmp_path):
    path = workbook(tmp_path / "t.xlsx", first=(FRAME.iloc[:2], 0), houses=(FRAME, 0))
    assert_same(f"{path}::houses")
    with pytest.warns(SlalomWarning, match=r"first of 2 sheets was read \('first'; also houses\)"):
        assert len(read_table(path)) == 2
    with pytest.raises(BadFile, match=r"no sheet 'house'.*Did you mean 'houses'"):
        read_table(f"{path}::house")


def test_a_title_above_the_table_of_a_sheet_is_left_out(tmp_path):
    path = tmp_path / "t.xlsx"
    workbook(path, houses=(FRAME, 3))
    from openpyxl import load_workbook

    book = load_workbook(path)
    book["houses"]["A1"] = "Houses of 2024"
    book.save(path)
    with pytest.warns(SlalomWarning, match="'Houses of 2024,,,'"):
        assert_same(path)


def test_a_workbook_without_the_extra_says_which_one_brings_it(tmp_path, monkeypatch):
    path = workbook(tmp_path / "t.xlsx", houses=(FRAME, 0))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtra, match=r"pip install 'slalom\[excel\]'"):
        read_table(path)


def test_one_of_several_files_in_a_zip_is_named(tmp_path):
    path = tmp_path / "t.zip"
    path.write_bytes(as_zip(CSV, "a.csv", "b.csv"))
    assert_same(f"{path}::b.csv")
    with pytest.raises(BadFile, match=r"holds 2 files: a\.csv, b\.csv\. Name one"):
        read_table(path)


def test_a_part_of_what_has_none_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(CSV)
    with pytest.raises(BadFile, match="holds one table alone, so leave out ::x"):
        read_table(f"{tmp_path / 't.csv'}::x")


def test_a_file_whose_name_has_the_sign_is_taken_whole(tmp_path):
    (tmp_path / "a::b.csv").write_bytes(CSV)
    assert_same(tmp_path / "a::b.csv")


@pytest.mark.slow
def test_standard_input(tmp_path):
    command = [sys.executable, "-m", "slalom", "inspect", "-"]
    done = subprocess.run(command, input=gzip.compress(CSV), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert b"4 rows, 4 columns" in done.stdout
    refused = subprocess.run(
        [sys.executable, "-m", "slalom", "fit", "-", "--target", "size"],
        input=CSV,
        capture_output=True,
        timeout=120,
    )
    assert refused.returncode == 2 and b"Write it to a file first" in refused.stderr


def test_rows_of_a_sheet_that_end_early_are_filled_up():
    from slalom.data.sheets import _table

    frame = _table([(None, "a", "b", None), (None, 1.0), (None, 2, "x"), (None,)], "t.xlsx")
    assert frame.fillna("").to_numpy().tolist() == [["1", ""], ["2", "x"]]


@pytest.mark.parametrize("ending", ["xlsx", "feather", "db", "zip", "parquet", "jsonl"])
def test_a_damaged_file_is_a_bad_file_and_nothing_else(ending, tmp_path):
    path = tmp_path / f"t.{ending}"
    if ending == "xlsx":
        workbook(path, houses=(FRAME, 0))
    elif ending == "feather":
        pyarrow.feather.write_feather(pa.Table.from_pandas(FRAME), path)
    elif ending == "db":
        database(path, houses=FRAME)
    elif ending == "zip":
        path.write_bytes(as_zip(CSV))
    elif ending == "parquet":
        FRAME.to_parquet(path)
    else:
        FRAME.astype({"day": str}).to_json(path, orient="records", lines=True)
    raw, draw = path.read_bytes(), random.Random(0)
    for _ in range(60):
        damaged = bytearray(raw)
        place = draw.randrange(len(raw))
        damaged[place : place + draw.randrange(1, 9)] = draw.randbytes(draw.randrange(9))
        path.write_bytes(damaged)
        with suppress(SlalomError), warnings.catch_warnings():  # or read, where nothing mattered
            warnings.simplefilter("ignore", SlalomWarning)
            read_table(path)
