"""What a member's net is: a recipe that makes a `torch.nn.Module`.

`Net` wraps any function or class that makes a module; `MLP` (next file) is the fully connected one.
Weights are drawn by torch's global generator under `torch.manual_seed(seed)`, so a recipe and a
seed always give the same first weights, which are those that plain PyTorch would give.
"""

from collections.abc import Callable
from typing import Any

import torch

from slalom.errors import BadPlan
from slalom.spec import Spec, import_path, trust


class NetSpec(Spec):
    """Base of the recipes."""

    def module(self) -> torch.nn.Module:
        """A fresh module, its weights drawn from torch's global generator."""
        raise NotImplementedError

    def build(self, seed: int) -> torch.nn.Module:
        """The module whose weights `torch.manual_seed(seed)` gives; the global generator is kept.

        Example:
            >>> from slalom import MLP
            >>> MLP(1, 10, 1).build(seed=0)[0].weight.shape
            torch.Size([10, 1])
        """
        with torch.random.fork_rng(devices=[]):
            # What torch.manual_seed does on the CPU, without its queue for devices not yet in use.
            torch.default_generator.manual_seed(seed)
            return self.module()

    @property
    def label(self) -> str:
        """A short name for tables and legends."""
        raise NotImplementedError


class Net(NetSpec):
    """Any function or class that makes a `torch.nn.Module`, with its arguments.

    The plan records the import path. Reading such a plan in another process takes `slalom.trust`.

    Args:
        factory: the function or class.
        **arguments: what it is called with; numbers, strings, booleans and lists of these.

    Raises:
        BadPlan: when `factory` is not callable, or an argument is not pure data.

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
        return module

    @property
    def label(self) -> str:
        shown = ", ".join(f"{name}={value}" for name, value in self.arguments)
        return f"{getattr(self.factory, '__name__', 'net')}({shown})"

    def check(self) -> None:
        self.require(callable(self.factory), "factory", "a function or class that makes a module")
        for name, value in self.arguments:
            if not _is_data(value):
                raise BadPlan(
                    f"Net: the argument {name}={value!r} cannot stand in a plan. Numbers, strings, "
                    f"booleans and lists of these can; make anything else inside the factory."
                )
        trust(self.factory)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> "Net":
        if "factory" not in fields:
            raise BadPlan("Net: factory must be a function or class that makes a module.")
        return cls(fields["factory"], **dict(fields.get("arguments", ())))


def as_net(net: Any) -> NetSpec:
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
