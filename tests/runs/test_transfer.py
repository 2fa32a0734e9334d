"""A trained net with a new output layer, beside what one would write in torch."""

from copy import deepcopy
from dataclasses import fields
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import slalom
from slalom import (
    CNN,
    MLP,
    RNN,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Dataset,
    Muon,
    Net,
    Plan,
    grid,
    losses,
    toys,
)
from slalom.core.errors import BadPlan
from slalom.core.spec import Spec
from slalom.engine import Batched, Reference
from slalom.engine.batched import program
from slalom.nets import NetSpec, outputs
from slalom.nets.transfer import Behind, Transfer
from slalom.optim import CosineAnnealingLR

DIGITS = toys.digits(4).split(validation=0.3)
PARITY = Dataset(DIGITS.X, DIGITS.y % 2, DIGITS.task, folds=DIGITS.folds)


@pytest.fixture(scope="module")
def trained() -> slalom.Run:
    """A convolutional net that tells four digits apart."""
    net = CNN((1, 8, 8), 4, filters=(3, 4), hidden=(6,), dropout=0.2)
    return slalom.train(net, DIGITS, epochs=3, batch_size=32, seed=5)


def by_hand(trained: slalom.Run, seed: int, frozen: bool) -> list[float]:
    """Losses of 20 steps: the trunk of the run's model, and a new layer behind it."""
    trunk: Any = deepcopy(trained.model())
    torch.manual_seed(seed)
    head = nn.Linear(trunk[-1].in_features, 2)
    trunk[-1] = nn.Identity()
    model = nn.Sequential(trunk, head)
    if frozen:
        trunk.requires_grad_(False)
    rows = PARITY.folds[0].train
    data = TensorDataset(torch.from_numpy(PARITY.X[rows]), torch.from_numpy(PARITY.y[rows]))
    generator = torch.Generator().manual_seed(seed)
    loader = DataLoader(data, 32, shuffle=True, generator=generator)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    found: list[float] = []
    while len(found) < 20:
        for X, y in loader:
            trunk.eval()
            loss = nn.functional.cross_entropy(model(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
    return found[:20]


@pytest.mark.parametrize("engine", ["reference", "batched"])
def test_a_new_layer_behind_a_frozen_trunk_trains_as_by_hand(
    trained: slalom.Run, engine: str
) -> None:
    net = slalom.transfer(trained, outputs=2)
    run = slalom.train(
        grid(net=net, optimizer=SGD, lr=0.1, batch_size=32, seed=range(3)),
        PARITY,
        steps=20,
        engine=engine,
    )
    for seed in range(3):
        own = run.history.query("member == @seed")["train_loss"].to_numpy()
        np.testing.assert_allclose(own, by_hand(trained, seed, frozen=True), rtol=1e-5)


def test_all_of_a_net_goes_on_learning_where_nothing_is_frozen() -> None:
    run = slalom.train(MLP(64, 8, 6, 4), flat(DIGITS), epochs=2, batch_size=32)
    net = slalom.transfer(run, outputs=2, freeze=False)
    start: Any = net.build(seed=3)
    model: Any = run.model()
    for k in (0, 2):
        assert torch.equal(start[k].weight, model[k].weight)
    assert start[4].weight.shape == (2, 6)
    tuned = slalom.train(net, flat(PARITY), optimizer=SGD(0.1), steps=5, seed=3)
    after: Any = tuned.model()
    assert not torch.equal(after[0].weight, start[0].weight)


def flat(data: Dataset) -> Dataset:
    return Dataset(data.X.reshape(data.rows, -1), data.y, data.task, folds=data.folds)


def test_a_frozen_trunk_is_no_part_of_a_member_and_does_not_change(trained: slalom.Run) -> None:
    net = slalom.transfer(trained, outputs=2)
    assert net.size == (6 * 2 + 2, 0)
    run = slalom.train(grid(net=net, optimizer=Adam, lr=0.05, seed=range(4)), PARITY, epochs=20)
    model: Any = run.model()
    kept: Any = trained.model()
    kept[-1] = nn.Identity()
    X = torch.from_numpy(PARITY.X[:9])
    with torch.no_grad():
        assert torch.equal(model.trunk(X), kept(X))


def test_rows_pass_a_frozen_trunk_once(trained: slalom.Run) -> None:
    net = slalom.transfer(trained, outputs=2)
    plan = Plan(grid(net=net, optimizer=Adam, seed=range(8)), losses.CrossEntropy(), epochs=5)
    seen: list[int] = []

    def counted(module: torch.nn.Module, X: torch.Tensor) -> torch.Tensor:
        seen.append(len(X))
        return outputs(module, X)

    with patch.object(program, "outputs", counted):
        session = Batched().prepare(plan, PARITY)
        state = session.start()
        session.advance(state, 100)
    assert sum(seen) <= PARITY.rows + 4 + 8  # and the few on which it was tried, twice
    expected = Reference().start(plan, PARITY)
    Reference().advance(expected, 100)
    np.testing.assert_allclose(state.best_loss, expected.best_loss, rtol=1e-4)


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (MLP(64, 5, 4), (64,)),
        (RNN(8, 4, hidden=5), (8, 8)),
        (CNN((1, 8, 8), 4, filters=(2,)), (1, 8, 8)),
        (Net(nn.Linear, in_features=64, out_features=4), (64,)),
    ],
    ids=["mlp", "rnn", "cnn", "own"],
)
@pytest.mark.parametrize("freeze", [True, False])
def test_any_net_with_a_linear_layer_can_be_taken_over(
    net: NetSpec, shape: tuple[int, ...], freeze: bool
) -> None:
    digits, parity = (
        Dataset(d.X.reshape(-1, *shape), d.y, d.task, folds=d.folds) for d in (DIGITS, PARITY)
    )
    first = slalom.train(net, digits, steps=3, batch_size=32)
    run = slalom.train(slalom.transfer(first, 2, freeze=freeze), parity, steps=3, batch_size=32)
    assert run.predict(parity.X[:5]).shape == (5, 2)


