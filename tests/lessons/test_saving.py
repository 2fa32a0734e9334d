"""The lesson on saving: what it says of files is what those who read them find."""

import io
import json
import pickle
import struct
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from safetensors.torch import save

from slalom import MLP
from slalom.lessons.building import Net
from slalom.lessons.lesson import Made
from slalom.lessons.saving import LESSON, Surprise, disassemble, torch_bytes, torch_size


@pytest.fixture(scope="module")
def made() -> Made:
    return LESSON.make()


def test_all_three_nets_give_the_same_bits_and_the_fresh_one_others(made: Made) -> None:
    names = ("trained_outputs", "restored_outputs", "rebuilt_outputs", "fresh_outputs")
    trained, restored, rebuilt, fresh = (made.numbers[name].tobytes() for name in names)
    assert trained == restored == rebuilt != fresh
    assert made.numbers["restored_difference"] == made.numbers["rebuilt_difference"] == 0


def test_the_trained_net_is_that_of_a_plain_loop(made: Made) -> None:
    x = np.linspace(-1, 1, 100)
    y = x**2 + 0.2 * np.random.default_rng(1).random(100)
    X, Y = (torch.tensor(values, dtype=torch.float32)[:, None] for values in (x, y))
    net = MLP(1, 10, 1).build(seed=0)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    for _ in range(500):
        optimizer.zero_grad()
        loss: torch.Tensor = torch.nn.functional.mse_loss(net(X), Y)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    np.testing.assert_allclose(made.numbers["trained_outputs"], net(X).detach(), atol=1e-6)


def test_the_lesson_reads_no_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("unpickled")

    for module, name in (
        (pickle, "load"),
        (pickle, "loads"),
        (pickle, "Unpickler"),
        (torch, "load"),
    ):
        monkeypatch.setattr(module, name, refuse)
    for draw in LESSON.make(steps=1).figures.values():
        draw()


def test_the_pickle_that_is_taken_apart_calls_print_when_it_is_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    program = disassemble(Surprise())
    texts = [argument for _, name, argument in program if name == "SHORT_BINUNICODE"]
    assert texts == ["'builtins'", "'print'", "'I ran while the file was read'"]
    assert capsys.readouterr().out == ""  # taking it apart ran nothing
    assert pickle.loads(pickle.dumps(Surprise(), protocol=4)) is None
    assert capsys.readouterr().out == "I ran while the file was read\n"


def test_torch_refuses_the_entire_net_by_default_and_reads_the_parameters(made: Made) -> None:
    net = MLP(1, 10, 1).build(seed=0)
    whole, alone = (torch_bytes(content) for content in (net, net.state_dict()))
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        torch.load(io.BytesIO(whole))
    assert list(torch.load(io.BytesIO(alone))) == made.numbers["names"]
    trusted = torch.load(io.BytesIO(whole), weights_only=False)
    used = {type(module) for module in trusted.modules()}
    assert made.numbers["net_calls"] == sorted(f"{c.__module__}.{c.__name__}" for c in used)
    assert made.numbers["parameters_calls"] == []


def test_sizes_are_those_of_the_formats(made: Made) -> None:
    net = MLP(1, 10, 1).build(seed=0)
    content = save(net.state_dict())
    (header,) = struct.unpack("<Q", content[:8])
    numbers = 4 * (10 + 10 + 10 + 1)
    assert made.numbers["number_bytes"] == numbers
    assert made.numbers["safe_size"] == len(content) == 8 + header + numbers
    whole = torch_bytes(net)
    size = torch_size(whole, numbers)
    assert size.numbers + size.text + size.program + size.container == len(whole)
    assert whole.count(b"torch.nn.modules.container\nSequential\n") == 1


def test_the_recipe_in_the_prose_is_that_of_the_net(made: Made) -> None:
    assert MLP.from_json(json.loads(made.numbers["recipe"])) == MLP(1, 10, 1)
    assert made.numbers["recipe"] in made.text("en")


@pytest.mark.slow
def test_neither_the_program_nor_the_container_grows_with_the_number_of_weights() -> None:
    nets = [(width, MLP(1, width, 1).build(seed=0)) for width in (10, 333_333)]
    for contents in (nets, [(width, net.state_dict()) for width, net in nets]):
        few, many = (
            torch_size(torch_bytes(content), 4 * (3 * width + 1)) for width, content in contents
        )
        assert many.numbers == 4_000_000
        assert many.program + many.container < 1.1 * (few.program + few.container)


def test_a_net_with_other_names_gets_nothing_and_is_refused_when_it_is_to_be_strict() -> None:
    state = MLP(1, 10, 1).build(seed=0).state_dict()
    net = Net(1, 10, "relu")
    before = net.hidden.weight.clone()
    with pytest.raises(RuntimeError, match=r"(?s)Missing key.*Unexpected key"):
        net.load_state_dict(state)
    net.load_state_dict(state, strict=False)
    assert torch.equal(net.hidden.weight, before)
