"""The lesson on autograd: any expression, its graph, and gradients that are true."""

import itertools
import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from slalom import lessons
from slalom.core.errors import BadPlan
from slalom.core.language import language
from slalom.lessons.autograd.box import table
from slalom.lessons.autograd.drawing import _Stage, draw_graph, film
from slalom.lessons.autograd.expression import MOST_CHARACTERS, graph, parse, read_variables
from slalom.lessons.autograd.flow import (
    Flow,
    Unclear,
    backward,
    finite_differences,
    forward,
    number,
)
from slalom.lessons.autograd.layout import Layout, layout
from slalom.lessons.autograd.translation import torch_code
from slalom.lessons.files import content_of
from slalom.lessons.lesson import commented
from tests.lessons.test_claims import check_setting

LESSON = lessons.get("autograd")


def evaluated(expression: str, **variables: str) -> dict[str, Any]:
    """The numbers of the lesson."""
    text = "; ".join(f"{name} = {value}" for name, value in variables.items())
    return dict(LESSON.make(expression=expression, variables=text).numbers)


# Values and gradients


def test_the_mean_of_squares_has_half_of_each_entry_as_its_gradient() -> None:
    numbers = LESSON.make().numbers
    assert numbers["value"] == 7.5
    assert numbers["gradient"].tolist() == [0.5, 1.0, 1.5, 2.0]
    assert np.abs(numbers["differences"] - [0.5, 1.0, 1.5, 2.0]).max() < 1e-9
    assert numbers["evaluations"] == 8


@pytest.mark.parametrize(
    ("expression", "x", "value", "slope"),
    [
        ("2*x + 1", 3.0, 7.0, 2.0),
        ("x - 4/x", 2.0, 0.0, 2.0),
        ("x**3", 2.0, 8.0, 12.0),
        ("3**x", 2.0, 9.0, 9 * math.log(3)),
        ("-x**2", 3.0, -9.0, -6.0),
        ("(-x)**2", 3.0, 9.0, 6.0),
        ("2**-x", 1.0, 0.5, -0.5 * math.log(2)),
        ("-x - -2", 1.0, 1.0, -1.0),
        ("+x", 1.5, 1.5, 1.0),
        ("1e-1 * x", 5.0, 0.5, 0.1),
        ("exp(2*x)", 0.0, 1.0, 2.0),
        ("log(x)", 4.0, math.log(4), 0.25),
        ("sqrt(x)", 4.0, 2.0, 0.25),
        ("sin(pi*x)", 1.0, 0.0, -math.pi),
        ("cos(x)", 1.0, math.cos(1), -math.sin(1)),
        ("tan(x)", 1.0, math.tan(1), 1 + math.tan(1) ** 2),
        ("tanh(x)", 0.5, math.tanh(0.5), 1 - math.tanh(0.5) ** 2),
        ("sigmoid(x)", 0.0, 0.5, 0.25),
        ("relu(x)", 2.0, 2.0, 1.0),
        ("abs(x)", -2.0, 2.0, -1.0),
        ("log(e**x)", 1.5, 1.5, 1.0),
        ("maximum(x, 2) + minimum(x, 2)", 3.0, 5.0, 1.0),
        ("x", 3.0, 3.0, 1.0),
        ("x * 1" + "0" * 30, 1.0, 1e30, 1e30),
    ],
)
def test_functions_of_a_calculator_have_the_gradients_of_the_formulas(
    expression: str, x: float, value: float, slope: float
) -> None:
    nodes = graph(expression, ["x"])
    values = forward(nodes, {"x": torch.tensor(x, dtype=torch.float64, requires_grad=True)})
    gradient = backward(nodes, values)[[node.label for node in nodes].index("x")]
    assert gradient is not None
    assert values[-1].item() == pytest.approx(value, abs=1e-12)
    assert gradient.item() == pytest.approx(slope, rel=1e-12)


A = np.array([[2.0, 1.0], [1.0, 3.0]])
TRANSPOSED_INVERSE = np.linalg.inv(A).T


