"""Muon trains matrices as torch.optim.Muon does, and the rest as AdamW; in the reference engine."""

from typing import Any

import numpy as np
import pytest
import torch

import slalom
from slalom import MLP, Dataset, Member, Muon, Plan, Population
from slalom.core.errors import BadPlan
from slalom.engine import Native, Reference, select
from slalom.losses import MSE
from slalom.optim import CosineAnnealingLR
from slalom.training import Training

STEPS = 12
DATA = Dataset(*np.random.default_rng(0).normal(size=(2, 40, 3)).astype(np.float32), "regression")


def plan(**arguments: Any) -> Plan:
    member = Member(MLP(3, 8, 5, 3), Muon(**arguments), seed=2, schedule=CosineAnnealingLR())
    return Plan(Population([member]), MSE(), steps=STEPS, record="step")


@pytest.mark.parametrize(
    "arguments",
    [
        {"lr": 0.02},
        {"lr": 0.01, "weight_decay": 0.0, "nesterov": False, "momentum": 0.8, "ns_steps": 3},
        {"lr": 0.003, "adjust_lr_fn": "match_rms_adamw"},
    ],
)
def test_a_training_is_that_of_a_plain_loop_over_two_optimizers(arguments: dict[str, Any]) -> None:
    ours = plan(**arguments)
    training = Training(ours, DATA, Reference())
    training.advance()
    net = MLP(3, 8, 5, 3).build(seed=2)
    matrices = [p for p in net.parameters() if p.ndim == 2]
    biases = [p for p in net.parameters() if p.ndim == 1]
    decay = arguments.get("weight_decay", 0.1)
    optimizers = [
        torch.optim.Muon(matrices, **arguments),
        torch.optim.AdamW(biases, lr=arguments["lr"], weight_decay=decay),
    ]
    X, y = torch.from_numpy(DATA.X), torch.from_numpy(DATA.y)
    losses = []
    for step in range(STEPS):
        for optimizer in optimizers:
            lr = arguments["lr"] * (1 + np.cos(np.pi * step / STEPS)) / 2
            optimizer.param_groups[0]["lr"] = lr
            optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(net(X), y)
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in optimizers:
            optimizer.step()
        losses.append(loss.item())
    np.testing.assert_allclose(training.records["train_loss"], losses, rtol=1e-6)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("stop", [1, 7])
def test_a_training_goes_on_from_its_snapshot_to_the_same_bits(stop: int) -> None:
    whole = Training(plan(lr=0.02), DATA, Reference())
    whole.advance()
    half = Training(plan(lr=0.02), DATA, Reference())
    half.advance(steps=stop)
    later = Training.resume(half.snapshot(), Reference())
    later.advance()
    np.testing.assert_array_equal(later.state.parameters, whole.state.parameters)
    np.testing.assert_array_equal(later.state.slots, whole.state.slots)


def test_the_native_engine_says_that_it_does_not_train_it_and_auto_takes_the_other() -> None:
    with pytest.raises(BadPlan, match="Muon updates matrices as a whole"):
        Native().prepare(plan(), DATA)
    engine, note = select("auto", plan(), DATA)
    assert engine.name == "reference" and "Muon" in note


def test_a_net_of_matrices_alone_and_one_without_any_are_trained() -> None:
    for shape in ((2, 2), (3,)):
        weight = torch.nn.Parameter(torch.ones(shape))
        weight.grad = torch.ones(shape)
        Muon().build([weight]).step()
        assert (weight < 1).all()


@pytest.mark.parametrize(
    "arguments", [{"ns_steps": 100}, {"ns_coefficients": (1.0,)}, {"adjust_lr_fn": "adam"}]
)
def test_arguments_that_torch_refuses_are_refused_by_name(arguments: dict[str, Any]) -> None:
    with pytest.raises(BadPlan, match=next(iter(arguments))):
        Muon(**arguments)


def test_it_is_known_by_its_name() -> None:
    assert slalom.grid(net=MLP(1, 2, 1), optimizer="muon")[0].optimizer == Muon()


def test_members_that_adjust_their_rate_differently_are_told_apart_in_columns() -> None:
    nets = [Member(MLP(1, 2, 1), Muon(adjust_lr_fn=f)) for f in (None, "match_rms_adamw", None)]
    assert Population(nets).columns().alike().tolist() == [0, 1, 0]
