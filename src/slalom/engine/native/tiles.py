"""Matrix products in registers, for activations that lie panel by panel.

A *panel* holds the features of `PANEL` samples, feature by feature: `[features, PANEL]`, with two
vectors of the processor to a feature. A batch is a row of panels, the last one filled up with
zeros. So every loop runs along samples, and a panel is one piece of memory.

Three products train a layer with weights `W [O, I]`, as torch keeps them, and a bias `[O]`:

- `affine`     Z = W X + bias                                forward
- `backward`   D = (W^T dZ) * D                              the error of the layer below;
               D holds the slopes of its activation
- `gradient`   dW += sum over samples of dZ X^T, dbias += sum of dZ

Each keeps a tile of its result in registers throughout its innermost loop. LLVM does not find such
tiles by itself, so they are written here as vector instructions; all around them is plain Numba.
Positions (`w0`, `x0`, ...) count float32 numbers from the start of an array.
"""

from itertools import chain
from typing import Any, Literal

import numpy as np

from slalom.engine.native.adapter import intrinsic, ir, types
from slalom.engine.native.compile import inlined
from slalom.engine.native.vectors import INDEX, LANES, ZEROS, Emitter

VECTORS = 2
PANEL = VECTORS * LANES
# Rows of the largest tile: enough sums under way to hide the latency of an addition (8 vectors),
# few enough to leave registers for the operands (of 32, or of 16 with AVX2).
ROWS = 4 if LANES == 8 else 8
LATENCY = 8
# A tile of `narrow_gradient` has one sum a lane, so that all of them are added up in one vector:
# for products of rows of dZ with rows of X, then for rows of dZ alone.
TALL, WIDE, WIDE_AND_BIAS, BIAS = (LANES, 1), (1, LANES), (1, LANES - 1), (LANES, 0)

START, ONE = np.int64(0), np.int64(1)
# What becomes of a sum: it starts from a bias; the same, and below 0 it becomes 0; it is multiplied
# by what is there; it is kept where the activation is above 0; it is added to what is there.
Finish = Literal["bias", "relu", "times", "where", "add"]


