"""Activation functions: torch's by name, or a person's own, whose gradient is checked.

A user's own function takes a tensor and gives a tensor of the same shape. Before it is used, the
gradient that autograd finds for it is compared with finite differences in float64.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import torch

from slalom.core.errors import BadPlan, did_you_mean

Function: TypeAlias = Callable[[torch.Tensor], torch.Tensor]

ACTIVATIONS: dict[str, type[torch.nn.Module]] = {
    "identity": torch.nn.Identity,
    "relu": torch.nn.ReLU,
    "leaky_relu": torch.nn.LeakyReLU,
    "elu": torch.nn.ELU,
    "selu": torch.nn.SELU,
    "gelu": torch.nn.GELU,
    "silu": torch.nn.SiLU,
    "mish": torch.nn.Mish,
    "sigmoid": torch.nn.Sigmoid,
    "tanh": torch.nn.Tanh,
    "softplus": torch.nn.Softplus,
}

# Away from 0 and from whole numbers, where hand-written functions like to have their kinks.
_PROBE = (-3.3, -1.7, -0.85, -0.31, 0.27, 0.77, 1.6, 3.4)


class Activation(torch.nn.Module):
    """A user's own function as a module."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)

    def extra_repr(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))


def build_activation(activation: str | Function) -> torch.nn.Module:
    """The module for an activation given by name or as a function.

    >>> build_activation("tanh")
    Tanh()
    """
    if isinstance(activation, str):
        return ACTIVATIONS[activation]()
    return Activation(activation)


def check_activation(activation: str | Function) -> None:
    """Raise `BadPlan` for an unknown name, or a function that is not what its gradient says.

    Example:
        >>> check_activation(lambda x: x * torch.sigmoid(x))
    """
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            raise BadPlan(
                f"No activation is called {activation!r}. "
                f"{did_you_mean(activation, sorted(ACTIVATIONS))} "
                f"A function of your own that takes and gives a tensor works too."
            )
    elif isinstance(activation, torch.nn.Module | type):
        raise BadPlan(_no_function(activation))
    elif callable(activation):
        _check_gradient(activation)
    else:
        raise BadPlan(f"An activation is a name or a function, but {activation!r} was given.")


def _no_function(activation: torch.nn.Module | type) -> str:
    kind = activation if isinstance(activation, type) else type(activation)
    names = [name for name, known in ACTIVATIONS.items() if known is kind]
    return (
        f"An activation is a name or a function, but {kind.__name__} is a module, which all layers "
        f"and members would share. Pass {repr(names[0]) if names else 'a name'} or a function of "
        f"torch.nn.functional; one with parameters of its own goes into the module of a Net."
    )


@lru_cache
def _check_gradient(function: Function) -> None:
    name = getattr(function, "__name__", repr(function))
    x = torch.tensor(_PROBE, dtype=torch.float64, requires_grad=True)
    y = _apply(function, x, name)
    if not y.requires_grad:
        raise BadPlan(
            f"The activation {name} gives a result that does not depend on its input as far as "
            f"autograd can see, so nothing could be learned through it. Write it with torch "
            f"functions, without .detach(), .item() or NumPy."
        )
    (gradient,) = torch.autograd.grad(y.sum(), x)
    step = 1e-6
    with torch.no_grad():
        slope = (_apply(function, x + step, name) - _apply(function, x - step, name)) / (2 * step)
    if not torch.allclose(gradient, slope, rtol=1e-4, atol=1e-5):
        worst = int((gradient - slope).abs().nan_to_num(nan=float("inf")).argmax())
        raise BadPlan(
            f"The gradient of the activation {name} is wrong: at x = {_PROBE[worst]} autograd "
            f"gives {float(gradient[worst]):.6g}, but finite differences give "
            f"{float(slope[worst]):.6g}. "
            f"If it is a torch.autograd.Function, correct its backward."
        )


def _apply(function: Function, x: torch.Tensor, name: str) -> torch.Tensor:
    try:
        y = function(x)
    except Exception as error:
        # Whatever a person's function raises is theirs to read, in one paragraph of ours.
        raise BadPlan(
            f"The activation {name} failed on a tensor of {len(_PROBE)} numbers: {error}."
        ) from error
    if not isinstance(y, torch.Tensor) or y.shape != x.shape:
        got = tuple(y.shape) if isinstance(y, torch.Tensor) else type(y).__name__
        raise BadPlan(
            f"The activation {name} must give a tensor of its input's shape {tuple(x.shape)}, "
            f"but gave {got}."
        )
    return y
