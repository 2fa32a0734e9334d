"""Curves, trained in registers, against numpy in float64."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from slalom import MLP
from slalom.engine.native.compile import sealed
from slalom.engine.native.curve import curve_forward, curve_gradient, is_curve
from slalom.engine.native.tiles import PANEL
from slalom.engine.native.vectors import LANES

FENCE = np.float32(12345)


@sealed
def both(p, p0, hidden, x, x0, z, z0, d, d0, panels, samples, g):  # type: ignore[no-untyped-def]
    curve_forward(p, p0, hidden, x, x0, z, z0, panels)
    curve_gradient(p, p0, hidden, x, x0, d, d0, samples, g)


@given(
    # Around all tiles of units, and of panels.
    hidden=st.integers(1, 3 * LANES),
    samples=st.integers(1, 10 * PANEL),
    seed=st.integers(0, 2**32 - 1),
)
def test_outputs_and_gradients_are_those_of_numpy_and_nothing_else_is_touched(
    hidden: int, samples: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    panels, size = -(-samples // PANEL), 3 * hidden + 1
    # Other members lie before and behind the parameters, a fence behind the gradient.
    p, g = np.full((2, size + 2 * LANES), FENCE)
    own = slice(LANES, LANES + size)
    p[own] = generator.normal(size=size)
    x, d = np.zeros(PANEL + panels * PANEL, np.float32), np.zeros(panels * PANEL, np.float32)
    x[PANEL : PANEL + samples] = generator.normal(size=samples)
    d[:samples] = generator.normal(size=samples)
    z = np.full(1 + panels * PANEL + 1, FENCE)
    before = [a.copy() for a in (p, x, d)]
    both(p, LANES, hidden, x, PANEL, z, 1, d, 0, panels, samples, g)
    assert z[0] == z[-1] == FENCE and (g[size:] == FENCE).all()
    for ours, old in zip((p, x, d), before, strict=True):
        np.testing.assert_array_equal(ours, old)

    w, b, v, c = np.split(p[own].astype(np.float64), [hidden, 2 * hidden, 3 * hidden])
    X, D = x[PANEL : PANEL + samples].astype(np.float64), d[:samples].astype(np.float64)
    units = np.outer(X, w) + b
    sizes = np.abs(np.outer(X, w)) + np.abs(b)
    near = (np.abs(units) < 1e-6).any(axis=0)  # rounding decides on the side of the kink
    active, hidden_units = units > 0, np.maximum(units, 0)
    error = np.abs(z[1 : 1 + samples] - (hidden_units @ v + c))
    assert (error <= 1e-6 * (sizes @ np.abs(v) + np.abs(c))).all()

    through = np.outer(D, v) * active
    truth = X @ through, through.sum(axis=0), D @ hidden_units
    heavy = np.abs(D) @ sizes
    terms = np.abs(X) @ np.abs(through), np.abs(through).sum(axis=0), heavy
    for ours, exact, bound in zip(np.split(g[: 3 * hidden], 3), truth, terms, strict=True):
        assert (near | (np.abs(ours - exact) <= 1e-5 * bound)).all()
    assert abs(g[3 * hidden] - D.sum()) <= 1e-5 * np.abs(D).sum()


def test_a_unit_at_the_kink_has_the_slope_of_torch_which_is_none() -> None:
    p = np.array([1, 0, 1, 0], np.float32)
    x, d, z, g = np.zeros((4, PANEL), np.float32)
    x[:3], d[:3] = [-1, 0, 1], 1
    both(p, 0, 1, x, 0, z, 0, d, 0, 1, 3, g)
    assert z[:3].tolist() == [0, 0, 1]
    assert g[:4].tolist() == [1, 1, 1, 3]


def test_nan_goes_through() -> None:
    for bad in range(4):
        p = np.ones(4, np.float32)
        p[bad] = np.nan
        x, d, z, g = np.zeros((4, PANEL), np.float32)
        both(p, 0, 1, x, 0, z, 0, d, 0, 1, PANEL, g)
        assert np.isnan(z).all()


def test_a_curve_has_one_input_one_hidden_layer_of_relu_one_output_and_no_dropout() -> None:
    assert is_curve(MLP(1, 10, 1))
    for other in (
        MLP(2, 10, 1),
        MLP(1, 10, 2),
        MLP(1, 10, 10, 1),
        MLP(1, 1),
        MLP(1, 10, 1, activation="tanh"),
        MLP(1, 10, 1, dropout=0.1),
    ):
        assert not is_curve(other)
