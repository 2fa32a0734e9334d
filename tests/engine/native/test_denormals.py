"""Numbers too small for a full float32 cost time and say nothing: natively they are 0."""

import numpy as np
import pytest
import torch

from slalom import MLP, Dataset, Member, Plan, Population
from slalom.engine import Native
from slalom.engine.native.denormals import SMALLEST, flush_denormals, flushed_denormals
from slalom.losses import MSE
from slalom.optim import Adam


def half() -> np.float32:
    return SMALLEST * np.float32(0.5)


@pytest.mark.parametrize("before", [False, True])
def test_a_thread_is_as_it_was_afterwards(before: bool) -> None:
    torch.set_flush_denormal(before)
    try:
        with flushed_denormals():
            assert half() == 0
        assert (half() == 0) == before
    finally:
        flush_denormals(False)


@pytest.mark.parametrize("width", [2, 256])  # a stretch in the caller's thread, or in others
def test_the_averages_of_a_weight_without_gradient_end_at_0(width: int) -> None:
    X = np.zeros((64, 3), dtype=np.float32)
    plan = Plan(
        Population((Member(MLP(3, width, 1), Adam(0.01), batch_size=64),)), MSE(), steps=900
    )
    session = Native(threads=2).prepare(plan, Dataset(X, X[:, :1], task="regression"))
    state = session.start()
    state.slots[:] = 1.0
    session.advance(state, 900)
    averages = state.slots.reshape(2, -1)[0, : 3 * width]  # of gradients; .9^900 is below 1e-41
    assert (averages == 0).all()
