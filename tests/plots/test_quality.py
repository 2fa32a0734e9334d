from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    mean_absolute_error,
    r2_score,
    root_mean_squared_error,
)

from slalom.core.errors import BadData
from slalom.plots import calibration, confusion, importance, residuals
from slalom.plots.calibration import calibration_numbers, wilson
from slalom.plots.confusion import confusion_numbers
from slalom.plots.importance import importance_numbers
from slalom.plots.residuals import residual_numbers

SPECIES = ["Adelie", "Chinstrap", "Gentoo"]

Size: TypeAlias = Callable[[Path], tuple[int, int]]


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def test_residual_scores_are_those_of_scikit_learn(generator: np.random.Generator) -> None:
    truth = generator.normal(size=(50, 1))
    predicted = truth[:, 0] + generator.normal(size=50)
    numbers = residual_numbers(truth, predicted)
    assert numbers.r2 == pytest.approx(r2_score(truth, predicted))
    assert numbers.rmse == pytest.approx(root_mean_squared_error(truth, predicted))
    assert numbers.mae == pytest.approx(mean_absolute_error(truth, predicted))
    np.testing.assert_allclose(numbers.residuals, truth[:, 0] - predicted)


def test_r2_of_a_constant_truth_is_undefined_but_drawn() -> None:
    assert np.isnan(residual_numbers([1, 1], [1, 2]).r2)
    assert residuals([1, 1], [1, 1]).axes[0].get_title(loc="left") == "R² nan on 2 rows"


def test_the_picture_of_residuals_names_target_and_unit(
    generator: np.random.Generator, tmp_path: Path, image_size: Size
) -> None:
    truth = generator.normal(size=300)
    figure = residuals(truth, truth * 0.9, tmp_path / "r.png", name="price", unit="EUR")
    left, right = figure.axes
    assert left.get_title(loc="left") == "R² 0.990 on 300 rows"
    assert left.get_xlabel() == "true price (EUR)"
    assert left.get_ylabel() == "predicted price (EUR)"
    assert right.get_xlabel() == "residual: true − predicted (EUR)"
    assert right.get_title(loc="left").startswith("RMSE 0.")
    assert sum(bar.get_height() for bar in right.patches) == pytest.approx(300, abs=3)
    assert image_size(tmp_path / "r.png") == (1280, 736)


def test_very_many_rows_are_counted_in_cells(generator: np.random.Generator) -> None:
    truth = generator.normal(size=20_000)
    figure = residuals(truth, truth + generator.normal(size=20_000))
    assert figure.axes[-1].get_ylabel() == "rows"
    assert np.asarray(figure.axes[0].collections[0].get_array()).sum() == 20_000


def test_a_few_far_away_rows_are_left_out_and_counted() -> None:
    truth = np.append(np.linspace(0, 1, 999), 1e6)
    axes = residuals(truth, truth).axes[0]
    assert axes.get_xlim()[1] < 2
    assert axes.texts[0].get_text() == "dashed: predicted = true; 1 row outside"


def test_confusion_is_that_of_scikit_learn(generator: np.random.Generator) -> None:
    a, b = generator.choice(SPECIES, 100), generator.choice(SPECIES, 100)
    numbers = confusion_numbers(a, b, SPECIES)
    np.testing.assert_array_equal(numbers.counts, confusion_matrix(a, b, labels=SPECIES))
    truth = confusion_matrix(a, b, labels=SPECIES, normalize="true")
    np.testing.assert_allclose(numbers.percent, 100 * truth)
    assert numbers.accuracy == pytest.approx(accuracy_score(a, b))


def test_places_stand_for_classes_that_are_text() -> None:
    by_place = confusion_numbers([0, 2], [0, 1], SPECIES)
    by_name = confusion_numbers(["Adelie", "Gentoo"], ["Adelie", "Chinstrap"], SPECIES)
    np.testing.assert_array_equal(by_place.counts, by_name.counts)


def test_classes_may_be_numbers_in_any_order() -> None:
    counts = confusion_numbers([5, 3], [5, 5], [5, 3]).counts
    assert counts.tolist() == [[1, 0], [1, 0]]


def test_a_class_without_rows_has_no_percentages() -> None:
    numbers = confusion_numbers([0, 0], [0, 1], SPECIES)
    assert np.isnan(numbers.percent[1]).all()
    assert confusion([0, 0], [0, 1], SPECIES).axes[0].get_title(loc="left")


def test_beyond_twenty_classes_the_rare_ones_are_put_together() -> None:
    truth = np.repeat(np.arange(30), np.arange(30, 0, -1))
    numbers = confusion_numbers(truth, truth, list(range(30)))
    assert numbers.names == (*map(str, range(19)), "11 other classes")
    assert numbers.counts.sum() == len(truth)
    assert numbers.counts[-1, -1] == np.arange(11, 0, -1).sum()
    assert numbers.accuracy == 1.0


def test_the_picture_of_confusion_holds_counts_and_percentages(
    tmp_path: Path, image_size: Size
) -> None:
    figure = confusion([0, 0, 1, 2], [0, 1, 1, 2], SPECIES, tmp_path / "c.png")
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == "Accuracy 0.750 on 4 rows"
    words = [text.get_text() for text in axes.texts]
    assert words == ["1\n50 %", "1\n50 %", "0", "0", "1\n100 %", "0", "0", "0", "1\n100 %"]
    assert [t.get_text() for t in axes.get_yticklabels()] == SPECIES
    assert image_size(tmp_path / "c.png")[0] > 700


