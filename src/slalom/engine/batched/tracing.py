"""Which operations of torch a function comes to, written down while it runs."""

from collections.abc import Callable, Mapping, Sequence
from operator import getitem
from typing import Any

import torch
from torch._ops import OpOverload
from torch.fx import Graph, Node
from torch.fx.node import map_aggregate
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten
ASKING = (aten._local_scalar_dense.default, aten.equal.default)  # what numbers there are


class Tracer(TorchDispatchMode):  # type: ignore[no-untyped-call]  # untyped in torch
    """While it is entered: every operation that is carried out becomes a node of a graph.

    Beneath `vmap`, `grad` and `functionalize`, so that it sees what these make of a function.
    `torch.fx.experimental.proxy_tensor.make_fx` does the same in eight times the time: it makes a
    second, fake tensor for each result.

    Args:
        given: tensors that the graph is a function of. Others that operations are given are part
            of it: what a module holds besides its parameters and buffers.
        otherwise: by operation, another way to write it down, which may be NotImplemented.

    Attributes:
        graph: of the operations so far.
        held: these other tensors, by the name that they have in it.

    Raises:
        RuntimeError: when the function asks for a number that depends on what is given.

    Example:
        >>> x = torch.ones(3)
        >>> with Tracer((x,), {}) as tracer:
        ...     y = 2 * x
        >>> [node.name for node in tracer.graph.nodes]
        ['given_0', 'mul_tensor']
    """

    def __init__(
        self,
        given: Sequence[torch.Tensor],
        otherwise: Mapping[OpOverload[..., Any], Callable[..., Any]],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._otherwise = otherwise
        self.graph, self.held = Graph(), dict[str, torch.Tensor]()
        self._known: dict[int, tuple[torch.Tensor, Node]] = {}  # by identity, while they are alive
        for number, tensor in enumerate(given):
            self._know(tensor, self.graph.placeholder(f"given_{number}"), varies=True)

    def __enter__(self) -> "Tracer":
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __torch_dispatch__(
        self,
        operation: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if operation in self._otherwise:
            with self:
                result = self._otherwise[operation](*args, **kwargs)
            if result is not NotImplemented:
                return result
        nodes: Any = (map_aggregate(arguments, self.node_of) for arguments in (args, kwargs))
        node = self.graph.call_function(operation, *nodes)
        varies = any(other.meta["varies"] for other in node.all_input_nodes)
        if varies and operation in ASKING:
            raise RuntimeError(f"data-dependent: {operation} asks what numbers there are")
        result = operation(*args, **kwargs)
        self._know(result, node, varies)
        return result

    def node_of(self, value: Any) -> Any:
        """The node of a tensor; anything else as it is."""
        if not isinstance(value, torch.Tensor):
            return value
        if id(value) not in self._known:
            name = f"held_{len(self.held)}"
            self.held[name] = value
            self._know(value, self.graph.get_attr(name), varies=False)
        return self._known[id(value)][1]

    def _know(self, result: Any, node: Node, varies: bool) -> None:
        node.meta["varies"] = varies
        if isinstance(result, torch.Tensor):
            node.meta["shape"] = result.shape
            self._known[id(result)] = result, node
        elif isinstance(result, list | tuple):
            for place, part in enumerate(result):
                self._know(part, self.graph.call_function(getitem, (node, place)), varies)
