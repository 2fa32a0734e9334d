"""An expression that somebody has typed, as a graph of PyTorch operations.

Nothing of the text is ever run. Python's own parser makes a tree of it, and `_Reader` goes through
the tree and takes the few kinds of nodes that it knows; everything else is refused.
"""

import ast
import re
import warnings
from collections.abc import Callable, Collection, Sequence
from functools import partial
from keyword import iskeyword
from operator import add, attrgetter, matmul, mul, neg, pow, sub, truediv
from typing import Any, NoReturn

import torch
from torch import Tensor

from slalom.core.errors import did_you_mean
from slalom.core.language import tr
from slalom.lessons.autograd.flow import Node, Unclear, forward, number, tensor
from slalom.plots.toolkit import look, shortened

MOST_CHARACTERS = 1000
MOST_NODES = 30
DEEPEST = 20  # part within part; each is a column of the picture
MOST_VARIABLES = 10
LONGEST_NAME = 12
LONGEST_SIDE = 8  # of a table
LARGEST = 1e6  # entry of a variable: h must not drown in it

_SAME = "abs cos detach dot exp log maximum mean minimum relu sigmoid sin sqrt sum tan tanh trace"
FUNCTIONS = {name: f"torch.{name}" for name in _SAME.split()}
FUNCTIONS |= {name: f"torch.linalg.{name}" for name in ("det", "inv", "norm")}
OF_TWO = {"dot", "maximum", "minimum"}
CONSTANTS = {"e": torch.e, "pi": torch.pi}
OPERATORS: dict[type[ast.operator], tuple[str, Callable[..., Tensor]]] = {
    ast.Add: ("+", add),
    ast.Sub: ("-", sub),
    ast.Mult: ("*", mul),
    ast.Div: ("/", truediv),
    ast.Pow: ("**", pow),
    ast.MatMult: ("@", matmul),
}


def parse(text: str) -> ast.expr:
    """The syntax tree of one expression; it is not yet known whether all of it has a meaning.

    Raises:
        Unclear: when it is too long or no expression.

    >>> ast.unparse(parse(" mean(v*v)"))
    'mean(v * v)'
    """
    text = text.strip()
    if len(text) > MOST_CHARACTERS:
        raise Unclear(
            tr(
                "it has {count} characters, and {most} is the most.",
                count=len(text),
                most=MOST_CHARACTERS,
            )
        )
    if odd := re.search(r"[^\w\s.,()\[\]+*/@-]|[^\x00-\x7f]", text):
        hint = tr(" Powers are written **.") if odd[0] == "^" else ""
        raise Unclear(_no_meaning(repr(odd[0]), hint))
    text = " ".join(text.split())
    try:
        # Filters of warnings are global, and pictures in other threads change them under a lock.
        with look(), warnings.catch_warnings(action="error"):
            return ast.parse(text, mode="eval").body
    except (SyntaxError, RecursionError, MemoryError) as error:
        why = error.msg if isinstance(error, SyntaxError) else tr("it is nested too deeply")
        said = shortened(text, 60)
        raise Unclear(tr("{part!r} cannot be understood: {why}.", part=said, why=why)) from None


def graph(text: str, variables: Collection[str]) -> list[Node]:
    """The graph of an expression: each node after its inputs, the result last.

    A variable is one node, however often it occurs.

    Raises:
        Unclear: when the text makes no expression of these variables.

    >>> [(node.label, node.inputs) for node in graph("mean(v*v)", ["v"])]
    [('v', ()), ('*', (0, 0)), ('mean', (1,))]
    """
    tree = parse(text)
    reader = _Reader(" ".join(text.split()), variables)
    reader.place(tree)
    return reader.nodes


