"""Specs: values that compare, hash, and go to JSON; bad JSON is one clear error."""

import functools
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slalom import MLP, SGD, Adam, Plan, trust
from slalom.errors import BadPlan, did_you_mean
from slalom.spec import _KINDS, Spec, import_path
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


@given(json_values)
def test_any_json_is_a_spec_or_a_bad_plan(data: Any) -> None:
    try:
        spec = Spec.loads(json.dumps(data))
    except BadPlan as error:
        assert str(error)
    else:
        assert isinstance(spec, Spec)


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
        ('{"kind": "SGD", "lr": "x"}', "SGD: lr must be a number >= 0"),
        ('{"kind": "SGD", "lr": {"float": "x"}}', "does not fit: could not convert"),
        ('{"kind": "Adam"}', "Expected the JSON of a SGD"),
        ('{"kind": "MLP"}', "widths must be two or more"),
        ('{"kind": "MLP", "widths": 3}', "The JSON of MLP does not fit"),
        ('{"kind": "Net"}', "factory must be a function or class"),
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


def test_trust_is_a_decorator_that_changes_nothing() -> None:
    def function(x: float) -> float:
        return x

    assert trust(function) is function
    assert import_path(function).startswith(f"{__name__}:test_trust")


def make_net(inputs: int) -> Any:
    raise AssertionError("nobody calls it")


def test_a_partial_has_no_import_path_that_json_could_hold() -> None:
    from slalom import Net

    net = Net(functools.partial(make_net, 3))
    with pytest.raises(BadPlan, match="does not say which one is meant"):
        net.to_json()
    assert Spec.from_json(Net(make_net, inputs=3).to_json()) == Net(make_net, inputs=3)


def test_suggestions_name_the_nearest_or_all() -> None:
    assert did_you_mean("tanhh", ["tanh", "relu"]) == "Did you mean 'tanh'?"
    assert did_you_mean("xyz", ["tanh", "relu"]) == "Known: tanh, relu."
    assert did_you_mean("xyz", []) == "Known: none."