@pytest.mark.parametrize(
    ("expression", "value", "gradient"),
    [
        ("sum(A)", 7.0, np.ones((2, 2))),
        ("mean(A)", 1.75, np.full((2, 2), 0.25)),
        ("trace(A)", 5.0, np.eye(2)),
        ("det(A)", 5.0, 5 * TRANSPOSED_INVERSE),
        ("log(det(A))", math.log(5), TRANSPOSED_INVERSE),
        ("norm(A)", math.sqrt(15), A / math.sqrt(15)),
        ("trace(inv(A))", 1.0, -(TRANSPOSED_INVERSE @ TRANSPOSED_INVERSE)),
        ("trace(A @ A.T)", 15.0, 2 * A),
        ("sum(A @ [[1], [2]])", 11.0, np.array([[1.0, 2.0], [1.0, 2.0]])),
        ("dot(A @ [1, -1], [3, -2])", 7.0, np.outer([3.0, -2.0], [1.0, -1.0])),
    ],
)
def test_functions_of_matrices_have_the_gradients_of_the_formulas(
    expression: str, value: float, gradient: np.ndarray[Any, Any]
) -> None:
    numbers = evaluated(expression, A="[[2, 1], [1, 3]]")
    assert numbers["value"] == pytest.approx(value)
    assert np.allclose(numbers["gradient"], gradient.ravel(), rtol=1e-12, atol=1e-12)
    assert np.allclose(numbers["differences"], gradient.ravel(), rtol=1e-8, atol=1e-8)


def test_what_several_uses_send_back_is_added() -> None:
    numbers = evaluated("x*x + 3*x - x/2", x="2")
    assert numbers["gradient"].tolist() == [4 + 3 - 0.5]


def test_a_detached_value_sends_no_gradient_back() -> None:
    numbers = evaluated("mean(v * detach(v))", v="[[1, 2], [3, 4]]")
    assert numbers["gradient"].tolist() == [0.25, 0.5, 0.75, 1.0]
    assert numbers["disagreement"] == pytest.approx(1.0)
    both = evaluated("a * detach(b)", a="2", b="3")
    assert both["gradient"].tolist() == [3.0, 0.0]


def test_numbers_and_what_follows_from_them_alone_need_no_gradient() -> None:
    nodes = graph("sqrt(4) * x + pi", ["x"])
    values = forward(nodes, {"x": torch.tensor(3.0, requires_grad=True)})
    gradients = backward(nodes, values)
    needing = [node.text for node, own in zip(nodes, gradients, strict=True) if own is not None]
    assert needing == ["x", "sqrt(4) * x", "sqrt(4) * x + pi"]


def test_variables_may_be_given_by_expressions_of_numbers() -> None:
    variables = read_variables(" a = 1/4 ; R = [[1, -2], [3, 4]];b=cos(pi);")
    assert {name: value.tolist() for name, value in variables.items()} == {
        "a": 0.25,
        "R": [[1.0, -2.0], [3.0, 4.0]],
        "b": -1.0,
    }
    assert all(value.requires_grad and value.is_leaf for value in variables.values())


# Random expressions

SMALL = st.floats(-2, 2).map(lambda x: round(x, 3))
KINKED = {"abs", "relu"}
ONES = "[[1, 0], [0, 1]]"


def below(depth: int, names: tuple[str, str]) -> st.SearchStrategy[str]:
    """Expressions of the two scalars of these names, smooth wherever they are computed."""
    leaf = st.sampled_from(names) | SMALL.map(lambda x: f"({x})")
    if depth == 0:
        return leaf
    inner = below(depth - 1, names)
    forms = [
        "({0} + {1})",
        "({0} - {1})",
        "{0} * {1}",
        "-{0}",
        "{0} / ({1}**2 + 1)",
        "{0}**2",
        "({0}**2 + 1)**0.5",
        "2**tanh({0})",
        "exp(tanh({0}))",
        "log({0}*{0} + 1)",
        "sqrt({0}*{0} + 1)",
        "sin({0})",
        "cos({0})",
        "tan(tanh({0}))",
        "tanh({0})",
        "sigmoid({0})",
        "abs({0})",
        "relu({0})",
    ]
    return st.builds(str.format, st.sampled_from(forms), bracketed(inner), bracketed(inner)) | leaf