def test_a_net_can_be_taken_over_twice(trained: slalom.Run) -> None:
    second = slalom.train(slalom.transfer(trained, outputs=2), PARITY, steps=5)
    third = slalom.train(slalom.transfer(second, outputs=3), toys_of_three(), steps=5)
    model: Any = third.model()
    assert isinstance(model, Behind)
    with torch.no_grad():
        X = torch.from_numpy(PARITY.X[:4])
        one: Any = second.model()
        assert torch.equal(model.trunk(X), one.trunk(X))


def toys_of_three() -> Dataset:
    return Dataset(DIGITS.X, DIGITS.y % 3, DIGITS.task, folds=DIGITS.folds)


def of_both(trained: slalom.Run, seed: int) -> tuple[Any, Any]:
    """The trunk of the run's model, and a new layer for it."""
    trunk: Any = deepcopy(trained.model())
    torch.manual_seed(seed)
    return trunk, nn.Linear(trunk[-1].in_features, 2)


@pytest.mark.parametrize("engine", ["reference", "batched"])
@pytest.mark.parametrize("optimizer", [SGD(0.1, momentum=0.9), Adam(0.02), AdamW(0.02), Adagrad()])
def test_a_trunk_learns_at_its_own_rate_as_a_parameter_group_of_torch(
    engine: str, optimizer: slalom.optim.Optimizer
) -> None:
    digits, parity = flat(DIGITS), flat(PARITY)
    first = slalom.train(MLP(64, 8, 6, 4), digits, epochs=2, batch_size=32)
    net = slalom.transfer(first, outputs=2, freeze=False, rate=0.25)
    run = slalom.train(
        grid(net=net, optimizer=[optimizer], seed=range(3), clip_norm=1.5),
        parity,
        steps=15,
        schedule=CosineAnnealingLR(),
        engine=engine,
    )
    for seed in range(3):
        model, model[-1] = of_both(first, seed)
        groups = [
            {"params": model[:-1].parameters(), "lr": optimizer.lr * 0.25},
            {"params": model[-1].parameters(), "lr": optimizer.lr},
        ]
        theirs = getattr(torch.optim, optimizer.kind)(groups, **arguments(optimizer))
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(theirs, 15)
        rows = parity.folds[0].train
        X, y = torch.from_numpy(parity.X[rows]), torch.from_numpy(parity.y[rows])
        expected = []
        for _ in range(15):
            theirs.zero_grad()
            loss = nn.functional.cross_entropy(model(X), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.5)
            theirs.step()
            schedule.step()
            expected.append(loss.item())
        own = run.history.query("member == @seed")["train_loss"].to_numpy()
        np.testing.assert_allclose(own, expected, rtol=1e-5)


def arguments(optimizer: slalom.optim.Optimizer) -> dict[str, Any]:
    return {f.name: getattr(optimizer, f.name) for f in fields(optimizer) if f.name != "lr"}


def test_muon_trains_the_groups_that_it_is_given() -> None:
    one, other = nn.Linear(3, 4), nn.Linear(4, 2)
    optimizer = Muon(0.02).build(
        [{"params": list(one.parameters()), "share": 0.5}, {"params": list(other.parameters())}]
    )
    shapes = [[tuple(p.shape) for p in group["params"]] for group in optimizer.param_groups]
    assert shapes == [[(4, 3)], [(2, 4)], [(4,)], [(2,)]]
    assert [group.get("share", 1) for group in optimizer.param_groups] == [0.5, 1, 0.5, 1]


