"""The fully connected net, and nets of a person's own."""

import functools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from slalom import MLP, Net
from slalom.core.errors import BadPlan
from slalom.core.spec import Spec, trust
from slalom.nets import as_net, outputs


def test_weights_are_those_of_torch_under_the_same_seed() -> None:
    torch.manual_seed(42)
    plain = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 6), nn.Tanh(), nn.Linear(6, 2))
    built = MLP(5, 7, 6, 2, activation="tanh").build(seed=42)
    assert str(built) == str(plain)
    for mine, theirs in zip(built.parameters(), plain.parameters(), strict=True):
        assert torch.equal(mine, theirs)


@given(
    st.lists(st.integers(1, 70), min_size=2, max_size=4),
    st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=3),
)
def test_first_weights_are_those_of_the_built_modules(widths: list[int], seeds: list[int]) -> None:
    net = MLP(*widths, dropout=0.5)
    parameters, buffers = net.first(seeds)
    assert (parameters.dtype, buffers.shape) == (np.float32, (len(seeds), 0))
    for seed, row in zip(seeds, parameters, strict=True):
        flat = nn.utils.parameters_to_vector(net.build(seed).parameters())
        np.testing.assert_array_equal(row, flat.detach().numpy())


def test_first_weights_leave_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    MLP(3, 4, 1).first([5, 6])
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_follows_every_activation_and_no_output() -> None:
    layers = [type(layer).__name__ for layer in MLP(3, 4, 5, 1, dropout=0.2).build(seed=0)]
    assert layers == [*["Linear", "ReLU", "Dropout"] * 2, "Linear"]
    assert MLP(3, 4, 1, dropout=0.2).build(seed=0)[2].p == 0.2


def test_a_net_without_hidden_layers_is_one_linear_layer() -> None:
    assert str(MLP(3, 2).build(seed=0)) == str(nn.Sequential(nn.Linear(3, 2)))


def test_building_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    MLP(3, 4, 1).build(seed=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_nets_compare_by_value() -> None:
    assert MLP(1, 2, 1) == MLP(1, 2, 1)
    assert hash(MLP(1, 2, 1)) == hash(MLP(1, 2, 1))
    assert MLP(1, 2, 1) != MLP(1, 2, 1, activation="tanh")


def test_labels_say_widths_activation_and_dropout() -> None:
    assert MLP(8, 32, 1).label == "8-32-1 relu"
    assert MLP(8, 32, 1, activation="gelu", dropout=0.1).label == "8-32-1 gelu dropout 0.1"
    assert MLP(1, 2, 1, activation=torch.sin).label == "1-2-1 sin"
    assert Net(nn.Linear, in_features=2, out_features=1).label == (
        "Linear(in_features=2, out_features=1)"
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MLP(), "widths must be two or more"),
        (lambda: MLP(3), "widths must be two or more"),
        (lambda: MLP(3, 0, 1), "widths must be two or more"),
        (lambda: MLP(3, 2.5, 1), "widths must be a tuple, each entry a whole number"),
        (lambda: MLP(3, True), "widths must be a tuple, each entry a whole number"),
        (lambda: MLP([3, 4, 1]), "widths must be a tuple, each entry a whole number"),
        (lambda: MLP(3, 1, dropout=1.0), "dropout must be in"),
        (lambda: MLP(3, 1, dropout="half"), "dropout must be a number"),
        (lambda: MLP(3, 1, activation="rleu"), "Did you mean 'relu'"),
        (lambda: MLP(3, 1, activation=3), "activation must be text or a function"),
        (lambda: Net(3), "factory must be a function"),
        (lambda: Net(nn.Linear(1, 1)), "not the module Linear"),
        (lambda: Net(nn.Linear, in_features=object()), "in_features=.* cannot stand in a plan"),
        (lambda: Net(dict).build(0), "expected to make a torch.nn.Module, but made dict"),
        (lambda: Net(nn.LazyLinear, out_features=1).build(0), "lazy parts, whose first weights"),
        (lambda: as_net("mlp"), "A net is an MLP, a Net, or"),
    ],
)
def test_a_senseless_net_is_refused(make: Any, message: str) -> None:
    with pytest.raises(BadPlan, match=message):
        make()


def test_a_class_or_function_that_makes_a_module_is_a_net() -> None:
    net = as_net(functools.partial(nn.Linear, 2, 1))
    assert isinstance(net.build(seed=0), nn.Linear)
    assert as_net(MLP(1, 1)) == MLP(1, 1)


@trust
def awkward(kind: str = "a", factory: float = 1.0, sizes: tuple[int, ...] = ()) -> nn.Module:
    return nn.Linear(1, len(sizes))


def test_arguments_of_any_name_go_to_json_and_back() -> None:
    net = Net(awkward, kind="lstm", factory=float("inf"), sizes=[3, 4])
    again = Spec.loads(net.dumps())
    assert again == net
    assert again.build(seed=0).out_features == 2


@pytest.mark.parametrize("net", [MLP(3, 2), MLP(3, 17, 5, 2, activation="gelu", dropout=0.5)])
def test_forward_gives_the_bits_of_the_module_with_these_parameters(net: MLP) -> None:
    parameters, buffers = net.first([3, 4])
    X = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(0))
    whole, few = net.forward(parameters, buffers, X, X[:7])
    for seed, own, some in zip([3, 4], whole, few, strict=True):
        torch.testing.assert_close(own, outputs(net.build(seed), X), rtol=0, atol=0)
        torch.testing.assert_close(some, outputs(net.build(seed), X[:7]), rtol=0, atol=0)
