"""A net as a program over stacked members: the losses, gradients and outputs of all at once.

`torch.func` turns the function of one member into that of many, and for each shape that becomes a
graph.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.func import functional_call, grad, grad_and_value

from slalom.core.errors import BadPlan
from slalom.engine.batched.dropout import StackedDropout
from slalom.engine.batched.graph import Graph, Tensors, graph_of, together
from slalom.engine.device import CPU
from slalom.engine.reference import failure_of
from slalom.losses import Loss
from slalom.nets import NetSpec, outputs
from slalom.nets.transfer import Behind


class Piece(NamedTuple):
    """A parameter or buffer of a module, as a part of a flat vector."""

    name: str
    size: int
    shape: torch.Size
    dtype: torch.dtype
    trained: bool


class Program:
    """One net and one loss, over stacked members.

    Args:
        net, loss: what the members have in common.
        device: where their tensors lie.

    Attributes:
        layers: how many layers of dropout it has.
        shares: of the learning rate, at which each parameter learns, `[D]`.
    """

    def __init__(self, net: NetSpec, loss: Loss, device: torch.device = CPU) -> None:
        self.net, self.loss, self.device = net, loss, device
        whole = net.build(seed=0).float()
        # A trunk that stays as it is sees each row once, and the members what it made of them.
        self._trunk, self.module = None, whole
        if isinstance(whole, Behind):
            self._trunk, self.module = whole.trunk, whole.head
        self._dropout = StackedDropout(self.module)
        self.layers = self._dropout.layers
        self._parameters = _pieces(self.module.named_parameters())
        self._buffers = _pieces(self.module.named_buffers())
        sizes = [piece.size for piece in self._parameters]
        self.shares = np.repeat(np.array(net.rates(self.module)), sizes)
        self._graphs: dict[Any, Graph] = {}

    @property
    def sees_all(self) -> bool:
        """Whether it sees rows as they are, not what a frozen trunk makes of them."""
        return self._trunk is None

    def seen(self, X: torch.Tensor) -> torch.Tensor:
        """What members see of rows `X [N, ...]`: these, or what a frozen trunk makes of them."""
        return (X if self._trunk is None else outputs(self._trunk, X)).to(self.device)

    def gradients(
        self,
        parameters: torch.Tensor,
        buffers: torch.Tensor,
        *batch: torch.Tensor,
        at_once: bool = False,
    ) -> Tensors:
        """Losses of a batch `[P]`, their gradients `[P, D]`, and the buffers after it `[P, B]`.

        Args:
            parameters: float32 `[P, D]`.
            buffers: float64 `[P, B]`.
            batch: the rows of the step for each member: features `[P, B, ...]`, targets `[P, B]` or
                `[P, B, T]`, weights of rows `[P, B]` or `[P, 0]` where all count alike, and keys of
                dropout `[P, layers]`.
            at_once: without a graph, which takes longer to write down than a step does.
        """
        given = (parameters, *self._split(buffers), *batch)
        if at_once:
            gradient, losses, *after = together(self._train, given)
        else:
            gradient, losses, *after = self._graph(self._train, given, batch[0])(*given)
        return losses, gradient, _joined(after, buffers)

    def outputs(
        self, parameters: torch.Tensor, buffers: torch.Tensor, X: torch.Tensor
    ) -> torch.Tensor:
        """Raw outputs in evaluation on rows `X [P, B, ...]`: `[P, B, O]`; else as `gradients`."""
        given = (parameters, *self._split(buffers), X)
        (found,) = self._graph(self._evaluate, given, X)(*given)
        return found

    def _train(self, parameters: torch.Tensor, *given: torch.Tensor) -> Tensors:
        """Gradient, loss and buffers of one member."""
        self.module.train()
        gradient, (loss, after) = grad_and_value(self._loss, has_aux=True)(parameters, *given)
        return gradient, loss, *after

    def _loss(self, parameters: torch.Tensor, *given: torch.Tensor) -> tuple[torch.Tensor, Tensors]:
        *buffers, X, y, weight, keys = given
        self._dropout.keys = keys
        output, after = self._call(parameters, buffers, X)
        return self.loss(output, y, weight if weight.numel() else None), after

    def _evaluate(self, parameters: torch.Tensor, *given: torch.Tensor) -> Tensors:
        """Outputs of one member."""
        self.module.eval()
        # Recurrent layers are known for many members where there is a gradient; the graph does
        # without that, for nobody looks at it.
        _, found = grad(self._outputs, has_aux=True)(parameters, *given)
        return (found,)

    def _outputs(
        self, parameters: torch.Tensor, *given: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        *buffers, X = given
        found, _ = self._call(parameters, buffers, X)
        return found.sum(), found

    def _call(
        self, parameters: torch.Tensor, buffers: Iterable[torch.Tensor], X: torch.Tensor
    ) -> tuple[torch.Tensor, Tensors]:
        """The output of the module with these parameters and buffers, and its buffers then."""
        kept = {piece.name: buffer for piece, buffer in zip(self._buffers, buffers, strict=True)}
        parts = torch.split(parameters, [piece.size for piece in self._parameters])
        trained = {
            piece.name: (part if piece.trained else part.detach()).view(piece.shape)
            for piece, part in zip(self._parameters, parts, strict=True)
        }
        output: torch.Tensor = functional_call(self.module, (trained, kept), (X,))
        return output, tuple(kept.values())

    def _split(self, flat: torch.Tensor) -> Tensors:
        """Buffers `[P, ...]`, each in a tensor of its own kind."""
        parts = torch.split(flat, [piece.size for piece in self._buffers], dim=1)
        return tuple(
            part.to(piece.dtype, copy=True).view(len(flat), *piece.shape)
            for piece, part in zip(self._buffers, parts, strict=True)
        )

    def _graph(self, function: Graph, given: Tensors, X: torch.Tensor) -> Graph:
        """A function of one member as a graph for tensors laid out as these, written down once.

        Raises:
            BadPlan: when the net fails on such features.
        """
        key = (function.__name__, *((tensor.shape, tensor.stride()) for tensor in given))
        if key not in self._graphs:
            try:
                self._graphs[key] = graph_of(function, given)
            except Exception as error:  # whatever a module of the user's raises is theirs to read
                raise BadPlan(failure_of(self.net, X.shape[1:], error)) from error
        return self._graphs[key]


def _pieces(named: Iterable[tuple[str, torch.Tensor]]) -> tuple[Piece, ...]:
    return tuple(
        Piece(name, tensor.numel(), tensor.shape, tensor.dtype, tensor.requires_grad)
        for name, tensor in named
    )


def _joined(buffers: Iterable[torch.Tensor], before: torch.Tensor) -> torch.Tensor:
    """Buffers `[P, ...]` as they stand in the state, float64 `[P, B]`."""
    flat = [buffer.double().reshape(len(buffer), -1) for buffer in buffers]
    return torch.cat(flat, dim=1) if flat else before
