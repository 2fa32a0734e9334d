"""Lesson 4 against formulas in float64, finite differences, least squares, plain torch."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import erf, expit

from slalom.data.toys import quadratic
from slalom.lessons import activations as lesson
from slalom.lessons.activations.advice import Recurrent, measured, sequences
from slalom.lessons.activations.drawing import fate
from slalom.nets import ACTIVATIONS

Float64Array = NDArray[np.float64]
X = lesson.X


def selu(x: Float64Array) -> Float64Array:
    """Klambauer et al. 2017."""
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    return scale * np.where(x > 0, x, alpha * np.expm1(x))


FORMULAS = {
    "relu": np.maximum(X, 0),
    "leaky_relu": np.where(X > 0, X, 0.01 * X),
    "elu": np.where(X > 0, X, np.expm1(X)),
    "selu": selu(X),
    "gelu": X * (1 + erf(X / np.sqrt(2))) / 2,
    "silu": X * expit(X),
    "mish": X * np.tanh(np.log1p(np.exp(X))),
    "sigmoid": 1 / (1 + np.exp(-X)),
    "tanh": np.tanh(X),
    "softplus": np.log1p(np.exp(X)),
}


@pytest.mark.parametrize("name", lesson.NAMES)
def test_a_function_is_its_formula_and_its_derivative_that_of_finite_differences(name: str) -> None:
    values, slopes = lesson.value_and_slope(ACTIVATIONS[name]())
    assert np.allclose(values, FORMULAS[name], atol=1e-12)
    smooth = abs(X) > 0.1  # away from the corners
    numeric = np.gradient(FORMULAS[name], X, edge_order=2)
    assert np.allclose(slopes[smooth], numeric[smooth], atol=2e-3)


def test_softmax_is_a_share_of_exponentials() -> None:
    found = lesson.softmax_of_scores()
    for row, stretch in zip(found, lesson.STRETCHES, strict=True):
        powers = np.exp(stretch * lesson.SCORES)
        assert np.allclose(row, powers / powers.sum())


def test_the_wave_has_the_derivative_of_the_formula() -> None:
    at = X[lesson.PROBED]
    assert np.allclose(lesson.differences(lesson.wave), 2 * np.cos(2 * at), atol=1e-8)
    assert np.allclose(lesson.value_and_slope(lesson.wave)[1], 2 * np.cos(2 * X))


def test_a_net_without_activation_ends_at_the_line_of_least_squares() -> None:
    data = quadratic(100, noise=0.2, seed=1)
    line, loss = lesson.fit("identity", width=10, lr=0.2, steps=500, seed=0)
    slope, start = np.polyfit(data.X[:, 0], data.y[:, 0], 1)
    x = np.linspace(-1.2, 1.2, 200)
    assert np.allclose(line, slope * x + start, atol=1e-3)
    assert loss == pytest.approx(np.mean((slope * data.X + start - data.y) ** 2), abs=1e-5)
    assert lesson.fit("relu", width=10, lr=0.2, steps=500, seed=0)[1] < loss / 10


def test_a_training_that_diverges_leaves_no_line() -> None:
    line, loss = lesson.fit("identity", width=200, lr=1.0, steps=50, seed=0)
    assert np.isnan(line).all() and loss == np.inf


def test_the_gradients_of_a_deep_net_are_those_of_backpropagation_by_hand() -> None:
    depth, scale, seed = 4, 3.0, 7
    torch.manual_seed(seed)
    sizes = [1, *[lesson.HIDDEN] * depth, 1]
    layers = [torch.nn.Linear(a, b) for a, b in pairwise(sizes)]
    weights = [scale * layer.weight.detach().numpy().astype(float) for layer in layers]
    biases = [layer.bias.detach().numpy().astype(float) for layer in layers]
    data = quadratic(100, noise=0.2, seed=1)
    hidden = [data.X.astype(float)]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        hidden.append(np.tanh(hidden[-1] @ weight.T + bias))
    output = hidden[-1] @ weights[-1].T + biases[-1]
    gradient = 2 * (output - data.y) / len(data.X) @ weights[-1]
    expected = [np.sqrt(np.mean(gradient**2))]
    for weight, values in zip(weights[-2:0:-1], hidden[:1:-1], strict=True):
        gradient = gradient * (1 - values**2) @ weight
        expected.insert(0, np.sqrt(np.mean(gradient**2)))
    found = lesson.gradients_by_layer("tanh", depth, scale, seed)
    assert np.allclose(found, np.array(expected) / expected[-1], rtol=1e-9)


@pytest.mark.parametrize(
    ("arrived", "words"),
    [(1e-9, "vanish"), (0.1, "shrink"), (0.9, "keep their size"), (10, "grow"), (1e9, "explode")],
)
def test_the_title_says_what_becomes_of_most_gradients(arrived: float, words: str) -> None:
    assert fate(np.array([1e-20, arrived, arrived, arrived, 1e20])) == f"Most gradients {words}"


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_the_recurrent_net_is_that_of_torch(nonlinearity: str) -> None:
    net = Recurrent(nonlinearity)
    torchs = torch.nn.RNN(1, 16, nonlinearity=nonlinearity, batch_first=True)
    own = dict(zip(("ih", "hh"), (net.read, net.keep), strict=True))
    torchs.load_state_dict(
        {f"weight_{name}_l0": layer.weight for name, layer in own.items()}
        | {f"bias_{name}_l0": layer.bias for name, layer in own.items()}
    )
    numbers = torch.from_numpy(sequences().X)
    last = torchs(numbers[:, :, None])[0][:, -1]
    assert torch.allclose(net(numbers), net.scores(last), atol=1e-6)


def test_the_question_is_about_the_first_number_and_half_of_the_answers_are_yes() -> None:
    data = sequences()
    assert (data.y == (data.X[:, 0] > 0)).all()
    assert 0.45 < data.y.mean() < 0.55


@pytest.mark.slow
def test_what_the_prose_says_of_the_measurement_is_so() -> None:
    digits, memories = measured()["convolutional"], measured()["recurrent"]
    relu, tanh, sigmoid = digits.mean(axis=2).max(axis=1)
    assert abs(relu - tanh) < 0.05, "relu has no advantage over tanh"
    relu_keeps, tanh_keeps, sigmoid_keeps = (memories > 0.75).sum(axis=(1, 2))
    assert tanh_keeps > relu_keeps, "for recurrent nets the advice holds"
    assert sigmoid < relu / 2 and sigmoid_keeps == 0, "sigmoid suits neither"
