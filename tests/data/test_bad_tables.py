"""Tables that cannot be used: each ends in one paragraph that says what, where and what to do, or
in a result that has a name."""

import gzip
import io

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from slalom.core.errors import BadData, BadFile, SlalomError, SlalomWarning
from slalom.data.schema import Schema
from slalom.data.table import read_table
from slalom.data.target import fit_target, split_missing_target


def says(error, *words):
    """One paragraph that holds the words."""
    text = str(error.value)
    assert "\n" not in text, text
    assert text.endswith((".", "?")), text
    for word in words:
        assert word in text, f"{word!r} is not in: {text}"


def parquet():
    buffer = io.BytesIO()
    pd.DataFrame({"a": [1, 2]}).to_parquet(buffer)
    return buffer.getvalue()


ZIP, PNG = b"PK\x03\x04rest of a workbook", b"\x89PNG\r\n\x1a\n\0\0"
GZIP = gzip.compress(b"a,b\n1,2\n" * 100)

BAD_FILES = {
    "empty": (b"", BadData, ["is empty", "column names"]),
    "only spaces and line ends": (b"  \n\n \n", BadData, ["is empty"]),
    "only a byte-order mark": (b"\xef\xbb\xbf", BadData, ["is empty"]),
    "header only": (b"a,b,c\n", BadData, ["a, b, c", "no rows"]),
    "header only, no line end": (b"a,b,c", BadData, ["no rows"]),
    "empty inside gzip": (gzip.compress(b""), BadData, ["is empty"]),
    "a field too many": (b"a,b\n1,2\n3,4,5\n", BadData, ["line 3", "expected 2", "found 3"]),
    "a field too few": (b"a,b,c\n1,2,3\n4,5\n", BadData, ["line 3", "expected 3", "found 2"]),
    "ragged after a quoted line end": (
        b'a,b\n"x\ny",2\n3\n',
        BadData,
        ["line 4", "expected 2", "found 1"],
    ),
    "ragged with tabs": (b"a\tb\n1\t2\n3\n", BadData, ["line 3", "'tab'"]),
    "a trailing delimiter in each row": (b"a,b\n1,2,\n3,4,\n", BadData, ["line 2", "found 3"]),
    "repeated names": (b"a,b,a,b\n1,2,3,4\n", BadData, ["'a', 'b'", "more than one column"]),
    "names equal but for spaces": (b"a, a\n1,2\n", BadData, ["more than one column", "'a'"]),
    "a quotation mark never closed": (b'a,b\n1,"2\n3,4\n', BadData, ["line 2", "never closed"]),
    "text after a closing quotation mark": (b'a,b\n1,"2"x\n', BadData, ["line 2", "quot"]),
    "binary": (bytes(range(256)) * 4, BadFile, ["not a text file", "byte 0"]),
    "text with a zero byte": (b"a,b\n1,\x002\n", BadFile, ["not a text file", "byte 6"]),
    "a damaged zip": (ZIP, BadFile, ["a zip archive", "cannot be read"]),
    "a picture": (PNG, BadFile, ["a picture"]),
    "a PDF": (b"%PDF-1.7\n", BadFile, ["a PDF"]),
    "a gzip cut off": (GZIP[:-12], BadFile, ["gzipped", "cut off"]),
    "a damaged gzip": (GZIP[:12] + b"\xff" * 9 + GZIP[21:], BadFile, ["gzipped", "damaged"]),
    "a Parquet cut off": (parquet()[:-30], BadFile, ["Parquet", "cannot be read"]),
    "UTF-16 cut in the middle": ("a,b\n1,2".encode("utf-16")[:-1], BadFile, ["utf-16"]),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_answered_with_one_paragraph(tmp_path, case):
    content, kind, words = BAD_FILES[case]
    path = tmp_path / "houses.csv"
    path.write_bytes(content)
    with pytest.raises(kind) as error:
        read_table(path)
    says(error, "houses.csv", *words)


def test_a_missing_file_is_named_with_its_nearest_neighbour(tmp_path):
    (tmp_path / "houses.csv").write_text("a,b\n1,2\n")
    with pytest.raises(BadFile) as error:
        read_table(tmp_path / "house.csv")
    says(error, "no file", "house.csv", "Did you mean 'houses.csv'?")


def test_a_missing_folder_is_said_to_be_missing(tmp_path):
    with pytest.raises(BadFile) as error:
        read_table(str(tmp_path / "nowhere" / "t.csv"))
    says(error, "no file", "no folder")


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(BadFile) as error:
        read_table(tmp_path)
    says(error, "is a folder")


def test_a_path_that_cannot_be_one_is_a_bad_file():
    with pytest.raises(BadFile) as error:
        read_table("t\0.csv")
    says(error, "cannot be read")


BAD_SOURCES = {
    "a list": ([[1, 2]], ["builtins.list", "NumPy array"]),
    "None": (None, ["NoneType"]),
    "a one-dimensional array": (np.arange(3), ["2 dimensions", "(3,)", "reshape(-1, 1)"]),
    "a three-dimensional array": (np.zeros((2, 2, 2)), ["2 dimensions", "(2, 2, 2)"]),
    "an array without rows": (np.zeros((0, 3)), ["0 rows", "3 columns"]),
    "a frame without columns": (pd.DataFrame(index=[1, 2]), ["2 rows", "0 columns"]),
    "a frame with repeated names": (pd.DataFrame([[1, 2]], columns=["a", "a"]), ["'a'"]),
    "names equal as text": (pd.DataFrame([[1, 2]], columns=[1, "1"]), ["'1'", "more than one"]),
    "names of two levels": (
        pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
        ["2 levels", "Flatten"],
    ),
    "a lazy polars frame": (pl.LazyFrame({"a": [1]}), ["LazyFrame", ".collect()"]),
    "a large sparse matrix": (
        sparse.csr_matrix((10_000, 10_000)),
        ["10,000 x 10,000", "100,000,000 cells", "TruncatedSVD"],
    ),
}


@pytest.mark.parametrize("case", BAD_SOURCES)
def test_a_bad_source_is_answered_with_one_paragraph(case):
    source, words = BAD_SOURCES[case]
    with pytest.raises(BadData) as error:
        read_table(source)
    says(error, *words)


BAD_FITS = {
    "one row": ("a,b\n1,x\n", ["No column is left", "1 sample", "constant"]),
    "constant columns": ("a,b\n1,x\n1,x\n", ["No column is left", "'a'", "'b'"]),
    "all-missing columns": ("a,b\n,NA\n?,null\n", ["No column is left", "every cell is missing"]),
    "identifiers only": ("id,name\n1,ann\n2,bob\n3,cid\n", ["numbers the rows", "identifier"]),
    "infinities only": ("a\ninf\n-inf\nnan\n", ["No column is left", "finite number"]),
}


@pytest.mark.parametrize("case", BAD_FITS)
def test_a_table_without_anything_to_learn_from_says_why(tmp_path, case):
    text, words = BAD_FITS[case]
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(BadData) as error:
        Schema.fit(read_table(path))
    says(error, *words)


def test_leaving_out_every_column_says_so():
    with pytest.raises(BadData) as error:
        Schema.fit(pd.DataFrame({"a": [1, 2]}), exclude=["a"])
    says(error, "no column besides")


def test_a_left_out_column_with_a_typo_is_named_with_its_nearest_neighbour():
    with pytest.raises(BadData) as error:
        Schema.fit(pd.DataFrame({"price": [1, 2], "b": [1, 2]}), exclude=["prise"])
    says(error, "'prise'", "Did you mean 'price'?")


def test_complex_numbers_are_refused():
    with pytest.raises(BadData) as error:
        Schema.fit(pd.DataFrame({"z": [1j, 2.0, 3.0]}))
    says(error, "'z'", "complex numbers")


BAD_TARGETS = {
    "constant number": ([3, 3, 3], None, ["'t' is constant", "3 rows", "another target"]),
    "constant word": (["a", "a", "a"], None, ["only one class", "'a'"]),
    "one row": ([3.0], None, ["constant"]),
    "missing in part": ([1.0, None, 3.0], None, ["missing in 1 row of 3", "row 2"]),
    "a missing word": (["a", "b", "NA", "b"], None, ["missing in 1 row", "row 3"]),
    "infinite": ([1.0, np.inf, 3.0], None, ["finite", "row 2 holds 'inf'"]),
    "infinite as text": (["1", "2", "-inf"], None, ["finite", "row 3 holds '-inf'"]),
    "infinite class": ([1.0, np.inf, 1.0], "classification", ["finite", "row 2"]),
    "a class with one row": (["a", "b", "a"], None, ["1 of its 2 classes", "'b'", "at least two"]),
    "numbers as classes": ([0.5, 1.5, 2.5], "classification", ["3 of its 3", '"regression"']),
    "words for regression": (["a", "b", "a"], "regression", ["finite numbers", "row 1 holds 'a'"]),
    "a word among numbers": (
        [*map(str, range(40)), "many"],
        None,
        ["1 row", "row 41 holds 'many'", "classification"],
    ),
    "dates": (pd.to_datetime(["2024-01-01", "2024-01-02"]), None, ["holds dates"]),
    "a task with a typo": ([1, 2, 3], "regresion", ["'regresion'", "'classification'"]),
    "no rows": ([], None, ["0 rows"]),
}


@pytest.mark.parametrize("case", BAD_TARGETS)
def test_a_bad_target_is_answered_with_one_paragraph(case):
    values, task, words = BAD_TARGETS[case]
    with pytest.raises(BadData) as error:
        fit_target(pd.Series(values, name="t"), task)
    says(error, *words)


def test_a_target_name_with_a_typo_is_named_with_its_nearest_neighbour():
    with pytest.raises(BadData) as error:
        split_missing_target(pd.DataFrame({"price": [1], "size": [2]}), ["pirce"])
    says(error, "no target column 'pirce'", "Did you mean 'price'?")


def test_a_target_that_is_missing_everywhere_is_refused():
    with pytest.raises(BadData) as error:
        split_missing_target(pd.DataFrame({"t": [None, "NA"]}), ["t"])
    says(error, "'t' is missing in every one of 2 rows")


def test_targets_that_are_never_there_together_are_refused():
    frame = pd.DataFrame({"a": [1.0, None], "b": [None, 1.0]})
    with pytest.raises(BadData) as error:
        split_missing_target(frame, ["a", "b"])
    says(error, "No row of 2", "a, b")


def test_several_columns_are_no_classes():
    with pytest.raises(BadData) as error:
        fit_target(pd.DataFrame({"a": [0, 1], "b": [0, 1]}), "classification")
    says(error, "one target column", "'a', 'b'")


def test_a_class_that_fitting_did_not_see_is_named():
    target = fit_target(pd.Series(["a", "b"] * 2, name="t"))
    with pytest.raises(BadData) as error:
        target.encode(pd.Series(["a", "c", None]))
    says(error, "'a', 'b'", "2 rows", "row 2 holds 'c'", "row 3 holds 'nothing'")


FITTED = pd.DataFrame(
    {
        "size": [1.5, 2.5, 4.0, 8.0] * 3,
        "sort": ["a", "b", "c", "a"] * 3,
        "new": [True, False, True, True] * 3,
        "day": pd.date_range("2024-01-01", periods=12),
        "id": range(12),
    }
)
SCHEMA = Schema.fit(FITTED)


def changed(**columns):
    return FITTED.assign(**columns)


BAD_PREDICTS = {
    "a missing column": (FITTED.drop(columns="size"), ["lacks 1 of the 4", "'size'"]),
    "a renamed column": (FITTED.rename(columns={"size": "sise"}), ["Did you mean 'sise'?"]),
    "all columns missing": (pd.DataFrame({"q": [1]}), ["lacks 4 of the 4", "'sort'"]),
    "repeated columns": (pd.concat([FITTED, FITTED["size"]], axis=1), ["more than one", "'size'"]),
    "words for numbers": (changed(size="big"), ["'size'", "finite numbers", "row 1 holds 'big'"]),
    "infinities for numbers": (changed(size=np.inf), ["'size'", "12 of its 12 cells"]),
    "numbers for truth values": (changed(new=7), ["'new'", "true/false", "row 1 holds '7'"]),
    "words for dates": (changed(day="soon"), ["'day'", "dates", "row 1 holds 'soon'"]),
    "numbers for dates": (changed(day=1.25), ["'day'", "dates", "row 1 holds '1.25'"]),
}


@pytest.mark.parametrize("case", BAD_PREDICTS)
def test_a_table_that_does_not_fit_the_schema_is_answered_with_one_paragraph(case):
    frame, words = BAD_PREDICTS[case]
    with pytest.raises(BadData) as error:
        SCHEMA.encode(frame)
    says(error, *words)


STRANGE_CELLS = {
    "a word among numbers": ("size", "big", "finite numbers", "size"),
    "an infinity among numbers": ("size", "-inf", "finite numbers", "size"),
    "a word among truth values": ("new", "maybe", "true/false", "new"),
    "a word among dates": ("day", "soon", "dates", "day"),
}


@pytest.mark.parametrize("case", STRANGE_CELLS)
def test_a_few_strange_cells_count_as_missing_and_are_counted_aloud(case):
    column, cell, expected, feature = STRANGE_CELLS[case]
    strange = FITTED[column].astype("str").where(FITTED.index != 4, cell)
    with pytest.warns(SlalomWarning, match=f"1 of 12 cells are not {expected}.*row 5 holds"):
        encoded = SCHEMA.encode(changed(**{column: strange}))
    assert encoded[4, SCHEMA.feature_names.index(feature)] == 0
    np.testing.assert_array_equal(np.delete(encoded, 4, 0), np.delete(SCHEMA.encode(FITTED), 4, 0))


def test_levels_that_fitting_did_not_see_get_the_reserved_code_aloud():
    with pytest.warns(SlalomWarning, match=r"'sort': 12 of 12 cells are levels .* row 1 holds 'z'"):
        encoded = SCHEMA.encode(changed(sort="z"))
    sort = [name.startswith("sort=") for name in SCHEMA.feature_names]
    assert (encoded[:, sort] == 0).all()


def test_a_few_unseen_levels_are_expected_and_quiet():
    encoded = SCHEMA.encode(changed(sort=["z", *FITTED["sort"][1:]]))
    sort = [name.startswith("sort=") for name in SCHEMA.feature_names]
    assert (encoded[0, sort] == 0).all()
    assert (encoded[1:, sort].sum(axis=1) == 1).all()


def test_columns_in_another_order_or_too_many_change_nothing():
    mixed = FITTED[["day", "new", "size", "sort"]].assign(more="x")
    np.testing.assert_array_equal(SCHEMA.encode(mixed), SCHEMA.encode(FITTED))


def test_every_refusal_can_be_caught_as_one_kind_and_as_a_value_error():
    assert issubclass(BadData, SlalomError)
    assert issubclass(BadData, ValueError)
    assert issubclass(BadFile, OSError)
