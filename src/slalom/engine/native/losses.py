"""Losses on one panel of outputs: the sum over its samples, and the gradient of the mean.

The formulas are those of `slalom.losses`, which are torch's. `scale` is 1 over the sum of the
weights of the whole batch, so that gradients of panels add up to that of the mean.
"""

from math import inf

import numpy as np

from slalom import losses
from slalom.engine.native.compile import inline, kernel
from slalom.engine.native.functions import exp, log, log1p, sigmoid
from slalom.engine.native.tiles import PANEL
from slalom.losses import Loss

MSE, L1, HUBER, CROSS_ENTROPY, BCE, GAUSSIAN = range(6)
CODES: dict[type[Loss], int] = {
    losses.MSE: MSE,
    losses.L1: L1,
    losses.Huber: HUBER,
    losses.CrossEntropy: CROSS_ENTROPY,
    losses.BCEWithLogits: BCE,
    losses.GaussianNLL: GAUSSIAN,
}

ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)


def encode(loss: Loss, outputs: int) -> tuple[int, np.ndarray]:
    """The code of a loss, and its numbers, float32: one, then one for each class."""
    numbers = np.ones(1 + outputs, dtype=np.float32)
    if isinstance(loss, losses.Huber):
        numbers[0] = loss.delta
    elif isinstance(loss, losses.CrossEntropy):
        numbers[0] = loss.label_smoothing
        numbers[1:] = 1.0 if loss.weight is None else loss.weight
    elif isinstance(loss, losses.BCEWithLogits):
        numbers[0] = 1.0 if loss.pos_weight is None else loss.pos_weight
    elif isinstance(loss, losses.GaussianNLL):
        numbers[0] = loss.eps
    return CODES[type(loss)], numbers


