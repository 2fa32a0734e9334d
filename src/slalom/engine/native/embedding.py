"""Periodic embeddings on panels: before the first layer going forward, after it going back.

An embedding stands in the table of layers as the one before the first, whose outputs are what the
first layer gets: `size` rows of a panel for each of its columns, then the other features.
Parameters lie one kind after another, as in `slalom.nets.PeriodicEmbedding`: frequencies, phases,
weights, biases.

The gradient of a wave z = weight cos(2 pi (w x + b)) + bias with the error d of z is

    dweight = sum of d cos    dbias = sum of d    db = -2 pi weight (sum of d sin)
    dw = -2 pi weight (sum of d sin x)

These four sums, and the first two of the column itself, are kept lane by lane over all panels of a
part: adding up lanes takes longer than the rest.
"""

from typing import Any

import numpy as np

from slalom.engine.native.adapter import intrinsic, types
from slalom.engine.native.compile import inlined, kernel
from slalom.engine.native.layout import ACTIVE, ERROR, INPUTS, SUMS, WAVES
from slalom.engine.native.tiles import PANEL, VECTORS
from slalom.engine.native.vectors import INDEX, LANES, Emitter

KINDS = 4  # of sums of a wave, in the order above
TURN = np.float32(2 * np.pi)
ONE, ZERO = np.float32(1), np.float32(0)

# Minimax polynomials on a quarter turn, z = r^2: sin(pi r) / r, relative error 6e-9, and cos(pi r),
# absolute error 3e-10.
SINE = [0.0775603869, -0.5982421264, 2.5500697263, -5.1677096848, 3.1415926369]
COSINE = [-0.0243967167, 0.2349375590, -1.3352120567, 4.0587091644, -4.9348021372, 1.0]


def _wave(e: Emitter, turns: Any) -> tuple[Any, Any]:
    """cos(2 pi x) and sin(2 pi x), absolute errors below 2.4e-7 whatever the x.

    From half of the angle: cos 2a = 1 - 2 sin^2 a and sin 2a = 2 sin a cos a. torch rounds 2 pi x
    first, which is off by more for many turns.
    """
    b = e.builder
    r = b.fsub(turns, e.rounded(turns))
    z = b.fmul(r, r)
    sine = b.fmul(e.polynomial(z, SINE), r)
    twice = b.fadd(sine, sine)
    negative = b.fsub(e.constant(0.0), twice)
    return e.fma(negative, sine, e.constant(1.0)), b.fmul(twice, e.polynomial(z, COSINE))


@intrinsic
def _waves(
    typing: Any,
    p: Any,
    frequency: Any,
    phase: Any,
    weight: Any,
    bias: Any,
    waves: Any,
    x: Any,
    x0: Any,
    z: Any,
    cosine: Any,
    sine: Any,
    z0: Any,
) -> Any:
    """All waves of a column on one panel: cosines, sines, and what the first layer gets."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(context, builder, signature, arguments)
        p, frequency, phase, weight, bias, waves, x, x0, z, cosine, sine, z0 = e.arguments
        xs = [e.load(e.address(x, x0, v * LANES)) for v in range(VECTORS)]
        with e.loop(INDEX(0), waves) as (m, _):
            w, b, scale, shift = (
                e.spread(e.address(p, at, m)) for at in (frequency, phase, weight, bias)
            )
            row = e.times(m, PANEL)
            for v, x_ in enumerate(xs):
                c, s = _wave(e, e.fma(w, x_, b))
                e.store(c, e.address(z, cosine, row, v * LANES))
                e.store(s, e.address(z, sine, row, v * LANES))
                e.store(e.fma(scale, c, shift), e.address(z, z0, row, v * LANES))
        return context.get_dummy_value()

    n = types.int64
    return types.void(p, n, n, n, n, n, x, n, z, n, n, n), emit


@intrinsic
def _add_wave_sums(
    typing: Any, waves: Any, x: Any, x0: Any, z: Any, error: Any, cosine: Any, sine: Any, sums: Any
) -> Any:
    """The four sums of all waves of a column over one panel, added to those at `sums`."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(context, builder, signature, arguments)
        waves, x, x0, z, error, cosine, sine, sums = e.arguments
        xs = [e.load(e.address(x, x0, v * LANES)) for v in range(VECTORS)]
        with e.loop(INDEX(0), waves) as (m, _):
            row = e.times(m, PANEL)
            places = [
                e.address(z, sums, e.times(m, KINDS * LANES), n * LANES) for n in range(KINDS)
            ]
            of_cosine, of_error, of_sine, of_frequency = map(e.load, places)
            for v, x_ in enumerate(xs):
                d, c, s = (e.load(e.address(z, at, row, v * LANES)) for at in (error, cosine, sine))
                of_cosine = e.fma(d, c, of_cosine)
                of_error = builder.fadd(of_error, d)
                ds = builder.fmul(d, s)
                of_sine = builder.fadd(of_sine, ds)
                of_frequency = e.fma(ds, x_, of_frequency)
            for value, place in zip(
                (of_cosine, of_error, of_sine, of_frequency), places, strict=True
            ):
                e.store(value, place)
        return context.get_dummy_value()

    n = types.int64
    return types.void(n, x, n, z, n, n, n, n), emit


