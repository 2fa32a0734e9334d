"""Periodic embeddings: the module, its first numbers, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import slalom
from slalom import MLP, Adam, Dataset, Periodic
from slalom.core.errors import BadPlan
from slalom.core.spec import Spec
from slalom.nets import fill, outputs

NET = MLP(4, 6, 2, activation="tanh", embedding=Periodic(columns=(3, 1), size=5, scale=0.7))


def numbers(net: MLP, seed: int) -> np.ndarray:
    """Parameters none of which is 0."""
    return np.random.default_rng(seed).normal(size=net.size[0]).astype(np.float32)


def test_a_row_becomes_what_the_formula_says() -> None:
    module = NET.build(seed=0)
    fill(module, numbers(NET, 0), np.empty(0))
    w, b, weight, bias = (p.detach().double().numpy() for p in module[0].parameters())
    X = np.random.default_rng(1).normal(size=(7, 4)).astype(np.float32)
    for row, mine in zip(X.astype(np.float64), module[0](torch.from_numpy(X)), strict=True):
        expected = []
        for k, column in enumerate((3, 1)):
            waves = np.cos(2 * np.pi * (w[k] * row[column] + b[k]))
            expected += list(np.array([row[column], *waves]) * weight[k] + bias[k])
        expected += [row[0], row[2]]
        np.testing.assert_allclose(mine.detach().numpy(), expected, atol=3e-6)


def test_first_numbers_are_those_of_torch_under_the_same_seed() -> None:
    torch.manual_seed(9)
    frequency = nn.init.trunc_normal_(torch.empty(2, 4), a=-3, b=3) * 0.7
    first, last = nn.Linear(12, 6), nn.Linear(6, 2)
    expected = [frequency, torch.zeros(2, 4), torch.zeros(2, 5), torch.zeros(2, 5)]
    built = list(NET.build(seed=9).parameters())
    for mine, theirs in zip(
        built, [*expected, *first.parameters(), *last.parameters()], strict=True
    ):
        assert torch.equal(mine, theirs)


def test_a_net_begins_without_the_columns_that_it_embeds() -> None:
    module, X = NET.build(seed=0), torch.randn(5, 4)
    other = X.clone()
    other[:, [1, 3]] = 100.0
    assert torch.equal(module(X), module(other))


embeddings = st.builds(
    Periodic,
    columns=st.permutations(range(4)).flatmap(
        lambda order: st.integers(1, 4).map(lambda n: tuple(order[:n]))
    ),
    size=st.integers(2, 20),
    scale=st.floats(0.01, 10),
)


@given(embeddings, st.lists(st.integers(1, 40), max_size=2), st.integers(0, 2**63 - 1))
def test_what_is_done_without_a_module_is_what_the_module_does(
    embedding: Periodic, hidden: list[int], seed: int
) -> None:
    net = MLP(4, *hidden, 3, embedding=embedding)
    parameters, buffers = net.first([seed])
    module = net.build(seed)
    flat = nn.utils.parameters_to_vector(module.parameters()).detach().numpy()
    np.testing.assert_array_equal(parameters[0], flat)
    own = numbers(net, seed % 2**32)[None]
    X = torch.from_numpy(np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32))
    fill(module, own[0], np.empty(0))
    (all_,) = net.forward(own, buffers, X)
    assert torch.equal(all_[0], outputs(module, X))


def test_an_embedding_goes_to_json_and_back() -> None:
    assert Spec.from_json(NET.to_json()) == NET
    assert NET.label == "4-6-2 tanh periodic 2x5 scale 0.7"


def test_a_model_file_holds_it(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(80, 3))
    y = np.sin(5 * X[:, 0]) + X[:, 1]
    net = MLP(3, 8, 1, embedding=Periodic(columns=(0,), size=4))
    fitted = slalom.Regressor(members=net, epochs=3, progress=False).fit(X, y)
    fitted.predictor_.save(tmp_path / "waves.slalom")
    again = slalom.Predictor.load(tmp_path / "waves.slalom")
    np.testing.assert_array_equal(again.predict(slalom.read_table(X)), fitted.predict(X))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Periodic(columns=()), "columns must be whole numbers >= 0, each once"),
        (lambda: Periodic(columns=(1, 1)), "each once"),
        (lambda: Periodic(columns=(-1,)), "each once"),
        (lambda: Periodic(columns=(0,), size=1), "size must be a whole number >= 2"),
        (lambda: Periodic(columns=(0,), scale=0.0), "scale must be a number > 0"),
        (lambda: MLP(2, 3, 1, embedding=Periodic(columns=(2,))), "of columns below 2"),
    ],
)
def test_an_embedding_that_makes_no_sense_is_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(BadPlan, match=said):
        make()


def test_waves_are_learned_where_a_plain_net_of_the_same_width_draws_a_line() -> None:
    x = np.linspace(-1, 1, 400)
    data = Dataset(x[:, None], np.sin(40 * x), task="regression")
    arguments = {"optimizer": Adam(0.01), "epochs": 300, "batch_size": 100, "frames": 0}
    plain = slalom.train(MLP(1, 32, 1), data, **arguments)
    waves = slalom.train(
        MLP(1, 32, 1, embedding=Periodic(columns=(0,), size=16, scale=3.0)), data, **arguments
    )
    last = [run.history["train_loss"].iloc[-1] for run in (plain, waves)]
    assert last[0] > 0.3 and last[1] < 0.05
