"""Every formula against float64, over the whole range of float32."""

import platform
from collections.abc import Callable
from functools import cache
from typing import Any, cast

import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr

from slalom.engine.native import functions
from slalom.engine.native.compile import SUMS, inline

Formula = Callable[[np.float32], np.float32]
Loop = Callable[[NDArray[np.float32], NDArray[np.float32]], None]

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 1.1754942e-38, 3.4028235e38]


def everything() -> NDArray[np.float32]:
    """All signs and exponents with 2^11 mantissas each, the middle densely, and what is special."""
    bits = np.arange(2**20, dtype=np.uint32) * np.uint32(4096)
    bits += np.random.default_rng(0).integers(4096, size=bits.size, dtype=np.uint32)
    parts = [
        bits.view(np.float32),
        np.linspace(-110, 95, 2**18),
        np.linspace(-3, 3, 2**18),
        SPECIAL,
    ]
    x = np.concatenate(parts, dtype=np.float32)
    x[np.isnan(x)] = np.nan  # the quiet one, so that casts do not warn
    return x


@cache
def looped(formula: Formula) -> Loop:
    """`formula` as the engine uses it."""

    @numba.njit(error_model="numpy", fastmath=SUMS)
    def loop(x: NDArray[np.float32], y: NDArray[np.float32]) -> None:
        for i in range(x.size):
            y[i] = formula(x[i])

    return loop


def over(formula: Formula, x: NDArray[np.float32]) -> NDArray[np.float32]:
    y = np.empty_like(x)
    looped(formula)(x, y)
    return y


def ulps(y: NDArray[np.float32], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance in units in the last place; 0 where both are NaN or the same infinity."""
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = truth.astype(np.float32)
        spacing = np.spacing(np.minimum(np.abs(rounded), np.finfo(np.float32).max))
        distance = np.abs(y - truth) / spacing
    same = (y == rounded) | (np.isnan(y) & np.isnan(truth))
    return np.where(same & ~np.isfinite(distance), 0, distance)


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp(-np.abs(x))
    return np.where(x > 0, 1, e) / (1 + e)


@pytest.mark.parametrize(
    ("name", "truth", "bound"),
    [
        ("exp", np.exp, 1.1),
        ("expm1", np.expm1, 1.6),
        ("sigmoid", sigmoid, 2.5),
        ("tanh", np.tanh, 2.7),
        ("log", np.log, 1.1),
    ],
)
def test_over_all_of_float32_the_error_stays_below_the_stated_ulps(
    name: str, truth: Callable[..., NDArray[np.float64]], bound: float
) -> None:
    x = everything()
    with np.errstate(all="ignore"):
        expected = truth(x.astype(np.float64))
    assert ulps(over(getattr(functions, name), x), expected).max() < bound


def test_log1p_is_exact_to_about_one_ulp_on_the_range_that_it_is_meant_for() -> None:
    x = everything()
    x = x[(x >= np.sqrt(0.5) - 1) & (x <= 1)]
    assert ulps(over(functions.log1p, x), np.log1p(x.astype(np.float64))).max() < 1.3


def test_the_normal_distribution_has_small_errors_in_the_middle_and_tiny_ones_in_the_tails() -> (
    None
):
    x = everything()
    z = x.astype(np.float64)
    distribution = over(inline(lambda z: functions.normal(z)[0]), x)
    density = over(inline(lambda z: functions.normal(z)[1]), x)
    with np.errstate(over="ignore"):
        bell = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    for y, truth in [(distribution, ndtr(z)), (density, bell)]:
        assert ulps(y, truth)[np.abs(x) < 1].max() < 4
        assert np.nanmax(ulps(y, truth)) < 70
        assert np.nanmax(np.abs(y - truth)) < 1.3e-7


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("exp", np.inf, np.inf),
        ("exp", -np.inf, 0),
        ("exp", 89, np.inf),
        ("exp", 0, 1),
        ("expm1", 0, 0),
        ("expm1", -np.inf, -1),
        ("tanh", np.inf, 1),
        ("tanh", -np.inf, -1),
        ("sigmoid", np.inf, 1),
        ("sigmoid", -np.inf, 0),
        ("sigmoid", 0, 0.5),
        ("log", 1, 0),
        ("log", 0, -np.inf),
        ("log", np.inf, np.inf),
        ("log", -1, np.nan),
    ],
)
def test_limits_are_exact(name: str, x: float, y: float) -> None:
    given = np.array([x], np.float32)
    np.testing.assert_equal(over(getattr(functions, name), given)[0], np.float32(y))


def test_a_formula_called_from_python_says_who_may_call_it() -> None:
    over(functions.exp, np.ones(1, np.float32))  # also when it has been compiled for a loop
    with pytest.raises(TypeError, match="Python calls programs"):
        functions.exp(np.float32(1))


def test_tanh_and_sigmoid_never_leave_their_range() -> None:
    x = everything()
    x = x[~np.isnan(x)]
    assert np.abs(over(functions.tanh, x)).max() == 1
    s = over(functions.sigmoid, x)
    assert (s.min(), s.max()) == (0, 1)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads the assembly of x86")
@pytest.mark.parametrize("name", ["exp", "expm1", "sigmoid", "tanh", "log", "log1p"])
def test_loops_are_vectorised_and_stay_in_float32(name: str) -> None:
    formula = getattr(functions, name)
    over(formula, np.ones(1, np.float32))
    (assembly,) = cast(Any, looped(formula)).inspect_asm().values()
    assert "mulps" in assembly
    assert "cvtps2pd" not in assembly
    assert "cvtss2sd" not in assembly
