"""A plan is pure data: to JSON and back without loss, and never a way to run code."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given

import slalom
from slalom import MLP, SGD, Adam, Member, Net, Plan, Population, losses
from slalom.core.errors import BadPlan
from tests.strategies import plans


@pytest.mark.slow
@given(plans)
def test_json_and_back_loses_nothing(plan: Plan) -> None:
    text = plan.dumps()
    again = Plan.loads(text)
    assert again == plan
    assert hash(again) == hash(plan)
    assert again.dumps() == text
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@slalom.trust
def softsign(x: torch.Tensor) -> torch.Tensor:
    return x / (1 + x.abs())


@slalom.trust
def two_layers(width: int) -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(1, width), torch.nn.Linear(width, 1))


def test_a_plan_from_json_trains_to_the_same_numbers() -> None:
    members = [
        Member(MLP(1, 6, 1, dropout=0.1), Adam(0.1 + 0.2), 8, schedule=slalom.OneCycleLR()),
        Member(MLP(1, 6, 1, activation=softsign), SGD(1 / 3, momentum=0.9), seed=3, clip_norm=0.1),
        Member(Net(two_layers, width=3), slalom.RMSprop(math.pi / 100)),
    ]
    plan = Plan(Population(members), losses.Huber(0.7), epochs=6, record="step", patience=3)
    data = slalom.toys.sine(40).split()
    one = slalom.train(plan, data)
    other = slalom.train(Plan.loads(plan.dumps()), data)
    for name, values in one.state.arrays().items():
        np.testing.assert_array_equal(values, other.state.arrays()[name], err_msg=name)
    assert one.history.equals(other.history)


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module on the path that must never be imported."""
    (tmp_path / "a_trap.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    return "a_trap"


@pytest.mark.parametrize("place", ["factory", "activation"])
def test_json_that_names_an_unknown_function_is_refused_and_imports_nothing(
    trap: str, place: str
) -> None:
    data = Plan(Population([Member(MLP(1, 2, 1))]), losses.MSE(), steps=1).to_json()
    named = {"import": f"{trap}:run"}
    net = {"kind": "Net", "factory": named, "arguments": []}
    if place == "activation":
        net = {"kind": "MLP", "widths": [1, 2, 1], "activation": named, "dropout": 0.0}
    data["population"]["members"][0]["net"] = net
    with pytest.raises(BadPlan, match=r"'a_trap:run', which this process does not know"):
        Plan.loads(json.dumps(data))
    assert trap not in sys.modules
    data["population"]["members"][0]["net"]["factory"] = {"import": "os:system"}
    with pytest.raises(BadPlan):
        Plan.loads(json.dumps(data))


def test_json_of_a_lambda_is_refused_because_it_could_come_back_as_another() -> None:
    plan = Plan(
        Population([Member(MLP(1, 2, 1, activation=lambda x: x.sin()))]), losses.MSE(), steps=1
    )
    with pytest.raises(BadPlan, match="does not say which one is meant"):
        plan.dumps()


def small(**arguments: Any) -> Plan:
    return Plan(Population([Member(MLP(1, 1))]), losses.MSE(), **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "epochs must be given, or steps, not both"),
        ({"epochs": 1, "steps": 1}, "epochs must be given, or steps, not both"),
        ({"epochs": 0}, "epochs must be a whole number >= 1"),
        ({"steps": 1.5}, "steps must be a whole number or None, but 1.5"),
        ({"steps": True}, "steps must be a whole number or None, but True"),
        ({"steps": 1, "patience": 0}, "patience must be a whole number >= 1"),
        ({"steps": 1, "validate_every": 0}, "validate_every must be a whole number >= 1"),
        ({"steps": 1, "record_every": 0}, "record_every must be a whole number >= 1"),
        ({"steps": 1, "record": "all"}, "record must be 'step' or 'epoch'"),
        ({"steps": 1, "frames": -1}, "frames must be a whole number >= 0"),
    ],
)
def test_a_senseless_plan_is_refused_by_argument(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(BadPlan, match=message):
        small(**arguments)


def test_a_plan_wants_a_population_and_a_loss() -> None:
    with pytest.raises(BadPlan, match="population must be a Population"):
        Plan([Member(MLP(1, 1))], losses.MSE(), steps=1)
    with pytest.raises(BadPlan, match="loss must be a Loss, but 'mse' was given"):
        Plan(Population([Member(MLP(1, 1))]), "mse", steps=1)


def test_total_steps_follow_from_epochs_or_steps() -> None:
    assert small(epochs=3).total_steps(7) == 21
    assert small(steps=5).total_steps(7) == 5
