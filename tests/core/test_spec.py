"""Specs: values that compare, hash, and go to JSON; bad JSON is one clear error."""

import functools
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slalom import (
    MLP,
    SGD,
    Adam,
    ExponentialLR,
    Member,
    Net,
    OneCycleLR,
    Plan,
    Population,
    Warmup,
    trust,
)
from slalom.core.errors import BadPlan, did_you_mean
from slalom.core.spec import _KINDS, Spec, import_path
from slalom.data.columns import Scale
from slalom.losses import CrossEntropy, Huber
from tests.strategies import plans

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["kind", "float", "import", "widths", "lr", "net", "factory", "arguments"]
            ),
            inner | st.sampled_from(["MLP", "SGD", "Net", "Member", "Population", "nan", "inf"]),
            max_size=4,
        )
    ),
    max_leaves=8,
)


@pytest.mark.slow
@given(json_values)
def test_any_json_is_a_spec_or_a_bad_plan(data: Any) -> None:
    try:
        spec = Spec.loads(json.dumps(data))
    except BadPlan as error:
        assert str(error)
    else:
        assert isinstance(spec, Spec)


@pytest.mark.slow
@given(plans, st.data())
def test_a_plan_with_one_value_replaced_is_a_plan_or_a_bad_plan(
    plan: Plan, data: st.DataObject
) -> None:
    values = plan.to_json()
    target: Any = values
    while True:  # walk down to some value and replace it
        keys = sorted(target) if isinstance(target, dict) else list(range(len(target)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(target[key], dict | list) or not target[key] or data.draw(st.booleans()):
            target[key] = data.draw(json_values)
            break
        target = target[key]
    try:
        Plan.loads(json.dumps(values))
    except BadPlan as error:
        assert str(error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the text is not JSON"),
        ("[" * 100_000, "the text is not JSON"),
        ("[1, 2]", "Expected the JSON of a SGD, but got [1, 2]"),
        ('{"kind": "SDG"}', "Did you mean 'SGD'?"),
        ('{"kind": 3}', "No such kind: '3'"),
        ('{"kind": "SGD", "rate": 1}', "SGD has no field 'rate'"),
        ('{"kind": "SGD", "lr": "x"}', "SGD: lr must be a number, but 'x' was given."),
        ('{"kind": "SGD", "lr": {"float": "x"}}', "does not fit: could not convert"),
        ('{"kind": "Adam"}', "Expected the JSON of a SGD"),
        ('{"kind": "Optimizer"}', "No such kind: 'Optimizer'"),
        ('{"kind": "MLP"}', "widths must be two or more"),
        ('{"kind": "MLP", "widths": 3}', "The JSON of MLP does not fit"),
        ('{"kind": "Net"}', "factory must be a function"),
        ('{"kind": "Net", "factory": {"import": ["os", "system"]}}', "does not know"),
        ('{"kind": "StepLR"}', "The JSON of StepLR does not fit"),
    ],
)
def test_bad_json_is_refused_with_a_reason(text: str, message: str) -> None:
    with pytest.raises(BadPlan) as refused:
        SGD.loads(text)
    assert message in str(refused.value)


def test_a_spec_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        SGD(0.1).lr = 0.2


def test_lists_and_numpy_values_become_plain_ones_so_that_equal_means_equal() -> None:
    assert Adam(np.float64(0.1), betas=[0.9, 0.99]) == Adam(0.1, betas=(0.9, 0.99))
    assert MLP(*np.array([1, 2])) == MLP(1, 2)
    assert {SGD(np.float32(0.5)): 1}[SGD(0.5)] == 1


def test_every_kind_is_known_by_its_name() -> None:
    assert all(cls.__name__ == cls.kind == name for name, cls in _KINDS.items())


@trust
def make_net(inputs: int) -> Any:
    raise AssertionError("nobody calls it")


def test_trust_is_a_decorator_that_changes_nothing() -> None:
    assert trust(make_net) is make_net
    assert import_path(make_net) == f"{__name__}:make_net"
    assert Spec.from_json(Net(make_net, inputs=3).to_json()) == Net(make_net, inputs=3)


def unknown(x: Any) -> Any:
    return x.sin()


def test_using_a_function_does_not_make_it_known_to_files() -> None:
    for net in (Net(unknown), MLP(1, 2, 1, activation=unknown)):
        with pytest.raises(
            BadPlan, match=r"'tests.core.test_spec:unknown', which this process does no"
        ):
            Spec.loads(net.dumps())


class Maker:
    def make(self) -> Any: ...


@pytest.mark.parametrize(
    "function",
    [lambda x: x, functools.partial(make_net, 3), Maker().make, [].append],
    ids=["lambda", "partial", "method", "builtin method"],
)
def test_a_function_whose_import_path_is_not_its_own_is_never_named(function: Any) -> None:
    with pytest.raises(BadPlan, match="does not say which one is meant"):
        trust(function)
    with pytest.raises(BadPlan, match="does not say which one is meant"):
        Net(function).to_json()


def test_two_functions_of_one_name_are_not_both_trusted_unless_a_notebook_defines_one_anew() -> (
    None
):
    @functools.wraps(make_net)
    def other() -> None: ...

    with pytest.raises(BadPlan, match=r"Another function or class is trusted under the name"):
        trust(other)
    cells = [type("Block", (), {"__module__": "__main__"}) for _ in range(2)]
    for cell in cells:
        assert trust(cell) is cell
    assert Spec.from_json(Net(cells[1]).to_json()) == Net(cells[1]) != Net(cells[0])


def test_a_spec_cannot_take_the_place_of_another_but_may_be_defined_anew() -> None:
    with pytest.raises(BadPlan, match=r"'SGD' is taken by slalom\.optim\.sgd:SGD"):
        type("SGD", (SGD,), {"__module__": "elsewhere"})
    assert Spec.from_json(SGD(0.1).to_json()) == SGD(0.1)
    made = [type("Nudge", (SGD,), {"__module__": "__main__"}) for _ in range(2)]
    assert type(Spec.from_json(made[1](0.1).to_json())) is made[1]
    del _KINDS["Nudge"]


nan, inf = math.nan, math.inf


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(dampening="x"), "SGD: dampening must be a number, but 'x' was given."),
        (lambda: SGD(dampening=nan), "SGD: dampening must be a number, but nan was given."),
        (lambda: SGD(weight_decay=-inf), "SGD: weight_decay must be a number, but -inf was given."),
        (lambda: SGD(lr=10**400), "SGD: lr must be a number, but 1000"),
        (lambda: SGD(lr=None), "SGD: lr must be a number, but None was given."),
        (lambda: SGD(lr=True), "SGD: lr must be a number, but True was given."),
        (lambda: SGD(momentum=0.9, nesterov=1), "nesterov must be True or False, but 1 was given"),
        (lambda: Adam(amsgrad="no"), "Adam: amsgrad must be True or False, but 'no' was given."),
        (lambda: Adam(betas=0.9), "Adam: betas must be a tuple (a number, a number), but 0.9"),
        (lambda: Adam(betas=(0.9, nan)), "betas must be a tuple (a number, a number)"),
        (lambda: Adam(betas=(0.9,)), "betas must be a tuple (a number, a number)"),
        (lambda: ExponentialLR(gamma="x"), "ExponentialLR: gamma must be a number, but 'x'"),
        (lambda: OneCycleLR(pct_start="a"), "OneCycleLR: pct_start must be a number, but 'a'"),
        (lambda: OneCycleLR(anneal_strategy=["cos"]), "must be 'cos' or 'linear', but ('cos',)"),
        (lambda: Warmup(3, then="cosine"), "then must be a Schedule, but 'cosine' was given."),
        (lambda: Member(MLP(1, 1), clip_norm="a"), "clip_norm must be a number or None, but 'a'"),
        (lambda: Member(MLP(1, 1), clip_norm=inf), "clip_norm must be a number or None, but inf"),
        (lambda: Member(MLP(1, 1), batch_size=2.0), "must be a whole number or None, but 2.0"),
        (lambda: Huber("x"), "Huber: delta must be a number, but 'x' was given."),
        (
            lambda: CrossEntropy(weight=3),
            "weight must be a tuple, each entry a number or None, but",
        ),
        (lambda: CrossEntropy(weight=(1, "a")), "weight must be a tuple, each entry a number or N"),
        (
            lambda: Population([SGD()]),
            "members must be a tuple, each entry a Member or a LazyMembers, but (SGD(",
        ),
        (lambda: Net(make_net, inputs=[1, nan]), "anything but NaN"),
        (lambda: Scale(0.0, "wide"), "Scale: width must be a number, but 'wide' was given."),
    ],
)
def test_each_value_is_what_its_annotation_says(make: Any, message: str) -> None:
    with pytest.raises(BadPlan) as refused:
        make()
    assert message in str(refused.value)
    assert len(str(refused.value)) < 200


def test_whole_numbers_are_numbers_too() -> None:
    assert SGD(1, momentum=0) == SGD(1.0)
    assert CrossEntropy(weight=[1, 2]).weight == (1, 2)


class Free(Spec):
    anything: Any
    names: list[str]
    table: dict[str, int]
    rule: type[Spec]


def test_annotations_of_other_kinds_ask_for_the_class_alone() -> None:
    assert Free(None, ["a"], {"a": 1}, SGD).names == ("a",)
    with pytest.raises(BadPlan, match="Free: table must be a dict, but 3 was given"):
        Free(None, [], 3, SGD)


def test_suggestions_name_the_nearest_or_all() -> None:
    assert did_you_mean("tanhh", ["tanh", "relu"]) == "Did you mean 'tanh'?"
    assert did_you_mean("xyz", ["tanh", "relu"]) == "Known: tanh, relu."
    assert did_you_mean("xyz", []) == "Known: none."
