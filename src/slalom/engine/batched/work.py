"""How much there is to do in an operation of a net: whether a thread of its own is worth it."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Work(TorchDispatchMode):  # type: ignore[no-untyped-call]  # untyped in torch
    """While it is entered: how many numbers an operation of torch gives, in the mean.

    Example:
        >>> with Work() as work:
        ...     sums = torch.ones(2, 3) + 1, torch.ones(10) + 1
        >>> work.numbers  # four operations
        8.0
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._operations, self._numbers = 0, 0

    def __enter__(self) -> Self:
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __torch_dispatch__(
        self,
        operation: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = operation(*args, **(kwargs or {}))
        self._operations += 1
        if not any(returned.alias_info for returned in operation._schema.returns):  # no mere view
            tensors = (leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor))
            self._numbers += sum(tensor.numel() for tensor in tensors)
        return result

    @property
    def numbers(self) -> float:
        """Of an operation, in the mean."""
        return self._numbers / max(1, self._operations)
