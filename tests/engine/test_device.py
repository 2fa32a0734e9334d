"""Which device a name means, and what a person reads when it is not there."""

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch

import slalom
from slalom import MLP, SGD, Member, Plan, Population, losses, toys
from slalom.core.errors import BadPlan
from slalom.engine import Batched, Native, Reference, select
from slalom.engine.batched.place import PROBED, SHARE, members_with_room, working_on
from slalom.engine.device import CPU, VARIABLE, device_of, wanted, why_no_gpu

PLAN = Plan(Population([Member(MLP(1, 4, 1), SGD(0.1))]), losses.MSE(), steps=3)
DATA = toys.quadratic(20)


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA says that there is one GPU."""
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def test_without_a_word_it_is_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert device_of(wanted(None)) == CPU


def test_the_environment_says_it_where_no_argument_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "tpu")
    with pytest.raises(BadPlan, match=f"'tpu' was given .* environment variable {VARIABLE}"):
        slalom.train(MLP(1, 4, 1), DATA, steps=1)
    assert slalom.train(MLP(1, 4, 1), DATA, steps=1, device="cpu").state.step.tolist() == [1]


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "meta", "cpu:-3"])
def test_a_name_that_is_not_known_is_refused(name: str) -> None:
    with pytest.raises(BadPlan, match="must be cpu, cuda, a GPU by its number such as cuda:1, or"):
        device_of(name)


def test_a_pytorch_without_cuda_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    with pytest.raises(BadPlan, match="Nothing can train on cuda: this PyTorch was built without"):
        device_of("cuda")


def test_what_cuda_says_of_its_driver_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_old() -> bool:
        warnings.warn("The NVIDIA driver on your system is too old\n(found 1).", stacklevel=1)
        return False

    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", too_old)
    assert why_no_gpu() == (
        "PyTorch finds no GPU of NVIDIA's with a driver "
        "(The NVIDIA driver on your system is too old)."
    )


@pytest.mark.usefixtures("gpus")
def test_a_number_beyond_the_last_is_refused() -> None:
    with pytest.raises(BadPlan, match="there is no GPU of the number 3, for there is 1"):
        device_of("cuda:3")


@pytest.mark.usefixtures("gpus")
def test_a_gpu_that_fails_is_refused_with_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "ones", raising(RuntimeError("CUDA error: unknown error\nCompile")))
    with pytest.raises(BadPlan, match=r"the GPU fails \(CUDA error: unknown error\)\. Take dev"):
        device_of("cuda")
    assert device_of("auto") == CPU


def test_auto_without_a_gpu_is_the_processor_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    engine, note = select("auto", PLAN, DATA, device="auto")
    assert isinstance(engine, Native)
    assert note == "On the CPU, for this PyTorch was built without CUDA."


@pytest.mark.parametrize("engine", [Native, Reference])
def test_engines_of_the_processor_refuse_another_device(engine: Any) -> None:
    with pytest.raises(BadPlan, match="trains on the CPU, but the device cuda:0 was asked for"):
        engine.of(None, torch.device("cuda", 0))


def test_engines_say_on_which_device_they_train() -> None:
    assert Batched(device="cpu").device == CPU


def test_as_many_members_train_at_a_time_as_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps: list[int] = []
    # What a first step leaves behind, as libraries do, is none that the second one takes.
    taken = {0: 0, 1: 100}
    monkeypatch.setattr(torch.accelerator, "reset_peak_memory_stats", lambda _: None)
    monkeypatch.setattr(torch.accelerator, "memory_allocated", lambda _: taken[len(steps)])
    monkeypatch.setattr(torch.accelerator, "max_memory_allocated", lambda _: 100 + 30 * PROBED)
    monkeypatch.setattr(torch.accelerator, "get_memory_info", lambda _: (10_000, 20_000))
    room = members_with_room(torch.device("cuda"), lambda: steps.append(1), own=20)
    assert room == SHARE * 10_000 // (30 + 20)


def test_a_gpu_works_deterministically_and_everything_is_as_before_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "device", lambda _: nullcontext())
    settings: Any = torch.utils.deterministic
    with working_on(torch.device("cuda")):
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        assert not settings.fill_uninitialized_memory
        assert not torch.backends.cudnn.allow_tf32
    assert not torch.are_deterministic_algorithms_enabled()
    assert settings.fill_uninitialized_memory


def test_a_memory_that_is_too_small_is_said_in_a_paragraph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device", lambda _: nullcontext())
    before = torch.are_deterministic_algorithms_enabled()
    full = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB.\nmore")
    with (
        pytest.raises(
            BadPlan, match=r"The memory of cuda is too small .* allocate 9 GiB.* is kept"
        ),
        working_on(torch.device("cuda")),
    ):
        raise full
    assert torch.are_deterministic_algorithms_enabled() == before