@pytest.mark.parametrize("engine", ["reference", "batched"])
def test_a_frozen_trunk_learns_after_some_epochs_from_where_both_are(
    trained: slalom.Run, engine: str
) -> None:
    heads = slalom.train(
        grid(net=slalom.transfer(trained, outputs=2), optimizer=Adam, lr=0.05, seed=range(3)),
        PARITY,
        epochs=10,
        engine=engine,
    )
    net = slalom.transfer(heads, freeze=False, rate=0.1)
    begin: Any = heads.model()
    X = torch.from_numpy(PARITY.X[:9])
    with torch.no_grad():
        start = net.build(seed=9).eval()
        torch.testing.assert_close(start(X), begin(X))
    run = slalom.train(net, PARITY, epochs=3, engine=engine)
    assert sum(p.numel() for p in start.parameters()) == run.population[0].net.size[0]
    after: Any = run.model()
    assert not torch.equal(after[0].weight, start[0].weight), "the trunk has learned"


def test_a_module_that_was_trained_elsewhere_is_taken_over_by_its_recipe() -> None:
    torch.manual_seed(4)
    module = nn.Sequential(nn.Linear(64, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 4))
    module(torch.randn(50, 64))  # so that its buffers are no longer those of the start
    net = slalom.transfer(module, outputs=2, net=Net(Elsewhere))
    made: Any = net.build(seed=0)
    X = torch.from_numpy(flat(PARITY).X[:9])
    with torch.no_grad():
        torch.testing.assert_close(made.trunk(X), module[:-1].eval()(X))
    assert slalom.train(net, flat(PARITY), steps=3).predict(flat(PARITY).X[:5]).shape == (5, 2)


class Elsewhere(nn.Sequential):
    """As somebody else has built it."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(64, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 4))


def test_what_was_taken_over_stands_in_a_plan_and_in_a_store(
    trained: slalom.Run, tmp_path: Path
) -> None:
    net = slalom.transfer(trained, outputs=2)
    assert Spec.from_json(net.to_json()) == net
    assert len(repr(net)) < 300, "its numbers are not shown"
    run = slalom.train(net, PARITY, steps=7, store=tmp_path, name="parity")
    again = slalom.open_run("parity", store=tmp_path)
    np.testing.assert_array_equal(run.predict(PARITY.X[:5]), again.predict(PARITY.X[:5]))


def test_what_cannot_be_taken_over_is_refused(trained: slalom.Run) -> None:
    with pytest.raises(BadPlan, match=r"transfer takes a run, .*Sequential was given, without a"):
        slalom.transfer(trained.model(), outputs=2)
    with pytest.raises(BadPlan, match=r"transfer takes a run, .*Run was given, with a recipe"):
        slalom.transfer(trained, outputs=2, net=trained.population[0].net)
    with pytest.raises(BadPlan, match=r"has 58 parameters .*, but .* were given"):
        slalom.transfer(trained.model(), outputs=2, net=MLP(4, 8, 2))
    with pytest.raises(BadPlan, match="rate must be 1 where the trunk is frozen"):
        slalom.transfer(trained, outputs=2, rate=0.1)
    with pytest.raises(BadPlan, match="rate must be a number > 0"):
        slalom.transfer(trained, outputs=2, rate=0.0, freeze=False)
    with pytest.raises(BadPlan, match="outputs must be a whole number >= 1"):
        slalom.transfer(trained, outputs=0)
    run = slalom.train(
        Net(Squeezed), Dataset(np.ones((4, 2, 3)), np.ones(4), "regression"), steps=1
    )
    with pytest.raises(BadPlan, match=r"has no torch\.nn\.Linear that a new output layer"):
        slalom.transfer(run, outputs=2)


def test_a_script_cannot_hold_what_a_net_has_learned(trained: slalom.Run, tmp_path: Path) -> None:
    run = slalom.train(slalom.transfer(trained, outputs=2), PARITY, steps=1)
    with pytest.raises(BadPlan, match="A script cannot hold the numbers that new layer of conv"):
        slalom.eject(run, tmp_path / "parity.py")
    assert not list(tmp_path.iterdir())


class Squeezed(nn.Module):
    """A convolution whose output is a number."""

    def __init__(self) -> None:
        super().__init__()
        self.only = nn.Conv1d(2, 1, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.only(x)[..., 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters": "no numbers"}, "The numbers of a trained net are not what they should be"),
        ({"parameters": "AACAPw=="}, "has .* parameters .*, but 1 and 0 were given"),
        ({"parameters": "AAA="}, "The numbers of a trained net are not what they should be"),
    ],
)
def test_numbers_that_are_not_those_of_the_net_are_refused(
    trained: slalom.Run, changes: dict[str, str], message: str
) -> None:
    net = slalom.transfer(trained, outputs=2)
    with pytest.raises(BadPlan, match=message):
        Transfer.from_json(net.to_json() | changes).build(seed=0)