def bracketed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return inner.map(lambda text: f"({text})")


def of_matrices(depth: int) -> st.SearchStrategy[str]:
    """Expressions of the matrices A and B, each a matrix again."""
    leaf = st.sampled_from(["A", "B", "A.T", ONES])
    if depth == 0:
        return leaf
    inner = of_matrices(depth - 1)
    forms = ["({0} + {1})", "({0} * {1})", "{0} @ {1}", "tanh({0})", "({0}).T", "x * ({0})"]
    forms += [f"inv(3*{ONES} + tanh({{0}}))", "sigmoid({0}) - {1}", "exp(-(({0})**2))"]
    return st.builds(str.format, st.sampled_from(forms), bracketed(inner), bracketed(inner)) | leaf


FORMS = ["{0} * {2}({1})", "{2}({1}) + {0}", "{0} - log({2}({1})**2 + 1)"]
expressions = st.one_of(
    below(3, ("x", "y")),
    st.builds(
        str.format,
        st.sampled_from(FORMS),
        bracketed(below(1, ("x", "y"))),
        of_matrices(2),
        st.sampled_from(["mean", "sum", "trace", "det", "norm"]),
    ),
    of_matrices(2).map("dot(({}) @ [1, 2], [3, -1])".format),
)
matrices = st.lists(st.lists(SMALL, min_size=2, max_size=2), min_size=2, max_size=2)
assignments = st.builds("x = {}; y = {}; A = {}; B = {}".format, SMALL, SMALL, matrices, matrices)


@pytest.mark.slow
@settings(max_examples=200)
@given(expressions, assignments)
def test_200_random_expressions_are_drawn_with_the_gradients_of_finite_differences(
    text: str, given_variables: str
) -> None:
    variables = read_variables(given_variables)
    try:
        nodes = graph(text, variables)
        used = {node.label: variables[node.label] for node in nodes if node.make is None}
        values = forward(nodes, used)
    except Unclear as why:
        assume("more than" not in str(why))  # too large
        assume("a determinant is 0" not in str(why))
        raise
    assume(used)
    for node in nodes:  # at a kink there is no gradient to agree with
        if node.label in KINKED:
            assume(values[node.inputs[0]].abs().min() > 1e-3)
        if node.label == "norm":
            assume(values[node.inputs[0]].norm() > 1e-1)
    assume(max(value.abs().max() for value in values) < 1e3)
    gradients = backward(nodes, values)
    for found, name in zip(finite_differences(nodes, used, 1e-5), used, strict=True):
        gradient = gradients[[node.label for node in nodes].index(name)]
        assert gradient is not None
        assert ((found - gradient).abs() <= 1e-6 * gradient.abs().clamp(min=1)).all()
    flow = Flow(nodes, [value.detach() for value in values], gradients)
    check_layout(_Stage(flow).layout, len(nodes))
    if crc32(text.encode()) % 20 == 0:  # rendering takes longer than all the rest
        assert content_of(draw_graph(flow)).startswith(b"\x89PNG")


def test_a_graph_that_nobody_could_read_is_refused() -> None:
    deep = "mean(" + "tanh(" * 18 + "v" + ")" * 19
    with pytest.raises(BadPlan, match="too large to be drawn"):
        lessons.get("autograd").make(expression=deep, variables="v = [[1, 2], [3, 4]]")
    lessons.get("autograd").make(expression=deep, variables="v = 1")


def check_layout(found: Layout, nodes: int) -> None:
    """Arrows run to the right, and everything lies within."""
    assert found.centres.shape == (nodes, 2)
    for line in itertools.chain(*found.arrows):
        assert (np.diff(line[:, 0]) >= -1e-9).all()
    points = np.concatenate([found.centres, *itertools.chain(*found.arrows)])
    assert (points >= 0).all() and (points <= found.size).all()


