"""The numbers of the lesson on tensors against plain Python."""

import statistics
import struct
from fractions import Fraction

import numpy as np
import pytest

from slalom.lessons.lesson import Made
from slalom.lessons.tensors import LESSON, share
from slalom.lessons.tensors.product import products

VALUES = [-2, -1, 0, 1, 2, 4]


@pytest.fixture(scope="module")
def made() -> Made:
    return LESSON.make(size=2, terms=20_000)


def float32(value: float) -> float:
    """The nearest number that four bytes can hold, without NumPy or torch."""
    (rounded,) = struct.unpack("f", struct.pack("f", value))
    return float(rounded)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
def test_a_number_written_by_one_name_is_seen_by_the_other_and_not_by_the_copy(dtype: str) -> None:
    first, by_array, by_tensor = share(dtype, 7)
    assert first.shared.tolist() == first.copy.tolist() == VALUES
    assert by_array.shared.tolist() == [-2, 7, 0, 1, 2, 4]
    assert by_tensor.shared.tolist() == [-2, 7, 0, 1, 7, 4]
    assert by_tensor.copy.tolist() == VALUES


@pytest.mark.parametrize(
    ("dtype", "stored"), [("int64", -2), ("float64", -2.7), ("float32", float32(-2.7))]
)
def test_what_is_stored_depends_on_the_dtype(dtype: str, stored: float) -> None:
    for moment in share(dtype, -2.7)[2:]:
        assert moment.shared[1] == moment.shared[4] == stored


def test_functions_of_both_libraries_differ_by_the_rounding_of_float32(made: Made) -> None:
    # x and the result are each rounded to 24 binary digits, and no slope is above 1.
    assert 0 < made.numbers["largest_difference"] < 3 * 2**-24 + 2 * 2**-24


def test_products_are_those_of_sums_over_whole_numbers(made: Made) -> None:
    first, second = np.random.default_rng(0).integers(-3, 4, (2, 2, 2)).tolist()
    assert made.numbers["matrix_product"].tolist() == [
        [sum(row[k] * second[k][j] for k in range(2)) for j in range(2)] for row in first
    ]
    assert made.numbers["elementwise_product"].tolist() == [
        [p * q for p, q in zip(row, other, strict=True)]
        for row, other in zip(first, second, strict=True)
    ]


def test_each_name_of_the_matrix_product_takes_the_shapes_that_the_text_says(made: Made) -> None:
    error = "RuntimeError"
    assert made.numbers["by_dot"] == ["()", error, error, error]
    assert made.numbers["by_mm"] == [error, error, "(2, 4)", error]
    assert made.numbers["by_matmul"] == ["()", "(2,)", "(2, 4)", "(5, 2, 4)"]


def test_the_movie_ends_with_both_products_worked_out() -> None:
    movie = products(np.array([[1, 2], [3, 4]]), np.array([[5, 6], [7, 8]]))
    assert movie.moments == 8
    movie.show(movie.moments - 1)
    shown = [[text.get_text() for text in axes.texts] for axes in movie.figure.axes]
    assert shown[2][:4] == ["19", "22", "43", "50"]
    assert shown[2][4] == "3·6 + 4·8 = 50"
    assert shown[5][:4] == ["5", "12", "21", "32"]
    movie.show(1)  # the first of two products is in the sum, the rest is empty again
    assert [text.get_text() for text in movie.figure.axes[2].texts][:4] == ["19", "", "", ""]


def test_the_table_of_differences_is_what_statistics_and_the_documentation_say(made: Made) -> None:
    in_numpy, in_torch = made.numbers["in_numpy"], made.numbers["in_torch"]
    assert in_numpy[2] == f"{statistics.pstdev(VALUES):.4f}"
    assert in_torch[2] == f"{statistics.stdev(VALUES):.4f}"
    assert float(in_numpy[3]) == statistics.median(VALUES)
    assert float(in_torch[3]) == statistics.median_low(VALUES)
    assert (in_numpy[4], in_torch[4]) == ("[1, 1, 2, 2]", "[1, 2, 1, 2]")
    assert [text.endswith("Error") for text in in_numpy] == [False] * 9
    assert [text.endswith("Error") for text in in_torch] == [False] * 5 + [True] * 4


def test_a_tenth_and_two_tenths_are_three_tenths_in_float32_alone() -> None:
    assert 0.1 + 0.2 == 0.30000000000000004 != 0.3
    assert float32(float32(0.1) + float32(0.2)) == float32(0.3)


def test_sums_are_those_of_a_loop_that_rounds_each_time(made: Made) -> None:
    narrow = wide = 0.0
    for _ in range(20_000):
        narrow = float32(narrow + float32(0.1))
        wide += 0.1
    assert made.numbers["narrow_sum"] == narrow
    assert made.numbers["wide_sum"] == wide
    assert made.numbers["exact"] == 20_000 * Fraction(1, 10)
    assert abs(narrow - 2000) > 0.1 > 1e-8 > abs(wide - 2000)
