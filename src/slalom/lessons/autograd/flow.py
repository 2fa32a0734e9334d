"""What flows through a graph: values forward, the gradients of the result backward."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor

from slalom.core.language import tr
from slalom.plots.toolkit import shortened

Variables: TypeAlias = Mapping[str, Tensor]

tensor = partial(torch.tensor, dtype=torch.float64)


class Unclear(ValueError):
    """Text that makes no expression; why it does not goes on a sentence after "but"."""


@dataclass(frozen=True)
class Node:
    """One place of a computational graph.

    Args:
        label: the name of the variable, the operation, or the number.
        text: the part of the expression that it stands for.
        make: from the values of its inputs to its own; None for a variable.
        inputs: places of other nodes, all of them before this one.
    """

    label: str
    text: str
    make: Callable[..., Tensor] | None = None
    inputs: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Flow:
    """A graph with what flows through it.

    Args:
        nodes: each after its inputs, the result last.
        values: of each node, without history.
        gradients: of the result, for each node; None where none arrives.
    """

    nodes: Sequence[Node]
    values: Sequence[Tensor]
    gradients: Sequence[Tensor | None]


def number(value: float, digits: int = 4) -> str:
    """A number as a picture shows it.

    >>> number(1 / 3), number(-0.0), number(12345.6), number(1e-9)
    ('0.3333', '0', '12346', '1e-09')
    """
    return f"{value:.0f}" if 10**digits <= abs(value) < 1e7 else f"{value + 0.0:.{digits}g}"


def forward(nodes: Sequence[Node], variables: Variables) -> list[Tensor]:
    """The value of each node.

    Raises:
        Unclear: when shapes do not fit or a value is not finite; it names the node.

    >>> from slalom.lessons.autograd.expression import graph
    >>> forward(graph("mean(v*v)", ["v"]), {"v": tensor([3.0, 4.0])})[-1].item()
    12.5
    """
    values: list[Tensor] = []
    for node in nodes:
        said = shortened(node.text, 60)
        inputs = [values[i] for i in node.inputs]
        try:
            value = variables[node.label] if node.make is None else node.make(*inputs)
        except RuntimeError as error:
            raise Unclear(
                tr(
                    "{part!r} cannot be computed where shapes are {shapes}. PyTorch says: {why}",
                    part=said,
                    shapes=tr(" and ").join(str(list(part.shape)) for part in inputs),
                    why=shortened(error, 200),
                )
            ) from None
        if not value.isfinite().all():
            odd = _first_odd(value)
            raise Unclear(tr("{part!r} is not finite: it gives {value}.", part=said, value=odd))
        values.append(value)
    return values


def backward(nodes: Sequence[Node], values: Sequence[Tensor]) -> list[Tensor | None]:
    """The gradient of the result for each node: shaped like its value, or None where none arrives.

    Raises:
        Unclear: when the result is not one number, or no gradient arrives, or one is not finite.
    """
    result = values[-1]
    if result.numel() != 1:
        said, shape = shortened(nodes[-1].text, 60), list(result.shape)
        raise Unclear(
            tr(
                "{part!r} has the shape {shape}, and a gradient is that of one number. Put "
                "mean(...) or sum(...) around it.",
                part=said,
                shape=shape,
            )
        )
    if not result.requires_grad:
        raise Unclear(
            tr(
                "no gradient flows back through {part!r}. Use a variable in it that is not "
                "detached.",
                part=shortened(nodes[-1].text, 60),
            )
        )
    needing = [value for value in values if value.requires_grad]
    found = iter(torch.autograd.grad(result, needing, torch.ones_like(result), allow_unused=True))
    gradients = [next(found) if value.requires_grad else None for value in values]
    for node, gradient in zip(reversed(nodes), reversed(gradients), strict=True):
        if gradient is not None and not gradient.isfinite().all():
            raise Unclear(
                tr(
                    "the gradient at {part!r} is not finite: it has {value}.",
                    part=shortened(node.text, 60),
                    value=_first_odd(gradient),
                )
            )
    return gradients


def _first_odd(values: Tensor) -> str:
    return str(values[~values.isfinite()][0].item())


def finite_differences(nodes: Sequence[Node], variables: Variables, h: float) -> list[Tensor]:
    """The gradient for each variable, from values of the result alone: `h` before and behind.

    Raises:
        Unclear: when the result cannot be computed so near.

    >>> from slalom.lessons.autograd.expression import graph
    >>> value = {"v": tensor([3.0, 4.0])}
    >>> finite_differences(graph("mean(v*v)", value), value, h=1e-5)[0].round(decimals=6).tolist()
    [3.0, 4.0]
    """

    def moved(name: str, i: int, change: float) -> float:
        entries = variables[name].clone(memory_format=torch.contiguous_format)
        entries.view(-1)[i] += change
        return forward(nodes, {**variables, name: entries})[-1].item()

    found = []
    with torch.no_grad():
        for name, value in variables.items():
            slopes = [
                (moved(name, i, h) - moved(name, i, -h)) / (2 * h) for i in range(value.numel())
            ]
            found.append(tensor(slopes).reshape(value.shape))
    return found
