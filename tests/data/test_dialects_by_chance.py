"""A table written in a random dialect is read back: the same kinds of columns, the same values."""

import csv
import io
import random
import warnings

import numpy as np
import pandas as pd
import pytest

from slalom.core.errors import SlalomWarning
from slalom.data.columns import fit_column
from slalom.data.columns.numerals import numbers
from slalom.data.delimited import parse_delimited

KINDS = ("Number", "Boolean", "Category", "Datetime")
THOUSANDS = {".": ["", ",", " ", "'"], ",": ["", ".", " ", "'"]}
DATES = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d %b %Y", "%Y%m%d")
TRUTHS = (("yes", "no"), ("True", "False"), ("1", "0"), ("Y", "N"), ("on", "off"))
MARKERS = ("", "NA", "NULL", "-", "n/a", "?", "none")
WORDS = {
    "utf-8": ["red", "blue sky", "grün", "žlutá", "東京", "semi;colon", "com,ma", 'quo"te'],
    "cp1252": ["red", "blue sky", "grün", "señal", "crème brûlée", "Straße", "naïve", "café"],
}


def draw_table(draw: random.Random, encoding: str) -> tuple[dict[str, list], dict[str, str]]:
    """Cells as Python has them, None where one is missing, and the kind of each column."""
    rows = draw.randrange(30, 80)
    cells, kinds = {}, {}
    for k in range(draw.randrange(2, 6)):
        kind = draw.choice(KINDS)
        name = f"{draw.choice(['size', 'the name', 'x', 'größe'])} {k}"
        if kind == "Number":
            scale, digits = 10 ** draw.randrange(0, 6), draw.randrange(0, 4)
            column = [round(draw.uniform(-scale, scale), digits) for _ in range(rows)]
            column = [c + 2 for c in column] if len(set(column)) < 14 else column
        elif kind == "Boolean":
            column = [True, False, *(draw.random() < 0.5 for _ in range(rows - 2))]
        elif kind == "Category":
            levels = draw.sample(WORDS[encoding], draw.randrange(3, 6))
            column = [*levels * 3, *(draw.choice(levels) for _ in range(rows - 3 * len(levels)))]
        else:
            start = pd.Timestamp("2019-01-13")
            column = [start + pd.Timedelta(days=draw.randrange(0, 2000)) for _ in range(rows)]
            column[:2] = [pd.Timestamp("2020-12-25"), pd.Timestamp("2021-02-28")]
        cells[name], kinds[name] = column, kind
    return cells, kinds


def written(draw: random.Random, cells: dict[str, list], kinds: dict[str, str], encoding: str):
    """The bytes of the table in some dialect, and for each column where its cells are missing."""
    decimal = draw.choice(".,")
    delimiter = draw.choice(["\t", ";", "|"] + [","] * (decimal == "."))
    marker, missing, text = draw.choice(MARKERS), {}, {}
    for name, column in cells.items():
        kind = kinds[name]
        # Among groups of words such a marker is a word like any other.
        mark = marker if kind in ("Number", "Datetime") or marker in MARKERS[:3] else ""
        share = draw.choice([0, 0, 0.2])
        gone = [draw.random() < share and k > 20 for k in range(len(column))]
        if kind == "Number":
            sign = draw.choice(THOUSANDS[decimal]) if delimiter != "," else ""
            form = [f"{value:,}".replace(",", "_").replace(".", decimal) for value in column]
            form = [value.replace("_", sign) for value in form]
            around = draw.choice(["{}", "{}", "$ {}", "{} €", "{} kg", "({})"])
            if around == "({})":
                form = [f"({f[1:]})" if f[0] == "-" else f for f in form]
            else:
                form = [around.format(f) for f in form]
        elif kind == "Boolean":
            yes, no = draw.choice(TRUTHS)
            form = [yes if value else no for value in column]
        elif kind == "Datetime":
            form = [
                value.strftime(draw_format)
                for draw_format in [draw.choice(DATES)]
                for value in column
            ]
        else:
            form = column
        missing[name] = np.array(gone)
        text[name] = [mark if g else f for g, f in zip(gone, form, strict=True)]
    file = io.StringIO()
    quoting = draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    writer = csv.writer(
        file, delimiter=delimiter, quoting=quoting, lineterminator=draw.choice(["\n", "\r\n"])
    )
    writer.writerow(text)
    writer.writerows(zip(*text.values(), strict=True))
    above = draw.choice(
        ["", "", "# exported\n", f"sep={delimiter}\n", "\n\n", "Report of 2024\n\n"]
    )
    if above.startswith("Report") and len(cells) < 3:
        above = ""
    return (above + file.getvalue()).encode(encoding), missing


def check(seed: int) -> None:
    draw = random.Random(seed)
    encoding = draw.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"])
    words = "cp1252" if encoding == "cp1252" else "utf-8"
    cells, kinds = draw_table(draw, words)
    raw, missing = written(draw, cells, kinds, encoding)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SlalomWarning)  # a guessed encoding, a title left out
        frame = parse_delimited(raw, f"seed {seed}")
    assert list(frame) == list(cells), raw[:300]
    for name, column in cells.items():
        spec = fit_column(name, frame[name])
        assert spec.kind == kinds[name], (seed, name, spec, raw[:600].decode(encoding, "replace"))
        gone = missing[name]
        if spec.kind == "Number":
            found, _ = numbers(frame[name], spec.decimal, spec.unit)
            expected = np.where(gone, np.nan, np.array(column, dtype=float))
        elif spec.kind == "Datetime":
            found = spec.seconds(frame[name])
            expected = np.where(gone, np.nan, [value.timestamp() for value in column])
        elif spec.kind == "Boolean":
            found = spec.encode(frame[name])[:, 0]
            expected = np.where(gone, 0, 2.0 * np.array(column) - 1)
        else:
            found = frame[name].fillna("").to_numpy(dtype=object)
            expected = np.where(gone, "", np.array(column, dtype=object))
        np.testing.assert_array_equal(found, expected, err_msg=f"seed {seed}, {name}")


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, 100, 20))
def test_a_table_in_a_random_dialect_is_read_as_it_was(start: int) -> None:
    for seed in range(start, start + 20):
        check(seed)


@pytest.mark.soak
def test_two_thousand_tables_in_random_dialects(capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(1000, 3000):
        check(seed)
    with capsys.disabled():
        print("\n2000 files, each read as it was written")