@kernel
def loss_of_panels(code, numbers, z, z0, d, d0, outputs, y, y0, w, w0, scale, rows, t):
    """The weighted sum of the losses of `rows` samples; their gradient goes to `d`.

    Args:
        z, d: outputs and their gradient, panels `[outputs, PANEL]` from `z0` and `d0` on.
        y: targets, panels with a row for each target, or one of class numbers.
        w: weights of the samples.
        t: room for `[4, PANEL]` numbers.
    """
    if code == MSE:
        return _squared_loss(numbers, z, z0, d, d0, outputs, y, y0, w, w0, scale, rows)
    if code == CROSS_ENTROPY:
        return _cross_entropy_loss(numbers, z, z0, d, d0, outputs, y, y0, w, w0, scale, rows, t)
    if code == BCE:
        return _bce_loss(numbers, z, z0, d, d0, outputs, y, y0, w, w0, scale, rows)
    if code == HUBER:
        return _huber_loss(numbers, z, z0, d, d0, outputs, y, y0, w, w0, scale, rows)
    if code == L1:
        return _absolute_loss(numbers, z, z0, d, d0, outputs, y, y0, w, w0, scale, rows)
    return _gaussian_loss(numbers[0], z, z0, d, d0, outputs // 2, y, y0, w, w0, scale, rows)


@inline
def _squared(z, y, number):
    return (z - y) * (z - y), (z - y) + (z - y)


@inline
def _absolute(z, y, number):
    sign = ONE if z > y else (-ONE if z < y else ZERO)
    return abs(z - y), sign


@inline
def _huber(z, y, delta):
    error = abs(z - y)
    near = error <= delta
    slope = delta if z > y else -delta
    return (
        HALF * error * error if near else delta * (error - HALF * delta),
        z - y if near else slope,
    )


@inline
def _bce(z, y, positive):
    weight = ONE + (positive - ONE) * y
    missed = log1p(exp(-abs(z))) + max(-z, ZERO)
    return (ONE - y) * z + weight * missed, (ONE - y) - weight * sigmoid(-z)


def _single(formula):
    """The loss under a formula that gives loss and slope of each target by itself."""

    @kernel
    def loss(numbers, z, z0, d, d0, outputs, y, y0, w, w0, scale, rows):
        total, factor, number = 0.0, np.float32(scale / outputs), numbers[0]
        for first in range(0, rows, PANEL):
            inside, weight = np.float32(rows - first), w[w0 + first : w0 + first + PANEL]
            for _ in range(outputs):
                out, target, error = z[z0 : z0 + PANEL], y[y0 : y0 + PANEL], d[d0 : d0 + PANEL]
                sums = ZERO
                for j in range(PANEL):
                    value, slope = formula(out[j], target[j], number)
                    sums += weight[j] * value if np.float32(j) < inside else ZERO
                    error[j] = weight[j] * factor * slope if np.float32(j) < inside else ZERO
                total += sums
                z0, d0, y0 = z0 + PANEL, d0 + PANEL, y0 + PANEL
        return total / outputs

    return loss


_squared_loss, _absolute_loss, _huber_loss, _bce_loss = map(
    _single, (_squared, _absolute, _huber, _bce)
)


@kernel
def _gaussian_loss(eps, z, z0, d, d0, targets, y, y0, w, w0, scale, rows):
    total, factor, half = 0.0, np.float32(scale / targets), targets * PANEL
    for first in range(0, rows, PANEL):
        inside, weight = np.float32(rows - first), w[w0 + first : w0 + first + PANEL]
        for _ in range(targets):
            mean, target, mean_error = z[z0 : z0 + PANEL], y[y0 : y0 + PANEL], d[d0 : d0 + PANEL]
            spread, spread_error = z[z0 + half :][:PANEL], d[d0 + half :][:PANEL]
            sums = ZERO
            for j in range(PANEL):
                variance = exp(spread[j])
                clamped = variance if not variance < eps else eps  # NaN stays NaN
                missed = mean[j] - target[j]
                ratio = missed / clamped
                value = HALF * (log(clamped) + missed * ratio)
                # As in torch, the clamp is outside the graph: its slope is 1 everywhere.
                slope = HALF * (ONE - missed * ratio) / clamped * variance
                sums += weight[j] * value if np.float32(j) < inside else ZERO
                mean_error[j] = weight[j] * factor * ratio if np.float32(j) < inside else ZERO
                spread_error[j] = weight[j] * factor * slope if np.float32(j) < inside else ZERO
            total += sums
            z0, d0, y0 = z0 + PANEL, d0 + PANEL, y0 + PANEL
        z0, d0 = z0 + half, d0 + half
    return total / targets


@kernel
def _cross_entropy_loss(numbers, z, z0, d, d0, classes, y, y0, w, w0, scale, rows, t):
    size, total = classes * PANEL, 0.0
    for q in range(-(-rows // PANEL)):
        total += _cross_entropy(
            numbers,
            z[z0 + q * size : z0 + (q + 1) * size],
            d[d0 + q * size : d0 + (q + 1) * size],
            y[y0 + q * PANEL : y0 + (q + 1) * PANEL],
            w[w0 + q * PANEL : w0 + (q + 1) * PANEL],
            np.float32(scale),
            np.float32(rows - q * PANEL),
            t,
        )
    return total


@kernel
def _cross_entropy(numbers, z, d, y, w, factor, inside, t):
    """One panel of outputs `z [classes, PANEL]`."""
    classes, smooth, weights = z.size // PANEL, numbers[0], ZERO
    share = smooth / np.float32(classes)
    largest, sums, logs, weight = (
        t[:PANEL],
        t[PANEL:][:PANEL],
        t[2 * PANEL :][:PANEL],
        t[3 * PANEL :],
    )
    for j in range(PANEL):
        largest[j], sums[j], weight[j] = np.float32(-inf), ZERO, ZERO
    for c in range(classes):
        out = z[c * PANEL : (c + 1) * PANEL]
        weights += numbers[1 + c]
        for j in range(PANEL):
            largest[j] = max(largest[j], out[j])
    for c in range(classes):
        out, power, own = z[c * PANEL :][:PANEL], d[c * PANEL :][:PANEL], numbers[1 + c]
        for j in range(PANEL):
            power[j] = exp(out[j] - largest[j])
            sums[j] += power[j]
            weight[j] += own if y[j] == np.float32(c) else ZERO
    for j in range(PANEL):
        logs[j] = log(sums[j])
    total = ZERO
    for c in range(classes):
        out, error, own = z[c * PANEL :][:PANEL], d[c * PANEL :][:PANEL], numbers[1 + c]
        for j in range(PANEL):
            here = ONE if y[j] == np.float32(c) else ZERO
            missed = (largest[j] - out[j]) + logs[j]
            value = ((ONE - smooth) * here + share) * own * missed
            p = error[j] / sums[j]
            slope = (ONE - smooth) * weight[j] * (p - here) + share * (p * weights - own)
            total += w[j] * value if np.float32(j) < inside else ZERO
            error[j] = w[j] * factor * slope if np.float32(j) < inside else ZERO
    return np.float64(total)
