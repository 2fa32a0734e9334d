"""Activations: torch's by name, a person's own after a look at its gradient."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from scipy import special

from slalom import MLP
from slalom.core.errors import BadPlan
from slalom.nets import ACTIVATIONS, build_activation, check_activation

# Written out in NumPy, float64.
FORMULAS = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "gelu": lambda x: x * 0.5 * (1 + special.erf(x / np.sqrt(2))),
    "silu": lambda x: x * special.expit(x),
    "mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
    "sigmoid": special.expit,
    "tanh": np.tanh,
    "softplus": lambda x: np.logaddexp(0, x),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_gradients_are_those_of_the_formula(name: str) -> None:
    points = np.linspace(-6, 6, 200)  # an even number of points avoids the kink at 0
    x = torch.tensor(points, requires_grad=True)
    y = build_activation(name)(x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    formula, step = FORMULAS[name], 1e-6
    np.testing.assert_allclose(y.detach(), formula(points), rtol=1e-12, atol=1e-12)
    slope = (formula(points + step) - formula(points - step)) / (2 * step)
    np.testing.assert_allclose(gradient, slope, rtol=1e-6, atol=1e-8)


def swish(x: torch.Tensor) -> torch.Tensor:
    return x * torch.sigmoid(x)


class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return gradient * 2 * x**2  # 3 is right


class Right(Wrong):
    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return gradient * 3 * x**2


def wrong(x: torch.Tensor) -> torch.Tensor:
    return Wrong.apply(x)


def right(x: torch.Tensor) -> torch.Tensor:
    return Right.apply(x)


def test_a_function_of_ones_own_is_used_as_it_is() -> None:
    net = MLP(2, 3, 1, activation=swish).build(seed=0)
    plain = MLP(2, 3, 1, activation="silu").build(seed=0)
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(net(x), plain(x))
    assert "swish" in str(net)
    check_activation(right)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (wrong, "The gradient of the activation wrong is wrong: at x = "),
        (lambda x: x.detach(), "does not depend on its input as far as autograd can see"),
        (lambda x: x.sum(), "must give a tensor of its input's shape (8,), but gave ()"),
        (lambda x: 3.0, "but gave float"),
        (lambda x: x @ torch.ones(3), "failed on a tensor of 8 numbers"),
        (lambda x: torch.sqrt(x), "The gradient of the activation <lambda> is wrong"),
    ],
    ids=["gradient", "detached", "shape", "type", "raises", "nan"],
)
def test_a_function_that_cannot_be_learned_through_is_refused(function: Any, message: str) -> None:
    with pytest.raises(BadPlan, match=re.escape(message)):
        MLP(1, 2, 1, activation=function)


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        (torch.nn.PReLU(), "PReLU is a module, which all layers and members would share. Pass a n"),
        (torch.nn.PReLU, "one with parameters of its own goes into the module of a Net"),
        (torch.nn.Tanh(), "Pass 'tanh' or a function of torch.nn.functional"),
        (torch.nn.ReLU, "but ReLU is a module"),
    ],
)
def test_a_module_is_no_activation(activation: Any, message: str) -> None:
    with pytest.raises(BadPlan, match=message):
        MLP(1, 2, 1, activation=activation)
