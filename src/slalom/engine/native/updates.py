"""The optimizers of `slalom.optim` as loops over flat parameters: torch.optim's single-tensor path.

Scalars, such as bias corrections, are float64 until they enter a loop, as in torch; all else is
float32. A loop passes once over memory. What a member remembers lies in its slots, in the order of
`optimizer.slots`: slot s at m[m0 + s n : m0 + (s + 1) n], and zero before the first step.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from slalom.engine.native.compile import inline, kernel
from slalom.population import Columns

Floats = NDArray[np.float32]
Hyper = NDArray[np.float64]
# Unsigned, so that Numba does not look for negative indices, which count from the end.
Index = np.uintp

ONE = np.float32(1)

# What `encode` puts where; weight decay comes first everywhere.
FIELDS = {
    "SGD": ("weight_decay", "momentum", "dampening", "nesterov"),
    "Adagrad": ("weight_decay", "eps", "lr_decay", "initial_accumulator_value"),
    "RMSprop": ("weight_decay", "eps", "alpha", "momentum", "centered"),
    "Adam": ("weight_decay", "eps", "beta1", "beta2", "amsgrad"),
    "AdamW": ("weight_decay", "eps", "beta1", "beta2", "amsgrad"),
}
LENGTH = 6
SGD, ADAGRAD, RMSPROP, ADAM, ADAMW = range(5)


def encode(columns: Columns, members: slice) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The rule's code of each member, and its hyperparameters in the order of `FIELDS`.

    The learning rate is not among these: it comes with each step.

    Example:
        >>> from slalom import MLP, Adam, grid
        >>> rules, hyper = encode(grid(net=MLP(1, 4, 1), optimizer=Adam).columns(), slice(None))
        >>> rules.tolist(), hyper.tolist()
        ([3], [[0.0, 1e-08, 0.9, 0.999, 0.0, 0.0]])
    """
    own = columns.optimizer[members]
    rules, hyper = np.zeros(len(own), dtype=np.int64), np.zeros((len(own), LENGTH))
    for code, optimizer in enumerate(columns.optimizers):
        of = own == code
        rules[of] = list(FIELDS).index(optimizer.__name__)
        for place, name in enumerate(FIELDS[optimizer.__name__]):
            hyper[of, place] = columns.arguments[name][members][of]
    return rules, hyper


@inline
def _decayed(g: np.float32, p: np.float32, weight_decay: np.float32) -> np.float32:
    """The gradient with the L2 penalty; without one, an infinite p does not touch it."""
    return g + weight_decay * p if weight_decay != np.float32(0) else g


@inline
def _square_average(v: np.float32, g: np.float32, keep: np.float32, take: np.float32) -> np.float32:
    return v * keep + take * g * g


@inline
def _lerp(start: np.float32, end: np.float32, weight: np.float32) -> np.float32:
    """torch.lerp, which starts from the nearer end."""
    ahead = end - start
    near = weight < np.float32(0.5)
    return (start if near else end) + (weight if near else weight - np.float32(1)) * ahead


@inline
def _ratio(x: np.float32, v: np.float32, scale: np.float32, eps: np.float32) -> np.float32:
    size: np.float32 = np.sqrt(v) * scale + eps
    return x / size


@kernel
def _sgd(h: Hyper, lr: float, p: Floats, p0: Index, g: Floats, n: Index) -> None:
    weight_decay, rate = np.float32(h[0]), np.float32(-lr)
    for i in range(n):
        p[p0 + i] += rate * _decayed(g[i], p[p0 + i], weight_decay)


@kernel
def _momentum(
    h: Hyper, lr: float, step: int, p: Floats, p0: Index, g: Floats, m: Floats, m0: Index, n: Index
) -> None:
    weight_decay, momentum, rate = np.float32(h[0]), np.float32(h[1]), np.float32(-lr)
    # The first step takes the whole gradient, whatever the dampening.
    take = np.float32(1.0 - h[2] if step > 1 else 1.0)
    nesterov = h[3] != 0
    for i in range(n):
        gradient = _decayed(g[i], p[p0 + i], weight_decay)
        buffer = momentum * m[m0 + i] + take * gradient
        m[m0 + i] = buffer
        p[p0 + i] += rate * (gradient + momentum * buffer if nesterov else buffer)


@kernel
def _adagrad(
    h: Hyper, lr: float, step: int, p: Floats, p0: Index, g: Floats, m: Floats, m0: Index, n: Index
) -> None:
    weight_decay, eps = np.float32(h[0]), np.float32(h[1])
    rate = np.float32(-lr / (1.0 + (step - 1) * h[2]))
    start = np.float32(h[3] if step == 1 else 0.0)
    for i in range(n):
        gradient = _decayed(g[i], p[p0 + i], weight_decay)
        total = (start + m[m0 + i]) + gradient * gradient
        m[m0 + i] = total
        p[p0 + i] += _ratio(rate * gradient, total, ONE, eps)


