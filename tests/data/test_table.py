"""Whatever holds a table becomes the same DataFrame."""

import gzip

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from slalom.core.errors import SlalomWarning
from slalom.data.delimited import parse_delimited
from slalom.data.table import read_table

ROWS = [("ann", "1.5"), ("bob", "2.5"), ("cid", "4")]


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def rows(frame):
    return list(frame.itertuples(index=False, name=None))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiter_and_line_ends_are_detected(tmp_path, delimiter, newline):
    lines = [delimiter.join(row) for row in [("name", "size"), *ROWS]]
    frame = read_table(write(tmp_path / "t.csv", newline.join(lines) + newline))
    assert list(frame) == ["name", "size"]
    assert rows(frame) == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_encodings_are_read_without_a_word(tmp_path, encoding):
    frame = read_table(write(tmp_path / "t.csv", "näme,größe\nZoë,1\n東京,2\n", encoding))
    assert list(frame) == ["näme", "größe"]
    assert rows(frame) == [("Zoë", "1"), ("東京", "2")]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "name,stadt\nJürgen,München\nZoë,Køln\nÉmile,Besançon\n"),
        ("cp1252", "preis;ort\n3 €;Fürth\n4 €;Köln\n"),
        ("cp1251", "имя,город\nИван,Москва\nОльга,Санкт-Петербург\n"),
        ("shift_jis", "名前,都市\n太郎,東京\n花子,大阪\n"),
    ],
)
def test_other_encodings_are_guessed_and_the_guess_is_said(tmp_path, encoding, text):
    with pytest.warns(SlalomWarning, match=r"not UTF-8; it was read as"):
        frame = read_table(write(tmp_path / "t.csv", text, encoding))
    expected = [line.replace(";", ",").split(",") for line in text.strip().split("\n")]
    assert [list(frame), *map(list, rows(frame))] == expected


