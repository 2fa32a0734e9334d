"""Specs of convolutional and recurrent nets, beside what a person would write."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import slalom
from slalom import CNN, RNN, Adam, Member, Plan, Population, losses, toys
from slalom.core.errors import BadPlan
from slalom.core.spec import Spec
from slalom.engine import Batched, Reference
from slalom.nets import NetSpec


def by_hand() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 4, 5, padding=2),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 5, padding=2),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(24, 12),
        nn.Tanh(),
        nn.Dropout(0.25),
        nn.Linear(12, 3),
    )


def test_a_cnn_is_the_sequence_of_layers_that_one_would_write() -> None:
    own = CNN((1, 8, 8), 3, (4, 6), 5, hidden=(12,), activation="tanh", dropout=0.25).build(seed=7)
    torch.manual_seed(7)
    theirs = by_hand()
    assert str(own) == str(theirs)
    for one, other in zip(own.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("shape", [(3, 9, 13), (1, 28, 28), (2, 4, 4)])
@pytest.mark.parametrize("pooling", [1, 2])
def test_a_cnn_takes_images_of_its_shape(shape: tuple[int, int, int], pooling: int) -> None:
    net = CNN(shape, 5, pooling=pooling).build(seed=0)
    assert net(torch.zeros(2, *shape)).shape == (2, 5)


@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("layers", [1, 2])
def test_an_rnn_says_what_it_makes_of_the_last_state(cell: Any, layers: int) -> None:
    net: Any = RNN(2, 3, cell=cell, hidden=5, layers=layers).build(seed=4)
    torch.manual_seed(4)
    recurrent = getattr(nn, cell)(2, 5, layers, batch_first=True)
    tell = nn.Linear(5, 3)
    x = torch.randn(6, 9, 2)
    torch.testing.assert_close(net(x), tell(recurrent(x)[0][:, -1]), rtol=0, atol=0)


@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_a_masked_rnn_hears_each_sequence_to_its_own_end(cell: Any) -> None:
    generator = np.random.default_rng(0)
    each = [generator.normal(size=(n, 2)) for n in (7, 1, 4)]
    data = slalom.sequences(each, np.zeros(3), task="regression")
    net: Any = RNN(2, 1, cell=cell, hidden=5, masked=True).build(seed=4)
    together = net(torch.from_numpy(data.X))
    for k, one in enumerate(each):
        heard = torch.tensor(one, dtype=torch.float32)[None]
        torch.testing.assert_close(together[k], net.tell(net.recurrent(heard)[0][:, -1])[0])


@pytest.mark.parametrize(
    "net", [CNN((1, 8, 8), 10, hidden=(5,), dropout=0.1), RNN(2, 1, "LSTM", masked=True)], ids=str
)
def test_a_spec_goes_to_json_and_back(net: NetSpec) -> None:
    assert Spec.from_json(net.to_json()) == net


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CNN((1, 8, 8), 10, kernel=4), "kernel must be an odd number"),
        (lambda: CNN((1, 3, 9), 10), "shape must be 4 x 4 pixels or more for 2 poolings by 2"),
        (lambda: CNN((1, 8, 8), 10, filters=()), "filters must be one number or more"),
        (lambda: CNN((1, 8, 8), 10, filters=(0,)), "filters must be whole numbers >= 1"),
        (lambda: CNN((1, 8, 8), 0), "outputs must be a whole number >= 1"),
        (lambda: CNN((1, 8, 8), 10, dropout=1.0), "dropout must be in"),
        (lambda: CNN((1, 8, 8), 10, activation="rleu"), "No activation is called 'rleu'"),
        (lambda: RNN(2, 1, "gru"), "cell must be 'RNN' or 'GRU' or 'LSTM'"),  # type: ignore[arg-type]
        (lambda: RNN(0, 1), "features must be a whole number >= 1"),
    ],
)
def test_what_makes_no_net_is_refused(make: Any, message: str) -> None:
    with pytest.raises(BadPlan, match=message):
        make()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["images", "sequences"])
def test_the_batched_engine_trains_them_as_the_reference_engine_does(kind: str) -> None:
    generator = np.random.default_rng(0)
    if kind == "images":
        data = toys.digits(3).split(validation=0.3)
        nets: list[NetSpec] = [CNN((1, 8, 8), 3, filters=(3, 4), dropout=0.2)]
    else:
        each = [generator.normal(size=(n, 2)) for n in generator.integers(1, 8, size=60)]
        sums = [one[:, 0].sum() > 0 for one in each]
        data = slalom.sequences(each, np.array(sums, dtype=int), "classification")
        data = data.split(validation=0.3)
        cells: list[Any] = ["RNN", "GRU", "LSTM"]
        nets = [RNN(2, 2, cell, hidden=4, masked=True) for cell in cells]
    members = [Member(net, Adam(0.01), 16, seed=s) for net in nets for s in range(2)]
    plan = Plan(Population(members), losses.CrossEntropy(), steps=12)
    states = []
    for engine in (Batched(), Reference()):
        states.append(engine.start(plan, data))
        engine.advance(states[-1], 12)
    np.testing.assert_allclose(states[0].train_loss, states[1].train_loss, rtol=1e-5)
    np.testing.assert_allclose(states[0].best_loss, states[1].best_loss, rtol=1e-5)
    np.testing.assert_allclose(states[0].parameters, states[1].parameters, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "net", [CNN((1, 8, 8), 3, (3,), dropout=0.2), RNN(8, 3, hidden=6)], ids=str
)
def test_a_script_of_it_ends_with_the_same_loss(net: NetSpec, tmp_path: Any) -> None:
    import subprocess
    import sys

    data = toys.digits(3).split(validation=0.3)
    if isinstance(net, RNN):
        data = slalom.Dataset(data.X[:, 0], data.y, data.task, folds=data.folds)
    run = slalom.train(net, data, batch_size=32, steps=20, seed=3)
    script = slalom.eject(run, tmp_path / "one.py")
    assert "slalom" not in script.read_text()
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    parameters = torch.load(tmp_path / "one.pt", weights_only=True)
    own = run.model().state_dict()
    assert list(parameters) == list(own), done.stdout
    for name, values in own.items():
        torch.testing.assert_close(parameters[name], values, rtol=1e-5, atol=1e-6)
