"""Each kind of column against numbers worked out by hand, by numpy or by scikit-learn."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import OneHotEncoder, RobustScaler

from slalom.core.errors import BadPlan
from slalom.data.columns import (
    Boolean,
    Category,
    Datetime,
    Dropped,
    Duration,
    Number,
    Presence,
    Scale,
    Text,
    fit_column,
)
from slalom.data.columns.cells import MISSING
from slalom.data.columns.dates import seconds
from slalom.data.columns.numerals import decimal_mark, numbers

finite = st.floats(allow_nan=False, allow_infinity=False)


def text(*cells):
    return pd.Series(cells, dtype="str")


def squashed(z, bound=3.0):
    return z / np.sqrt(1 + (z / bound) ** 2)


# Numbers


def test_a_number_is_scaled_by_median_and_quartiles_and_clipped_smoothly():
    values = np.random.default_rng(0).standard_normal(200)
    ours = Number.fit("x", pd.Series(values)).encode(pd.Series(values))
    expected = squashed(RobustScaler().fit_transform(values[:, None]))
    np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-7)


def test_where_the_quartiles_are_equal_half_the_range_is_the_width():
    spec = Number.fit("x", pd.Series([0.0, 0, 0, 0, 0, 8]))
    assert (spec.scale.center, spec.scale.width) == (0, 4)
    np.testing.assert_allclose(spec.encode(pd.Series([0.0, 8.0]))[:, 0], [0, squashed(2)])


def test_a_missing_number_becomes_the_median_and_is_marked():
    spec = Number.fit("x", pd.Series([1.0, 2.0, 3.0, np.nan]))
    encoded = spec.encode(pd.Series([2.0, np.nan, 3.0]))
    np.testing.assert_allclose(encoded, [[0, 0], [0, 1], [squashed(1), 0]], rtol=1e-6)
    assert spec.feature_names == ("x", "x is missing")
    assert "1 missing cell filled with the median 2" in spec.summary


def test_without_missing_cells_in_fitting_there_is_no_indicator():
    spec = Number.fit("x", pd.Series([1.0, 2.0, 3.0]))
    assert spec.encode(pd.Series([np.nan])).tolist() == [[0.0]]


def test_infinities_count_as_missing_with_a_word():
    spec = Number.fit("x", pd.Series([1.0, 2.0, 3.0, np.inf, -np.inf]))
    assert spec.encode(pd.Series([np.inf, -np.inf])).tolist() == [[0, 1], [0, 1]]
    assert "no finite number ('-inf', 'inf')" in spec.summary


def test_whole_numbers_beyond_64_bits_are_numbers():
    large = pd.Series([2**64, 2**65, 2**66, 5 * 2**64], dtype=object)
    spec = fit_column("x", large)
    assert isinstance(spec, Number)
    assert spec.scale.center == 3 * 2.0**64
    assert np.isfinite(spec.encode(large)).all()


def test_many_far_values_get_a_feature_that_tells_them_apart():
    values = np.concatenate([np.linspace(-1, 1, 1000), np.linspace(20, 100, 100)])
    spec = Number.fit("x", pd.Series(values))
    assert spec.feature_names == ("x", "x (far)")
    near, far = spec.encode(pd.Series([20.0, 100.0])).T
    assert near[1] - near[0] < 0.05
    np.testing.assert_allclose(
        far, squashed((np.array([20, 100]) - values.mean()) / values.std(), 10), rtol=1e-5
    )


@pytest.mark.parametrize("far", [99, 400])
def test_too_few_far_values_or_a_mode_of_them_do_not(far):
    values = np.append(np.linspace(-1, 1, 1000), np.linspace(20, 100, far))
    assert Number.fit("x", pd.Series(values)).feature_names == ("x",)


def test_each_of_few_values_gets_a_feature_of_its_own_where_40_rows_have_it():
    values = np.repeat([1.0, 2.5, 4.0, 8.0], [40, 39, 200, 41])
    spec = Number.fit("x", pd.Series(values))
    assert spec.feature_names == ("x", "x=1", "x=4", "x=8")
    assert spec.numbers == 1
    encoded = spec.encode(pd.Series([4.0, 2.5, 1.0, 4.0001]))
    assert encoded[:, 1:].tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert Number.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("different", [2, 13])
def test_two_values_or_many_have_none(different):
    spec = Number.fit("x", pd.Series(np.repeat(np.arange(float(different)), 50)))
    assert spec.feature_names == ("x",)


@given(st.lists(finite, min_size=2, unique=True), st.lists(st.floats(), min_size=1))
def test_a_scale_never_gives_anything_but_finite_bounded_numbers(fitted, applied):
    encoded = Scale.fit(np.array(fitted)).apply(np.array(applied))
    assert encoded.dtype == np.float32
    assert (np.abs(encoded) <= 3).all()


@given(st.lists(st.floats(-1e9, 1e9), min_size=3, unique=True))
def test_a_scale_keeps_the_order_of_the_numbers(values):
    values = np.sort(values)
    assert (np.diff(Scale.fit(values).apply(values)) >= 0).all()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2.5", "-3e2", "+.5"], [1, 2.5, -300, 0.5]),
        (["1,5", "2", "-0,25", "1.234,5"], [1.5, 2, -0.25, 1234.5]),
        (["1,234", "12,345.5", "7"], [1234, 12345.5, 7]),
        (["1,5", "1.234", "2.5"], [1.5, 1234, 2.5]),
        (["1.234.567", "2"], [1234567, 2]),
        (["$1,200.50", "€ 3", "4 €", "-$5", "USD 6"], [1200.5, 3, 4, -5, 6]),
        (["12%", "3.5 %", "-1%"], [12, 3.5, -1]),
        (["1 234", "1\u202f234\u202f567", "12'345"], [1234, 1234567, 12345]),
        ([" 7 ", "\u22128"], [7, -8]),
        (["1_000", "1 2", "0x1F", "1,2,3", "12a"], [np.nan] * 5),
    ],
)
def test_numbers_are_read_as_people_write_them(cells, expected):
    series = text(*cells)
    values, failed = numbers(series, decimal_mark(series))
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(failed, np.isnan(expected))


def test_the_decimal_mark_of_fitting_holds_for_later_tables():
    spec = fit_column("x", text("1,5", "2,5", "4,0"))
    np.testing.assert_array_equal(spec.encode(text("1.500")), spec.encode(pd.Series([1500.0])))


@given(st.lists(finite, min_size=1))
def test_text_of_floats_reads_back_to_the_same_floats(values):
    read, _ = numbers(pd.Series([repr(v) for v in values], dtype="str"))
    np.testing.assert_array_equal(read, values)


def test_a_few_words_in_a_column_of_numbers_are_missing_and_remembered():
    cells = text(*map(str, range(50)), "unknown", "-")
    spec = fit_column("x", cells)
    assert isinstance(spec, Number)
    assert spec.words == ("-", "unknown")
    assert "2 of them hold '-', 'unknown'" in spec.summary
    assert spec.encode(text("unknown", "24")).tolist()[0] == [0, 1]


def test_more_than_a_few_words_make_it_another_kind():
    assert not isinstance(fit_column("x", text(*"123456789", "a", "b")), Number)


# Truth values


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series([True, False, True]),
        pd.Series([1, 0, 1]),
        pd.Series([1.0, 0.0, 1.0]),
        pd.Series([True, False, True], dtype=object),
        text("True", "False", "TRUE"),
        text("yes", "no", "Yes"),
        text("1", "0", "1"),
        text("t", "f", "T"),
    ],
)
def test_truth_values_are_one_and_minus_one_however_written(cells):
    spec = fit_column("b", cells)
    assert isinstance(spec, Boolean)
    assert spec.encode(cells).tolist() == [[1], [-1], [1]]


def test_a_missing_truth_value_is_between_the_two_and_marked():
    for cells in (pd.Series([True, False, None], dtype="boolean"), text("yes", "no", "NA")):
        spec = fit_column("b", cells)
        assert spec.encode(cells).tolist() == [[1, 0], [-1, 0], [0, 1]]
        assert spec.summary == "50% true, 1 missing cell"


# Categories


def test_levels_become_the_same_columns_as_in_scikit_learn():
    cells = pd.Series(list("abcabcaab"), dtype="str")
    spec = fit_column("c", cells)
    assert spec.levels == ("a", "b", "c"), "the most frequent first"
    truth = OneHotEncoder(sparse_output=False).fit_transform(cells.to_frame())
    np.testing.assert_array_equal(spec.encode(cells), truth)


def test_two_levels_share_one_feature():
    spec = fit_column("c", text("m", "f", "m", "f", "m"))
    assert spec.feature_names == ("c=f",)
    assert spec.encode(text("m", "f", "other", "m", "f")).ravel().tolist() == [-1, 1, 0, -1, 1]


def test_missing_cells_are_a_level_only_if_fitting_saw_some():
    with_missing = fit_column("c", text("a", "b", "c", "a", "b", "c", ""))
    assert with_missing.feature_names[-1] == "c is missing"
    assert with_missing.encode(text("NA")).tolist() == [[0, 0, 0, 1]]
    without = fit_column("c", text("a", "b", "c", "a", "b", "c"))
    assert without.encode(text("NA", "a")).tolist()[0] == [0, 0, 0]


def test_rare_and_unseen_levels_share_a_feature():
    spec = fit_column("c", text(*"aaaabbbbccccde"))
    assert spec.feature_names == ("c=a", "c=b", "c=c", "c is rare")
    assert spec.encode(text("d", "e", "never seen")).tolist() == [[0, 0, 0, 1]] * 3


def test_a_single_rare_level_is_called_by_its_name():
    assert fit_column("c", text(*"aaab")).feature_names == ("c=b",)


def test_many_levels_do_not_explode():
    rng = np.random.default_rng(0)
    cells = pd.Series([f"city{i}" for i in rng.geometric(0.01, size=20_000)])
    spec = fit_column("city", cells)
    assert isinstance(spec, Category)
    assert len(spec.feature_names) == 65
    assert set(spec.levels[:3]) < {f"city{i}" for i in range(1, 30)}


def test_a_categorical_dtype_is_taken_at_its_word_and_matches_text():
    spec = fit_column("c", pd.Series([3, 1, 2, 3, 1, 2], dtype="category"))
    assert isinstance(spec, Category)
    np.testing.assert_array_equal(spec.encode(text("3", "1")), spec.encode(pd.Series([3.0, 1.0])))


# Dates and times


def test_a_date_has_a_linear_part_and_cycles_of_what_varies():
    days = pd.Series(pd.date_range("2024-01-01", periods=731, freq="D"))
    spec = fit_column("d", days)
    assert spec.cycles == ("weekday", "day", "month")
    encoded = dict(zip(spec.feature_names, spec.encode(days).T, strict=True))
    weekday = 2 * np.pi * np.arange(731) / 7  # 1 January 2024 was a Monday
    np.testing.assert_allclose(encoded["d weekday sin"], np.sin(weekday), atol=1e-5)
    np.testing.assert_allclose(encoded["d weekday cos"], np.cos(weekday), atol=1e-5)
    np.testing.assert_allclose(encoded["d"], squashed((np.arange(731) - 365) / 365), rtol=1e-5)


def test_the_hour_has_its_minutes():
    times = pd.Series(pd.date_range("2024-01-01", periods=4, freq="90min"))
    spec = fit_column("t", times)
    assert spec.cycles == ("hour",)
    angle = 2 * np.pi * np.array([0, 1.5, 3, 4.5]) / 24
    np.testing.assert_allclose(
        spec.encode(times)[:, 1:], np.c_[np.sin(angle), np.cos(angle)], atol=1e-6
    )


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["2024-01-31", "2024-02-01"], "2024-01-31"),
        (["2024-01-31 10:20:30", "2024-02-01 00:00:00"], "2024-01-31 10:20:30"),
        (["2024-01-31T10:20:30Z", "2024-02-01T00:00:00Z"], "2024-01-31 10:20:30"),
        (["2024-01-31T10:20:30+02:00", "2024-02-01T00:00:00+01:00"], "2024-01-31 08:20:30"),
        (["01/31/2024", "02/01/2024"], "2024-01-31"),
        (["31/01/2024", "01/02/2024"], "2024-01-31"),
        (["01/02/2024", "03/04/2024"], "2024-01-02"),
        (["31.01.2024", "01.02.2024"], "2024-01-31"),
        (["31.01.2024 10:20", "01.02.2024 11:30"], "2024-01-31 10:20"),
        (["01/31/2024 10:20 PM", "02/01/2024 01:00 AM"], "2024-01-31 22:20"),
        (["31 Jan 2024", "1 Feb 2024"], "2024-01-31"),
        (["January 31, 2024", "February 1, 2024"], "2024-01-31"),
        (["0031-01-01", "9999-12-31"], "0031-01-01"),
    ],
)
def test_dates_are_read_as_people_write_them(cells, first):
    spec = fit_column("d", text(*cells))
    assert isinstance(spec, Datetime)
    stamp = (np.datetime64(first) - np.datetime64("1970-01-01")) / np.timedelta64(1, "s")
    assert spec.seconds(text(*cells))[0] == stamp


def test_time_zones_and_units_of_the_dtype_do_not_matter():
    utc = pd.Series(pd.to_datetime(["2024-06-01 12:00", "2024-06-02 18:00"]))
    zoned = utc.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
    for other in (zoned, utc.dt.as_unit("ns"), utc.dt.as_unit("s"), utc.astype("str")):
        np.testing.assert_array_equal(seconds(other, "ISO8601")[0], seconds(utc, "ISO8601")[0])


def test_a_missing_date_is_at_the_median_of_no_hour_and_marked():
    times = pd.Series(pd.to_datetime(["2024-01-01 03:00", None, "2024-01-01 05:00"]))
    spec = fit_column("t", times)
    assert spec.encode(times)[1].tolist() == [0, 0, 0, 1]


def test_a_duration_is_the_scaled_difference():
    start, end = np.array([0.0, 10.0, 20.0]), np.array([60.0, 130.0, 200.0])
    spec = Duration.fit("pickup", "dropoff", end - start)
    assert spec.name == "dropoff - pickup"
    encoded = spec.encode_seconds(start, end)
    np.testing.assert_allclose(encoded[:, 0], squashed(np.array([-1, 0, 1])), rtol=1e-6)


def test_a_duration_that_never_varies_is_none():
    assert Duration.fit("a", "b", np.array([5.0, 5.0, np.nan])) is None


# Text


def test_words_are_counted_like_in_scikit_learn():
    cells = pd.Series([f"{'red' if i % 2 else 'blue'} car number{i} red" for i in range(40)])
    spec = fit_column("t", cells)
    assert isinstance(spec, Text)
    assert spec.tokens == ("blue",), "car and red are everywhere, the numbers only once"
    longer = Text("t", ("red", "car"))
    counts = np.log1p(CountVectorizer(vocabulary=["red", "car"]).fit_transform(cells).toarray())
    truth = counts / np.linalg.norm(counts, axis=1, keepdims=True)
    np.testing.assert_allclose(longer.encode(cells), truth, rtol=1e-6)


def test_text_without_known_words_or_missing_is_zero():
    assert Text("t", ("red",)).encode(text("green car", "", "RED")).ravel().tolist() == [0, 0, 1]


def test_the_vocabulary_is_capped():
    rng = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(300)])
    cells = pd.Series([" ".join(rng.choice(words, 30)) for _ in range(500)])
    assert len(fit_column("t", cells).tokens) == 64


# What is left out


@pytest.mark.parametrize(
    ("name", "cells", "reason"),
    [
        ("a", ["5", "5", "5"], "constant, always '5'"),
        ("a", ["x", "x", "x"], "constant, always 'x'"),
        ("a", ["", "NA", "?"], "every cell is missing"),
        ("a", [f"k{i}" for i in range(30)], "30 different words in 30 rows"),
        ("a", ["2024-01-01"] * 2, "constant, always '2024-01-01'"),
        ("id", range(30), "numbers the rows"),
        ("PassengerId", [9, 4, 7, 1], "numbers the rows"),
        ("Unnamed: 0", [0, 1, 2], "numbers the rows"),
        ("row_number", ["3", "1", "2"], "numbers the rows"),
        ("a", [np.nan, np.nan], "no cell holds a finite number"),
        ("a", pd.to_datetime([None, None]), "every cell is missing"),
    ],
)
def test_columns_without_use_are_left_out_with_a_reason(name, cells, reason):
    spec = fit_column(name, pd.Series(cells))
    assert isinstance(spec, Dropped)
    assert reason in spec.summary
    assert spec.encode(pd.Series(cells)).shape == (len(cells), 0)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("year", range(1900, 2000)),
        ("x0", [*range(50, 100), *range(50)]),
        ("x0", [float(k) for k in range(100)]),
        ("id", [0.5, 1.5, 2.5]),
        ("id", [1, 1, 2, 2]),
        ("width", range(20, 0, -1)),
        ("idle_hours", range(19)),
        ("price", np.linspace(0, 1, 50)),
    ],
)
def test_different_numbers_in_each_row_are_kept_unless_they_name_it(name, cells):
    assert isinstance(fit_column(name, pd.Series(cells)), Number)


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series([5, np.nan, 5]),
        text("x", "", "x"),
        pd.to_datetime(pd.Series(["2024", None, "2024"])),
    ],
)
def test_one_value_or_missing_says_only_which(cells):
    spec = fit_column("a", cells)
    assert isinstance(spec, Presence)
    assert spec.encode(cells).ravel().tolist() == [1, -1, 1]


# All kinds


SAME = [
    ([1, 2, 3, 7], ["1", "2", "3", "7"]),
    ([1.5, None, 3.0, 7.0], ["1.5", "", "3", "7"]),
    ([True, False, True, None], ["True", "False", "True", ""]),
    ([Decimal("1.5"), Decimal(2), Decimal(9), None], ["1.5", "2", "9", "NA"]),
    ([pd.Timestamp("2024-01-02"), pd.Timestamp("2024-02-01")], ["2024-01-02", "2024-02-01"]),
    ([pd.Timestamp("2024-01-02").date(), None, pd.Timestamp("2024-05-01").date()],
     ["2024-01-02", "", "2024-05-01"]),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "written"), SAME)
def test_a_column_means_the_same_with_types_and_as_text(typed, written):
    typed, written = pd.Series(typed), text(*written)
    spec = fit_column("c", written)
    assert fit_column("c", typed) == spec
    np.testing.assert_array_equal(spec.encode(typed), spec.encode(written))


def test_time_differences_are_numbers_of_seconds():
    spec = fit_column("d", pd.Series(pd.to_timedelta([60, 120, 240], unit="s")))
    assert isinstance(spec, Number)
    assert spec.scale.center == 120


def test_every_missing_marker_is_missing_in_every_kind():
    for marker in MISSING:
        spec = fit_column("c", text("1.5", "2.5", marker, "9"))
        assert spec.encode(text(marker)).tolist() == [[0, 1]]


def test_senseless_specs_are_refused():
    with pytest.raises(BadPlan, match="width must be positive"):
        Scale(0.0, 0.0)
    with pytest.raises(BadPlan, match="cycles must be some of"):
        Datetime("d", Scale(0.0, 1.0), cycles=("century",))
