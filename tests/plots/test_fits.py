from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, r2_score

import slalom
from slalom import MLP, SGD, toys
from slalom.core.errors import BadPlan, Diverged
from slalom.data.dataset import Dataset
from slalom.plots import decision_regions, fitted_line
from slalom.plots.decision_regions import region_numbers, shades
from slalom.plots.fitted_line import line_numbers
from slalom.plots.style import CLASS_COLORS
from slalom.runs import Run

Size: TypeAlias = Callable[[Path], tuple[int, int]]


def test_the_line_is_what_the_model_says(line_run: Run) -> None:
    numbers = line_numbers(line_run)
    with torch.no_grad():
        truth = line_run.model()(torch.tensor(numbers.x[:, None], dtype=torch.float32))
    np.testing.assert_allclose(numbers.y, truth[:, 0], rtol=1e-6, atol=1e-7)
    assert numbers.x[0] < -1 < 1 < numbers.x[-1]


def test_points_and_scores_are_those_of_the_validation_rows(line_run: Run) -> None:
    numbers, data = line_numbers(line_run), line_run.dataset
    rows = data.folds[0].validation
    np.testing.assert_array_equal(numbers.validation[:, 0], data.X[rows, 0])
    predicted = line_run.predict(data.X[rows])
    assert numbers.score == pytest.approx(r2_score(data.y[rows], predicted), rel=1e-6)
    assert numbers.loss == pytest.approx(line_run.state.best_loss[0], rel=1e-6)


def test_the_picture_of_a_line_has_points_line_scores_and_names(
    line_run: Run, tmp_path: Path, image_size: Size
) -> None:
    figure = fitted_line(line_run, path=tmp_path / "line.png")
    axes = figure.axes[0]
    assert axes.get_title(loc="left").startswith("Validation loss 0.")
    assert "R² 0." in axes.get_title(loc="left")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")
    words = [t.get_text() for t in figure.legends[0].get_texts()]
    assert words == ["training rows", "validation rows", "SGD(lr=0.2)"]
    assert image_size(tmp_path / "line.png") == (1280, 800)


def test_two_classes_on_one_feature_show_a_probability() -> None:
    data = Dataset(np.linspace(-1, 1, 40)[:, None], np.arange(40) // 20, "classification")
    run = slalom.train(MLP(1, 4, 2), data, optimizer=SGD(0.5), steps=50, frames=0)
    numbers = line_numbers(run)
    assert (numbers.y >= 0).all() and (numbers.y <= 1).all()
    truth = run.predict(data.X).argmax(axis=1)
    assert numbers.score == accuracy_score(data.y, truth)
    assert fitted_line(run).axes[0].get_ylabel() == "probability of 1"


def test_regions_are_what_the_model_says(region_run: Run) -> None:
    numbers = region_numbers(region_run, 2)
    point = np.array([[numbers.across[30], numbers.up[70]]], dtype=np.float32)
    np.testing.assert_allclose(
        numbers.probabilities[70, 30], region_run.predict(point, 2)[0], rtol=1e-5, atol=1e-7
    )
    np.testing.assert_allclose(numbers.probabilities.sum(axis=-1), 1, rtol=1e-5)


def test_accuracies_are_those_of_the_training_and_validation_rows(region_run: Run) -> None:
    numbers, data = region_numbers(region_run, 0), region_run.dataset
    for rows, accuracy in (
        (data.folds[0].train, numbers.train_accuracy),
        (data.folds[0].validation, numbers.validation_accuracy),
    ):
        predicted = region_run.predict(data.X[rows], 0).argmax(axis=1)
        assert accuracy == pytest.approx(accuracy_score(data.y[rows], predicted))


def test_the_picture_of_regions_has_accuracy_classes_and_member(
    region_run: Run, tmp_path: Path, image_size: Size
) -> None:
    figure = decision_regions(region_run, member=3, path=tmp_path / "regions.png")
    title = figure.axes[0].get_title(loc="left")
    numbers = region_numbers(region_run, 3)
    assert title == (
        f"Validation accuracy {numbers.validation_accuracy:.3f} "
        f"(training {numbers.train_accuracy:.3f})"
    )
    assert figure.axes[0].texts[0].get_text() == "Adam(lr=0.02), seed 1"
    words = [t.get_text() for t in figure.legends[0].get_texts()]
    assert words[:3] == ["0", "1", "2"]
    assert image_size(tmp_path / "regions.png") == (1280, 864)


def test_a_shade_is_the_likeliest_classes_colour_paler_when_less_sure() -> None:
    colors = shades(np.array([[1.0, 0.0], [0.6, 0.4], [0.0, 1.0], [np.nan, np.nan]])).astype(int)
    blue = np.array([int(CLASS_COLORS[0][i : i + 2], 16) for i in (1, 3, 5)])
    np.testing.assert_allclose(colors[0], 255 - 0.55 * (255 - blue), atol=1)
    assert colors[1].sum() > colors[0].sum()
    assert colors[2][0] > colors[2][2]  # orange has more red than blue
    assert colors[3].tolist() == [255, 255, 255]


@pytest.mark.parametrize("draw", [fitted_line, decision_regions])
def test_data_of_three_features_is_refused(draw: object) -> None:
    data = Dataset(np.zeros((8, 3)), np.arange(8.0), "regression")
    run = slalom.train(MLP(3, 1), data, steps=1)
    with pytest.raises(BadPlan, match="but the data has 3 features"):
        draw(run)  # type: ignore[operator]


def test_regions_of_a_regression_are_refused() -> None:
    data = Dataset(np.eye(2), np.arange(2.0), "regression")
    run = slalom.train(MLP(2, 1), data, steps=1, frames=0)
    with pytest.raises(BadPlan, match="needs classes, but the data is for regression"):
        decision_regions(run)


def test_a_line_of_two_targets_or_three_classes_is_refused() -> None:
    x = np.arange(6.0)[:, None]
    two = slalom.train(MLP(1, 2), Dataset(x, np.zeros((6, 2)), "regression"), steps=1, frames=0)
    with pytest.raises(BadPlan, match="one target, but the data has 2"):
        fitted_line(two)
    data = Dataset(x, np.arange(6) // 2, "classification")
    three = slalom.train(MLP(1, 3), data, steps=1, frames=0)
    with pytest.raises(BadPlan, match="one of two classes, but the data has 3"):
        fitted_line(three)


def test_a_member_that_is_not_there_is_refused(line_run: Run, region_run: Run) -> None:
    with pytest.raises(BadPlan, match="There is no member 7"):
        fitted_line(line_run, 7)
    with pytest.raises(BadPlan, match="There is no member -1"):
        decision_regions(region_run, -1)


def test_when_all_diverged_there_is_nothing_to_fit(lost_run: Run) -> None:
    with pytest.raises(Diverged):
        fitted_line(lost_run)


def test_many_points_are_drawn_in_part(tmp_path: Path) -> None:
    run = slalom.train(MLP(2, 2), toys.moons(5000), steps=2, frames=0)
    figure = decision_regions(run)
    drawn = sum(len(np.asarray(c.get_offsets())) for c in figure.axes[0].collections[1:])
    assert drawn <= 3000
