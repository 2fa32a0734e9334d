"""The computational graph behind a result: its nodes, counted."""

from typing import Any

import torch


def nodes(result: torch.Tensor) -> int:
    """How many nodes it has: operations, and the parameters that went into them.

    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> nodes(3 * x)
    2
    """
    found, waiting = set[Any](), [result.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found.add(node)
            waiting += [before for before, _ in node.next_functions]
    return len(found)
