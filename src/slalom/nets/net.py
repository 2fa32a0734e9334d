"""What a member's net is: a recipe that makes a `torch.nn.Module`.

`Net` wraps any function or class that makes a module; `MLP` (next file) is the fully connected one.
Weights are drawn by torch's global generator under `torch.manual_seed(seed)`, so a recipe and a
seed always give the same first weights, which are those that plain PyTorch would give.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from inspect import Parameter, signature
from itertools import chain
from threading import RLock
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.parameter import is_lazy
from torch.nn.utils import parameters_to_vector

from slalom.core.errors import BadPlan
from slalom.core.spec import Spec, import_path

ROWS_AT_ONCE = 16384  # bounds the memory of predictions, whatever the table
_GENERATOR = RLock()  # torch has one global generator for all threads


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """torch's global generator as `torch.manual_seed(seed)` leaves it; afterwards as it was before.

    One thread at a time, so that trainings side by side do not draw each other's numbers.
    """
    with _GENERATOR, torch.random.fork_rng(devices=[]):
        # What torch.manual_seed does on the CPU, without its queue for devices not yet in use.
        torch.default_generator.manual_seed(seed)
        yield


class NetSpec(Spec, abstract=True):
    """Base of the recipes."""

    @property
    def draws(self) -> bool:
        """Whether its modules may draw from torch's generator in training, but for `Dropout`."""
        return True

    def module(self) -> torch.nn.Module:
        """A fresh module, its weights drawn from torch's global generator."""
        raise NotImplementedError

    def rates(self, module: torch.nn.Module) -> tuple[float, ...]:
        """The share of the learning rate at which each parameter of such a module learns.

        Example:
            >>> from slalom import MLP
            >>> net = MLP(1, 10, 1)
            >>> net.rates(net.build(seed=0))
            (1.0, 1.0, 1.0, 1.0)
        """
        return tuple(1.0 for _ in module.parameters())

    def build(self, seed: int) -> torch.nn.Module:
        """The module whose weights `torch.manual_seed(seed)` gives; the global generator is kept.

        Example:
            >>> from slalom import MLP
            >>> MLP(1, 10, 1).build(seed=0)[0].weight.shape
            torch.Size([10, 1])
        """
        with seeded(seed):
            return self.module()

    def first(self, seeds: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """What `build` gives for each seed: parameters `[S, D]` and buffers `[S, B]`.

        Example:
            >>> from slalom import MLP
            >>> parameters, buffers = MLP(1, 10, 1).first([0, 1])
            >>> parameters.shape, buffers.shape
            ((2, 31), (2, 0))
        """
        modules = (self.build(seed).float() for seed in seeds)
        flat = [(flat_parameters(module), flat_buffers(module)) for module in modules]
        parameters, buffers = zip(*flat, strict=True)
        return np.stack(parameters), np.stack(buffers)

    @property
    def size(self) -> tuple[int, int]:
        """D and B: how many numbers its parameters and its buffers are."""
        parameters, buffers = self.first([0])
        return parameters.shape[1], buffers.shape[1]

    @property
    def trainable(self) -> bool:
        """Whether it has parameters to train."""
        return any(p.requires_grad for p in self.build(seed=0).parameters())

    def forward(
        self, parameters: NDArray[np.float32], buffers: NDArray[np.float64], *X: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Raw outputs `[S, N, O]` of the net with each of S sets of numbers, in evaluation.

        Args:
            parameters: float32 `[S, D]`, as `first` gives them.
            buffers: float64 `[S, B]`.
            *X: tables of rows, float32 `[N, ...]` each; there are outputs for each of them.
        """
        module = self.build(seed=0).float()
        each = []
        for own, kept in zip(parameters, buffers, strict=True):
            fill(module, own, kept)
            each.append([outputs(module, rows) for rows in X])
        return tuple(torch.stack(found) for found in zip(*each, strict=True))

    @property
    def label(self) -> str:
        """A short name for tables and legends."""
        raise NotImplementedError


class Net(NetSpec):
    """Any function or class that makes a `torch.nn.Module`, with its arguments.

    In a file stands the import path. Reading it takes `slalom.trust`, as reading it back here does.

    Args:
        factory: the function or class.
        **arguments: what it is called with; numbers, strings, booleans and lists of these.

    Raises:
        BadPlan: when `factory` is not callable, or an argument is not pure data; by `build`, when
            it makes no module, or one whose shapes are yet to come (`torch.nn.LazyLinear`).

    Example:
        >>> Net(torch.nn.Linear, in_features=3, out_features=1).build(seed=0)
        Linear(in_features=3, out_features=1, bias=True)
    """

    factory: Callable[..., torch.nn.Module]
    arguments: tuple[tuple[str, Any], ...] = ()

    def __init__(self, factory: Callable[..., torch.nn.Module], /, **arguments: Any) -> None:
        if isinstance(factory, torch.nn.Module):
            raise BadPlan(
                "A net is a recipe, so that every member can have first weights of its own: pass "
                "the class or a function that makes the module, not the module "
                f"{type(factory).__name__}(...) itself."
            )
        object.__setattr__(self, "factory", factory)
        object.__setattr__(self, "arguments", tuple(sorted(arguments.items())))
        self.__post_init__()

    def module(self) -> torch.nn.Module:
        module = self.factory(**dict(self.arguments))
        if not isinstance(module, torch.nn.Module):
            raise BadPlan(
                f"{import_path(self.factory)} was expected to make a torch.nn.Module, "
                f"but made {type(module).__name__}."
            )
        if any(map(is_lazy, chain(module.parameters(), module.buffers()))):
            raise BadPlan(
                f"{import_path(self.factory)} makes a module with lazy parts, whose first weights "
                f"would depend on the first batch. Use Linear in place of LazyLinear, and so on."
            )
        return module

    @property
    def label(self) -> str:
        shown = ", ".join(f"{name}={value}" for name, value in self.arguments)
        return f"{getattr(self.factory, '__name__', 'net')}({shown})"

    @property
    def adjustable(self) -> tuple[str, ...]:
        """The arguments given, and those that the factory names."""
        try:
            parameters = list(signature(self.factory).parameters.values())
        except (TypeError, ValueError):  # written in C, without a signature
            parameters = []
        by_name = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        named = [p.name for p in parameters if p.kind in by_name]
        return tuple(dict.fromkeys([*dict(self.arguments), *named]))

    def adjusted(self, **arguments: Any) -> "Net":
        return Net(self.factory, **dict(self.arguments) | arguments)

    def check(self) -> None:
        for name, value in self.arguments:
            if not _is_data(value):
                raise BadPlan(
                    f"Net: the argument {name}={value!r} cannot stand in a plan. Numbers, strings, "
                    f"booleans and lists of these can; make anything else inside the factory."
                )

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> "Net":
        if "factory" not in fields:
            raise BadPlan("Net: factory must be a function, but none was given.")
        return cls(fields["factory"], **dict(fields.get("arguments", ())))


def flat_parameters(module: torch.nn.Module) -> NDArray[np.float32]:
    """All parameters of a module, one after another: `[D]`."""
    parameters = list(module.parameters())
    if not parameters:  # which torch cannot put together
        return np.empty(0, dtype=np.float32)
    flat: NDArray[np.float32] = parameters_to_vector(parameters).detach().numpy()
    return flat


def flat_buffers(module: torch.nn.Module) -> NDArray[np.float64]:
    """All buffers of a module, one after another: `[B]`.

    float64 holds float32 and the step counts of batch norm exactly.
    """
    return np.concatenate([np.empty(0), *(b.double().flatten().numpy() for b in module.buffers())])


def fill(
    module: torch.nn.Module, parameters: NDArray[np.float32], buffers: NDArray[np.float64]
) -> None:
    """Give a module its parameters `[D]` and buffers `[B]`.

    The tensors are copies: torch's own memory is aligned, and unaligned memory could round
    otherwise, so that a member would depend on its neighbours.
    """
    with torch.no_grad():
        _copy_into(module.parameters(), parameters)
        _copy_into(module.buffers(), buffers)


def _copy_into(tensors: Iterable[torch.Tensor], values: NDArray[Any]) -> None:
    start = 0
    for tensor in tensors:
        chunk = torch.from_numpy(values[start : start + tensor.numel()])
        tensor.copy_(chunk.view_as(tensor))
        start += tensor.numel()


def outputs(module: torch.nn.Module, X: torch.Tensor) -> torch.Tensor:
    """What a module gives for rows `X [N, ...]` in evaluation: `[N, O]`."""
    module.eval()
    with torch.no_grad():
        return torch.cat([module(part) for part in torch.split(X, ROWS_AT_ONCE)])


# A recipe, or what makes a `torch.nn.Module`: a class or a function.
NetLike: TypeAlias = NetSpec | Callable[..., torch.nn.Module]


def as_net(net: NetLike) -> NetSpec:
    """The recipe itself, or the recipe around a function or class that makes a module."""
    if isinstance(net, NetSpec):
        return net
    if isinstance(net, torch.nn.Module) or callable(net):
        return Net(net)
    raise BadPlan(
        "A net is an MLP, a Net, or a function or class that makes a torch.nn.Module, "
        f"but {net!r} was given."
    )


def _is_data(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(_is_data(v) for v in value)
    return value is None or isinstance(value, str | int | float | bool)
