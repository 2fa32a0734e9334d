"""Activations with their derivatives, in place over a range of an array.

One formula for each name of `slalom.nets.ACTIVATIONS`: z -> (value, slope), with torch's choice of
slope at a kink.
"""

from collections.abc import Callable

import numpy as np

from slalom.core.arrays import Float32Array
from slalom.engine.native.compile import inline, kernel
from slalom.engine.native.functions import (
    ONE,
    TWO,
    ZERO,
    exp,
    expm1,
    log1p,
    normal,
    sigmoid,
    tanh,
)

Formula = Callable[[np.float32], tuple[np.float32, np.float32]]

LEAK = np.float32(0.01)
# Klambauer et al. 2017, as torch has them.
SELU_ALPHA, SELU_SCALE = np.float32(1.6732632423543772), np.float32(1.0507009873554805)


@inline
def _relu(z: np.float32) -> tuple[np.float32, np.float32]:
    return (ZERO if z < ZERO else z), (ONE if z > ZERO else ZERO)


@inline
def _leaky_relu(z: np.float32) -> tuple[np.float32, np.float32]:
    slope = ONE if z > ZERO else LEAK
    return slope * z, slope


@inline
def _elu(z: np.float32) -> tuple[np.float32, np.float32]:
    return (z if z > ZERO else expm1(z)), (ONE if z > ZERO else exp(z))


@inline
def _selu(z: np.float32) -> tuple[np.float32, np.float32]:
    value = z if z > ZERO else SELU_ALPHA * expm1(z)
    slope = ONE if z > ZERO else SELU_ALPHA * exp(z)
    return SELU_SCALE * value, SELU_SCALE * slope


@inline
def _gelu(z: np.float32) -> tuple[np.float32, np.float32]:
    distribution, density = normal(z)
    return z * distribution, distribution + z * density


@inline
def _silu(z: np.float32) -> tuple[np.float32, np.float32]:
    s = sigmoid(z)
    return z * s, s * (ONE + z * (ONE - s))


@inline
def _mish(z: np.float32) -> tuple[np.float32, np.float32]:
    """z t, where t = tanh(softplus(z)) = a / (a + b), both multiplied by e^-2z for z > 0."""
    e = exp(-abs(z))
    a = ONE + TWO * e if z > ZERO else e * (e + TWO)
    b = TWO * e * e if z > ZERO else TWO
    share = ONE / (a + b)
    t = a * share
    # 1 - t^2, the slope of tanh, as (1 - t) (1 + t) without cancellation.
    return z * t, t + z * (b * share * (ONE + t)) * sigmoid(z)


@inline
def _sigmoid(z: np.float32) -> tuple[np.float32, np.float32]:
    s = sigmoid(z)
    return s, s * (ONE - s)


@inline
def _tanh(z: np.float32) -> tuple[np.float32, np.float32]:
    t = tanh(z)
    return t, ONE - t * t


@inline
def _softplus(z: np.float32) -> tuple[np.float32, np.float32]:
    """torch's threshold of 20 needs no case: there ln(1 + e^-z) is below half an ulp of z."""
    return (ZERO if z < ZERO else z) + log1p(exp(-abs(z))), sigmoid(z)


def _loop(formula: Formula) -> Callable[[Float32Array, Float32Array, int, int], None]:
    """`formula` over A[start:stop], with the slopes into D[start:stop]."""

    @kernel
    def loop(A: Float32Array, D: Float32Array, start: int, stop: int) -> None:
        # Unsigned, so that Numba does not look for negative indices, which count from the end.
        for i in range(np.uintp(start), np.uintp(stop)):
            A[i], D[i] = formula(A[i])

    return loop


_relu_loop = _loop(_relu)
_leaky_relu_loop = _loop(_leaky_relu)
_elu_loop = _loop(_elu)
_selu_loop = _loop(_selu)
_gelu_loop = _loop(_gelu)
_silu_loop = _loop(_silu)
_mish_loop = _loop(_mish)
_sigmoid_loop = _loop(_sigmoid)
_tanh_loop = _loop(_tanh)
_softplus_loop = _loop(_softplus)

CODES = {
    "identity": 0,
    "relu": 1,
    "leaky_relu": 2,
    "elu": 3,
    "selu": 4,
    "gelu": 5,
    "silu": 6,
    "mish": 7,
    "sigmoid": 8,
    "tanh": 9,
    "softplus": 10,
}


@kernel
def activate(code: int, A: Float32Array, D: Float32Array, start: int, stop: int) -> None:
    """Replace z in A[start:stop] by act(z), and put act'(z) into D[start:stop].

    `A` and `D` are flat, and the two ranges do not overlap in memory.
    """
    if code == 0:
        D[start:stop] = ONE
    elif code == 1:
        _relu_loop(A, D, start, stop)
    elif code == 2:
        _leaky_relu_loop(A, D, start, stop)
    elif code == 3:
        _elu_loop(A, D, start, stop)
    elif code == 4:
        _selu_loop(A, D, start, stop)
    elif code == 5:
        _gelu_loop(A, D, start, stop)
    elif code == 6:
        _silu_loop(A, D, start, stop)
    elif code == 7:
        _mish_loop(A, D, start, stop)
    elif code == 8:
        _sigmoid_loop(A, D, start, stop)
    elif code == 9:
        _tanh_loop(A, D, start, stop)
    else:
        _softplus_loop(A, D, start, stop)