# What the prose says of an expression


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expression", "variables"),
    [
        ("x", "x = 2"),
        ("-x", "x = -0.25"),
        ("x * x + x", "x = 3"),
        ("x**3 - 2*x", "x = -1.5"),
        ("2**x / x", "x = 3"),
        ("x * y - y / x", "x = 2; y = 5"),
        ("e**x + pi", "x = 1"),
        ("exp(-(x**2))", "x = 0.7"),
        ("log(x) + sqrt(x)", "x = 2.25"),
        ("sin(x)**2 + cos(x)**2", "x = 1"),
        ("tan(x / 4)", "x = 1"),
        ("sigmoid(w * x + b)", "w = 3; x = -1; b = 0.5"),
        ("relu(x)", "x = -2"),
        ("relu(x)", "x = 0"),
        ("abs(x)", "x = 0"),
        ("abs(x) * detach(x)", "x = -3"),
        ("maximum(x, y)", "x = 2; y = 2"),
        ("minimum(x, 1) + maximum(y, 1)", "x = 2; y = 2"),
        ("1e12 + x", "x = 1"),
        ("sin(1e6 * x)", "x = 1"),
        ("x * 1e-9", "x = 1"),
        ("mean(v * v)", "v = [1, 2, 3, 4, 5, 6, 7, 8]"),
        ("sum(v) / mean(v)", "v = [[1, 2, 3]]; unused = 3"),
        ("dot(a, b) - norm(a)", "a = [3, 4]; b = [1, -1]"),
        ("dot(detach(a), b)", "a = [1, 2, 3]; b = [0, 1, 0]"),
        ("mean(v) * detach(2)", "v = [1, 2]"),
        ("det(A) + trace(A @ A.T)", "A = [[2, 1], [1, 3]]"),
        ("trace(inv(A))", "A = [[2, 1], [1, 3]]"),
        ("mean(tanh(X @ W + b))", "X = [[1, 0], [0, 1]]; W = [[1, -1], [2, 0]]; b = [0.5, -0.5]"),
        ("mean((relu(X @ w) - [1, 0, 1])**2)", "X = [[1, 2], [3, -4], [0, 1]]; w = [0.5, 1]"),
        ("[[1, 2]] @ v", "v = [3, -1]"),
    ],
)
def test_every_sentence_is_true_of_many_expressions(
    expression: str, variables: str, tmp_path: Path
) -> None:
    check_setting(LESSON.make(expression=expression, variables=variables), tmp_path)


