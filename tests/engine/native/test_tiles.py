"""The matrix products against numpy in float64, for shapes around every size of tile."""

from typing import Any

import numpy as np
import pytest

from slalom.core.arrays import Float32Array
from slalom.engine.native import tiles
from slalom.engine.native.compile import sealed
from slalom.engine.native.tiles import PANEL, pitch_of
from slalom.engine.native.vectors import LANES

SLACK = LANES * PANEL
FENCE = np.float32(12345)
pytestmark = pytest.mark.slow  # the products are compiled by themselves

# Around vectors, panels and tiles of registers, on processors of all widths.
FEATURES = [1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 31, 32, 33, 48, 65, 100]
SHAPES = [(i, o) for i in FEATURES for o in FEATURES]
PANELS = (1, 3)


@sealed
def products(w, inputs, outputs, x, z, d, dz, panels, xt, g, narrow, t):  # type: ignore[no-untyped-def]
    """All products of a layer, each from its own arrays."""
    start = np.int64(0)
    tiles.affine(w, start, inputs, outputs, x, start, z, start, panels, False)
    tiles.backward(w, start, inputs, outputs, dz, start, d, start, start, panels, False)
    for q in range(panels):
        tiles.by_sample(x, q * inputs * PANEL, inputs, xt, q * pitch_of(inputs) * PANEL)
    tiles.gradient(dz, start, outputs, xt, start, inputs, panels, g, start)
    tiles.narrow_gradient(dz, start, outputs, x, start, inputs, panels, narrow, start, t)


@sealed
def with_relu(w, inputs, outputs, x, z, dz, d, d0, panels):  # type: ignore[no-untyped-def]
    """The two that know of a relu; its activations lie at the start of `d`."""
    start = np.int64(0)
    tiles.affine(w, start, inputs, outputs, x, start, z, start, panels, True)
    tiles.backward(w, start, inputs, outputs, dz, start, d, d0, start, panels, True)


@sealed
def there_and_back(x, features, samples, back):  # type: ignore[no-untyped-def]
    start = np.int64(0)
    tiles.by_sample(x, start, features, samples, start)
    tiles.by_feature(samples, start, features, back, start)


def in_panels(rows: Any) -> Float32Array:
    """`[panels * PANEL, features]` panel by panel, and what may be read beyond, as NaN."""
    panels = rows.reshape(-1, PANEL, rows.shape[1]).transpose(0, 2, 1)
    return np.concatenate([panels.ravel(), np.full(SLACK, np.nan)], dtype=np.float32)


def out_of_panels(flat: Float32Array, features: int) -> Float32Array:
    return flat.reshape(-1, features, PANEL).transpose(0, 2, 1).reshape(-1, features)


def close(ours: Float32Array, truth: Any, terms: Any) -> None:
    """Within some roundings of the sizes of what is summed up."""
    assert (np.abs(ours - truth) <= 4e-7 * terms + 1e-30).all()


@pytest.mark.parametrize("panels", PANELS)
def test_every_product_is_that_of_numpy_and_touches_nothing_else(panels: int) -> None:
    generator = np.random.default_rng(0)
    for inputs, outputs in SHAPES:
        rows = panels * PANEL
        x, dz, slope = (
            generator.normal(size=(rows, n)).astype(np.float32) for n in (inputs, outputs, inputs)
        )
        w = generator.normal(size=(outputs, inputs)).astype(np.float32)
        bias = generator.normal(size=outputs).astype(np.float32)
        X, DZ, W = (a.astype(np.float64) for a in (x, dz, w))
        flat, flat_dz = in_panels(x), in_panels(dz)
        flat[-SLACK:] = flat_dz[-SLACK:] = 0  # only sums that do not count see these
        xt = np.full(panels * pitch_of(inputs) * PANEL, np.nan, np.float32)
        g, narrow = (
            np.append(generator.normal(size=w.size + outputs), [FENCE] * LANES).astype(np.float32)
            for _ in range(2)
        )
        before = [a.astype(np.float64) for a in (g, narrow)]
        truth, terms = X @ W.T + bias, np.abs(X) @ np.abs(W.T) + np.abs(bias)
        both, t = np.concatenate([w.ravel(), bias]), np.empty(4 * PANEL, np.float32)
        z, d = np.full(rows * outputs + 1, FENCE), np.append(in_panels(slope)[:-SLACK], FENCE)
        products(both, inputs, outputs, flat, z, d, flat_dz, panels, xt, g, narrow, t)
        assert z[-1] == d[-1] == FENCE
        close(out_of_panels(z[:-1], outputs), truth, terms)
        error, sizes = DZ @ W, np.abs(DZ) @ np.abs(W)
        close(out_of_panels(d[:-1], inputs), error * slope, sizes * np.abs(slope))

        active = np.append(in_panels(slope)[:-SLACK], np.full(rows * inputs, FENCE))
        with_relu(both, inputs, outputs, flat, z, flat_dz, active, rows * inputs, panels)
        close(out_of_panels(z[:-1], outputs), np.maximum(truth, 0), terms)
        masked = out_of_panels(active[rows * inputs :], inputs)
        close(masked, np.where(slope > 0, error, 0), sizes)

        gradient = np.append((DZ.T @ X).ravel(), DZ.sum(axis=0))
        sizes = np.append((np.abs(DZ.T) @ np.abs(X)).ravel(), np.abs(DZ).sum(axis=0))
        for ours, old in zip((g, narrow), before, strict=True):
            assert (ours[-LANES:] == FENCE).all()
            old = old[:-LANES]
            close(ours[:-LANES], old + gradient, sizes + np.abs(old))


@pytest.mark.parametrize("features", FEATURES)
def test_samples_one_after_another_are_the_panel_the_other_way_round(features: int) -> None:
    rows = np.random.default_rng(0).normal(size=(PANEL, features)).astype(np.float32)
    panel, pitch = in_panels(rows), pitch_of(features)
    samples = np.full(PANEL * pitch + 1, FENCE)
    back = np.full(features * PANEL + SLACK, FENCE)
    there_and_back(panel, features, samples, back)
    assert pitch % LANES == 0 and 0 <= pitch - features < LANES
    np.testing.assert_array_equal(samples[:-1].reshape(PANEL, pitch)[:, :features], rows)
    assert samples[-1] == FENCE
    np.testing.assert_array_equal(back[: features * PANEL], panel[: features * PANEL])


def test_nan_goes_through_every_product() -> None:
    ones, nan = np.ones((PANEL, 3), np.float32), np.full((PANEL, 3), np.nan, np.float32)
    w = np.ones(12, np.float32)
    for x, dz in ((nan, ones), (ones, nan)):
        z, d = np.zeros((2, 3 * PANEL), np.float32)
        g, narrow = np.zeros((2, 12 + LANES), np.float32)
        xt = np.zeros(pitch_of(3) * PANEL, np.float32)
        d[:] = 1
        t = np.zeros(4 * PANEL, np.float32)
        products(w, 3, 3, in_panels(x), z, d, in_panels(dz), 1, xt, g, narrow, t)
        assert np.isnan(z).all() == (x is nan)
        assert np.isnan(d).all() == (dz is nan)
        assert np.isnan(g[:9]).all() and np.isnan(narrow[:9]).all()
        for bias in (g[9:12], narrow[9:12]):
            assert np.isnan(bias).all() == (dz is nan)
