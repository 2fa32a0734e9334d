"""The state: where the numbers of a million members lie, and how they come there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import slalom
from slalom import MLP, SGD, Adam, Dataset, Net, Plan, RMSprop, grid, losses
from slalom.core.errors import BadPlan
from slalom.engine import Reference, State, memory
from slalom.engine.state import FIELDS, slice_of
from tests.engine.conformance import Normalized, dataset


def started(population: slalom.Population, data: Dataset, **length: Any) -> State:
    return Reference().start(Plan(population, losses.MSE(), **(length or {"steps": 3})), data)


@pytest.mark.parametrize("last", ["net", "seed"])
def test_every_member_starts_from_the_weights_of_its_net_and_seed(last: str) -> None:
    choices = {
        "net": [MLP(4, 3, 2), Net(Normalized), MLP(4, 5, 2), Net(Normalized, dropout=0.5)],
        "optimizer": [SGD, RMSprop(centered=True), SGD(momentum=0.5), Adam(amsgrad=True)],
        "seed": [7, 3, 2**63 - 1],
    }
    choices[last] = choices.pop(last)
    population = grid(**choices)
    state = started(population, dataset("regression"))
    for k, member in enumerate(population):
        module = member.net.build(member.seed)
        parameters = np.concatenate([p.detach().numpy().ravel() for p in module.parameters()])
        buffers = [b.double().numpy().ravel() for b in module.buffers()]
        layout = state.layout
        np.testing.assert_array_equal(slice_of(state.parameters, layout.parameters, k), parameters)
        np.testing.assert_array_equal(
            slice_of(state.buffers, layout.buffers, k), np.concatenate([[], *buffers])
        )
        slots = slice_of(state.slots, layout.slots, k)
        assert slots.tolist() == [0.0] * len(parameters) * len(member.optimizer.slots)


@pytest.mark.parametrize("length", [{"steps": 17}, {"epochs": 3}])
def test_lengths_follow_from_rows_and_batch_size(length: dict[str, int]) -> None:
    data = dataset("regression").cross_validation(4)
    population = grid(net=MLP(4, 2), batch_size=[None, 1, 10, 1000]).on_folds(4)
    layout = started(population, data, **length).layout
    for k, member in enumerate(population):
        size = member.batch_size or 10**9
        steps = len(range(0, len(data.folds[member.fold].train), size))
        assert layout.steps_per_epoch[k] == steps
        assert layout.total_steps[k] == length.get("steps", 3 * steps)


def test_a_state_larger_than_the_memory_trains_to_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = slalom.toys.sine(40).split(0.25)
    population = grid(net=MLP(1, 5, 1), optimizer=[SGD(0.1, momentum=0.9), Adam], seed=[0, 1])
    in_memory = slalom.train(population, data, epochs=5, batch_size=8)
    monkeypatch.setattr(memory, "SMALL", 0)
    monkeypatch.setattr(memory, "free_memory", lambda: 100.0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    on_disk = slalom.train(population, data, epochs=5, batch_size=8)
    assert (in_memory.state.on_disk, in_memory.notes) == (False, ())
    assert on_disk.state.on_disk
    assert "lay in a temporary file" in on_disk.notes[0]
    for name, values in in_memory.state.arrays().items():
        np.testing.assert_array_equal(values, on_disk.state.arrays()[name], err_msg=name)
    assert list(tmp_path.iterdir()) == []  # nothing is left behind


def test_a_state_larger_than_memory_and_disk_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(memory, "SMALL", 0)
    monkeypatch.setattr(memory, "free_memory", lambda: 100.0)
    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(BadPlan, match=r"do not fit into the temporary folder.*No space left"):
        started(grid(net=MLP(4, 9, 2), seed=range(4)), dataset("regression"))


def test_free_memory_is_what_the_system_says_or_without_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "MemFree: 1 kB\nMemAvailable: 8 kB\n")
    assert memory.free_memory() == 8192
    monkeypatch.setattr(memory, "SMALL", 0)
    assert memory.fits(6144) and not memory.fits(6145)

    def missing(*_: Any, **__: Any) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert memory.fits(2**62)


def test_the_table_of_fields_names_all_that_a_state_keeps_of_each_member() -> None:
    state = started(grid(net=MLP(4, 3, 2), seed=range(3)), dataset("regression"))
    kept = {name for name, values in state.arrays().items() if values.shape == (3,)}
    assert kept == set(FIELDS)