class _Reader:
    """Goes through a syntax tree and notes the nodes of the graph."""

    def __init__(self, text: str, variables: Collection[str]) -> None:
        self.text = text
        self.variables = variables
        self.nodes: list[Node] = []

    def place(self, tree: ast.expr, depth: int = 0) -> int:
        """Note a part and what it is made of; returns its place among the nodes."""
        if depth > DEEPEST:
            raise Unclear(tr("it has parts within parts, more than {most} deep.", most=DEEPEST))
        match tree:
            case ast.BinOp(left, operator, right) if type(operator) in OPERATORS:
                label, make = OPERATORS[type(operator)]
                return self._note(tree, label, make, [left, right], depth)
            case ast.UnaryOp(ast.USub(), operand) if not isinstance(operand, ast.Constant):
                return self._note(tree, "-", neg, [operand], depth)
            case ast.UnaryOp(ast.UAdd(), operand):
                return self.place(operand, depth + 1)
            case ast.Attribute(operand, "T"):
                return self._note(tree, ".T", _transposed, [operand], depth)
            case ast.Call(ast.Name(name), operands, []) if name in FUNCTIONS:
                if len(operands) != (wanted := 2 if name in OF_TWO else 1):
                    raise Unclear(
                        tr(
                            "{name} takes {wanted} in its brackets, not {given}.",
                            name=name,
                            wanted=wanted,
                            given=len(operands),
                        )
                    )
                make = attrgetter(FUNCTIONS[name].removeprefix("torch."))(torch)
                make = _determinant if name == "det" else make
                return self._note(tree, name, make, operands, depth)
            case ast.Name(name) if name in self.variables:
                return self._note(tree, name)
            case ast.Name(name) if name in CONSTANTS:
                return self._note(tree, name, partial(tensor, CONSTANTS[name]))
        if (value := _literal(tree)) is None:
            self._refuse(tree)
        label = "constant" if isinstance(value, list) else number(value)
        return self._note(tree, label, partial(tensor, value))

    def _note(
        self,
        tree: ast.expr,
        label: str,
        make: Callable[..., Tensor] | None = None,
        operands: Sequence[ast.expr] = (),
        depth: int = 0,
    ) -> int:
        inputs = tuple(self.place(operand, depth + 1) for operand in operands)
        node = Node(label, self._said(tree), make, inputs)
        if make is None and node in self.nodes:
            return self.nodes.index(node)
        if len(self.nodes) == MOST_NODES:
            raise Unclear(
                tr("it has more than {most} variables, numbers and operations.", most=MOST_NODES)
            )
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _said(self, tree: ast.expr) -> str:
        return ast.get_source_segment(self.text, tree) or ""

    def _refuse(self, tree: ast.expr) -> NoReturn:
        """Say why a part has no meaning, and what may stand there."""
        said = repr(shortened(self._said(tree), 60))
        match tree:
            case ast.Name(name) if name in FUNCTIONS:
                raise Unclear(tr("{name} is a function: write {name}(...).", name=name))
            case ast.Name(name):
                raise Unclear(
                    tr(
                        "there is no variable {name!r}. {guess} The parameter `variables` gives a "
                        "value to each, as in v = 2; w = [1, 2].",
                        name=shortened(name, 60),
                        guess=did_you_mean(name, list(self.variables)),
                    )
                )
            case ast.Call(ast.Name(name)) if name not in self.variables:
                raise Unclear(
                    tr(
                        "there is no function {name!r}. {guess}",
                        name=shortened(name, 60),
                        guess=did_you_mean(name, sorted(FUNCTIONS)),
                    )
                )
            case ast.Attribute() | ast.Call(ast.Attribute()):
                raise Unclear(
                    tr("{part} has no meaning: only .T (transposed) can follow a dot.", part=said)
                )
            case ast.Call():
                raise Unclear(
                    tr("{part} is no call of a function. A product needs a *.", part=said)
                )
            case ast.List():
                raise Unclear(
                    tr(
                        "{part} is no table: that has numbers, in rows of the same length, and at "
                        "most {most} rows and columns.",
                        part=said,
                        most=LONGEST_SIDE,
                    )
                )
        raise Unclear(_no_meaning(said))


def _no_meaning(said: str, hint: str = "") -> str:
    return tr(
        "{part} has no meaning in it.{hint} It may contain numbers, tables such as [[1, 2], "
        "[3, 4]], variables, + - * / ** @ .T and functions.",
        part=said,
        hint=hint,
    )


def _determinant(table: Tensor) -> Tensor:
    determinant: Tensor = torch.linalg.det(table)
    if determinant == 0 and table.requires_grad:  # github.com/pytorch/pytorch/issues/104675
        raise Unclear(tr("a determinant is 0, and there PyTorch's gradient of det is wrong."))
    return determinant


def _transposed(table: Tensor) -> Tensor:
    if table.ndim != 2:
        raise RuntimeError(tr("only a table with rows and columns can be transposed"))
    return table.T


def _literal(tree: ast.expr) -> Any:
    """A number, or a list of them, or a list of rows; None for anything else."""
    match tree:
        case ast.Constant(int() | float() as value) if not isinstance(value, bool):
            return float(str(value))  # a whole number with 400 digits too
        case ast.UnaryOp(ast.USub(), ast.Constant() as positive):
            value = _literal(positive)
            return None if value is None else -value
        case ast.List(parts) if 1 <= len(parts) <= LONGEST_SIDE:
            values = [_literal(part) for part in parts]
            if all(isinstance(value, float) for value in values):
                return values
            rows = [value for value in values if isinstance(value, list)]
            lengths = {len(row) for row in rows}
            flat = all(isinstance(entry, float) for row in rows for entry in row)
            return values if len(rows) == len(values) and len(lengths) == 1 and flat else None
    return None


def read_variables(text: str) -> dict[str, Tensor]:
    """The variables of a text such as `v = [[1, 2], [3, 4]]; w = 2`: float64, with gradients.

    Raises:
        Unclear: when a part of it is no variable with a value.

    >>> {name: value.tolist() for name, value in read_variables("v = [1, 2]; w = 1/4").items()}
    {'v': [1.0, 2.0], 'w': 0.25}
    """
    variables: dict[str, Tensor] = {}
    for part in filter(None, (part.strip() for part in text.split(";", MOST_VARIABLES + 1))):
        name, equals, value = (word.strip() for word in part.partition("="))
        said = repr(shortened(part, 60))
        if not equals:
            raise Unclear(tr("{part} gives no value. Write it as name = value.", part=said))
        if not re.fullmatch(rf"[A-Za-z]\w{{,{LONGEST_NAME - 1}}}", name, re.ASCII):
            raise Unclear(
                tr(
                    "{part} begins with no name. A name is made of at most {most} letters, digits "
                    "and _, a letter first.",
                    part=said,
                    most=LONGEST_NAME,
                )
            )
        if name in {*FUNCTIONS, *CONSTANTS, "torch"} or iskeyword(name):
            raise Unclear(tr("{name} has another meaning. Choose another name.", name=name))
        if name in variables:
            raise Unclear(tr("{name} has two values.", name=name))
        if len(variables) == MOST_VARIABLES:
            raise Unclear(tr("there are more than {most} of them.", most=MOST_VARIABLES))
        variables[name] = _value(name, value)
    return variables


def _value(name: str, text: str) -> Tensor:
    try:
        value = forward(graph(text, ()), {})[-1]
    except Unclear as why:
        raise Unclear(tr("the value of {name} is not clear: {why}", name=name, why=why)) from None
    if value.abs().max() > LARGEST:
        raise Unclear(tr("{name} has an entry beyond {most:,.0f}.", name=name, most=LARGEST))
    return value.requires_grad_()
