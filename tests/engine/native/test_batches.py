"""Permutations are those of a DataLoader, and dropout masks those of every engine."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slalom.data.batches import Shuffle
from slalom.engine.dropout import dropout_mask
from slalom.engine.native.batches import GENERATOR, draws_before, seed_generator, shuffle, skip
from slalom.engine.native.compile import sealed
from slalom.engine.native.dropout import drop, layer_key, step_key
from slalom.engine.native.tiles import PANEL


@sealed
def permutations(seed, epochs, words, orders):  # type: ignore[no-untyped-def]
    """The orders of some epochs, in one pass as the engine makes them."""
    seed_generator(words, seed)
    drawn, rows = 0, orders.shape[1]
    for i in range(epochs.size):
        skip(words, draws_before(epochs[i], rows) - drawn)
        shuffle(words, orders[i])
        drawn = draws_before(epochs[i], rows) + rows - 1


@sealed
def dropped(arena, half, units, panels, row, seed, step, layer, p):  # type: ignore[no-untyped-def]
    drop(arena, np.int64(0), half, units, panels, row, layer_key(step_key(seed, step), layer), p)


def assert_the_loaders(seed: int, rows: int, epochs: list[int]) -> None:
    orders = np.empty((len(epochs), rows), np.int32)
    words = np.empty(GENERATOR, np.uint32)
    permutations(np.uint64(seed), np.array(epochs, np.int64), words, orders)
    loader = Shuffle(seed, rows)
    np.testing.assert_array_equal(orders, [loader.order(epoch).numpy() for epoch in epochs])


@given(
    seed=st.integers(0, 2**63 - 1),
    rows=st.integers(1, 1500),
    first=st.integers(0, 12),
    epochs=st.integers(1, 3),
)
@example(2**32, 10, 0, 2)
@example(2**32 + 5, 700, 3, 2)
@example(2**63 - 1, 625, 0, 3)
@example(0, 1, 0, 3)
@example(7, 311, 0, 3)  # the words are used up exactly at the end of an epoch
@example(7, 312, 0, 3)
def test_permutations_are_those_of_the_loader(
    seed: int, rows: int, first: int, epochs: int
) -> None:
    assert_the_loaders(seed, rows, list(range(first, first + epochs)))


@pytest.mark.slow
def test_epochs_may_be_left_out() -> None:
    assert_the_loaders(3, 50, [0, 1, 5, 6, 40])


@pytest.mark.parametrize("rows", [70_000, 2**17 + 1])
def test_permutations_of_many_rows_are_those_of_the_loader(rows: int) -> None:
    assert_the_loaders(11, rows, [0, 1])


@pytest.mark.slow
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 2.0**-24, 0.999])
@pytest.mark.parametrize(("seed", "step", "layer"), [(0, 0, 0), (2**63 - 1, 10**12, 7)])
@pytest.mark.parametrize(("units", "panels", "row"), [(1, 1, 0), (7, 3, 0), (5, 2, PANEL)])
def test_dropout_masks_are_those_of_every_engine(
    seed: int, step: int, layer: int, units: int, panels: int, row: int, p: float
) -> None:
    rows = row + panels * PANEL
    arena = np.ones(2 * panels * units * PANEL, np.float32)
    half = arena.size // 2
    dropped(arena, half, units, panels, row, np.uint64(seed), step, layer, p)
    mask = dropout_mask(seed, step, layer, rows * units, p).reshape(rows, units)[row:]
    expected = mask.reshape(panels, PANEL, units).transpose(0, 2, 1).ravel()
    np.testing.assert_array_equal(arena[:half], expected)
    np.testing.assert_array_equal(arena[half:], expected)