# Hostile and mistaken text


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "cannot be understood"),
        ("v +", "cannot be understood"),
        ("(v", "'(' was never closed"),
        ("2v", "cannot be understood"),
        ("1or v", "cannot be understood"),
        ("v w", "cannot be understood"),
        ("open(v)", "there is no function 'open'"),
        ("open('secret')", '"\'" has no meaning'),
        ("__import__(os)", "there is no function '__import__'"),
        ("eval(v)", "there is no function 'eval'"),
        ("tahn(v)", "Did you mean 'tan' or 'tanh'"),
        ("w + v", "there is no variable 'w'. Known: v."),
        ("mean", "mean is a function: write mean(...)"),
        ("v.__class__", "only .T (transposed) can follow a dot"),
        ("v.numpy()", "only .T (transposed) can follow a dot"),
        ("().__class__.__bases__", "only .T (transposed) can follow a dot"),
        ("torch.load(v)", "only .T (transposed) can follow a dot"),
        ("lambda: v", "':' has no meaning"),
        ("lambda v", "cannot be understood"),
        ("[x for x in v]", "has no meaning"),
        ("sum(x for x in v)", "has no meaning"),
        ("v if v else v", "has no meaning"),
        ("not v", "has no meaning"),
        ("v and v", "has no meaning"),
        ("v in v", "has no meaning"),
        ("await v", "has no meaning"),
        ("yield", "cannot be understood"),
        ("v, v", "has no meaning"),
        ("mean(*v)", "has no meaning"),
        ("*v", "cannot be understood"),
        ("**v", "cannot be understood"),
        ("v[0]", "has no meaning"),
        ("v // v", "has no meaning"),
        ("v(2)", "A product needs a *"),
        ("2(v)", "A product needs a *"),
        ("mean(v, v)", "mean takes 1 in its brackets, not 2"),
        ("maximum(v)", "maximum takes 2 in its brackets, not 1"),
        ("v = 2", "'=' has no meaning"),
        ("(v := 2)", "':' has no meaning"),
        ("f'{v}'", '"\'" has no meaning'),
        ("v; v", "';' has no meaning"),
        ("v\nv", "cannot be understood"),
        ("v ^ 2", "Powers are written **"),
        ("v % 2", "'%' has no meaning"),
        ("ѵ", "'ѵ' has no meaning"),
        ("mean(v) × 2", "'×' has no meaning"),
        ("ｍean(v)", "'ｍ' has no meaning"),
        ("v\x00", "has no meaning"),
        ("1j * v", "'1j' has no meaning"),
        ("True * v", "'True' has no meaning"),
        ("None", "'None' has no meaning"),
        ("... + v", "'...' has no meaning"),
        ("[] + v", "is no table"),
        ("[[1, 2], [3]] + v", "is no table"),
        ("[[[1]]] + v", "is no table"),
        ("[1, [2]] + v", "is no table"),
        ("[1, v]", "is no table"),
        ("[1,2,3,4,5,6,7,8,9]", "is no table"),
        ("mean(v) * 9**9**9**9", "is not finite: it gives inf"),
        ("mean(v) * 1e999", "is not finite"),
        ("mean(v) * 1" + "0" * 400, "is not finite"),
        ("mean(v) / 0", "is not finite: it gives inf"),
        ("mean(v/0 - v/0)", "is not finite"),
        ("log(-mean(v))", "is not finite: it gives nan"),
        ("sqrt(mean(v) - 2.5)", "the gradient at 'mean(v) - 2.5' is not finite: it has inf"),
        ("v * v", "has the shape [2, 2]"),
        ("v @ [1, 2, 3]", "cannot be computed where shapes are [2, 2] and [3]"),
        ("v + [1, 2, 3]", "cannot be computed where shapes are [2, 2] and [3]"),
        ("dot(v, v)", "cannot be computed"),
        ("mean(v) @ v", "cannot be computed"),
        ("det([1, 2] * mean(v))", "cannot be computed"),
        ("inv([[1, 2], [2, 4]]) @ v", "cannot be computed"),
        ("mean(v).T", "only a table with rows and columns can be transposed"),
        ("[1, 2].T", "only a table with rows and columns can be transposed"),
        ("det(v - [[1, 2], [0, 0]])", "a determinant is 0, and there PyTorch's gradient of det"),
        ("2 + 3", "no gradient flows back"),
        ("mean(detach(v))", "no gradient flows back"),
        ("v" * (MOST_CHARACTERS + 1), "1001 characters"),
        ("v" * MOST_CHARACTERS, "there is no variable"),
        ("-" * 900 + "v", "deep"),
        ("(" * 150 + "v" + ")" * 150, "has the shape"),
        ("(" * 400 + "v" + ")" * 400, "too many nested parentheses"),
        ("[" * 150 + "v" + "]" * 150, "is no table"),
        ("mean(" * 100 + "v" + ")" * 100, "deep"),
        ("v" + ".T" * 400, "deep"),
        ("v" + "[0]" * 300, "has no meaning"),
        ("not " * 240 + "v", "has no meaning"),
        ("+" * 990 + "v", "deep"),
        ("+".join(["v"] * 400), "deep"),
        ("(" + "+".join("v*v" for _ in range(14)) + ")", "has the shape"),
        ("+".join(f"({'+'.join(['v*v'] * 8)})" for _ in range(4)), "more than 30 variables"),
    ],
)
def test_an_expression_without_a_meaning_is_refused_in_one_paragraph(
    expression: str, reason: str
) -> None:
    with pytest.raises(BadPlan) as caught:
        LESSON.make(expression=expression)
    said = str(caught.value)
    assert said.startswith("expression must be an expression with one number as its result")
    assert reason in said
    assert "\n" not in said
    assert len(said) < 700
    with language("zh"), pytest.raises(BadPlan, match="expression 应当是") as caught:
        LESSON.make(expression=expression)
    assert is_chinese(str(caught.value))


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ("v", "'v' gives no value"),
        ("v = ", "the value of v is not clear"),
        ("v = w", "there is no variable 'w'"),
        ("v = 1; v = 2", "v has two values"),
        ("v = [[1, 2], [3]]", "is no table"),
        ("v = open(1)", "there is no function 'open'"),
        ("v = 1/0", "is not finite"),
        ("v = 1e7", "v has an entry beyond 1,000,000"),
        ("v = 'text'", "has no meaning"),
        ("2 = v", "begins with no name"),
        ("v.x = 1", "begins with no name"),
        ("ѵ = 1", "begins with no name"),
        ("__class__ = 1", "begins with no name"),
        ("averylongname = 1", "begins with no name"),
        ("mean = 1", "mean has another meaning"),
        ("e = 1", "e has another meaning"),
        ("torch = 1", "torch has another meaning"),
        ("lambda = 1", "lambda has another meaning"),
        ("None = 1", "None has another meaning"),
        ("; ".join(f"v{i} = 1" for i in range(11)), "more than 10"),
        ("v == 1", "is not clear"),
        ("v = 1" + " + 1" * 300, "1201 characters"),
    ],
)
def test_variables_without_a_meaning_are_refused_in_one_paragraph(
    variables: str, reason: str
) -> None:
    with pytest.raises(BadPlan) as caught:
        LESSON.make(variables=variables)
    said = str(caught.value)
    assert said.startswith("variables must be names with values, such as")
    assert reason in said
    assert "\n" not in said
    with language("zh"), pytest.raises(BadPlan, match="variables 应当是") as caught:
        LESSON.make(variables=variables)
    assert is_chinese(str(caught.value))