def _product_tile(rows: int, vectors: int, finish: Finish) -> Any:
    """`rows` rows of a product, `vectors` vectors wide: the sum over terms of w x.

    With "add" the sum is over panels too, else each panel has its own.

    With few rows, sums of every `apart`-th term are kept apart, so that there are enough of them to
    hide the latency.
    """
    apart = max(1, LATENCY // 2 ** (rows * vectors - 1).bit_length())  # a power of two

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(context, builder, signature, arguments)
        (w, w0, row_step, term_step, terms, x, x0, pitch) = e.arguments[:8]
        (panels, w_panel, x_panel, c, c0, c_step, c_panel, extra) = e.arguments[8:]
        first = e.variables([ZEROS] * (rows * vectors))
        further = [e.variables([ZEROS] * len(first)) for _ in range(apart - 1)]

        def begin() -> None:
            for n, sum_ in enumerate(first):
                bias = finish in ("bias", "relu")
                builder.store(e.spread(e.address(w, extra, n // vectors)) if bias else ZEROS, sum_)
            for sum_ in chain(*further):
                builder.store(ZEROS, sum_)

        def add_term(sums: list[Any], w_at: Any, x_at: Any, k: Any) -> None:
            xs = [e.load(e.address(x, x_at, e.times(k, pitch), v * LANES)) for v in range(vectors)]
            for r in range(rows):
                weight = e.spread(e.address(w, w_at, e.times(row_step, r), e.times(k, term_step)))
                for v in range(vectors):
                    e.add_product(sums[r * vectors + v], weight, xs[v])

        def end(p: Any) -> None:
            for n, total in enumerate(e.values(first)):
                for sums in further:
                    total = builder.fadd(total, builder.load(sums[n]))
                r, v = divmod(n, vectors)
                offset = e.at(e.times(p, c_panel), e.times(c_step, r), v * LANES)
                target = e.address(c, c0, offset)
                if finish == "bias":
                    e.store(total, target)
                elif finish == "relu":
                    e.store(e.relu(total), target)
                elif finish == "times":
                    e.store(builder.fmul(total, e.load(target)), target)
                elif finish == "where":
                    active = e.positive(e.load(e.address(c, extra, offset)))
                    e.store(builder.select(active, total, ZEROS), target)
                else:
                    inside = e.lanes_below(builder.sub(extra, INDEX(v * LANES)))
                    e.add_masked(total, target, inside)

        together = builder.and_(terms, INDEX(-apart))
        if finish == "add":
            begin()
        with e.loop(INDEX(0), panels) as (p, _):
            w_at, x_at = builder.add(w0, e.times(p, w_panel)), builder.add(x0, e.times(p, x_panel))
            if finish != "add":
                begin()
            with e.loop(INDEX(0), together, apart) as (k, _):
                for j, sums in enumerate([first, *further]):
                    add_term(sums, w_at, x_at, builder.add(k, INDEX(j)))
            if apart > 1:
                with e.loop(together, terms) as (k, _):
                    add_term(first, w_at, x_at, k)
            if finish != "add":
                end(p)
        if finish == "add":
            end(INDEX(0))
        return context.get_dummy_value()

    @intrinsic
    def tile(
        typing: Any,
        w: Any,
        w0: Any,
        row_step: Any,
        term_step: Any,
        terms: Any,
        x: Any,
        x0: Any,
        pitch: Any,
        panels: Any,
        w_panel: Any,
        x_panel: Any,
        c: Any,
        c0: Any,
        c_step: Any,
        c_panel: Any,
        extra: Any,
    ) -> Any:
        n = types.int64
        return types.void(w, n, n, n, n, x, n, n, n, n, n, c, n, n, n, n), emit

    return tile


def _narrow_tile(shape: tuple[int, int]) -> Any:
    """Adds sums over samples of the products of some rows of dZ with some of X to `g`.

    The first `number` sums count; the others are of what follows the rows. If there are products,
    the sum of dZ alone, in the last lane, is added at `bias`.
    """
    outs, ins = shape
    products = outs * ins

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(context, builder, signature, arguments)
        z, z0, z_panel, x, x0, x_panel, panels, g, g0, number, bias = e.arguments
        sums = e.variables([ZEROS] * LANES)
        with e.loop(INDEX(0), panels) as (p, _):
            z_at, x_at = (
                e.address(z, z0, e.times(p, z_panel)),
                e.address(x, x0, e.times(p, x_panel)),
            )
            for v in range(VECTORS):
                zs = [e.load(e.address(z_at, r * PANEL + v * LANES)) for r in range(outs)]
                xs = [e.load(e.address(x_at, r * PANEL + v * LANES)) for r in range(ins)]
                for n, sum_ in enumerate(sums):
                    if n < products:
                        e.add_product(sum_, zs[n // ins], xs[n % ins])
                    else:
                        row = zs[n - products]
                        builder.store(builder.fadd(builder.load(sum_), row), sum_)
        total = e.sums(e.values(sums))
        e.add_masked(total, e.address(g, g0), e.lanes_below(number))
        if 0 < products < LANES:
            last, at = ir.IntType(32)(LANES - 1), e.address(g, bias)
            own = builder.fadd(builder.load(at), builder.extract_element(total, last))
            builder.store(own, at)
        return context.get_dummy_value()

    @intrinsic
    def tile(
        typing: Any,
        z: Any,
        z0: Any,
        z_panel: Any,
        x: Any,
        x0: Any,
        x_panel: Any,
        panels: Any,
        g: Any,
        g0: Any,
        number: Any,
        bias: Any,
    ) -> Any:
        n = types.int64
        return types.void(z, n, n, x, n, n, n, g, n, n, n), emit

    return tile


@intrinsic
def _transpose_tile(typing: Any, a: Any, a0: Any, a_step: Any, t: Any, t0: Any, t_step: Any) -> Any:
    """LANES x LANES numbers of `a`, the other way round, to `t`."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(context, builder, signature, arguments)
        a, a0, a_step, t, t0, t_step = e.arguments
        rows = [e.load(e.address(a, a0, e.times(a_step, r))) for r in range(LANES)]
        for r, row in enumerate(e.transposed(rows)):
            e.store(row, e.address(t, t0, e.times(t_step, r)))
        return context.get_dummy_value()

    n = types.int64
    return types.void(a, n, n, t, n, n), emit


@intrinsic
def copy_sample(typing: Any, x: Any, x0: Any, features: Any, samples: Any, s0: Any) -> Any:
    """Copy the features of a sample, filled up with zeros to whole vectors."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(context, builder, signature, arguments)
        x, x0, features, samples, s0 = e.arguments
        with e.loop(INDEX(0), features, LANES) as (f, _):
            inside = e.lanes_below(builder.sub(features, f))
            e.store(e.load_masked(e.address(x, x0, f), inside), e.address(samples, s0, f))
        return context.get_dummy_value()

    n = types.int64
    return types.void(x, n, n, samples, n), emit


def _tiles(vectors: int, finish: Finish) -> Any:
    """A tile of 8, 4, 2 or 1 rows as one function."""
    one, two, four, eight = (_product_tile(rows, vectors, finish) for rows in (1, 2, 4, 8))

    @inlined
    def tile(rows, w, w0, rs, ts, terms, x, x0, pitch, panels, wp, xp, c, c0, cs, cp, extra):
        if rows == 8:
            eight(w, w0, rs, ts, terms, x, x0, pitch, panels, wp, xp, c, c0, cs, cp, extra)
        elif rows == 4:
            four(w, w0, rs, ts, terms, x, x0, pitch, panels, wp, xp, c, c0, cs, cp, extra)
        elif rows == 2:
            two(w, w0, rs, ts, terms, x, x0, pitch, panels, wp, xp, c, c0, cs, cp, extra)
        else:
            one(w, w0, rs, ts, terms, x, x0, pitch, panels, wp, xp, c, c0, cs, cp, extra)

    return tile


def _either(first: Any, second: Any) -> Any:
    """The tiles of one of two families, chosen as the program runs."""

    @inlined
    def tile(
        choice, rows, w, w0, rs, ts, terms, x, x0, pitch, panels, wp, xp, c, c0, cs, cp, extra
    ):
        if choice:
            first(rows, w, w0, rs, ts, terms, x, x0, pitch, panels, wp, xp, c, c0, cs, cp, extra)
        else:
            second(rows, w, w0, rs, ts, terms, x, x0, pitch, panels, wp, xp, c, c0, cs, cp, extra)

    return tile


_affine = _either(_tiles(VECTORS, "relu"), _tiles(VECTORS, "bias"))
_backward = _either(_tiles(VECTORS, "where"), _tiles(VECTORS, "times"))
_gradient = _either(_tiles(VECTORS, "add"), _tiles(1, "add"))
_tall, _wide, _wide_and_bias, _bias = map(_narrow_tile, (TALL, WIDE, WIDE_AND_BIAS, BIAS))


@inlined
def _rows_of_tile(left):
    """Rows of the next tile when so many are left."""
    rows = ROWS
    while rows > left:
        rows >>= 1
    return rows


@inlined
def affine(w, w0, inputs, outputs, x, x0, z, z0, panels, relu):
    """Z = W X + bias on some panels, or max(0, Z); the bias follows the weights in `w`."""
    bias0, x_panel, z_panel, o = w0 + inputs * outputs, inputs * PANEL, outputs * PANEL, START
    while o < outputs:
        rows, w_at, z_at = _rows_of_tile(outputs - o), w0 + o * inputs, z0 + o * PANEL
        _affine(
            relu,
            rows,
            w,
            w_at,
            inputs,
            ONE,
            inputs,
            x,
            x0,
            PANEL,
            panels,
            START,
            x_panel,
            z,
            z_at,
            PANEL,
            z_panel,
            bias0 + o,
        )
        o += rows


@inlined
def backward(w, w0, inputs, outputs, dz, dz0, d, d0, a0, panels, relu):
    """D = (W^T dZ) * D on some panels; with `relu`, W^T dZ where what lies at `a0` is above 0."""
    z_panel, d_panel, i = outputs * PANEL, inputs * PANEL, START
    while i < inputs:
        rows, d_at, a_at = _rows_of_tile(inputs - i), d0 + i * PANEL, a0 + i * PANEL
        _backward(
            relu,
            rows,
            w,
            w0 + i,
            ONE,
            inputs,
            outputs,
            dz,
            dz0,
            PANEL,
            panels,
            START,
            z_panel,
            d,
            d_at,
            PANEL,
            d_panel,
            a_at,
        )
        i += rows


def pitch(features: int) -> int:
    """Numbers from one sample to the next where features lie side by side, in whole vectors."""
    return -(-features // LANES) * LANES


pitch_of = inlined(pitch)


@inlined
def by_sample(x, x0, features, samples, s0):
    """A panel sample by sample: `[PANEL, pitch_of(features)]`.

    Reads whole vectors of features, so `x` goes on for LANES - 1 rows after the panel.
    """
    pitch = pitch_of(features)
    for f in range(0, features, LANES):
        for j in range(0, PANEL, LANES):
            _transpose_tile(x, x0 + f * PANEL + j, PANEL, samples, s0 + j * pitch + f, pitch)


@inlined
def by_feature(samples, s0, features, x, x0):
    """The other way: a panel from samples that lie one after another.

    Writes whole vectors of features, so what follows the panel in `x`, LANES - 1 rows, is lost.
    """
    pitch = pitch_of(features)
    for f in range(0, features, LANES):
        for j in range(0, PANEL, LANES):
            _transpose_tile(samples, s0 + j * pitch + f, pitch, x, x0 + f * PANEL + j, PANEL)


@inlined
def gradient(dz, dz0, outputs, xt, xt0, inputs, panels, g, g0):
    """dW += dZ X^T and dbias += sums of dZ over some panels; `xt` is X as `by_sample` gives it."""
    x_pitch = pitch_of(inputs)
    z_panel, x_panel = outputs * PANEL, PANEL * x_pitch
    for i in range(0, inputs, PANEL):
        o, x0, left = START, xt0 + i, inputs - i
        while o < outputs:
            rows, z_at, g_at = _rows_of_tile(outputs - o), dz0 + o * PANEL, g0 + o * inputs + i
            _gradient(
                left > LANES,
                rows,
                dz,
                z_at,
                PANEL,
                ONE,
                PANEL,
                xt,
                x0,
                x_pitch,
                panels,
                z_panel,
                x_panel,
                g,
                g_at,
                inputs,
                START,
                left,
            )
            o += rows
    _bias_gradient(dz, dz0, outputs, panels, g, g0 + inputs * outputs)


@inlined
def narrow_gradient(dz, dz0, outputs, x, x0, inputs, panels, g, g0, t):
    """The same from X itself, for few inputs or outputs; `t [LANES]` holds sums on their way.

    Reads LANES - 1 rows beyond dZ and X.
    """
    z_panel, x_panel, bias = outputs * PANEL, inputs * PANEL, g0 + inputs * outputs
    if inputs == 1:
        for o in range(0, outputs, LANES):
            some = min(LANES, outputs - o)
            _tall(dz, dz0 + o * PANEL, z_panel, x, x0, x_panel, panels, g, g0 + o, some, START)
        _bias_gradient(dz, dz0, outputs, panels, g, bias)
    elif -(-outputs // LANES) * inputs <= outputs * -(-inputs // LANES):
        for o in range(0, outputs, LANES):
            for i in range(inputs):
                t[:LANES] = np.float32(0)
                z_at, x_at = dz0 + o * PANEL, x0 + i * PANEL
                _tall(dz, z_at, z_panel, x, x_at, x_panel, panels, t, START, LANES, START)
                for r in range(min(LANES, outputs - o)):
                    g[g0 + (o + r) * inputs + i] += t[r]
        _bias_gradient(dz, dz0, outputs, panels, g, bias)
    elif inputs < LANES:
        for o in range(outputs):
            z_at, to = dz0 + o * PANEL, g0 + o * inputs
            _wide_and_bias(dz, z_at, z_panel, x, x0, x_panel, panels, g, to, inputs, bias + o)
    else:
        for o in range(outputs):
            for i in range(0, inputs, LANES):
                z_at, x_at, some = dz0 + o * PANEL, x0 + i * PANEL, min(LANES, inputs - i)
                to = g0 + o * inputs + i
                _wide(dz, z_at, z_panel, x, x_at, x_panel, panels, g, to, some, START)
        _bias_gradient(dz, dz0, outputs, panels, g, bias)


@inlined
def _bias_gradient(dz, dz0, outputs, panels, g, g0):
    """dbias += sums of dZ over some panels; reads LANES - 1 rows beyond dZ."""
    for o in range(0, outputs, LANES):
        some, at = min(LANES, outputs - o), dz0 + o * PANEL
        _bias(dz, at, outputs * PANEL, dz, START, START, panels, g, g0 + o, some, START)
