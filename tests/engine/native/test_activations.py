"""Values and slopes against torch's own modules in float64."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from slalom.engine.native.activations import CODES, activate
from slalom.engine.native.compile import sealed
from slalom.nets import ACTIVATIONS


@sealed
def activated(code, values, slopes, start, stop):  # type: ignore[no-untyped-def]
    activate(code, values, slopes, start, stop)


finite = st.floats(-(2.0**100), 2.0**100, width=32)


def ours(name: str, z: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    value, slope = z.copy(), np.full_like(z, np.nan)
    activated(CODES[name], value, slope, 0, z.size)
    return value, slope


def torchs(
    name: str, z: NDArray[np.float32], dtype: torch.dtype = torch.float64
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    leaf = torch.from_numpy(z).to(dtype).requires_grad_()
    value = ACTIVATIONS[name]()(leaf)
    value.sum().backward()
    assert leaf.grad is not None
    return value.detach().double().numpy(), leaf.grad.double().numpy()


def test_every_activation_by_name_has_a_code_of_its_own() -> None:
    assert list(CODES) == list(ACTIVATIONS)
    assert len(set(CODES.values())) == len(CODES)


@pytest.mark.slow
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_slopes_are_torchs(name: str) -> None:
    z = np.linspace(-30, 30, 60001, dtype=np.float32)
    (value, slope), (value_torch, slope_torch) = ours(name, z), torchs(name, z)
    np.testing.assert_allclose(value, value_torch, rtol=5e-7, atol=1e-10)
    # 1 - sigmoid loses digits where it is small, in torch too.
    np.testing.assert_allclose(slope, slope_torch, rtol=5e-7, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ACTIVATIONS)
@given(z=arrays(np.float32, st.integers(1, 40), elements=finite))
@settings(max_examples=50)
def test_large_and_tiny_numbers_keep_their_values(name: str, z: NDArray[np.float32]) -> None:
    (value, slope), (value_torch, slope_torch) = ours(name, z), torchs(name, z)
    np.testing.assert_allclose(value, value_torch, rtol=2e-6, atol=1e-10)
    np.testing.assert_allclose(slope, slope_torch, rtol=2e-6, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_near_zero_the_relative_error_stays_small(name: str) -> None:
    z = np.float32(10) ** np.arange(-37, 0, dtype=np.float32)
    for side in (z, -z):
        np.testing.assert_allclose(ours(name, side)[0], torchs(name, side)[0], rtol=5e-7)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_at_the_kink_the_slope_is_the_one_that_torch_takes(name: str) -> None:
    z = np.zeros(1, np.float32)
    np.testing.assert_allclose(ours(name, z)[1], torchs(name, z, torch.float32)[1], rtol=1e-7)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("size", [1, 40])
def test_nan_stays_nan(name: str, size: int) -> None:
    assert np.isnan(ours(name, np.full(size, np.nan, np.float32))[0]).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("size", [1, 40])
def test_the_limit_above_is_infinity_or_one(name: str, size: int) -> None:
    limit = 1 if name in ("sigmoid", "tanh") else np.inf
    assert (ours(name, np.full(size, np.inf, np.float32))[0] == limit).all()


@given(size=st.integers(0, 70), data=st.data())
def test_only_the_range_from_start_to_stop_is_touched(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    z = np.linspace(-3, 3, size, dtype=np.float32)
    value, slope = z.copy(), np.zeros_like(z)
    activated(CODES["tanh"], value, slope, start, stop)
    inside = (np.arange(size) >= start) & (np.arange(size) < stop)
    expected = np.where(inside, np.tanh(z.astype(np.float64)), z)
    np.testing.assert_allclose(value, expected, rtol=4e-7)
    assert ((slope != 0) == inside).all()