def is_chinese(said: str) -> bool:
    """Whether no English sentence is left in it, but for what Python and PyTorch say themselves."""
    own = re.sub(r"(无法理解|PyTorch 说)：.*", "", said)
    return not re.search(r"\b(must|has|have|is|are|there|the|it)\b", own.split("，但是")[1])


@settings(max_examples=200)
@given(st.text(st.sampled_from("vwx12. ()[],+-*/@TFmeansi_"), max_size=30) | st.text(max_size=30))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        assert math.isfinite(LESSON.make(expression=text).numbers["value"])
    except BadPlan as refused:
        assert "\n" not in str(refused)


def test_where_the_result_cannot_be_computed_so_near_there_are_no_finite_differences() -> None:
    with pytest.raises(BadPlan, match="log"):
        LESSON.make(expression="log(x)", variables="x = 1e-6")


# Code


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("mean(v*v)", "torch.mean(v * v)"),
        ("(X@w - y)**2", "(X @ w - y) ** 2"),
        ("exp(2)*v + pi", "torch.exp(torch.tensor(2.0)) * v + torch.pi"),
        ("sqrt(e/2)*v.T", "torch.sqrt(torch.tensor(torch.e / 2.0)) * v.T"),
        ("inv([[1,-2],[3,4]])@v", "torch.linalg.inv(torch.tensor([[1.0, -2.0], [3.0, 4.0]])) @ v"),
        ("2**70*v", "2.0 ** 70.0 * v"),
        ("v*1" + "0" * 20, "v * 1e+20"),
        ("maximum(v,-1)", "torch.maximum(v, torch.tensor(-1.0))"),
    ],
)
def test_an_expression_is_translated_to_pytorch(expression: str, code: str) -> None:
    assert torch_code(expression) == code


