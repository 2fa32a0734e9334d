"""Steps on a GPU as CUDA graphs: launched as a whole, not operation by operation.

Launching an operation takes a processor some microseconds, in which a GPU would have done it often
enough: small nets would train no faster there. Source: CUDA graphs in the notes of torch,
https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from typing import NamedTuple

import torch

from slalom.engine.batched.graph import Graph, Tensors


class Capture(NamedTuple):
    """A graph, the tensors that it reads, and those that it writes, all of which stay in place."""

    graph: torch.cuda.CUDAGraph
    given: Tensors
    found: Tensors


class Captured:
    """A function of tensors on a GPU that is written down when it is called for the second time.

    The first call for tensors of some shapes runs it as it is, for libraries make themselves ready
    then. What a call returns is overwritten by the next one.

    Args:
        function: which waits for nothing on the GPU. What it changes in place must lie where it
            lay before, in each call.
    """

    def __init__(self, function: Graph) -> None:
        self._function = function
        self._captures: dict[tuple[torch.Size, ...], Capture | None] = {}

    def __call__(self, *given: torch.Tensor) -> Tensors:
        shapes = tuple(tensor.shape for tensor in given)
        if shapes not in self._captures:
            self._captures[shapes] = None
            return self._aside(given)
        capture = self._captures[shapes] or self._capture(given)
        self._captures[shapes] = capture
        for own, new in zip(capture.given, given, strict=True):
            if own.data_ptr() != new.data_ptr():
                own.copy_(new)
        capture.graph.replay()
        return capture.found

    def _aside(self, given: Tensors) -> Tensors:
        """The function on a stream of its own, as it must run before it is written down."""
        here = torch.cuda.current_stream()
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            found = self._function(*given)
        here.wait_stream(aside)
        return found

    def _capture(self, given: Tensors) -> Capture:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            found = self._function(*given)
        return Capture(graph, given, found)


def at_once(function: Graph, device: torch.device) -> Graph:
    """The function, in the way in which a device carries it out soonest."""
    return Captured(function) if device.type == "cuda" else function
