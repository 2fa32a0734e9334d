"""The numbers of the lesson on building against formulas in float64."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from slalom import MLP
from slalom.lessons.building import LESSON, STEPS, Deep, Net, largest_difference
from slalom.lessons.lesson import Choice, Made

Float64Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def made() -> Made:
    return LESSON.make()


def affine(layer: Any, x: Float64Array) -> Float64Array:
    """A layer in float64."""
    weight, bias = (p.detach().double().numpy() for p in (layer.weight, layer.bias))
    result: Float64Array = x @ weight.T + bias
    return result


@pytest.mark.parametrize(("inputs", "width"), [(1, 1), (2, 5), (20, 64)])
def test_class_and_sequential_agree_to_the_last_bit_with_every_activation(
    inputs: int, width: int
) -> None:
    (choice,) = (p for p in LESSON.parameters if isinstance(p, Choice))
    rows = torch.randn(50, inputs, generator=torch.Generator().manual_seed(1))
    for activation in choice.options:
        torch.manual_seed(3)
        net = Net(inputs, width, activation)
        sequential = MLP(inputs, width, 1, activation=activation).build(seed=3)
        outputs = [net(rows), sequential(rows)]
        for output in outputs:
            output.square().mean().backward()
        assert largest_difference(net, sequential, outputs) == 0


def test_outputs_parameters_and_gradients_do_not_differ(made: Made) -> None:
    numbers = made.numbers
    assert numbers["class_outputs"].tobytes() == numbers["sequential_outputs"].tobytes()
    assert numbers["largest_difference"] == 0


def test_outputs_are_those_of_the_formula(made: Made) -> None:
    torch.manual_seed(0)
    net = Net(2, 8, "relu")
    rows = torch.randn(100, 2, generator=torch.Generator().manual_seed(1)).double().numpy()
    truth = affine(net.output, affine(net.hidden, rows).clip(min=0))
    np.testing.assert_allclose(made.numbers["class_outputs"], truth, rtol=0, atol=1e-6)
    assert made.numbers["parameters"] == 2 * 8 + 8 + 8 + 1


def test_printed_texts_show_the_parts_and_only_the_sequential_shows_the_activation(
    made: Made,
) -> None:
    assert made.numbers["class_text"].count("Linear(") == 2
    assert made.numbers["sequential_text"].count("Linear(") == 2
    assert "ReLU" not in made.numbers["class_text"]
    assert "(1): ReLU()" in made.numbers["sequential_text"]


@pytest.mark.parametrize(("name", "skip"), [("chain_spreads", False), ("skip_spreads", True)])
def test_spreads_are_those_of_the_formula(made: Made, name: str, skip: bool) -> None:
    torch.manual_seed(0)
    deep: Any = Deep(8, 8, "relu", skip)
    values = affine(deep.first, np.linspace(-1, 1, 100)[:, None]).clip(min=0)
    spreads = [values.std(axis=0, ddof=1).mean()]
    for block in deep.blocks:
        values = affine(block, values).clip(min=0) + skip * values
        spreads.append(values.std(axis=0, ddof=1).mean())
    np.testing.assert_allclose(made.numbers[name], spreads, rtol=1e-2)  # small ones cancel


@pytest.mark.parametrize(("name", "skip"), [("chain_gradient", False), ("skip_gradient", True)])
def test_the_gradient_of_the_first_layer_is_that_in_float64(
    made: Made, name: str, skip: bool
) -> None:
    torch.manual_seed(0)
    deep: Any = Deep(8, 8, "relu", skip).double()
    x = torch.linspace(-1, 1, 100, dtype=torch.float64)[:, None]
    y = x**2 + 0.2 * torch.from_numpy(np.random.default_rng(1).random((100, 1)))
    torch.nn.functional.mse_loss(deep(x), y).backward()  # type: ignore[no-untyped-call]
    truth = deep.first.weight.grad.abs().mean().item()
    assert made.numbers[name] == pytest.approx(truth, rel=1e-3)


def test_in_a_plain_list_only_the_first_and_the_last_layer_are_seen(made: Made) -> None:
    assert made.numbers["deep_parameters"] == 2 * 8 + 8 * (8 * 8 + 8) + 8 + 1
    deep: Any = Deep(8, 8, "relu", skip=True)
    layers = list(deep.blocks)
    del deep.blocks
    deep.blocks = layers
    assert made.numbers["listed_parameters"] == sum(p.numel() for p in deep.parameters())
    assert deep(torch.zeros(3, 1)).shape == (3, 1), "it works all the same"


def test_the_chain_finds_only_the_mean_and_skips_find_the_curve(made: Made) -> None:
    y = np.linspace(-1, 1, 100) ** 2 + 0.2 * np.random.default_rng(1).random(100)
    assert made.numbers["mean_loss"] == pytest.approx(np.mean((y - y.mean()) ** 2), rel=1e-5)
    assert made.numbers["chain_loss"] == pytest.approx(made.numbers["mean_loss"], rel=1e-3)
    assert made.numbers["skip_loss"] < 0.1 * made.numbers["mean_loss"]


def test_a_training_that_diverges_has_pictures_too() -> None:
    made = LESSON.make(width=64, blocks=4, activation="elu", lr=1)
    assert made.claims["chain_diverged"] and made.claims["skip_diverged"]
    for draw in made.figures.values():
        draw()


def test_the_prose_says_how_many_steps_are_trained(made: Made) -> None:
    assert f"After {STEPS} steps" in made.text("en")
    assert f"{STEPS} 步之后" in made.text("zh")
