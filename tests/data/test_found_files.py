"""Cells as people write them: what each column is, and the values that it must have, by hand."""

import numpy as np
import pandas as pd
import pytest

from slalom.core.errors import BadData, SlalomWarning
from slalom.data.columns import Category, Datetime, Dropped, Number, fit_column
from slalom.data.columns.dates import date_formats, seconds
from slalom.data.columns.numerals import decimal_mark, numbers, unit_of
from slalom.data.missing import mark_missing
from slalom.data.schema import Schema

nan = np.nan


def text(*cells):
    return pd.Series(cells, dtype="str")


# Column as text, and its numbers.
NUMBERS = {
    "a dash": (["1", "-", "3", "-", "5"], [1, nan, 3, nan, 5]),
    "two dashes": (["1", "--", "3"], [1, nan, 3]),
    "long dashes": (["1", "–", "3", "—"], [1, nan, 3, nan]),
    "dots": (["1", ".", "..", "...", "5"], [1, nan, nan, nan, 5]),
    "none": (["1", "none", "3"], [1, nan, 3]),
    "unknown": (["1", "Unknown", "3", "UNKNOWN"], [1, nan, 3, nan]),
    "not available": (["1", "not available", "3"], [1, nan, 3]),
    "errors of spreadsheets": (["1", "#DIV/0!", "#VALUE!", "#REF!"], [1, nan, nan, nan]),
    "null of a database": (["1", "\\N", "(null)", "<null>"], [1, nan, nan, nan]),
    "German": (["1,5", "k.A.", "3"], [1.5, nan, 3]),
    "Chinese": (["1", "无", "不详"], [1, nan, nan]),
    "brackets": (["(82)", "17", "(3.5)"], [-82, 17, -3.5]),
    "brackets and dollars": (["($1,234.50)", "$99.90"], [-1234.5, 99.9]),
    "dollars and brackets": (["$(1,234.50)", "$99.90"], [-1234.5, 99.9]),
    "a minus behind": (["82-", "17", "3.5-"], [-82, 17, -3.5]),
    "a minus behind euros": (["82,50- €", "17 €"], [nan, 17]),
    "a wide minus": (["−82", "17"], [-82, 17]),
    "a minus after the currency": (["$-5", "$7"], [-5, 7]),
    "a minus before the currency": (["-$5", "$7"], [-5, 7]),
    "a plus": (["+5", "-7"], [5, -7]),
    "dollars of countries": (["US$ 5", "A$7", "HK$1,200"], [5, 7, 1200]),
    "codes before": (["EUR 5", "CHF 7", "USD1,200"], [5, 7, 1200]),
    "codes behind": (["5 EUR", "7 SEK", "1,200 JPY"], [5, 7, 1200]),
    "signs behind": (["5 €", "7€", "1.200,50 €"], [5, 7, 1200.5]),
    "other signs": (["₹5", "₽7", "₩1,200", "₺3", "₫9"], [5, 7, 1200, 3, 9]),
    "kroner": (["5,50 kr", "1 200 kr"], [5.5, 1200]),
    "zloty": (["5,50 zł", "1 200,00 zł"], [5.5, 1200]),
    "francs": (["Fr. 5.50", "Fr. 1'200.00"], [5.5, 1200]),
    "rupees": (["Rs. 5", "Rs 1,23,456"], [5, 123456]),
    "Indian thousands": (["1,23,456", "12,34,567.50"], [123456, 1234567.5]),
    "Swiss thousands": (["1'234", "1’234’567"], [1234, 1234567]),
    "blank thousands": (["1 234", "1\u202f234\u202f567", "1\xa0234"], [1234, 1234567, 1234]),
    "German thousands": (["1.234.567", "1.234,5"], [1234567, 1234.5]),
    "percent": (["5%", "12.5 %"], [5, 12.5]),
    "per mille": (["5‰", "12 ‰"], [5, 12]),
    "kilograms": (["5 kg", "12.5 kg", "7kg"], [5, 12.5, 7]),
    "kilograms with commas": (["5,5 kg", "1.200,25 kg"], [5.5, 1200.25]),
    "days": (["1 day", "2 days", "30 days"], [1, 2, 30]),
    "degrees": (["21 °C", "-3.5 °C"], [21, -3.5]),
    "inches": (['5"', '12.5"'], [5, 12.5]),
    "kilometres an hour": (["50 km/h", "100 km/h"], [50, 100]),
    "square metres": (["50 m²", "100 m²"], [50, 100]),
    "a unit of two words": (["5 square feet", "10 square feet"], [5, 10]),
    "a unit and a dash": (["5 kg", "-", "7 kg"], [5, nan, 7]),
    "exponents": (["1e3", "2.5E-1"], [1000, 0.25]),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_numbers_are_read_as_they_were_meant(case):
    cells, expected = NUMBERS[case]
    series = text(
        *cells * 2, *(["4"] if "a unit" not in case and not unit_of(text(*cells)) else [])
    )
    unit = unit_of(series)
    values, _ = numbers(series, decimal_mark(series, unit), unit)
    np.testing.assert_array_equal(values[: len(cells)], expected)


WORDS = {
    "postal codes": ["02139", "10001", "94110", "00501"],
    "account numbers": ["000123", "000124", "104", "99"],
    "two units": ["5 kg", "7 lb", "9 kg", "4 lb"],
    "sizes": ["12a", "13b", "14a", "15c"],
    "ordinals": ["1st", "2nd", "3rd", "2nd"],
    "rooms": ["room 1", "room 2", "room 3", "room 1"],
    "ranges": ["1-5", "6-10", "11-15", "1-5"],
    "versions": ["1.2.3", "1.3.0", "2.0.0", "1.2.3"],
}


@pytest.mark.parametrize("case", WORDS)
def test_what_only_looks_like_numbers_is_a_group(case):
    assert isinstance(fit_column("x", text(*WORDS[case] * 5)), Category)


def test_a_code_keeps_its_zero():
    column = fit_column("zip", text(*["02139", "10001"] * 5))
    assert set(column.levels) == {"02139", "10001"}


@pytest.mark.parametrize(
    "cells", [["01", "02", "12"] * 5, ["0", "10", "200"] * 5, ["0.5", "00.7"] * 5]
)
def test_zeros_that_are_no_part_of_a_code_leave_numbers(cells):
    assert isinstance(fit_column("month", text(*cells)), Number)


@pytest.mark.parametrize("as_type", [str, int, float, "Int64"])
def test_dates_written_as_numbers_are_dates(as_type):
    cells = pd.Series([20240131, 20240229, 19991231] * 4).astype(as_type)
    column = fit_column("day", cells)
    assert isinstance(column, Datetime) and column.format == "%Y%m%d"
    expected = pd.to_datetime(["2024-01-31", "2024-02-29", "1999-12-31"]).as_unit("s").asi8
    assert column.seconds(cells)[:3].tolist() == expected.tolist()


def test_seconds_of_a_day_written_as_numbers_are_dates():
    column = fit_column("at", text(*["20240131235959", "20240201000000"] * 4))
    assert isinstance(column, Datetime)
    assert np.diff(column.seconds(text("20240131235959", "20240201000000"))).tolist() == [1]


@pytest.mark.parametrize(
    "cells",
    [
        range(1950, 2024),
        [20240131, 20240230, 20240301],  # no such day
        [20240131, 20241301, 20240301],  # no such month
        [10240131, 20240229, 30240301],  # no plausible year
        [19990101.5, 20240131.25, 20240201.0],
        [12345678, 23456789, 34567890],
    ],
)
def test_years_and_prices_are_numbers(cells):
    assert isinstance(fit_column("price", pd.Series(list(cells)[::-1])), Number)


DATES = {
    "two formats": (["2024-01-31", "15.02.2024"], ["2024-01-31", "2024-02-15"]),
    "three formats": (
        ["2024-01-31", "15.02.2024", "Mar 3, 2024"],
        ["2024-01-31", "2024-02-15", "2024-03-03"],
    ),
    "with and without a time": (
        ["01/31/2024", "02/15/2024 13:30"],
        ["2024-01-31", "2024-02-15T13:30"],
    ),
    "dashes among dates": (["2024-01-31", "-", "2024-02-15"], ["2024-01-31", None, "2024-02-15"]),
    "two and four digits of a year": (["31.01.24", "15.02.2024"], ["2024-01-31", "2024-02-15"]),
}  # fmt: skip


@pytest.mark.parametrize("case", DATES)
def test_dates_of_several_formats_are_all_read(case):
    cells, expected = DATES[case]
    series = text(*cells * 4)
    column = fit_column("day", series)
    assert isinstance(column, Datetime)
    wanted = [nan if e is None else pd.Timestamp(e).timestamp() for e in expected]
    np.testing.assert_array_equal(column.seconds(series)[: len(cells)], wanted)


def test_a_cell_that_could_be_two_dates_has_no_reading_and_it_is_said():
    series = text(
        "13/02/2024", "02/14/2024", "03/04/2024", "25/12/2023", "12/26/2023", "05/05/2024"
    )
    column = fit_column("day", series)
    assert isinstance(column, Datetime)
    found = column.seconds(series)
    assert np.isnan(found).tolist() == [False, False, True, False, False, False]
    assert found[0] == pd.Timestamp("2024-02-13").timestamp()
    assert "1 cell could be two dates and count" in column.summary


def test_day_and_month_that_could_be_swapped_everywhere_are_told():
    column = fit_column("day", text("03/04/2024", "05/06/2024", "01/02/2024"))
    assert "day and month could be the other way round (%d/%m/%Y)" in column.summary
    sure = fit_column("day", text("03/04/2024", "05/26/2024", "01/02/2024"))
    assert "other way round" not in sure.summary


def test_words_among_dates_are_not_dates_in_two_formats():
    assert date_formats(text("2024-01-31", "soon", "later", "2024-02-01")) == ()
    assert np.isnan(seconds(text("soon"), "ISO8601")[0]).all()


# Rows that are numbered, numbers far out, and what someone says is missing.


def table(**columns):
    return pd.DataFrame(columns)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("as_type", [int, str])
def test_row_numbers_under_any_name_are_left_out_with_a_word(first, as_type):
    cells = pd.Series(range(first, 100 + first)).astype(as_type)
    frame = table(instant=cells, size=np.random.default_rng(0).normal(size=100))
    schema = Schema.fit(frame)
    assert isinstance(schema.columns[0], Dropped) and schema.inputs == ("size",)
    assert "if it is time, give it as dates" in schema.columns[0].summary
    kept = np.random.default_rng(0).random(100) < 0.7  # as a training split has gaps
    assert Schema.fit(frame[kept]).inputs == ("size",)


def test_row_numbers_that_are_all_there_is_are_kept():
    assert Schema.fit(table(x=range(100))).inputs == ("x",)


@pytest.mark.parametrize(
    "cells",
    [
        range(1950, 2050),
        np.arange(100.0),
        [*range(50), *range(50)],
        range(100, 0, -1),
        [k * k for k in range(100)],
    ],
)
def test_other_rising_numbers_are_kept(cells):
    frame = table(x=list(cells), size=np.random.default_rng(0).normal(size=100))
    assert "x" in Schema.fit(frame).inputs


SENTINELS = {
    "-200 of a sensor": ([*range(10, 60), -200, -200, -200], -200),
    "-999": ([*np.linspace(-5, 40, 50), -999, -999, -999], -999),
    "9999": ([*range(50), 9999, 9999, 9999], 9999),
    "999 of ages": ([*range(18, 90), 999, 999, 999], 999),
    "-1 is near": ([*range(50), -1, -1, -1], None),
    "one alone": ([*range(50), 9999], None),
    "zeros": ([*range(30, 80), 0, 0, 0], None),
    "a heavy tail": ([*np.geomspace(1, 1e6, 50), 1e6, 1e6], None),
    "a lot of one value": ([5.0] * 40 + [1.0, 2.0, 3.0], None),
}


@pytest.mark.parametrize("case", SENTINELS)
def test_a_number_far_out_that_repeats_is_pointed_out(case):
    cells, expected = SENTINELS[case]
    column = fit_column("x", pd.Series(cells))
    assert isinstance(column, Number)
    assert ("is far from all others" in column.summary) == (expected is not None)
    if expected is not None:
        assert f"--missing {expected}" in column.summary


def test_values_that_stand_for_missing_cells_are_missing_in_fitting_and_later():
    frame = table(size=[-999, 2, 3, 4, 5], kind=list("abab?"), other=["-999.0", "7", "8", "9", "5"])
    marked = mark_missing(frame, ["-999"])
    assert marked["size"].isna().tolist() == [True] + [False] * 4
    assert marked["other"].isna().tolist() == [True] + [False] * 4
    assert frame["size"].tolist()[0] == -999, "the caller's frame must stay as it is"
    schema = Schema.loads(Schema.fit(marked).dumps())
    assert [marker.value for marker in schema.missing] == ["-999"]
    np.testing.assert_array_equal(schema.encode(frame), schema.encode(marked))
    assert "1 missing cell" in schema.columns[0].summary


def test_a_value_can_be_missing_in_one_column_alone():
    frame = table(**{"a=b": [-9, 1, 2], "c": [-9, 1, 2]})
    for given in (["a=b=-9"], {"a=b": -9}, {"a=b": ["-9"]}):
        marked = mark_missing(frame, given)
        assert marked["a=b"].isna().tolist() == [True, False, False]
        assert marked["c"].tolist() == [-9, 1, 2]


def test_a_value_that_is_nowhere_is_refused():
    with pytest.raises(BadData, match="'-99' was to count as missing, but is not in any column"):
        mark_missing(table(a=[1, 2]), ["-99"])
    with pytest.raises(BadData, match="is not in column 'a'"):
        mark_missing(table(a=[1, 2], b=[-99, 2]), ["a=-99"])
    with pytest.raises(BadData, match=r"no column 'q'.*"):
        mark_missing(table(a=[1, 2]), {"q": 1})


def test_a_word_that_nobody_knows_among_numbers_is_missing_aloud():
    cells = text(*map(str, range(40)), "see note")
    with pytest.warns(SlalomWarning, match="'see note'"):
        column = fit_column("x", cells)
    assert isinstance(column, Number) and column.words == ("see note",)
    assert "1 of them hold no finite number ('see note')" in column.summary


def test_the_markers_of_nothing_are_named_in_the_summary_and_kept_in_the_schema():
    column = fit_column("x", text(*map(str, range(10)), *["-"] * 8))
    assert isinstance(column, Number) and column.words == ("-",)
    assert "8 of them hold '-'" in column.summary