def test_the_script_as_it_stands_is_that_of_the_defaults(root: Path) -> None:
    source = (root / "src/slalom/lessons/scripts/autograd.py").read_text(encoding="utf-8")
    assert LESSON.make().code("en")["autograd.py"] == commented(source, "en")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expression", "variables"),
    [
        ("2**70*x + sqrt(2)*abs(x)*sigmoid(-(3-1))/1" + "0" * 20, "x = 0.1; unused = 3"),
        (
            "trace(inv(A) @ B.T) + det(A)*norm([[1, 2], [3, 4]] @ B) + e",
            "A=[[2,1],[1,3]];B=[[1,2],[3,4]]",
        ),
        ("dot(a, detach(b)) - minimum(sum(b), 3)", "a = [1, 2]; b = [3, 4]"),
    ],
)
def test_the_script_computes_the_same_for_any_expression(
    expression: str, variables: str, tmp_path: Path
) -> None:
    made = LESSON.make(expression=expression, variables=variables)
    (tmp_path / "script.py").write_text(made.code("en")["autograd.py"])
    check = (
        "import json, runpy; print(json.dumps(runpy.run_path('script.py')['gradient'].tolist()))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", check],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert np.allclose(found, made.numbers["gradient"], rtol=1e-12)


# Pictures


def test_numbers_are_short_and_large_tables_are_abbreviated() -> None:
    assert number(1e-16 - 1e-16) == "0"
    assert table(torch.tensor(2.5)) == ["2.5"]
    assert table(torch.tensor([1.0, 10.0])) == ["1 10"]
    assert table(torch.tensor([[1.0], [10.0]])) == [" 1", "10"]
    assert table(torch.arange(25.0).reshape(5, 5)) == [
        " 0  1 …  4",
        " 5  6 …  9",
        " …  … …  …",
        "20 21 … 24",
    ]


def test_a_tree_is_laid_out_without_crossings_in_the_order_in_which_it_is_written() -> None:
    nodes = graph("(a - b) * (c - d)", "abcd")
    found = layout([node.inputs for node in nodes], [(2.0, 1.0)] * len(nodes))
    heights = {node.text: y for node, (_, y) in zip(nodes, found.centres, strict=True)}
    assert heights["a"] > heights["b"] > heights["c"] > heights["d"]
    check_layout(found, len(nodes))


def test_no_arrow_runs_through_a_box() -> None:
    nodes = graph("x*sin(x) + exp(-x**2)/x - tanh(x*x)/2", ["x"])
    sizes = [(3.0, 4.0)] * len(nodes)
    found = layout([node.inputs for node in nodes], sizes)
    for line in itertools.chain(*found.arrows):
        for x, y in found.centres:
            inside = (np.abs(line[:, 0] - x) < 1.5 - 1e-9) & (np.abs(line[:, 1] - y) < 2 - 1e-9)
            assert not inside.any()


@pytest.mark.parametrize("expression", ["x", "x*x", "((((x+1)*2+1)*2+1)*2+1)*(x+1)*(x+2)*(x+3)"])
def test_a_movie_shows_every_value_and_then_every_gradient(expression: str) -> None:
    nodes = graph(expression, ["x"])
    values = forward(nodes, {"x": torch.tensor(2.0, requires_grad=True)})
    flow = Flow(nodes, [value.detach() for value in values], backward(nodes, values))
    shown = film(flow)
    texts = [artist for artist in shown.moving if hasattr(artist, "get_text")]
    seen = []
    for moment in range(shown.moments):
        shown.show(moment)
        seen.append(sum(text.get_visible() and bool(text.get_text()) for text in texts))
    assert 8 <= shown.moments <= 60
    assert seen == sorted(seen)
    constants = sum(node.label.isdecimal() for node in nodes)  # say their value by their name
    assert seen[-1] == 1 + 2 * (len(nodes) - constants)  # with the line below the title


def test_parse_alone_takes_what_only_the_variables_can_refuse() -> None:
    assert parse("mean(w)") is not None
    with pytest.raises(BadPlan, match="there is no variable 'w'"):
        LESSON.make(expression="mean(w)")


def test_a_variable_may_be_given_transposed_or_inverted() -> None:
    for given_as in ("[[1, 2], [3, 4]].T", "inv([[1, 2], [3, 4]])"):
        made = lessons.get("autograd").make(variables=f"v = {given_as}")
        assert made.numbers["disagreement"] < 1e-6
