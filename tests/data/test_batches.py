"""Batches come in the order of a real DataLoader."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

from slalom.data.batches import Shuffle, steps_per_epoch


@given(
    rows=st.integers(1, 50),
    batch_size=st.integers(1, 60),
    seed=st.integers(0, 2**63 - 1),
    epochs=st.integers(1, 5),
)
def test_the_order_is_that_of_a_data_loader(
    rows: int, batch_size: int, seed: int, epochs: int
) -> None:
    loader = DataLoader(
        TensorDataset(torch.arange(rows)),
        batch_size=batch_size,
        shuffle=True,
        generator=torch.Generator().manual_seed(seed),
    )
    shuffle = Shuffle(seed, rows)
    for epoch in range(epochs):
        batches = [batch.tolist() for (batch,) in loader]
        mine = [batch.tolist() for batch in shuffle.order(epoch).split(batch_size)]
        assert mine == batches
        assert len(batches) == steps_per_epoch(rows, batch_size)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8))
def test_an_epoch_has_the_same_order_whenever_it_is_asked_for(asked: list[int]) -> None:
    shuffle = Shuffle(seed=5, rows=9)
    for epoch in asked:
        assert torch.equal(shuffle.order(epoch), Shuffle(5, 9).order(epoch))


@pytest.mark.parametrize(("rows", "batch_size", "steps"), [(10, None, 1), (10, 5, 2), (11, 5, 3)])
def test_a_short_last_batch_is_a_step_of_its_own(
    rows: int, batch_size: int | None, steps: int
) -> None:
    assert steps_per_epoch(rows, batch_size) == steps
