"""Dropout masks by seed, step and layer."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from slalom import MLP, SGD, Dataset, Member, Plan, Population
from slalom.engine import Reference
from slalom.engine.dropout import KeyedDropout, dropout_mask
from slalom.losses import MSE

WORD = 2**64
SEEDS = st.integers(0, 2**63 - 1)


def mix(z: int) -> int:
    """The finalizer of splitmix64 on Python's whole numbers, from the paper."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % WORD
    return z ^ (z >> 31)


@given(SEEDS, st.integers(0, 10**6), st.integers(0, 9), st.floats(0, 0.99))
def test_a_mask_is_that_of_splitmix64_on_whole_numbers(
    seed: int, step: int, layer: int, p: float
) -> None:
    golden, key = 0x9E3779B97F4A7C15, 0
    for part in (seed, step, layer):
        key = mix((key + part + golden) % WORD)
    kept = [mix((key + i * golden) % WORD) >> 40 >= p * 2**24 for i in range(1, 20)]
    expected = np.where(kept, np.float32(1) / np.float32(1 - p), 0)
    np.testing.assert_allclose(dropout_mask(seed, step, layer, 19, p), expected, rtol=1e-6)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_units_are_dropped_with_that_probability_and_the_mean_is_kept(p: float) -> None:
    mask = dropout_mask(seed=1, step=2, layer=0, units=100_000, p=p)
    assert (mask == 0).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 100_000))
    assert mask.mean() == pytest.approx(1, abs=0.03)


def test_masks_of_another_seed_step_or_layer_are_unrelated() -> None:
    names = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    masks = np.array([dropout_mask(*name, units=10_000, p=0.5) for name in names])
    correlation = np.corrcoef(masks) - np.eye(4)
    assert np.abs(correlation).max() < 0.05


def test_everything_passes_in_evaluation() -> None:
    layer = nn.Dropout(0.5).eval()
    KeyedDropout(layer, seed=0)
    x = torch.ones(3, 4)
    assert torch.equal(layer(x), x)


def test_a_net_with_dropout_trains_as_in_a_plain_loop_with_the_same_masks() -> None:
    generator = np.random.default_rng(0)
    data = Dataset(generator.normal(size=(12, 3)), generator.normal(size=12), "regression")
    member = Member(MLP(3, 8, 8, 1, dropout=0.3), SGD(0.1), seed=5)
    plan = Plan(Population((member,)), MSE(), steps=6, record="step")
    engine = Reference()
    losses = engine.advance(engine.start(plan, data), 6)["train_loss"]

    torch.manual_seed(5)
    layers = [nn.Linear(3, 8), nn.Linear(8, 8), nn.Linear(8, 1)]
    optimizer = torch.optim.SGD([p for layer in layers for p in layer.parameters()], lr=0.1)
    X, y = torch.from_numpy(data.X), torch.from_numpy(data.y)
    for step in range(6):
        h = X
        for number, layer in enumerate(layers[:-1]):
            mask = dropout_mask(5, step, number, 12 * 8, 0.3)
            h = layer(h).relu() * torch.from_numpy(mask).view(12, 8)
        loss = nn.functional.mse_loss(layers[-1](h), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert losses[step] == pytest.approx(loss.item(), rel=1e-6)