def sums_of(columns: int, size: int) -> int:
    """Numbers that the sums of an embedding take."""
    return columns * ((size - 1) * KINDS + 2) * LANES


@kernel
def embed(geometry, layers, p, p0, columns, x, x0, z, panels):
    """Embed some panels of the data `x`: outputs, cosines and sines go to their places in `z`.

    So do ones to where the errors will be, which `backward` multiplies with what is there.
    """
    c0, own, size, inputs = geometry.columns, geometry.embedded, geometry.size, layers[0, INPUTS]
    z0, d0, waves = layers[0, ACTIVE], layers[0, ERROR], layers[0, WAVES]
    each, outputs = size - 1, inputs + own * (size - 1)
    phases, weights, biases = p0 + own * each, p0 + 2 * own * each, p0 + 2 * own * each + own * size
    for q in range(panels):
        row, cosine = z0 + q * outputs * PANEL, waves + 2 * q * own * each * PANEL
        sine = cosine + own * each * PANEL
        for k in range(inputs):
            x_at = x0 + (q * inputs + columns[c0 + k]) * PANEL
            if k < own:
                scale, shift, m = p[weights + k * size], p[biases + k * size], k * each
                _waves(
                    p,
                    p0 + m,
                    phases + m,
                    weights + k * size + 1,
                    biases + k * size + 1,
                    each,
                    x,
                    x_at,
                    z,
                    cosine + m * PANEL,
                    sine + m * PANEL,
                    row + PANEL,
                )
            else:
                scale, shift = ONE, ZERO
            for j in range(PANEL):
                z[row + j] = scale * x[x_at + j] + shift
            row += size * PANEL if k < own else PANEL
    for i in range(np.uintp(d0), np.uintp(d0 + panels * outputs * PANEL)):
        z[i] = ONE


@kernel
def add_embedding_sums(geometry, layers, columns, x, x0, z, panels):
    """Add the products of the errors of some panels, which lie in `z`, to the sums there."""
    c0, own, size, inputs = geometry.columns, geometry.embedded, geometry.size, layers[0, INPUTS]
    sums, d0, waves = layers[0, SUMS], layers[0, ERROR], layers[0, WAVES]
    each, outputs = size - 1, inputs + own * (size - 1)
    for q in range(panels):
        error, cosine = d0 + q * outputs * PANEL, waves + 2 * q * own * each * PANEL
        sine = cosine + own * each * PANEL
        for k in range(own):
            x_at = x0 + (q * inputs + columns[c0 + k]) * PANEL
            at, m = sums + k * (each * KINDS + 2) * LANES, k * each * PANEL
            for v in range(0, PANEL, LANES):
                for j in range(LANES):
                    d = z[error + v + j]
                    z[at + j] += d * x[x_at + v + j]
                    z[at + LANES + j] += d
            _add_wave_sums(each, x, x_at, z, error + PANEL, cosine + m, sine + m, at + 2 * LANES)
            error += size * PANEL


@kernel
def embedding_gradient(geometry, layers, p, p0, z, g):
    """The gradients of an embedding from the sums over a whole part, to `g`."""
    own, size, sums = geometry.embedded, geometry.size, layers[0, SUMS]
    each = size - 1
    phases, weights, biases = own * each, 2 * own * each, 2 * own * each + own * size
    for k in range(own):
        at = sums + k * (each * KINDS + 2) * LANES
        g[weights + k * size] = _added_up(z, at)
        g[biases + k * size] = _added_up(z, at + LANES)
        for m in range(each):
            at, n = sums + (k * (each * KINDS + 2) + 2 + m * KINDS) * LANES, k * size + m + 1
            slope = -TURN * p[p0 + weights + n]
            g[weights + n] = _added_up(z, at)
            g[biases + n] = _added_up(z, at + LANES)
            g[phases + k * each + m] = slope * _added_up(z, at + 2 * LANES)
            g[k * each + m] = slope * _added_up(z, at + 3 * LANES)


@inlined
def _added_up(z, at):
    total = ZERO
    for j in range(LANES):
        total += z[at + j]
    return total
