"""What a function of stacked tensors does, written down once as operations of torch.

`vmap` and `grad` of `torch.func` decide at each operation what it means for many members, which
takes longer than the operation itself where nets are small. The graph is what they decided.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from types import BuiltinFunctionType, MethodDescriptorType
from typing import Any

import torch
from torch._ops import OpOverload
from torch._subclasses import FakeTensorMode
from torch.func import functionalize, vmap
from torch.fx import Graph as Operations
from torch.fx import GraphModule, Node
from torch.nn.attention import SDPBackend, sdpa_kernel

from slalom.engine.batched.tracing import Tracer
from slalom.engine.device import CPU

aten = torch.ops.aten
SHAPING = (aten.view.default, aten._unsafe_view.default, aten.expand.default)

Tensors = tuple[torch.Tensor, ...]
Graph = Callable[..., Tensors]
_TRACING = Lock()  # one module serves all threads


def together(function: Graph, given: Tensors) -> Tensors:
    """What a function of one member gives for stacked ones."""
    with _tracing():
        return vmap(function)(*given)


def graph_of(function: Graph, given: Tensors) -> Graph:
    """A function of one member as a graph over stacked ones, for tensors laid out as these are.

    It is always that of the CPU, whose operations are known for many members; a GPU has others for
    recurrent nets, which are not. For a GPU nothing is computed while it is written down.
    """
    device = given[0].device
    own = tuple(map(_copied, given))
    if device != CPU:
        own = tuple(map(FakeTensorMode(allow_non_fake_inputs=True).from_tensor, own))
    with _tracing(), Tracer(own, OTHERWISE) as tracer:
        found = functionalize(vmap(function))(*own)
    graph, held = tracer.graph, tracer.held
    graph.output(tuple(map(tracer.node_of, found)))
    for node in graph.nodes:
        if _does_nothing(node):
            node.replace_all_uses_with(node.args[0])
    graph.eliminate_dead_code()
    if device != CPU:
        _move(graph, device)
    for node in graph.nodes:
        if isinstance(node.target, OpOverload):
            node.target = _called_directly(node.target)
    return GraphModule({name: tensor.to(device) for name, tensor in held.items()}, graph)


def _copied(tensor: torch.Tensor) -> torch.Tensor:
    """A copy on the CPU, for a module may change its buffers in place while it is written down.

    It is laid out as the tensor is: what is there once for all members is there once.
    """
    once = tuple(slice(0, 1) if stride == 0 else slice(None) for stride in tensor.stride())
    return tensor[once].to("cpu", copy=True).expand(tensor.shape)


def _move(graph: Operations, device: torch.device) -> None:
    """Let a graph of the CPU make its tensors on another device, whose layouts may be others."""
    for node in graph.nodes:
        if node.kwargs.get("device") == CPU:
            node.update_kwarg("device", device)
        if node.target is aten.view.default:
            node.target = aten.reshape.default


@contextmanager
def _tracing() -> Iterator[None]:
    """One thread at a time; attention in steps, of which each is known for many members."""
    with _TRACING, sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
        # What torch.func takes one by one is no reason to take everything one by one.
        warnings.filterwarnings("ignore", "There is a performance drop")
        yield


def _pooled(x: torch.Tensor, *arguments: Any) -> Any:
    """The largest of each window, with channels side by side in memory.

    They are many, for they are those of all members, and so a fifth of the time goes by: otherwise
    torch looks at one number after another. What is found is the same.
    """
    if x.dim() != 4 or x.is_contiguous(memory_format=torch.channels_last):
        return NotImplemented  # torch then does what it always does
    side_by_side = x.contiguous(memory_format=torch.channels_last)
    largest, places = aten.max_pool2d_with_indices(side_by_side, *arguments)
    return largest.contiguous(), places.contiguous()


# What is written down in another way.
OTHERWISE = {aten.max_pool2d_with_indices.default: _pooled}


def _called_directly(operation: OpOverload[..., Any]) -> Callable[..., Any]:
    """torch's own function of that name, if there is one: Python calls it in half of the time."""
    name = operation.overloadpacket.__name__
    for home in (torch, torch.Tensor):
        function = getattr(home, name, None)
        if isinstance(function, BuiltinFunctionType | MethodDescriptorType):
            return function
    return operation


def _does_nothing(node: Node) -> bool:
    """Whether it gives what it is given, as every fourth does that `vmap` writes down."""
    args: Any = node.args
    if node.target is aten.detach.default:
        return True
    if node.target is aten.mul.Scalar:
        return bool(args[1] == 1)
    if node.target is aten.permute.default:
        return bool(list(args[1]) == sorted(args[1]))
    return node.target in SHAPING and bool(args[0].meta["shape"] == node.meta["shape"])