def _rmsprop(
    momentum: bool, centered: bool
) -> Callable[[Hyper, float, Floats, Index, Floats, Floats, Index, Index], None]:
    """One loop without the slots that this variant does not have."""

    @kernel
    def loop(
        h: Hyper, lr: float, p: Floats, p0: Index, g: Floats, m: Floats, m0: Index, n: Index
    ) -> None:
        weight_decay, eps, friction = np.float32(h[0]), np.float32(h[1]), np.float32(h[3])
        keep, take, rate = np.float32(h[2]), np.float32(1.0 - h[2]), np.float32(-lr)
        buffer0 = m0 + n
        mean0 = buffer0 + n if momentum else buffer0
        for i in range(n):
            gradient = _decayed(g[i], p[p0 + i], weight_decay)
            v = _square_average(m[m0 + i], gradient, keep, take)
            m[m0 + i] = v
            if centered:
                mean = _lerp(m[mean0 + i], gradient, take)
                m[mean0 + i] = mean
                v -= mean * mean
            if momentum:
                buffer = friction * m[buffer0 + i] + _ratio(gradient, v, ONE, eps)
                m[buffer0 + i] = buffer
                p[p0 + i] += rate * buffer
            else:
                p[p0 + i] += _ratio(rate * gradient, v, ONE, eps)

    return loop


def _adam(
    amsgrad: bool,
) -> Callable[[Hyper, float, int, bool, Floats, Index, Floats, Floats, Index, Index], None]:
    """One loop without the slot of the largest average where there is none."""

    @kernel
    def loop(
        h: Hyper,
        lr: float,
        step: int,
        decoupled: bool,
        p: Floats,
        p0: Index,
        g: Floats,
        m: Floats,
        m0: Index,
        n: Index,
    ) -> None:
        # AdamW shrinks the parameter itself, Adam adds the penalty to the gradient.
        shrink = np.float32(1.0 - lr * h[0] if decoupled else 1.0)
        weight_decay = np.float32(0.0 if decoupled else h[0])
        eps, keep, take = np.float32(h[1]), np.float32(h[3]), np.float32(1.0 - h[3])
        weight = np.float32(1.0 - h[2])
        rate = np.float32(-lr / (1.0 - h[2] ** step))
        correction = np.float32(1.0 / np.sqrt(1.0 - h[3] ** step))
        second0, largest0 = m0 + n, m0 + n + n
        for i in range(n):
            gradient = _decayed(g[i], p[p0 + i], weight_decay)
            first = _lerp(m[m0 + i], gradient, weight)
            m[m0 + i] = first
            v = _square_average(m[second0 + i], gradient, keep, take)
            m[second0 + i] = v
            if amsgrad:
                # Written such that NaN wins, as in torch.maximum.
                v = m[largest0 + i] if v <= m[largest0 + i] else v
                m[largest0 + i] = v
            p[p0 + i] = shrink * p[p0 + i] + _ratio(rate * first, v, correction, eps)

    return loop


_rmsprop_plain, _rmsprop_momentum = _rmsprop(False, False), _rmsprop(True, False)
_rmsprop_centered, _rmsprop_full = _rmsprop(False, True), _rmsprop(True, True)
_adam_plain, _adam_amsgrad = _adam(False), _adam(True)


@kernel
def update(
    rule: int,
    h: Hyper,
    lr: float,
    step: int,
    p: Floats,
    p0: int,
    g: Floats,
    m: Floats,
    m0: int,
    n: int,
) -> None:
    """One step of a member's optimizer, in place.

    Args:
        rule, h: what `encode` gave, `h` as an array.
        lr: learning rate of this step, after any schedule.
        step: number of this step, from 1.
        p: parameters; the member's are p[p0 : p0 + n].
        g: their gradient, g[:n].
        m: slots; the member's begin at m[m0].
    """
    pu, mu, nu = Index(p0), Index(m0), Index(n)
    if rule == SGD:
        if h[1] == 0:
            _sgd(h, lr, p, pu, g, nu)
        else:
            _momentum(h, lr, step, p, pu, g, m, mu, nu)
    elif rule == ADAGRAD:
        _adagrad(h, lr, step, p, pu, g, m, mu, nu)
    elif rule == RMSPROP:
        if h[3] > 0 and h[4] > 0:
            _rmsprop_full(h, lr, p, pu, g, m, mu, nu)
        elif h[3] > 0:
            _rmsprop_momentum(h, lr, p, pu, g, m, mu, nu)
        elif h[4] > 0:
            _rmsprop_centered(h, lr, p, pu, g, m, mu, nu)
        else:
            _rmsprop_plain(h, lr, p, pu, g, m, mu, nu)
    elif h[4] > 0:
        _adam_amsgrad(h, lr, step, rule == ADAMW, p, pu, g, m, mu, nu)
    else:
        _adam_plain(h, lr, step, rule == ADAMW, p, pu, g, m, mu, nu)
