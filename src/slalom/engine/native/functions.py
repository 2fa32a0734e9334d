"""Elementary functions as float32 formulas without a branch or a call, so that loops vectorise.

    exp, expm1, sigmoid, tanh    from one reduction: x = n ln 2 + r, and a polynomial in r
    log, log1p                   from one series in s = f / (2 + f)
    normal                       distribution function and density: the exact gelu

Errors are in ulp, units in the last place of the float32 result, over all float32 arguments unless
said otherwise; `tests/engine/native/test_functions.py` measures them. NaN gives NaN. Zeros carry no
promise of their sign. Polynomials and rationals are minimax fits of the relative error.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from slalom.engine.native.adapter import intrinsic, ir, types
from slalom.engine.native.compile import inline

ZERO, HALF, ONE, TWO = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)

LOG2_E = np.float32(1.44269504)
# ln 2 in two parts; whole numbers below 2^9 times the first are exact even without fused products.
LN2_HIGH, LN2_LOW = np.float32(0.693145752), np.float32(1.42860677e-6)

# Adding 1.5 * 2^23 leaves no bits for a fraction: the sum is rounded to a whole number. The 127 on
# top is the bias of float32's exponent, so that the lowest bits of n + ROUNDER are those of 2^n.
ROUNDER = np.float32(1.5 * 2**23 + 127)


def _bitcast(source: types.Type, target: types.Type, llvm_target: ir.Type) -> Any:
    """A function that reads the same 32 bits as another type."""

    @intrinsic
    def cast(typing_context: Any, value: types.Type) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], llvm_target)

        return target(source), generate

    return cast


_bits: Callable[[np.float32], np.int32] = _bitcast(types.float32, types.int32, ir.IntType(32))
_from_bits: Callable[[np.int32], np.float32] = _bitcast(types.int32, types.float32, ir.FloatType())


@inline
def _power_of_two(n: np.float32) -> np.float32:
    """2^n for a whole n from -126 to 127."""
    return _from_bits(np.int32(_bits(n + ROUNDER) << np.int32(23)))


@inline
def _reduce(x: np.float32) -> tuple[np.float32, np.float32]:
    """`(q, n)` with exp(x) = (1 + q) 2^n, and |q| < 0.42 as exact as exp(x) - 1 can be."""
    n = (x * LOG2_E + ROUNDER) - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    p = np.float32(0.0013863713)
    p = p * r + np.float32(0.0083675580)
    p = p * r + np.float32(0.0416672416)
    p = p * r + np.float32(0.1666653305)
    p = p * r + HALF
    return r + r * r * p, n


@inline
def _reduce_all(x: np.float32) -> tuple[np.float32, np.float32, np.float32]:
    """`(q, n1, n2)` with exp(x) = (1 + q) 2^n1 2^n2.

    Beyond the clamps the result has long become 0 or inf. Two powers, because one could not reach
    the denormals below and the largest numbers above.
    """
    x = np.float32(-105) if x < np.float32(-105) else x
    x = np.float32(90) if x > np.float32(90) else x
    q, n = _reduce(x)
    n1 = (n * HALF + ROUNDER) - ROUNDER
    return q, n1, n - n1


@inline
def exp(x: np.float32) -> np.float32:
    """e^x, denormal results included; error below 1.1 ulp."""
    q, n1, n2 = _reduce_all(x)
    scale = _power_of_two(n1)
    return (scale * q + scale) * _power_of_two(n2)


@inline
def expm1(x: np.float32) -> np.float32:
    """e^x - 1 without cancellation near 0; error below 1.6 ulp."""
    q, n1, n2 = _reduce_all(x)
    scale = _power_of_two(n1)
    return (scale * q + (scale - _power_of_two(-n2))) * _power_of_two(n2)


@inline
def sigmoid(x: np.float32) -> np.float32:
    """1 / (1 + e^-x), denormal results included; error below 2.5 ulp."""
    e = exp(-abs(x))
    return (ONE if x > ZERO else e) / (ONE + e)


@inline
def tanh(x: np.float32) -> np.float32:
    """(e^2x - 1) / (e^2x + 1), never beyond 1; error below 2.7 ulp."""
    # From 10 on the result is 1; with the clamps one power of two is enough.
    x = np.float32(10) if x > np.float32(10) else x
    x = np.float32(-10) if x < np.float32(-10) else x
    q, n = _reduce(TWO * x)
    scale = _power_of_two(n)
    t = scale * q + (scale - ONE)
    return t / (t + TWO)


@inline
def log1p(f: np.float32) -> np.float32:
    """ln(1 + f) for f from sqrt(1/2) - 1 to 1; error below 1.3 ulp.

    With s = f / (2 + f) it is 2 artanh(s) = 2 s + s R(s^2), written such that the first term is
    exact: f - s (f - R).
    """
    s = f / (TWO + f)
    z = s * s
    p = np.float32(0.2801198661)
    p = p * z + np.float32(0.2800180614)
    p = p * z + np.float32(0.4002152681)
    p = p * z + np.float32(0.6666641831)
    return f - s * (f - z * p)


@inline
def log(x: np.float32) -> np.float32:
    """ln x, -inf at 0 and NaN below; error below 1.1 ulp."""
    tiny = x < np.float32(2**-126)
    bits = _bits(x * np.float32(2**23) if tiny else x)
    # Splits x = 2^n m with m from sqrt(1/2) to sqrt(2), whose bits those of sqrt(1/2) begin.
    above = np.int32(bits - np.int32(0x3F3504F3))
    n = np.float32(np.int32(above >> np.int32(23)))
    m = _from_bits(np.int32((above & np.int32(0x7FFFFF)) + np.int32(0x3F3504F3)))
    n = n - np.float32(23) if tiny else n
    y = n * LN2_HIGH + (log1p(m - ONE) + n * LN2_LOW)
    y = y if x < np.float32(np.inf) else x
    y = -np.float32(np.inf) if x == ZERO else y
    return np.float32(np.nan) if x < ZERO else y


@inline
def normal(z: np.float32) -> tuple[np.float32, np.float32]:
    """Distribution function and density of the standard normal distribution at `z`.

    The tail below -|z| is e^(-z^2/2) times a ratio that falls slowly from 1/2, here a rational.
    Errors: below 4 ulp for |z| < 1; further out the rounding of z^2 / 2 shows in the exponential,
    up to 70 ulp in the far tails. In absolute terms always below 1.3e-7.
    """
    # Beyond 15 the exponential is 0; the clamp keeps inf / inf away.
    u = np.float32(15) if abs(z) > np.float32(15) else abs(z)
    e = exp(-HALF * u * u)
    p = np.float32(0.0041238470)
    p = p * u + np.float32(0.0406838919)
    p = p * u + np.float32(0.1833852530)
    p = p * u + np.float32(0.4384972751)
    p = p * u + HALF
    q = np.float32(0.0103368331)
    q = q * u + np.float32(0.1019857749)
    q = q * u + np.float32(0.4698669612)
    q = q * u + np.float32(1.2031261921)
    q = q * u + np.float32(1.6748795509)
    q = q * u + ONE
    tail = e * (p / q)
    return (ONE - tail if z > ZERO else tail), e * np.float32(0.3989422804)
