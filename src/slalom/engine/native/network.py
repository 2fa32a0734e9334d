"""A fully connected net on one batch: forward, the error going back, gradients.

A batch goes through panel by panel, so that the activations of a panel stay in the nearest cache;
the gradient of a layer is taken over some panels together.
"""

import numpy as np
from numpy.typing import NDArray

from slalom.engine.native.activations import activate
from slalom.engine.native.compile import kernel
from slalom.engine.native.curve import is_curve
from slalom.engine.native.dropout import drop, layer_key
from slalom.engine.native.embedding import sums_of
from slalom.engine.native.layout import (
    ACTIVE,
    COLUMNS,
    ERROR,
    INPUTS,
    NARROW,
    OUTPUTS,
    SAMPLES,
    WAVES,
    WEIGHTS,
)
from slalom.engine.native.tiles import (
    PANEL,
    affine,
    backward,
    by_sample,
    gradient,
    narrow_gradient,
    pitch,
    pitch_of,
)
from slalom.engine.native.vectors import LANES
from slalom.nets import MLP

START = np.int64(0)

# Room for what panels leave behind until the gradient is taken: an eighth of a common second cache,
# measured to be best from width 16 to 256.
ARENA = 2**15
# A step is taken in up to so many parts, of so many samples at least, where its products are so
# many floating-point operations at least. Below, threads would wait for each other too long.
PARTS, PART, SHARED = 4, 64, 2e7
# Cycles, measured: adding up one tile of `narrow_gradient`, and bringing 16 features into samples.
NARROW_TILE, TRANSPOSE = 50, 160


def layers_of(net: MLP, panels: int) -> tuple[NDArray[np.int64], int, int]:
    """The table of layers `[L, COLUMNS]`, panels at a time, and the size of the arena.

    Args:
        net: an embedding counts as a layer, the first one.
        panels: of the largest part of a batch.
    """
    curve, pairs, embedding = is_curve(net), list(net.linear), net.embedding
    waves = sums = numbers = 0
    if embedding is not None:
        pairs = [(net.widths[0], pairs[0][0]), *pairs]
        (columns, size), numbers = embedding.shapes[-1], embedding.parameters
        waves, sums = 2 * columns * (size - 1), sums_of(columns, size)
    by_panel = (waves + sum(2 * o + pitch(o) for _, o in pairs)) * PANEL
    # Of a curve only outputs come to memory, and all panels are taken at a time.
    chunk = panels if curve else max(1, min(panels, ARENA // by_panel))
    table = np.zeros((len(pairs), COLUMNS), dtype=np.int64)
    table[0, WAVES] = sums  # which come first
    weights, room = 0, sums + chunk * waves * PANEL
    for n, (layer, (inputs, outputs)) in enumerate(zip(table, pairs, strict=True)):
        layer[[INPUTS, OUTPUTS, WEIGHTS]] = inputs, outputs, weights
        layer[NARROW] = _is_narrow(inputs, outputs, chunk, first=n == 0)
        weights += numbers if n == 0 and numbers else (inputs + 1) * outputs
        kept = 0 if curve and n == 0 else chunk
        for column, size in ((ACTIVE, outputs), (ERROR, outputs), (SAMPLES, pitch(outputs))):
            layer[column] = room
            room += kept * size * PANEL
    return table, chunk, room + LANES * PANEL  # by_sample reads some rows more


def parts_of(net: MLP, panels: int) -> int:
    """Parts of a step on a batch of so many panels, which threads may share."""
    samples, weights = panels * PANEL, sum(i * o for i, o in net.linear)
    return max(1, min(PARTS, samples // PART)) if 6 * samples * weights >= SHARED else 1


def _is_narrow(inputs: int, outputs: int, panels: int, first: bool) -> bool:
    """Whether the gradient is cheaper from X as it is than sample by sample: in cycles."""
    vectors, tall = pitch(inputs) // LANES, -(-outputs // LANES)
    tiles = min(tall * inputs, outputs * vectors)
    brought = 0 if first else TRANSPOSE * vectors  # the data come sample by sample anyway
    rows = max(outputs, 4)  # fewer do not keep the processor busy
    narrow = tiles * (LANES * panels + NARROW_TILE)
    return bool(narrow < panels * vectors * (rows * LANES + brought))


@kernel
def forward(
    layers, first, depth, relu, activation, p, p0, x, x0, arena, panels, drop_out, key, row
):
    """Some panels through the net: activations and their slopes go to the arena.

    The layer `first` gets what lies at `x0` in `x`. With `relu` the net has that activation and no
    dropout: it happens in registers, and slopes are not kept. With `drop_out` above 0 hidden units
    are dropped; `row` is then the first sample's number in its batch.
    """
    for n in range(first, depth):
        inputs, outputs, w0 = layers[n, INPUTS], layers[n, OUTPUTS], p0 + layers[n, WEIGHTS]
        z0, d0, size = layers[n, ACTIVE], layers[n, ERROR], outputs * PANEL
        hidden = n < depth - 1
        affine(p, w0, inputs, outputs, x, x0, arena, z0, panels, hidden and relu)
        if hidden and not relu:
            size *= panels
            activate(activation, arena[z0 : z0 + size], arena[d0 : d0 + size], START, size)
            if drop_out > 0:
                drop(arena, z0, d0, outputs, panels, row, layer_key(key, n - first), drop_out)
        x, x0 = arena, z0


@kernel
def backpropagate(layers, first, depth, relu, p, p0, arena, panels):
    """The error of the outputs, at its place in the arena, back to the row 0 of the layers."""
    for n in range(depth - 1, 0, -1):
        w0, inputs, outputs = p0 + layers[n, WEIGHTS], layers[n, INPUTS], layers[n, OUTPUTS]
        dz0, d0 = layers[n, ERROR], layers[n - 1, ERROR]
        a0 = layers[n - 1, ACTIVE]
        backward(p, w0, inputs, outputs, arena, dz0, arena, d0, a0, panels, relu and n > first)


@kernel
def add_gradients(layers, first, depth, x, x0, samples, s0, arena, panels, g, t):
    """The gradients of all layers over some panels, added to `g`."""
    for n in range(first, depth):
        inputs, outputs, w0 = layers[n, INPUTS], layers[n, OUTPUTS], layers[n, WEIGHTS]
        error = layers[n, ERROR]
        if layers[n, NARROW]:
            narrow_gradient(arena, error, outputs, x, x0, inputs, panels, g, w0, t)
        else:
            if n > 0:
                samples, s0 = arena, layers[n - 1, SAMPLES]
                for q in range(panels):
                    to = s0 + q * pitch_of(inputs) * PANEL
                    by_sample(arena, x0 + q * inputs * PANEL, inputs, arena, to)
            gradient(arena, error, outputs, samples, s0, inputs, panels, g, w0)
        x, x0 = arena, layers[n, ACTIVE]
