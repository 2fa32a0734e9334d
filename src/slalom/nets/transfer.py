"""A net behind the trunk of another one: what has been learned, with a new output layer."""

import base64
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.nets.net import NetSpec, fill

F = TypeVar("F", np.float32, np.float64)


class Behind(torch.nn.Module):
    """A trunk that stays as it is, and a head that learns.

    The trunk is no part of `parameters()`, for it is the same for all members. It is always in
    evaluation, so that what it makes of a row does not change.
    """

    trunk: torch.nn.Module

    def __init__(self, trunk: torch.nn.Module, head: torch.nn.Linear) -> None:
        super().__init__()
        object.__setattr__(self, "trunk", trunk.eval().requires_grad_(False))
        self.head = head

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.head(self.trunk(x))
        return outputs


class Transfer(NetSpec):
    """A trained net whose output layer is a new one; `slalom.transfer` makes it from a run.

    With `freeze`, what stands before the new layer stays as it is, and only that layer is trained;
    otherwise all of it is, from what it has learned (Yosinski et al. 2014,
    https://arxiv.org/abs/1411.1792).

    Args:
        trained: recipe of the net that was trained. Its last `torch.nn.Linear` is replaced.
        parameters, buffers: its numbers, as `encoded` gives them.
        outputs: of the new layer, whose first weights follow from the seed.
        freeze: whether the trunk stays as it is.

    Raises:
        BadPlan: when `outputs` is below 1, when the net has no linear layer, or when the numbers
            are not those of such a net.
    """

    trained: NetSpec
    parameters: str
    buffers: str
    outputs: int
    freeze: bool = True

    def __repr__(self) -> str:
        return f"Transfer({self.trained!r}, outputs={self.outputs}, freeze={self.freeze})"

    def module(self) -> torch.nn.Module:
        trunk = self.trained.module().float()
        parameters = decoded(self.parameters, np.float32)
        buffers = decoded(self.buffers, np.float64)
        wanted = [sum(t.numel() for t in own) for own in (trunk.parameters(), trunk.buffers())]
        if wanted != [len(parameters), len(buffers)]:
            raise BadPlan(
                f"The net {self.trained.label} has {wanted[0]} parameters and {wanted[1]} numbers "
                f"in buffers, but {len(parameters)} and {len(buffers)} were given."
            )
        fill(trunk, parameters, buffers)
        name, last = _last_linear(trunk, self.trained.label)
        head = torch.nn.Linear(last.in_features, self.outputs)
        if not self.freeze:
            return _replaced(trunk, name, head)
        return Behind(_replaced(trunk, name, torch.nn.Identity()), head)

    @property
    def draws(self) -> bool:
        return self.trained.draws

    @property
    def label(self) -> str:
        return f"{'new layer' if self.freeze else 'all layers'} of {self.trained.label}"

    def check(self) -> None:
        self.require_whole("outputs", 1)


def encoded(numbers: NDArray[np.float32] | NDArray[np.float64]) -> str:
    """Numbers as text, so that they can stand in a spec.

    >>> encoded(np.array([1.0, 2.0], dtype=np.float32))
    'AACAPwAAAEA='
    """
    kind = numbers.dtype.newbyteorder("<")
    return base64.b64encode(numbers.astype(kind).tobytes()).decode()


@lru_cache(maxsize=4)  # each member of a population asks for them
def decoded(text: str, kind: type[F]) -> NDArray[F]:
    """The numbers in a text that `encoded` gave.

    Raises:
        BadPlan: when it is none.
    """
    try:
        numbers: NDArray[Any] = np.frombuffer(
            base64.b64decode(text, validate=True), np.dtype(kind).newbyteorder("<")
        )
    except ValueError as error:
        raise BadPlan(
            f"The numbers of a trained net are not what they should be: {error}."
        ) from None
    return numbers.astype(kind)


def _last_linear(module: torch.nn.Module, label: str) -> tuple[str, torch.nn.Linear]:
    """The output layer: the last of the linear ones, by its name."""
    layers = [(n, m) for n, m in module.named_modules() if isinstance(m, torch.nn.Linear)]
    if not layers:
        raise BadPlan(
            f"The net {label} has no torch.nn.Linear that a new output layer could replace."
        )
    return layers[-1]


def _replaced(module: torch.nn.Module, name: str, layer: torch.nn.Module) -> torch.nn.Module:
    """The module with another layer of that name."""
    if not name:  # it is nothing but that layer
        return layer
    module.set_submodule(name, layer)
    return module
