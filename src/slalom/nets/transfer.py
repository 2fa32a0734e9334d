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

    Args:
        whole: the net, whose layer of this `name` becomes the head.
        name: of the output layer.
        head: takes its place.
    """

    trunk: torch.nn.Module

    def __init__(self, whole: torch.nn.Module, name: str, head: torch.nn.Linear) -> None:
        super().__init__()
        trunk = _replaced(whole, name, torch.nn.Identity()).eval()
        self._learned = [p for p in trunk.parameters() if p.requires_grad]
        object.__setattr__(self, "trunk", trunk.requires_grad_(False))
        self.head, self._name = head, name

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.head(self.trunk(x))
        return outputs

    def whole(self) -> torch.nn.Module:
        """The net of both, all of which learns again."""
        for parameter in self._learned:
            parameter.requires_grad_()
        return _replaced(self.trunk, self._name, self.head)


class Transfer(NetSpec):
    """A trained net that goes on learning something else; `slalom.transfer` makes it from a run.

    With `freeze`, what stands before the output layer stays as it is, and only that layer is
    trained; otherwise all of it is, from what it has learned (Yosinski et al. 2014,
    https://arxiv.org/abs/1411.1792).

    Args:
        trained: recipe of the net that was trained. Its last `torch.nn.Linear` is its output layer.
        parameters, buffers: its numbers, as `encoded` gives them.
        outputs: of a new layer in its place, whose first weights follow from the seed; when not
            given the layer is kept, with what it has learned.
        freeze: whether the trunk stays as it is.
        rate: share of the learning rate at which a trunk learns that is not frozen. torch has
            parameter groups for this.

    Raises:
        BadPlan: when `outputs` is below 1, when `rate` is not above 0 or not that of a trunk that
            learns, when the net has no linear layer, or when the numbers are not those of such a
            net.
    """

    trained: NetSpec
    parameters: str
    buffers: str
    outputs: int | None = None
    freeze: bool = True
    rate: float = 1.0

    def __repr__(self) -> str:
        how = f"outputs={self.outputs}, freeze={self.freeze}, rate={self.rate:g}"
        return f"Transfer({self.trained!r}, {how})"

    def module(self) -> torch.nn.Module:
        with torch.random.fork_rng(devices=[]):  # what it draws is not kept
            trained = self.trained.module().float()
        parameters = decoded(self.parameters, np.float32)
        buffers = decoded(self.buffers, np.float64)
        wanted = [sum(t.numel() for t in own) for own in (trained.parameters(), trained.buffers())]
        if wanted != [len(parameters), len(buffers)]:
            raise BadPlan(
                f"The net {self.trained.label} has {wanted[0]} parameters and {wanted[1]} numbers "
                f"in buffers, but {len(parameters)} and {len(buffers)} were given."
            )
        fill(trained, parameters, buffers)
        whole = trained.whole() if isinstance(trained, Behind) else trained
        name, head = _last_linear(whole, self.trained.label)
        if self.outputs is not None:
            head = torch.nn.Linear(head.in_features, self.outputs)
        return Behind(whole, name, head) if self.freeze else _replaced(whole, name, head)

    def rates(self, module: torch.nn.Module) -> tuple[float, ...]:
        _, head = _last_linear(module, self.label)
        own = set(head.parameters())
        return tuple(1.0 if p in own else self.rate for p in module.parameters())

    @property
    def draws(self) -> bool:
        return self.trained.draws

    @property
    def label(self) -> str:
        layer = "output layer" if self.outputs is None else "new layer"
        return f"{layer if self.freeze else 'all layers'} of {self.trained.label}"

    def check(self) -> None:
        if self.outputs is not None:
            self.require_whole("outputs", 1)
        self.require(self.rate > 0, "rate", "a number > 0")
        learns = not self.freeze or self.rate == 1
        self.require(learns, "rate", "1 where the trunk is frozen; give freeze=False too")


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
