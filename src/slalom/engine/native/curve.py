"""A net of one input, one hidden layer of ReLU and one output, in registers: a curve.

Its products are so small that a step is mostly loads, stores and calls. So hidden units never come
to memory: going forward each is added to the output at once, and for the gradient it is computed
again. A unit z = w x + b with the weight v in the output has the gradients

    dw = v S    db = v D    dv = w S + b D    S = sum of x d, D = sum of d where z > 0

with the error d of the output. Parameters lie one kind after another, as in any net: those of all
units w, then b, then v, and the bias of the output.
"""

from typing import Any

import numpy as np

from slalom.engine.native.adapter import intrinsic, ir, types
from slalom.engine.native.compile import kernel
from slalom.engine.native.tiles import PANEL, VECTORS
from slalom.engine.native.vectors import INDEX, LANES, ZEROS, Emitter
from slalom.nets import MLP

# Panels that go forward together: enough sums under way to hide the latency of an addition.
TOGETHER = np.int64(4)
# Hidden units whose gradients are taken together, such that their sums and that of d fit into the
# lanes of one vector: most of the time, and for the last ones.
MOST, FEW = np.int64((LANES - 1) // 2), np.int64(max(1, LANES // 4 - 1))


def is_curve(net: MLP) -> bool:
    """Whether a net is one."""
    shape = len(net.widths) == 3 and net.widths[0] == net.widths[2] == 1
    return shape and net.activation == "relu" and not net.dropout and net.embedding is None


def _forward_tile(vectors: int) -> Any:
    """Outputs of so many vectors of samples."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(context, builder, signature, arguments)
        p, w0, hidden, x, x0, z, z0 = e.arguments
        b0, v0, c0 = (e.at(w0, e.times(hidden, n)) for n in (1, 2, 3))
        xs = [e.load(e.address(x, x0, n * LANES)) for n in range(vectors)]
        sums = e.variables([e.spread(e.address(p, c0))] * vectors)
        with e.loop(INDEX(0), hidden) as (h, _):
            w, b, v = (e.spread(e.address(p, at, h)) for at in (w0, b0, v0))
            for x_, sum_ in zip(xs, sums, strict=True):
                e.add_product(sum_, v, e.relu(e.fma(w, x_, b)))
        for n, total in enumerate(e.values(sums)):
            e.store(total, e.address(z, z0, n * LANES))
        return context.get_dummy_value()

    @intrinsic
    def tile(typing: Any, p: Any, w0: Any, hidden: Any, x: Any, x0: Any, z: Any, z0: Any) -> Any:
        n = types.int64
        return types.void(p, n, n, x, n, z, n), emit

    return tile


def _gradient_tile(units: int) -> Any:
    """Gradients of `some` hidden units, `units` at most, and of the bias of the output."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(context, builder, signature, arguments)
        p, w0, hidden, some, x, x0, d, d0, vectors, g, g0, bias = e.arguments
        inside, offsets = e.lanes_below(some), [e.times(hidden, n) for n in range(3)]
        w, b, v = (e.load_masked(e.address(p, w0, offset), inside) for offset in offsets)
        sums = e.variables([ZEROS] * (2 * units + 1))
        with e.loop(INDEX(0), e.times(vectors, LANES), LANES) as (j, _):
            xs, ds = e.load(e.address(x, x0, j)), e.load(e.address(d, d0, j))
            for n in range(units):
                active = e.positive(e.fma(e.lane(w, n), xs, e.lane(b, n)))
                products, errors = e.values([sums[n], sums[units + n]])
                products = builder.select(active, e.fma(xs, ds, products), products)
                errors = builder.select(active, builder.fadd(errors, ds), errors)
                builder.store(products, sums[n])
                builder.store(errors, sums[units + n])
            builder.store(builder.fadd(builder.load(sums[-1]), ds), sums[-1])
        total = e.sums(e.values(sums) + [ZEROS] * (LANES - len(sums)))
        errors = e.shuffle(total, total, [(units + n) % LANES for n in range(LANES)])
        of_v = e.fma(w, total, builder.fmul(b, errors))
        gradients = builder.fmul(v, total), builder.fmul(v, errors), of_v
        for gradient, offset in zip(gradients, offsets, strict=True):
            e.store_masked(gradient, e.address(g, g0, offset), inside)
        error = builder.extract_element(total, ir.IntType(32)(2 * units))
        builder.store(error, e.address(g, bias))
        return context.get_dummy_value()

    @intrinsic
    def tile(
        typing: Any,
        p: Any,
        w0: Any,
        hidden: Any,
        some: Any,
        x: Any,
        x0: Any,
        d: Any,
        d0: Any,
        vectors: Any,
        g: Any,
        g0: Any,
        bias: Any,
    ) -> Any:
        n = types.int64
        return types.void(p, n, n, n, x, n, d, n, n, g, n, n), emit

    return tile


_forward_some, _forward_one = _forward_tile(int(TOGETHER) * VECTORS), _forward_tile(VECTORS)
_gradient_of_most, _gradient_of_few = _gradient_tile(int(MOST)), _gradient_tile(int(FEW))


@kernel
def curve_forward(p, p0, hidden, x, x0, z, z0, panels):
    """The outputs of some panels, to `z`."""
    while panels >= TOGETHER:
        _forward_some(p, p0, hidden, x, x0, z, z0)
        x0, z0, panels = x0 + TOGETHER * PANEL, z0 + TOGETHER * PANEL, panels - TOGETHER
    while panels > 0:
        _forward_one(p, p0, hidden, x, x0, z, z0)
        x0, z0, panels = x0 + PANEL, z0 + PANEL, panels - 1


@kernel
def curve_gradient(p, p0, hidden, x, x0, d, d0, samples, g):
    """The gradient over so many samples, in place of what is in `g`.

    Sums are over whole vectors: `d` is 0, and `x` a number, up to the end of the last one.
    """
    vectors, bias, h = -(-samples // LANES), 3 * hidden, np.int64(0)
    while hidden - h > FEW:
        some = min(MOST, hidden - h)
        _gradient_of_most(p, p0 + h, hidden, some, x, x0, d, d0, vectors, g, h, bias)
        h += some
    if h < hidden:
        some = hidden - h
        _gradient_of_few(p, p0 + h, hidden, some, x, x0, d, d0, vectors, g, h, bias)
