"""The lesson on transfer, against scikit-learn and a trunk trained in float64."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from slalom import lessons
from slalom.lessons.files import content_of
from slalom.lessons.lesson import Made

pytestmark = pytest.mark.slow


def make(**values: object) -> Made:
    return lessons.get("transfer").make(**values)


@pytest.fixture(scope="module")
def made() -> Made:
    return make(rows=50, steps=60)


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, np.ndarray]:
    """Images and digits in the lesson's order: 900 for task A, the last 400 held out."""
    X, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(1797)
    return X[order] / 16, digits[order]


def trunk_outputs(X: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """What a trunk gives that was trained on task A in float64: `[1797, 32]`."""
    torch.manual_seed(0)
    trunk = torch.nn.Sequential(
        torch.nn.Linear(64, 32), torch.nn.Tanh(), torch.nn.Linear(32, 32), torch.nn.Tanh()
    )
    output = torch.nn.Linear(32, 10)
    net = torch.nn.Sequential(trunk, output).double()
    for _ in range(300):
        loss = torch.nn.functional.cross_entropy(
            net(torch.tensor(X[:900])), torch.tensor(digits[:900])
        )
        slopes = torch.autograd.grad(loss, list(net.parameters()))
        for weight, slope in zip(net.parameters(), slopes, strict=True):
            weight.data -= 0.5 * slope
    return trunk(torch.tensor(X)).detach().numpy()


def logistic(features: np.ndarray, digits: np.ndarray, count: int) -> float:
    """Mean accuracy of scikit-learn's logistic regression, from the lesson's rows of task B."""
    pairs, scores = digits // 2, []
    for k in range(6):
        rows = 900 + np.random.default_rng(k).permutation(497)[:count]
        model = LogisticRegression(C=10).fit(features[rows], pairs[rows])
        scores.append(model.score(features[-400:], pairs[-400:]))
    return float(np.mean(scores))


def test_a_frozen_trunk_is_as_good_as_logistic_regression_on_its_outputs(
    made: Made, images: tuple[np.ndarray, np.ndarray]
) -> None:
    features = trunk_outputs(*images)
    for count, accuracy in zip(
        made.numbers["counts"], made.numbers["accuracies"][2].mean(axis=1), strict=True
    ):
        expected = logistic(features, images[1], count)
        assert accuracy == pytest.approx(expected, abs=0.03), count


def test_a_frozen_trunk_is_better_than_logistic_regression_on_pixels(
    made: Made, images: tuple[np.ndarray, np.ndarray]
) -> None:
    assert made.numbers["frozen"] > logistic(*images, count=50) + 0.05


def test_with_50_rows_a_trunk_helps_and_a_frozen_one_most(made: Made) -> None:
    numbers = made.numbers
    assert numbers["frozen"] > numbers["fine"] > numbers["nothing"] + 0.05
    assert numbers["known_accuracy"] > 0.95


def test_a_frozen_trunk_that_knows_half_of_the_digits_is_worse_than_none() -> None:
    numbers = make(known=5, rows=200).numbers
    assert numbers["known_accuracy"] > 0.99
    assert numbers["frozen"] < numbers["nothing"] - 0.05
    assert numbers["fine"] > numbers["nothing"]


def test_from_nothing_the_numbers_do_not_depend_on_task_a() -> None:
    a, b = (make(steps=3, seed=seed).numbers["accuracies"] for seed in (0, 1))
    assert np.array_equal(a[0], b[0])
    assert not np.array_equal(a[1], b[1])
    assert not np.array_equal(a[2], b[2])


def test_behind_the_trunk_more_images_are_nearest_to_the_middle_of_their_own_digit(
    made: Made, images: tuple[np.ndarray, np.ndarray]
) -> None:
    X, shown = images[0][-400:], images[1][-400:]
    outputs = trunk_outputs(*images)[-400:]
    for name, features in (("pixels_apart", X), ("trunk_apart", outputs)):
        middles = np.array([features[shown == digit].mean(axis=0) for digit in range(10)])
        nearest = cdist(features, middles).argmin(axis=1)
        assert made.numbers[name] == pytest.approx(np.mean(nearest == shown), abs=0.01)
    assert made.claims["clearer"] and not made.claims["dimmer"]


@pytest.mark.parametrize(
    "values",
    [
        {"known": 2, "rows": 5, "width": 2, "lr": 1e-3, "steps": 2, "seed": 9999},
        {"rows": 400, "width": 64, "lr": 1, "steps": 150},
    ],
    ids=["low", "high"],
)
def test_pictures_are_drawn_at_both_ends_of_every_range(values: dict[str, object]) -> None:
    for figure in make(**values).figures.values():
        assert content_of(figure())