@pytest.mark.parametrize("bins", [5, 10])
def test_calibration_of_two_classes_is_that_of_scikit_learn(
    generator: np.random.Generator, bins: int
) -> None:
    p = generator.random(400).round(2)  # many on the edges of bins
    truth = (generator.random(400) < p).astype(int)
    right, confident = calibration_curve(truth, p, n_bins=bins)
    for form in (p, p[:, None], np.column_stack([1 - p, p])):
        numbers = calibration_numbers(truth, form, [0, 1], bins)
        np.testing.assert_allclose(numbers.right, right)
        np.testing.assert_allclose(numbers.confident, confident)
        assert numbers.counts.sum() == 400
        error = (numbers.counts * np.abs(right - confident)).sum() / 400
        assert numbers.error == pytest.approx(error)


def test_calibration_of_more_classes_is_that_of_the_predicted_one(
    generator: np.random.Generator,
) -> None:
    p = generator.dirichlet([1, 1, 1], size=300)
    truth = generator.integers(0, 3, 300)
    numbers = calibration_numbers(truth, p, SPECIES)
    right, confident = calibration_curve(truth == p.argmax(axis=1), p.max(axis=1), n_bins=10)
    np.testing.assert_allclose(numbers.right, right)
    np.testing.assert_allclose(numbers.confident, confident)
    assert numbers.subject == "the predicted class"


def test_the_interval_is_wilsons_of_scipy() -> None:
    low, high = wilson(np.array([0.0, 0.3, 1.0]), np.array([5, 10, 40]))
    for i, (hits, n) in enumerate([(0, 5), (3, 10), (40, 40)]):
        truth = binomtest(hits, n).proportion_ci(0.95, method="wilson")
        assert (low[i], high[i]) == pytest.approx((truth.low, truth.high), abs=1e-4)


def test_the_picture_of_calibration_names_the_class(
    generator: np.random.Generator, tmp_path: Path, image_size: Size
) -> None:
    p = generator.random(200)
    truth = np.where(generator.random(200) < p, "yes", "no")
    figure = calibration(truth, p, ["no", "yes"], tmp_path / "k.png")
    top, bottom = figure.axes
    assert top.get_ylabel() == "share that is yes"
    assert bottom.get_xlabel() == "predicted probability of yes"
    assert top.get_title(loc="left").endswith("on 200 rows")
    assert sum(bar.get_height() for bar in bottom.patches) == 200
    assert image_size(tmp_path / "k.png") == (1024, 896)


def test_bars_of_rows_stand_in_their_bins() -> None:
    bars = calibration([0, 1, 1], [0.1, 0.2, 0.95], [0, 1]).axes[1].patches
    centers = [bar.get_x() + bar.get_width() / 2 for bar in bars]
    np.testing.assert_allclose(centers, [0.05, 0.15, 0.95])


def test_importance_is_sorted_and_cut() -> None:
    means = np.arange(30.0)
    names, m, s = importance_numbers([f"c{i}" for i in range(30)], means, means / 10)
    assert names[:2] == ["c29", "c28"]
    assert m.tolist() == list(range(29, 14, -1))
    np.testing.assert_allclose(s, m / 10)


def test_the_picture_of_importance_names_columns_and_score(
    tmp_path: Path, image_size: Size
) -> None:
    names = [f"column {i}" for i in range(20)]
    figure = importance(names, np.arange(20.0) - 10, path=tmp_path / "i.png", score="R²")
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == "What mattered (top 15 of 20 columns)"
    assert axes.get_yticklabels()[0].get_text() == "column 19"
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the largest on top
    assert image_size(tmp_path / "i.png")[0] == 1280


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: residuals([1, 2], [1]), "truth has 2 rows, but predicted has 1"),
        (lambda: residuals([], []), "one number or more"),
        (lambda: residuals([[1, 2]], [[1, 2]]), r"its shape is \(1, 2\)"),
        (lambda: residuals([1, np.nan], [1, 2]), r"truth\[1\] is nan"),
        (lambda: confusion(["ape"], ["Adelie"], SPECIES), "'ape'"),
        (lambda: confusion([3], [0], SPECIES), "0 to 2"),
        (lambda: confusion([0, 1], [0], SPECIES), "predicted has 1"),
        (lambda: confusion([], [], SPECIES), "one or more"),
        (lambda: calibration([0], [[0.5, 0.5]], SPECIES), r"\[rows, 3\]"),
        (lambda: calibration([0, 1], [0.5, 1.5], [0, 1]), "between 0 and 1"),
        (lambda: calibration([0, 1], [0.5], [0, 1]), "probabilities has 1"),
        (lambda: importance(["a"], [1, 2]), "equally long"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call: object, message: str) -> None:
    with pytest.raises(BadData, match=message):
        call()  # type: ignore[operator]


def test_names_with_dollars_other_scripts_and_line_breaks_are_drawn_as_they_are(
    tmp_path: Path,
) -> None:
    names = ["$5 to $10", "价格", "two\nlines", "$\\frac$", "x" * 200]
    confusion([0, 1, 2, 3, 4], [0, 1, 2, 3, 4], names, tmp_path / "c.png")
    importance(names, np.arange(5.0), path=tmp_path / "i.svg", score="$a$ $")
    residuals([1, 2], [1, 2], tmp_path / "r.png", name="$ $", unit="$ $")
    calibration([0, 1], [0.1, 0.9], names[:2], tmp_path / "k.png")
