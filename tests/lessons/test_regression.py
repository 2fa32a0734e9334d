import numpy as np
import pytest

from slalom import lessons, toys


def test_the_curve_through_the_middle_of_the_noise_has_the_loss_that_the_prose_names() -> None:
    data = toys.quadratic(100_000, noise=0.2, seed=1)
    best = data.X[:, 0] ** 2 + 0.1
    named = lessons.get("regression").make(steps=2).numbers["noise_variance"]
    assert np.mean((data.y[:, 0] - best) ** 2) == pytest.approx(named, rel=0.01)


def test_a_net_of_width_w_has_3w_plus_1_parameters() -> None:
    for width in (1, 10):
        made = lessons.get("regression").make(width=width, steps=2)
        assert made.numbers["parameters"] == 3 * width + 1


def test_a_training_that_diverges_is_shown_as_far_as_it_went() -> None:
    made = lessons.get("regression").make(lr=100, steps=50)
    assert not np.isfinite(made.numbers["final_loss"])
    assert made.figures["film"]().images()
    assert "diverged" in made.figures["losses"]().axes[0].get_title("left")
