"""Optimizers are torch's: the same arguments, the same defaults, the same memory."""

import inspect
from dataclasses import fields
from typing import Any

import pytest
import torch

from slalom import SGD, Adagrad, Adam, AdamW, RMSprop
from slalom.core.errors import BadPlan
from slalom.optim import Adadelta, Muon, Optimizer

KINDS = [SGD, Adagrad, RMSprop, Adam, AdamW, Adadelta, Muon]
# How torch computes, not what; each has its own rounding and none changes the method.
IMPLEMENTATION = {"params", "foreach", "fused", "capturable", "differentiable", "maximize"}
IMPLEMENTATION |= {"decoupled_weight_decay"}  # what makes AdamW of Adam


@pytest.mark.parametrize("kind", KINDS)
def test_arguments_and_defaults_are_those_of_torch(kind: type[Optimizer]) -> None:
    theirs = {
        name: parameter.default
        for name, parameter in inspect.signature(
            getattr(torch.optim, kind.__name__)
        ).parameters.items()
        if name not in IMPLEMENTATION
    }
    assert {f.name: f.default for f in fields(kind)} == theirs


@pytest.mark.parametrize(
    "optimizer",
    [
        SGD(0.1),
        SGD(0.1, momentum=0.9),
        Adagrad(initial_accumulator_value=0.1),
        RMSprop(),
        RMSprop(centered=True),
        RMSprop(momentum=0.5),
        RMSprop(centered=True, momentum=0.5),
        Adam(),
        Adam(amsgrad=True),
        AdamW(amsgrad=True),
        Adadelta(),
    ],
    ids=lambda o: o.label,
)
def test_slots_name_everything_that_torch_remembers_but_the_step(optimizer: Optimizer) -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    theirs = optimizer.build([weight])
    weight.grad = torch.ones(3)
    theirs.step()
    memory = {name for name, value in theirs.state[weight].items() if value is not None}
    assert memory - {"step"} == set(optimizer.slots)
    assert len(set(optimizer.slots)) == len(optimizer.slots)


def test_the_label_shows_the_rate_and_what_is_not_torchs_default() -> None:
    assert Adam(0.01).label == "Adam(lr=0.01)"
    assert Adam().label == "Adam(lr=0.001)"
    assert (
        RMSprop(0.01, centered=True, eps=1e-6).label == "RMSprop(lr=0.01, eps=1e-06, centered=True)"
    )
    assert (SGD(0.1).name, SGD(0.1, momentum=0.5).name, AdamW().name) == (
        "SGD",
        "Momentum",
        "AdamW",
    )


@pytest.mark.parametrize(
    ("kind", "arguments", "named"),
    [
        (SGD, {"lr": -0.1}, "lr"),
        (SGD, {"lr": float("nan")}, "lr"),
        (SGD, {"lr": float("inf")}, "lr"),
        (SGD, {"lr": "fast"}, "lr"),
        (SGD, {"lr": True}, "lr"),
        (SGD, {"momentum": -1}, "momentum"),
        (SGD, {"weight_decay": -1}, "weight_decay"),
        (SGD, {"nesterov": True}, "nesterov"),
        (SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "nesterov"),
        (Adagrad, {"lr_decay": -1}, "lr_decay"),
        (Adagrad, {"initial_accumulator_value": -1}, "initial_accumulator_value"),
        (RMSprop, {"alpha": 1.0}, "alpha"),
        (RMSprop, {"eps": -1e-8}, "eps"),
        (Adadelta, {"rho": 1.5}, "rho"),
        (Adam, {"betas": (0.9, 1.0)}, "betas"),
        (Adam, {"betas": 0.9}, "betas"),
        (Adam, {"betas": (0.9,)}, "betas"),
    ],
)
def test_a_senseless_argument_is_named_in_the_error(
    kind: type[Optimizer], arguments: dict[str, Any], named: str
) -> None:
    with pytest.raises(
        BadPlan, match=rf"^{kind.__name__}: {named} must be .*, but .* was given\.$"
    ):
        kind(**arguments)
