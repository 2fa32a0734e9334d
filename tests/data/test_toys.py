"""Toys: seeded points around a known truth."""

import inspect
from typing import Any

import numpy as np
import pytest

from slalom import Dataset, toys

ALL = {**toys.REGRESSION, **toys.CLASSIFICATION}


@pytest.mark.parametrize("name", ALL)
def test_the_same_seed_gives_the_same_points(name: str) -> None:
    one, same, other = (ALL[name](50, seed=s) for s in (3, 3, 4))
    assert np.array_equal(one.X, same.X) and np.array_equal(one.y, same.y)
    assert not (np.array_equal(one.X, other.X) and np.array_equal(one.y, other.y))
    assert one.rows == 50


@pytest.mark.parametrize("name", ALL)
def test_every_toy_has_its_task_and_shape(name: str) -> None:
    data: Dataset = ALL[name](41)
    regression = name in toys.REGRESSION
    assert data.task == ("regression" if regression else "classification")
    assert data.X.shape == (41, 1 if regression else 2)
    if not regression:
        counts = np.bincount(data.y)
        assert counts.min() >= 5


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("quadratic", lambda x: x**2),
        ("sine", lambda x: np.sin(np.pi * x)),
        ("step", lambda x: 1.0 * (x > 0)),
    ],
)
def test_curves_without_noise_are_the_truth(name: str, truth: Any) -> None:
    data = ALL[name](200, noise=0.0)
    np.testing.assert_allclose(data.y, truth(data.X.astype(float)), atol=1e-6)


def test_the_noise_of_the_parabola_is_uniform_and_of_the_width_asked_for() -> None:
    data = toys.quadratic(20_000, noise=0.4)
    noise = data.y - data.X**2
    assert noise.min() >= -1e-6 and noise.max() <= 0.4 + 1e-6
    assert noise.mean() == pytest.approx(0.2, abs=0.005)


def test_the_gaussians_lie_around_their_centres() -> None:
    data = toys.gaussians(20_000, spread=0.5)
    for label, center in enumerate([2.0, -2.0]):
        cloud = data.X[data.y == label]
        np.testing.assert_allclose(cloud.mean(axis=0), [center, center], atol=0.02)
        np.testing.assert_allclose(cloud.std(axis=0), 0.5, atol=0.02)


def test_spirals_have_as_many_arms_as_asked_for() -> None:
    data = toys.spirals(90, noise=0.0, classes=3)
    assert np.bincount(data.y).tolist() == [30, 30, 30]
    turned = [data.X[data.y == k] for k in range(3)]
    angle = 2 * np.pi / 3
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(turned[0] @ turn, turned[1], atol=1e-6)


def test_neighbouring_fields_of_the_board_have_different_colours() -> None:
    data = toys.checkerboard(2000, cells=3)
    fields = np.floor((data.X + 1) * 1.5).astype(int).clip(0, 2)
    np.testing.assert_array_equal(data.y, fields.sum(axis=1) % 2)


def test_every_toy_takes_a_seed_and_a_number_of_points_and_has_a_docstring() -> None:
    for toy in ALL.values():
        assert {"n", "seed"} <= set(inspect.signature(toy).parameters)
        assert toy.__doc__
