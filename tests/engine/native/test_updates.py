"""Ten steps of every rule beside torch.optim."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from slalom import MLP, grid, optim
from slalom.engine.hyper import LENGTH, RULES, arguments_of, encode
from slalom.engine.native.compile import sealed
from slalom.engine.native.updates import update
from slalom.optim import OPTIMIZERS as KNOWN
from slalom.optim import Optimizer
from tests.engine.conformance import OPTIMIZERS

pytestmark = pytest.mark.slow

NAMES = [optimizer.kind for optimizer in KNOWN.values() if optimizer.updates]
STEPS = 10
# Around a member lie its neighbours, which no update may touch.
FENCE = np.float32(12345)


@sealed
def updated(rule, hyper, lr, step, p, p0, g, m, m0, n):  # type: ignore[no-untyped-def]
    update(rule, hyper, lr, step, p, p0, g, m, m0, n)


def encoded(optimizer: Optimizer) -> tuple[int, NDArray[np.float64]]:
    rules, hyper = encode(grid(net=MLP(1, 1), optimizer=optimizer), slice(None))
    return int(rules[0]), hyper[0]


class Ours:
    """One member between two neighbours."""

    def __init__(self, optimizer: Optimizer, start: NDArray[np.float32]) -> None:
        self.n, self.slots = start.size, len(optimizer.slots)
        self.rule, self.hyper = encoded(optimizer)
        self.p = np.full(self.n + 8, FENCE)
        self.p[3:-5] = start
        self.m = np.full(self.slots * self.n + 9, FENCE)
        self.m[7:-2] = 0

    def step(self, number: int, lr: float, g: NDArray[np.float32]) -> None:
        updated(self.rule, self.hyper, lr, number, self.p, 3, g, self.m, 7, self.n)
        assert (self.p[[0, 1, 2, -5, -4, -3, -2, -1]] == FENCE).all()
        assert (self.m[[0, 1, 2, 3, 4, 5, 6, -2, -1]] == FENCE).all()

    @property
    def parameters(self) -> NDArray[np.float32]:
        return self.p[3:-5]

    def slot(self, s: int) -> NDArray[np.float32]:
        return self.m[7 + s * self.n : 7 + (s + 1) * self.n]


def built(name: str, arguments: dict[str, Any]) -> Optimizer:
    optimizer: Optimizer = getattr(optim, name)(**arguments)
    return optimizer


def label(value: Any) -> str | None:
    return ",".join(value) if isinstance(value, dict) else None


def compare(optimizer: Optimizer, n: int, seed: int, dtype: torch.dtype, rtol: float) -> None:
    """Gradients of all sizes, some of them 0, and a rate that changes from step to step."""
    generator = np.random.default_rng(seed)
    start = generator.normal(size=n).astype(np.float32)
    leaf = torch.nn.Parameter(torch.from_numpy(start).to(dtype))
    torchs, ours = optimizer.build([leaf]), Ours(optimizer, start)
    for number in range(1, STEPS + 1):
        g = (generator.normal(size=n) * 10 ** generator.uniform(-4, 1, size=n)).astype(np.float32)
        g[generator.random(n) < 0.1] = 0
        lr = optimizer.lr / number
        torchs.param_groups[0]["lr"] = lr
        leaf.grad = torch.from_numpy(g).to(dtype)
        torchs.step()
        ours.step(number, lr, g)
    np.testing.assert_allclose(ours.parameters, leaf.detach().numpy(), rtol=rtol, atol=rtol)
    for s, name in enumerate(optimizer.slots):
        expected = torchs.state[leaf][name].numpy()
        np.testing.assert_allclose(ours.slot(s), expected, rtol=10 * rtol, atol=rtol)


@pytest.mark.parametrize(("name", "arguments"), OPTIMIZERS, ids=label)
def test_ten_steps_are_torchs_within_rounding(name: str, arguments: dict[str, Any]) -> None:
    compare(built(name, arguments), 1000, seed=1, dtype=torch.float32, rtol=2e-6)


@pytest.mark.parametrize(("name", "arguments"), OPTIMIZERS, ids=label)
def test_ten_steps_are_those_of_float64_within_rounding(
    name: str, arguments: dict[str, Any]
) -> None:
    compare(built(name, arguments), 1000, seed=2, dtype=torch.float64, rtol=2e-6)


@settings(max_examples=60)
@given(case=st.sampled_from(OPTIMIZERS), n=st.integers(1, 70), seed=st.integers(0, 2**32 - 1))
def test_every_number_of_parameters_is_served(
    case: tuple[str, dict[str, Any]], n: int, seed: int
) -> None:
    compare(built(*case), n, seed, torch.float32, rtol=5e-6)


@pytest.mark.parametrize("name", NAMES)
def test_an_infinite_parameter_without_decay_stays_infinite(name: str) -> None:
    optimizer = built(name, {"weight_decay": 0.0})
    start = np.array([np.inf, -np.inf, 1], np.float32)
    ours = Ours(optimizer, start)
    ours.step(1, 0.1, np.ones(3, np.float32))
    np.testing.assert_array_equal(ours.parameters[:2], start[:2])


@pytest.mark.parametrize(("name", "arguments"), OPTIMIZERS, ids=label)
def test_a_gradient_that_is_nan_reaches_the_parameter(name: str, arguments: dict[str, Any]) -> None:
    ours = Ours(built(name, arguments), np.ones(3, np.float32))
    ours.step(1, 0.1, np.array([1, np.nan, 0], np.float32))
    assert np.isnan(ours.parameters).tolist() == [False, True, False]


@pytest.mark.parametrize(("name", "arguments"), OPTIMIZERS, ids=label)
def test_a_rule_is_an_optimizer_with_its_slots(name: str, arguments: dict[str, Any]) -> None:
    optimizer = built(name, arguments | {"lr": 0.125})
    rule, hyper = encoded(optimizer)
    assert RULES[rule] == (type(optimizer), optimizer.slots)
    assert len(arguments_of(type(optimizer))) <= len(hyper) == LENGTH
    assert 0.125 not in hyper
