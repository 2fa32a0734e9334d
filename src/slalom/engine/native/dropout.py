"""The dropout masks of `slalom.engine.dropout`, on one panel."""

import numpy as np

from slalom.engine.native.compile import inline, inlined, kernel
from slalom.engine.native.tiles import PANEL

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
ZERO, ONE = np.float32(0), np.float32(1)


@inline
def _mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@inlined
def step_key(seed, step):
    """What seed and step contribute to a mask."""
    return _mix(_mix(np.uint64(seed) + GOLDEN) + np.uint64(step) + GOLDEN)


@inlined
def layer_key(key, layer):
    """What the layer adds."""
    return _mix(key + np.uint64(layer) + GOLDEN)


@kernel
def drop(arena, a0, d0, units, panels, row, key, p):
    """Drop units of some panels and their slopes; `row` is the first sample's in its batch."""
    threshold, scale = (
        np.uint64(np.ceil(np.float64(np.float32(p)) * 2.0**24)),
        ONE / np.float32(1.0 - p),
    )
    for q in range(panels):
        for u in range(units):
            at = (q * units + u) * PANEL
            active, slope = arena[a0 + at :][:PANEL], arena[d0 + at :][:PANEL]
            first = np.uint64((row + q * PANEL) * units + u + 1)
            for j in range(PANEL):
                number = _mix(key + (first + np.uint64(j) * np.uint64(units)) * GOLDEN)
                mask = scale if (number >> np.uint64(40)) >= threshold else ZERO
                active[j] *= mask
                slope[j] *= mask
