"""The lesson on overfitting: points, epochs and diagnoses against independent truths."""

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_squared_error

from slalom import lessons
from slalom.lessons.lesson import Made
from slalom.lessons.overfitting import points, troubles
from slalom.lessons.overfitting.pictures import bending
from slalom.runs import Run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made() -> Made:
    return lessons.get("overfitting").make()


def runs(made: Made) -> tuple[Run, Run]:
    """The long training and the one that stopped early."""
    found: tuple[Run, Run] = made.figures["film"].args  # type: ignore[attr-defined]
    return found


def test_two_of_five_points_are_held_out_and_none_is_in_both_parts() -> None:
    for rows in (10, 40, 200):
        (split,) = points(rows, noise=0.3).folds
        assert len(split.validation) == rows * 2 // 5
        assert sorted([*split.train, *split.validation]) == list(range(rows))


def test_points_without_noise_lie_on_the_sine() -> None:
    data = points(40, noise=0)
    np.testing.assert_allclose(data.y[:, 0], np.sin(np.pi * np.linspace(-1, 1, 40)), atol=1e-6)


def test_the_wide_net_ends_below_the_noise_on_training_rows_and_far_above_on_others(
    made: Made,
) -> None:
    run, _ = runs(made)
    module = run.population[0].net.build(0)
    run.state.fill(module, 0)  # its last weights
    with torch.no_grad():
        predicted = module.eval()(torch.tensor(run.dataset.X)).numpy()
    (split,) = run.dataset.folds
    held = mean_squared_error(run.dataset.y[split.validation], predicted[split.validation])
    assert made.numbers["final_validation"] == pytest.approx(held, rel=1e-4)
    # this loss is from before the last step
    trained = mean_squared_error(run.dataset.y[split.train], predicted[split.train])
    assert made.numbers["final_training"] == pytest.approx(trained, rel=0.05)
    assert trained < made.numbers["noise_variance"] / 5 < made.numbers["noise_variance"] < held


def test_early_stopping_waits_for_its_patience_and_keeps_the_best_epoch(made: Made) -> None:
    losses = made.numbers["validation_losses"]
    lowest = np.minimum.accumulate(losses)
    waited = [epoch - losses[: epoch + 1].argmin() for epoch in range(len(losses))]
    stop = next(epoch for epoch, wait in enumerate(waited) if wait == 100)
    assert made.numbers["stopped_epoch"] == stop + 1
    assert made.numbers["kept_epoch"] == losses[: stop + 1].argmin() + 1
    assert made.numbers["best_validation"] == lowest[-1] == losses[made.numbers["best_epoch"] - 1]


def test_dropout_ends_with_a_lower_validation_loss(made: Made) -> None:
    assert made.numbers["dropout_validation"] < made.numbers["final_validation"] / 2


def test_the_film_shows_the_kept_line_from_its_epoch_on(made: Made) -> None:
    run, stopped = runs(made)
    movie = bending(run, stopped)
    kept = movie.moving[0]
    for moment in range(movie.moments):
        movie.show(moment)
        epoch = int(movie.moving[-1].get_text().split()[1])  # type: ignore[attr-defined]
        hidden = np.isnan(kept.get_ydata()).all()  # type: ignore[attr-defined]
        assert hidden == (epoch < made.numbers["kept_epoch"])
    assert epoch == 800


def test_each_training_of_the_last_picture_has_the_trouble_that_the_prose_tells_of() -> None:
    found = [case.diagnosis.kinds for case in troubles()]
    assert found[0] == ("overfit",)
    assert found[1] == ("healthy",)
    assert found[2] == ("underfit", "lr_too_small")
    assert found[3] == ("diverged",)
    assert "dead" in found[4]


@pytest.mark.parametrize("lr", [1e-6, 1.0])
def test_the_ends_of_the_ranges_give_finite_numbers(lr: float) -> None:
    small = {"rows": 10, "width": 1, "epochs": 20, "patience": 1, "dropout": 0.9}
    numbers = lessons.get("overfitting").make(lr=lr, noise=1, **small).numbers
    assert all(np.isfinite(value).all() for value in numbers.values())