def test_gzip_is_known_by_its_bytes_and_not_by_its_name(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(gzip.compress(b"a,b\nx,2\ny,4\n"))
    assert rows(read_table(path)) == [("x", "2"), ("y", "4")]


def test_a_plain_file_called_gz_is_read_as_it_is(tmp_path):
    assert rows(read_table(write(tmp_path / "t.csv.gz", "a,b\nx,2\n"))) == [("x", "2")]


def test_without_header_the_columns_are_numbered_and_it_is_said(tmp_path):
    with pytest.warns(SlalomWarning, match="no header: .* called column_1 to column_3"):
        frame = read_table(write(tmp_path / "t.csv", "1,a,2.5\n3,b,4.5\n"))
    assert list(frame) == ["column_1", "column_2", "column_3"]
    assert len(frame) == 2


@pytest.mark.parametrize(
    ("text", "has_header"),
    [
        ("a,b\n1,2\n", True),
        ("1,2\n3,4\n", False),
        ("name,sex\nann,f\nbob,m\n", True),
        ("f,yes\nf,yes\nm,no\n", False),
        ("1,5;2,5\n3,5;4\n", False),
        ("x;y\n1,5;2,5\n", True),
        ("1.0,NA,3\n2.0,5,6\n", False),
        (",a,b\n0,1,2\n", True),
        ("x\n1\n2\n", True),
        ("7,8\n", False),
        ("0,1,2\n0.5,2.5,1\n1.5,2,3\n", True),
        ("country,2019,2020\nde,1,2\nfr,3,4\nde,3,4\n", True),
        ("de,1,2\nfr,3,4\nde,3,4\n", False),
        ("1,2,3\n4,5,6\n", False),
    ],
)
@pytest.mark.filterwarnings("ignore:.* has no header")
def test_a_header_is_where_names_stand_over_numbers(tmp_path, text, has_header):
    frame = read_table(write(tmp_path / "t.csv", text))
    assert (next(iter(frame)) != "column_1") == has_header
    assert len(frame) == text.count("\n") - has_header


def test_cells_stay_text_and_missing_markers_become_missing(tmp_path):
    markers = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", " NA "]
    text = "a,b\n" + "".join(f"{marker},007\n" for marker in markers) + "none,-\n"
    frame = read_table(write(tmp_path / "t.csv", text))
    assert frame["a"].isna().tolist() == [True] * len(markers) + [False]
    assert frame["b"].tolist() == ["007"] * len(markers) + ["-"]
    assert all(pd.api.types.is_string_dtype(dtype) for dtype in frame.dtypes)


def test_blank_lines_are_no_rows(tmp_path):
    frame = read_table(write(tmp_path / "t.csv", "\n\na,b\n1,2\n\n   \n3,4\n\n"))
    assert rows(frame) == [("1", "2"), ("3", "4")]


def test_in_a_table_of_one_column_an_empty_line_is_a_row(tmp_path):
    frame = read_table(write(tmp_path / "t.csv", "a\n1\n\n3\n"))
    assert frame["a"].isna().tolist() == [False, True, False]


def test_quoted_fields_may_hold_delimiters_quotes_and_line_ends(tmp_path):
    text = 'a,b\n"x, y","say ""hi"""\n"two\nlines",2\n'
    frame = read_table(write(tmp_path / "t.csv", text))
    assert rows(frame) == [("x, y", 'say "hi"'), ("two\nlines", "2")]


def test_columns_without_a_name_are_named_by_their_position(tmp_path):
    frame = read_table(write(tmp_path / "t.csv", ",a, \n0,1,2\n"))
    assert list(frame) == ["unnamed_1", "a", "unnamed_3"]


def test_parquet_keeps_types_and_a_named_index(tmp_path):
    frame = pd.DataFrame({"x": [1.5, 2.5], "when": pd.to_datetime(["2024-01-01", "2024-02-01"])})
    path = tmp_path / "t.parquet"
    frame.set_index(pd.Index(["p", "q"], name="key")).to_parquet(path)
    read = read_table(path)
    assert set(read) == {"x", "when", "key"}
    assert read["x"].tolist() == [1.5, 2.5]
    assert read["when"].dtype.kind == "M"


def test_pandas_frames_keep_their_types_and_lose_their_row_labels():
    frame = pd.DataFrame({3: [1, 2], " b ": ["x", None]}, index=["p", "q"])
    read = read_table(frame)
    assert list(read) == ["3", "b"]
    assert read.index.tolist() == [0, 1]
    assert list(frame) == [3, " b "], "the caller's frame must stay as it is"


def test_polars_frames_hold_the_same_table_as_pandas():
    columns = {"n": [1, 2, 3], "s": ["a", None, "b"], "t": [True, False, True]}
    ours, theirs = read_table(pl.DataFrame(columns)), read_table(pd.DataFrame(columns))
    assert ours["n"].tolist() == theirs["n"].tolist()
    assert ours["s"].isna().tolist() == theirs["s"].isna().tolist()
    assert ours["t"].tolist() == theirs["t"].tolist()


def test_arrays_and_small_sparse_matrices_are_tables():
    array = np.array([[1.0, 0.0], [0.0, 2.0]])
    for source in (array, sparse.csr_matrix(array), sparse.coo_array(array)):
        frame = read_table(source)
        assert list(frame) == ["x0", "x1"]
        np.testing.assert_array_equal(frame.to_numpy(), array)


cells = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=8
)


@given(st.integers(2, 4).flatmap(lambda k: st.lists(st.tuples(*[cells] * k), min_size=1)))
def test_what_pandas_writes_comes_back_cell_for_cell(table):
    table = [tuple(f"w{cell}" for cell in row) for row in table]  # nothing missing, no numbers
    names = [f"the name {i}" for i in range(len(table[0]))]
    text = pd.DataFrame(table, columns=names).to_csv(index=False, quoting=1)
    frame = parse_delimited(text.encode(), "it")
    assert list(frame) == names
    assert rows(frame) == table


def test_a_long_table_keeps_every_row(tmp_path):
    numbers = np.arange(120_000).reshape(-1, 2)  # more than one chunk
    path = tmp_path / "t.csv"
    pd.DataFrame(numbers, columns=["a", "b"]).to_csv(path, index=False)
    np.testing.assert_array_equal(read_table(path).to_numpy(dtype=np.int64), numbers)
