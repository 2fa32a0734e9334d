"""What the layers of a net make of rows: the outputs of neurons, and the maps of filters."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch

from slalom.nets.transfer import Behind

CONVOLUTIONS = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)


class LayerOutput(NamedTuple):
    """A layer of a net, up to its activation.

    Args:
        number: of the layers of its kind, from 1.
        name: what its last module is called, such as "relu", or "linear" without an activation.
        filters: whether it is a convolution.
        values: what comes out of it: `[B, filters, ...]`, or `[B, ..., neurons]`.
    """

    number: int
    name: str
    filters: bool
    values: torch.Tensor

    @property
    def units(self) -> torch.Tensor:
        """Its numbers `[n, units]`: of neurons for each row, of filters at each place of each."""
        values = self.values.movedim(1, -1) if self.filters else self.values
        return values.reshape(-1, values.shape[-1])


def modules_of(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """Those of `module.modules()`, and before them those of a frozen trunk."""
    if isinstance(module, Behind):
        yield from module.trunk.modules()
    yield from module.modules()


def layer_outputs(module: torch.nn.Module, X: torch.Tensor) -> list[LayerOutput]:
    """The linear layers and convolutions of a module in evaluation, in the order they work in.

    A module that takes just what such a layer gave and keeps its shape, such as an activation or a
    normalization, belongs to it; functions (`x.relu()`) are no modules and are not seen.

    Args:
        module: any.
        X: rows, `[B, ...]`.

    Example:
        >>> net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
        >>> found = layer_outputs(net, torch.ones(5, 2))
        >>> [(layer.name, tuple(layer.values.shape)) for layer in found]
        [('relu', (5, 3)), ('linear', (5, 1))]
    """
    found: list[LayerOutput] = []

    def look(layer: torch.nn.Module, given: tuple[Any, ...], result: Any) -> None:
        filters = isinstance(layer, CONVOLUTIONS)
        if filters or isinstance(layer, torch.nn.Linear):
            number = 1 + sum(other.filters == filters for other in found)
            found.append(LayerOutput(number, _name(layer), filters, result))
        elif found and given[:1] and given[0] is found[-1].values and _keeps(result, given[0]):
            found[-1] = found[-1]._replace(name=_name(layer), values=result)

    leaves = (m for m in modules_of(module) if not any(m.children()))
    hooks = [m.register_forward_hook(look) for m in leaves if not isinstance(m, torch.nn.Dropout)]
    training = module.training
    try:
        with torch.no_grad():
            module.eval()(X)
    finally:
        module.train(training)
        for hook in hooks:
            hook.remove()
    return found


def _name(module: torch.nn.Module) -> str:
    return type(module).__name__.lower()


def _keeps(result: Any, given: torch.Tensor) -> bool:
    return isinstance(result, torch.Tensor) and result.shape == given.shape
