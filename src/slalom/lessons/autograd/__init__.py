"""Lesson 3: a value that remembers how it was made, and what follows from it backwards."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from slalom.core.errors import BadPlan
from slalom.core.language import spoken, tr
from slalom.lessons.autograd.drawing import check_size, draw_graph, film
from slalom.lessons.autograd.expression import graph, parse, read_variables
from slalom.lessons.autograd.flow import (
    Flow,
    Unclear,
    Variables,
    backward,
    finite_differences,
    forward,
)
from slalom.lessons.autograd.translation import torch_code
from slalom.lessons.lesson import Lesson, Result, Words
from slalom.lessons.prose import Text
from slalom.plots.toolkit import BLUE, ORANGE, Picture, look, picture

Float64Array: TypeAlias = NDArray[np.float64]

# The parts of the script that are the reader's.
_FUNCTION = re.compile(r"^def expression\(.*\n    return .*\n", re.MULTILINE)
_VARIABLES = re.compile(r"^variables = \{\n(?:    .*\n)*\}\n", re.MULTILINE)

H = 1e-5  # of finite differences: the rounding of float64 and the bend of the curve both stay small
AGREEMENT = 1e-5  # of the gradient; what is further apart is a difference
KINDS = {
    "expression": Text(
        "an expression with one number as its result, such as mean(v * v)",
        "结果是一个数的表达式，例如 mean(v * v)",
    ),
    "variables": Text(
        "names with values, such as v = [[1, 2], [3, 4]]; w = 2",
        "名字和它们的值，例如 v = [[1, 2], [3, 4]]; w = 2",
    ),
}


def autograd(expression: str, variables: str) -> Result:
    """The value of the expression, its gradient by autograd and by finite differences."""
    with refused("variables"):
        given = read_variables(variables)
    with refused("expression"):
        nodes = graph(expression, given)
        used = {node.label: given[node.label] for node in nodes if node.make is None}
        values = forward(nodes, used)
        gradients = backward(nodes, values)
        differences = finite_differences(nodes, used, H)
        flow = Flow(nodes, [value.detach() for value in values], gradients)
        check_size(flow)
    arrived = {node.label: gradients[i] for i, node in enumerate(nodes) if node.make is None}
    gradient = _flat([arrived[name] for name in used], used.values())
    difference = _flat(differences, used.values())
    return Result(
        numbers={
            "value": values[-1].item(),
            "gradient": gradient,
            "h": H,
            "differences": difference,
            "evaluations": 2 * len(difference),
            "disagreement": np.abs(gradient - difference).max(),
        },
        figures={
            "film": partial(film, flow),
            "graph": partial(draw_graph, flow),
            "check": partial(draw_check, entry_names(used), gradient, difference),
        },
        claims={
            "agree": agree(gradient, difference),
            "detached": any(node.label == "detach" for node in nodes),
            "dashed": None in gradients,
        },
    )


@contextmanager
def refused(name: str) -> Iterator[None]:
    """What is unclear within is said as a wrong value of this parameter."""
    try:
        yield
    except Unclear as why:
        kind = KINDS[name].in_(spoken())
        raise BadPlan(
            tr("{name} must be {kind}, but {why}", name=name, kind=kind, why=why)
        ) from None


def check(name: str, read: Callable[[str], Any]) -> Callable[[str], None]:
    """What a parameter's text must pass before the other parameter is known."""

    def checked(text: str) -> None:
        with refused(name):
            read(text)

    return checked


def _flat(gradients: Iterable[Tensor | None], variables: Iterable[Tensor]) -> Float64Array:
    """The entries of all of them in a row; zeros for a variable that no gradient has reached."""
    whole = [
        torch.zeros_like(variable) if gradient is None else gradient
        for gradient, variable in zip(gradients, variables, strict=True)
    ]
    entries: Float64Array = torch.cat([gradient.flatten() for gradient in whole]).detach().numpy()
    return entries


def entry_names(variables: Variables) -> list[str]:
    """A name for each entry of the variables, as PyTorch would index it.

    >>> entry_names({"v": torch.ones(2), "w": torch.tensor(3.0)})
    ['v[0]', 'v[1]', 'w']
    """
    return [
        name + (str([int(i) for i in place]) if place else "")
        for name, value in variables.items()
        for place in np.ndindex(*value.shape)
    ]


def agree(gradient: Float64Array, differences: Float64Array) -> bool:
    """Whether both gradients are the same up to what finite differences cannot tell."""
    off = np.abs(gradient - differences).max()
    return bool(off < AGREEMENT * max(1.0, np.abs(gradient).max()))


@look()
def draw_check(names: Sequence[str], gradient: Float64Array, differences: Float64Array) -> Picture:
    """Both gradients of each entry, one marker within the other where they agree."""
    figure = picture(8.0, 3.8)
    axes = figure.add_subplot()
    places = np.arange(len(names))
    label = tr("finite difference")
    axes.plot(places, differences, "o", mfc="none", mec=ORANGE, ms=13, mew=2, label=label)
    axes.plot(places, gradient, "D", color=BLUE, ms=5, label=tr("autograd"))
    every = -(-len(names) // 24)  # more names than that would overlap
    axes.set_xticks(places[::every], names[::every], rotation=90 if len(names) > 8 else 0)
    room = 0.5 + 0.02 * len(names)
    axes.set_xlim(-room, len(names) - 1 + room)
    axes.margins(y=0.15)
    axes.set_ylabel(tr("gradient of the result"))
    axes.set_xlabel(tr("entry of the variables"))
    off = np.abs(gradient - differences).max()
    same = agree(gradient, differences)
    axes.set_title(
        tr("Both agree to {off:.2g}", off=off) if same else tr("Both differ by {off:.2g}", off=off)
    )
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return figure


def write(source: str, values: Mapping[str, Any]) -> str:
    """The script with the reader's expression and the variables that are in it."""
    given = read_variables(values["variables"])
    used = [node.label for node in graph(values["expression"], given) if node.make is None]
    tensors = "".join(
        f'    "{name}": torch.tensor({given[name].tolist()}, requires_grad=True),\n'
        for name in used
    )
    code = f"def expression({', '.join(used)}):\n    return {torch_code(values['expression'])}\n"
    source = _FUNCTION.sub(lambda _: code, source)
    return _VARIABLES.sub(lambda _: f"variables = {{\n{tensors}}}\n", source)


LESSON = Lesson(
    name="autograd",
    parameters=(
        Words(
            "expression",
            "mean(v * v)",
            Text("expression", "表达式"),
            kind=KINDS["expression"],
            check=check("expression", parse),
        ),
        Words(
            "variables",
            "v = [[1, 2], [3, 4]]",
            Text("values of its variables", "表达式中变量的值"),
            kind=KINDS["variables"],
            check=check("variables", read_variables),
        ),
    ),
    function=autograd,
    scripts=("autograd.py",),
    write=write,
)
