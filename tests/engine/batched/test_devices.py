"""Training on a device that is not the processor: a GPU, or, where there is none, a pretended one.

The pretended device takes no tensor of the processor, as a GPU does not; what it computes, the
processor computes, and graphs of CUDA are rehearsed. How CUDA itself writes them down, and rounds,
is only tested where there is a GPU.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import slalom
from slalom import MLP, RNN, SGD, Adam, Dataset, Net, Plan, grid, losses, toys
from slalom.core.errors import BadPlan, SlalomWarning
from slalom.engine import Batched, Reference
from slalom.engine.batched import engine as batched
from slalom.engine.batched.capture import Capture, Captured
from slalom.engine.batched.graph import Tensors
from slalom.engine.device import KINDS
from slalom.nets import NetSpec
from slalom.training import Training
from tests.engine.batched.modules import Attending
from tests.engine.batched.pretended import NAME, pretended
from tests.engine.batched.test_layers_of_torch import CLASSES, LAYERS, built
from tests.engine.conformance import AnyModuleConformance, EngineConformance

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pretended")]
ROOM = 5  # members: larger populations train in blocks


class Rehearsal:
    """Stands for a graph of CUDA: it does again what was done, where it was done."""

    def __init__(self, function: Any, given: Tensors, found: Tensors) -> None:
        self._function, self._given, self._found = function, given, found

    def replay(self) -> None:
        for own, new in zip(self._found, self._function(*self._given), strict=True):
            own.copy_(new)


class Rehearsed(Captured):
    """Without CUDA. Writing down changes nothing, so what it has changed in place is put back."""

    def _aside(self, given: Tensors) -> Tensors:
        return self._function(*given)

    def _capture(self, given: Tensors) -> Capture:
        before = [tensor.clone() for tensor in given]
        found = tuple(torch.full_like(tensor, 7) for tensor in self._function(*given))
        for own, old in zip(given, before, strict=True):
            if 0 not in own.stride():
                own.copy_(old)
        return Capture(Rehearsal(self._function, given, found), given, found)  # type: ignore[arg-type]


@pytest.fixture
def elsewhere(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    monkeypatch.setattr("slalom.engine.device.KINDS", (*KINDS, NAME))
    monkeypatch.setattr(batched, "members_with_room", lambda *_: ROOM)
    for module in ("lockstep", "optimizer"):
        monkeypatch.setattr(
            f"slalom.engine.batched.{module}.at_once", lambda function, device: Rehearsed(function)
        )
    yield pretended(tmp_path_factory.getbasetemp())


def there() -> Batched:
    return Batched(device=NAME)


@pytest.mark.usefixtures("elsewhere")
class TestPretended(EngineConformance):
    make = staticmethod(there)
    loss_rtol = 2e-6
    weight_tolerance = 2e-6


@pytest.mark.usefixtures("elsewhere")
class TestPretendedOnModules(AnyModuleConformance):
    make = staticmethod(there)


def on_gpu() -> Batched:
    return Batched(device="cuda")


NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")


@NEEDS_GPU
class TestCuda(EngineConformance):
    make = staticmethod(on_gpu)
    # cuBLAS and cuDNN sum in orders of their own, and its exp and tanh round otherwise.
    loss_rtol = 2e-5
    weight_tolerance = 2e-5


@NEEDS_GPU
class TestCudaOnModules(AnyModuleConformance):
    make = staticmethod(on_gpu)


WAVES = toys.sine(40).split(validation=0.25)


class HoldsATensor(torch.nn.Linear):
    """As people write who think of the processor alone."""

    def __init__(self) -> None:
        super().__init__(1, 1)
        self.scale = torch.tensor([2.0])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale * super().forward(x)


class Draws(torch.nn.Linear):
    """Noise of its own."""

    def __init__(self) -> None:
        super().__init__(1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x + torch.randn_like(x))


FOUR = grid(net=MLP(1, 6, 1, dropout=0.1), optimizer=Adam, lr=[0.01, 0.02], seed=[0, 1])


@pytest.mark.parametrize(
    "net",
    [
        *(RNN(2, 2, cell=cell, hidden=4) for cell in ("RNN", "GRU", "LSTM")),
        RNN(1, 2, cell="GRU", hidden=4, masked=True),
        Net(Attending),
    ],
    ids=str,
)
def test_sequences_train_there_as_by_the_reference_engine(elsewhere: str, net: NetSpec) -> None:
    X = np.random.default_rng(0).normal(size=(40, 6, 2))
    X[..., 1] = np.arange(6) < np.arange(40)[:, None] % 6 + 1  # a mask, for those that take one
    data = Dataset(X, np.repeat(X[:, :, :1].sum(axis=1), 2, axis=1), "regression")
    population = grid(net=net, optimizer=[SGD(0.05, momentum=0.5)], batch_size=16, seed=range(3))
    plan = Plan(population, losses.MSE(), steps=20)
    there, here = (engine.start(plan, data) for engine in (Batched(device=elsewhere), Reference()))
    Batched(device=elsewhere).advance(there, 20)
    Reference().advance(here, 20)
    np.testing.assert_allclose(there.parameters, here.parameters, rtol=2e-5, atol=2e-6)


SOME = ("own buffers", "words", "pieces of an image", "attention with a mask", "prelu")


@pytest.mark.parametrize(
    "name", [n if n in SOME else pytest.param(n, marks=pytest.mark.soak) for n in LAYERS]
)
def test_nets_of_many_kinds_of_layers_train_there(elsewhere: str, name: str) -> None:
    data = Dataset(LAYERS[name][1], CLASSES, "classification").split(validation=0.25)
    members = grid(net=Net(built, name=name), optimizer=SGD(0.05), seed=[0, 1], batch_size=16)
    there, here = (
        slalom.train(members, data, epochs=3, device=device, engine=engine, progress=False).state
        for device, engine in ((elsewhere, "batched"), ("cpu", "reference"))
    )
    for array in ("parameters", "buffers", "best_loss"):
        np.testing.assert_allclose(
            getattr(there, array), getattr(here, array), rtol=2e-4, atol=2e-5, err_msg=array
        )


def test_a_population_goes_to_the_engine_that_trains_there(elsewhere: str) -> None:
    run = slalom.train(FOUR, WAVES, steps=3, device=elsewhere)
    assert (run.engine.name, str(run.engine.device)) == ("batched", elsewhere)
    assert run.engine_note == ""


def test_a_tensor_that_a_net_holds_goes_there_too(elsewhere: str) -> None:
    there, here = (
        slalom.train(Net(HoldsATensor), WAVES, steps=9, device=device, engine=engine)
        for device, engine in ((elsewhere, "batched"), ("cpu", "reference"))
    )
    np.testing.assert_allclose(there.state.parameters, here.state.parameters, rtol=2e-6)


def test_a_net_that_cannot_train_there_is_refused_with_the_reason(elsewhere: str) -> None:
    with pytest.raises(BadPlan, match=f"on {elsewhere}. The net .* random numbers of its own"):
        slalom.train(Net(Draws), WAVES, steps=3, device=elsewhere)


def test_the_environment_is_a_wish_and_an_argument_an_order(
    elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLALOM_DEVICE", elsewhere)
    run = slalom.train(FOUR, WAVES, steps=3)
    assert str(run.engine.device) == elsewhere
    run = slalom.train(FOUR, WAVES, steps=3, engine="native")
    assert run.engine.name == "native"
    run = slalom.train(Net(Draws), WAVES, steps=3)
    assert run.engine.name == "reference"
    assert "random numbers of its own" in run.engine_note
    with pytest.raises(BadPlan, match="The native engine trains on the CPU, but the device"):
        slalom.train(FOUR, WAVES, steps=3, engine="native", device=elsewhere)


@pytest.mark.parametrize(("first", "then"), [(NAME, "cpu"), ("cpu", NAME)])
def test_what_started_on_one_device_goes_on_on_another(
    elsewhere: str, first: str, then: str
) -> None:
    plan = Plan(FOUR, losses.MSE(), steps=40)
    stayed = Training(plan, WAVES, Reference())
    stayed.advance()
    moved = Training(plan, WAVES, Batched(device=first))
    moved.advance(until=17)
    moved = Training.resume(moved.snapshot(), Batched(device=then))
    moved.advance()
    np.testing.assert_allclose(
        moved.state.parameters, stayed.state.parameters, rtol=2e-6, atol=2e-6
    )
    np.testing.assert_allclose(moved.state.best_loss, stayed.state.best_loss, rtol=2e-6)


def test_a_run_goes_on_elsewhere_and_says_so(elsewhere: str, tmp_path: Path) -> None:
    half = slalom.train(
        FOUR, WAVES, steps=10**7, time_limit=0.2, device=elsewhere, store=tmp_path, progress=False
    )
    assert half.folder is not None and half.stopped_by == "time limit"
    on = slalom.resume(half, time_limit=0.2, device="cpu")
    assert on.engine.name == "native"
    assert (on.state.step > half.state.step).all()
    assert slalom.open_run(half.folder.path).population == FOUR


def test_a_run_whose_gpu_is_not_there_any_more_goes_on_with_a_warning(
    elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = slalom.train(
        FOUR, WAVES, steps=10**7, time_limit=0.2, device=elsewhere, store=tmp_path, progress=False
    )
    assert half.folder is not None
    monkeypatch.setattr("slalom.engine.device.KINDS", KINDS)
    assert slalom.open_run(half.folder.path).engine.name == "batched"
    with pytest.warns(SlalomWarning, match=f"goes on on the CPU.* for {elsewhere}, where"):
        on = slalom.resume(half.folder.path, time_limit=0.2)
    assert (on.state.step > half.state.step).all()
