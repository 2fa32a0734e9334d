"""The first lesson against formulas worked out by hand, in float64."""

import re
from functools import cache
from typing import Any

import numpy as np
import pytest

from slalom import lessons
from slalom.core.language import LANGUAGES
from slalom.lessons.lesson import Made
from slalom.lessons.network import TABLE
from slalom.lessons.network.descent import Descent
from slalom.lessons.prose import read

RIDES, HOURS = TABLE.double().numpy()[:, :2], TABLE.double().numpy()[:, 2]


@cache
def made() -> Made:
    return lessons.get("network").make(ride=5)


def number(name: str) -> Any:
    return made().numbers[name]


def test_values_on_the_way_forward_follow_the_formula() -> None:
    hidden = np.tanh(number("weights") @ RIDES[4] + number("biases"))
    prediction = number("weights_out")[0] @ hidden + number("bias_out")[0]
    assert number("hidden") == pytest.approx(hidden, abs=1e-6)
    assert number("prediction") == pytest.approx(prediction, abs=1e-6)
    assert number("loss_before") == pytest.approx((prediction - HOURS[4]) ** 2, abs=1e-6)


def test_errors_and_gradients_on_the_way_back_follow_the_rules_of_the_prose() -> None:
    error = 2 * (number("prediction") - number("hours_taken"))
    hidden_error = error * number("weights_out")[0]
    before_bend = hidden_error * (1 - number("hidden").astype(float) ** 2)
    assert number("output_error") == pytest.approx(error, abs=1e-6)
    assert number("hidden_error") == pytest.approx(hidden_error, abs=1e-6)
    assert number("weights_out_gradient")[0] == pytest.approx(error * number("hidden"), abs=1e-6)
    assert number("bias_out_gradient") == pytest.approx(error, abs=1e-6)
    assert number("weights_gradient") == pytest.approx(np.outer(before_bend, RIDES[4]), abs=1e-6)
    assert number("biases_gradient") == pytest.approx(before_bend, abs=1e-6)


@pytest.mark.parametrize(("name", "inputs"), [("one", RIDES[:, :1]), ("two", RIDES)])
def test_the_ball_is_where_the_closed_form_of_gradient_descent_puts_it(
    name: str, inputs: np.ndarray
) -> None:
    lowest = np.linalg.lstsq(inputs, HOURS)[0]
    curvature = 2 * inputs.T @ inputs / len(inputs)
    path = number("one_weight" if name == "one" else "two_weights")
    for rate, weights in zip(number("rates"), path, strict=True):
        shrink = np.eye(len(lowest)) - rate * curvature
        for step in (0, 1, 7, 30):
            truth = lowest + np.linalg.matrix_power(shrink, step) @ (weights[0] - lowest)
            assert weights[step] == pytest.approx(truth, rel=1e-4, abs=1e-5)
    heights = ((path @ inputs.T - HOURS) ** 2).mean(axis=-1)
    assert number(f"{name}_loss") == pytest.approx(heights, rel=1e-4, abs=1e-6)


def test_below_the_limit_a_weight_settles_and_above_it_diverges() -> None:
    limit = number("limit")
    for factor, falls in ((0.97, True), (1.03, False)):
        heights = lessons.get("network").make(lr=factor * limit / 3).numbers["one_loss"][2]
        assert (np.diff(heights) < 0).all() == falls
        assert (np.diff(heights) > 0).all() != falls


def test_the_slope_is_how_the_loss_changes_with_the_weight() -> None:
    def loss(weight: float) -> float:
        return float(((weight * RIDES[:, 0] - HOURS) ** 2).mean())

    start = made().values["start"]
    assert number("slope") == pytest.approx((loss(start + 1e-4) - loss(start - 1e-4)) / 2e-4)


def test_above_the_steeper_limit_two_weights_diverge_along_the_steepest_direction() -> None:
    curvature = RIDES.T @ RIDES / len(RIDES)
    steepest = np.linalg.eigh(curvature)[1][:, -1]
    lowest = np.linalg.lstsq(RIDES, HOURS)[0]
    limit = number("steep_limit")
    for factor, grows in ((0.97, False), (1.03, True)):
        path = lessons.get("network").make(lr=factor * limit / 3).numbers["two_weights"][2]
        along = np.abs((path - lowest) @ steepest)
        assert (np.diff(along) > 0).all() == grows
        assert (np.diff(along) < 0).all() != grows


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_table_of_the_prose_is_that_of_the_lesson(lang: str) -> None:
    rows = re.findall(
        r"^\| (\d) \| (\S+) \| (\S+) \| (\S+) \|$", read("network", lang), re.MULTILINE
    )
    assert [int(row[0]) for row in rows] == list(range(1, 9))
    assert np.array(rows, dtype=float)[:, 1:] == pytest.approx(TABLE.double().numpy())


def test_training_leaves_less_than_a_hundredth_of_the_error_of_the_best_constant_answer() -> None:
    assert number("parameters") == 3 * 3 + 4
    assert number("final_loss") < HOURS.var() / 100 < number("first_loss")


@pytest.mark.slow
def test_every_combination_of_extreme_values_can_be_drawn() -> None:
    lesson = lessons.get("network")
    for lr in (0.001, 0.25):
        for steps in (5, 40):
            made = lesson.make(width=1, ride=8, lr=lr, steps=steps, start=-3, second_start=3)
            assert np.isfinite(made.numbers["two_loss"]).all()
            assert made.figures["ball"]().moments == steps + 1  # type: ignore[union-attr]
            made.figures["surface"]()


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(0.02, "not there yet"), (1.0, "arrives"), (1.99, "swings"), (2.01, "diverges")],
)
def test_a_parabola_has_the_verdict_of_its_learning_rate(factor: float, verdict: str) -> None:
    path = (1 - factor) ** np.arange(31.0)[:, None]  # gradient descent on w ** 2 / 2

    def height(w: np.ndarray) -> np.ndarray:
        return np.asarray(w[..., 0] ** 2 / 2)

    descent = Descent(factor, path, height(path), height, lowest=np.zeros(1), limit=2)
    assert descent.verdict == verdict
