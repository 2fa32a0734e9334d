"""The optimizers as loops over flat parameters, made of the arithmetic in their files.

A loop passes once over memory, and is torch.optim's single-tensor path. What a member remembers
lies in its slots, in the order of `optimizer.slots`: slot s at m[m0 + s n : m0 + (s + 1) n], and
zero before the first step.
"""

from typing import Any

import numpy as np

from slalom.engine.hyper import RULES
from slalom.engine.native.compile import inline, inlined, kernel, known
from slalom.optim import OPTIMIZERS
from slalom.optim.optimizer import Update


def _loop(scalars: Any, update: Update, slots: int) -> Any:
    """One loop over the parameters of a member and so many slots.

    Its arguments: h, the hyperparameters; lr, the rate of this step; step, its number from 1; the
    parameters p[p0 : p0 + n] with their gradient g[:n]; and the slots, m from m0 on.
    """
    scalars, update = inlined(scalars), inline(update)

    @kernel
    def plain(h, lr, step, p, p0, g, m, m0, n):  # type: ignore[no-untyped-def]
        c = scalars(h, lr, step)
        for i in range(n):
            p[p0 + i] = update(p[p0 + i], g[i], c)

    @kernel
    def with_one(h, lr, step, p, p0, g, m, m0, n):  # type: ignore[no-untyped-def]
        c = scalars(h, lr, step)
        for i in range(n):
            p[p0 + i], m[m0 + i] = update(p[p0 + i], g[i], m[m0 + i], c)

    @kernel
    def with_two(h, lr, step, p, p0, g, m, m0, n):  # type: ignore[no-untyped-def]
        c = scalars(h, lr, step)
        m1 = m0 + n
        for i in range(n):
            p[p0 + i], m[m0 + i], m[m1 + i] = update(p[p0 + i], g[i], m[m0 + i], m[m1 + i], c)

    @kernel
    def with_three(h, lr, step, p, p0, g, m, m0, n):  # type: ignore[no-untyped-def]
        c = scalars(h, lr, step)
        m1, m2 = m0 + n, m0 + n + n
        for i in range(n):
            p[p0 + i], m[m0 + i], m[m1 + i], m[m2 + i] = update(
                p[p0 + i], g[i], m[m0 + i], m[m1 + i], m[m2 + i], c
            )

    return (plain, with_one, with_two, with_three)[slots]


def _first_of(loops: list[Any], code: int = 0) -> Any:
    """A function that takes the loop of a rule, tried one after another from `code` on."""
    loop, last = loops[code], code + 1 == len(loops)
    rest = loop if last else _first_of(loops, code + 1)

    @kernel
    def take(rule, h, lr, step, p, p0, g, m, m0, n):  # type: ignore[no-untyped-def]
        if rule == code:
            loop(h, lr, step, p, p0, g, m, m0, n)
        else:
            rest(rule, h, lr, step, p, p0, g, m, m0, n)

    @kernel
    def take_last(rule, h, lr, step, p, p0, g, m, m0, n):  # type: ignore[no-untyped-def]
        loop(h, lr, step, p, p0, g, m, m0, n)

    return take_last if last else take


for formula in dict.fromkeys(f for optimizer in OPTIMIZERS.values() for f in optimizer.formulas):
    known(formula)
_update = _first_of(
    [_loop(optimizer.scalars, optimizer.updates[slots], len(slots)) for optimizer, slots in RULES]
)


@kernel
def update(rule, h, lr, step, p, p0, g, m, m0, n):  # type: ignore[no-untyped-def]
    """One step of a member's optimizer, in place.

    Args:
        rule, h: what `encode` gave, `h` as an array.
        lr: learning rate of this step, after any schedule.
        step: number of this step, from 1.
        p: parameters; the member's are p[p0 : p0 + n].
        g: their gradient, g[:n].
        m: slots; the member's begin at m[m0].
    """
    # Unsigned, so that Numba does not look for negative indices, which count from the end.
    _update(rule, h, lr, step, p, np.uintp(p0), g, m, np.uintp(m0), np.uintp(n))
