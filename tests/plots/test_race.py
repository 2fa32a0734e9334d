import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

import slalom
from slalom import MLP, SGD, Adam, toys
from slalom.plots.race import lanes, middle, race, smooth, window_of
from slalom.runs import Run


def test_members_that_differ_only_by_seed_share_a_lane(race_run: Run) -> None:
    racers = lanes(race_run)
    assert sorted(lane.members for lane in racers) == [(0, 1, 2), (3, 4, 5), (6, 7, 8)]
    assert racers[-1].label == "SGD(lr=1e+04, momentum=0.9)"
    assert np.isinf(racers[-1].final)
    assert racers[-1].diverged == 3


def test_lanes_hold_the_losses_of_the_history(race_run: Run) -> None:
    lane = next(lane for lane in lanes(race_run) if 3 in lane.members)
    for row, k in enumerate(lane.members):
        records = race_run.history[race_run.history["member"] == k]
        np.testing.assert_array_equal(lane.losses[row], records["train_loss"])


def test_the_final_loss_is_the_median_over_seeds_of_the_last_epoch(race_run: Run) -> None:
    lane = next(lane for lane in lanes(race_run) if 3 in lane.members)
    last = [
        race_run.history[race_run.history["member"] == k]["train_loss"].tail(4).mean()
        for k in lane.members
    ]
    assert lane.final == pytest.approx(np.median(last), rel=1e-12)


def test_the_best_comes_first(race_run: Run) -> None:
    finals = [lane.final for lane in lanes(race_run)]
    assert finals == sorted(finals)


@pytest.mark.parametrize("window", [1, 3, 7, 51])
def test_smoothing_is_the_centred_running_mean_of_pandas(window: int) -> None:
    values = np.random.default_rng(0).random((2, 40))
    values[0, 5] = np.nan
    truth = pd.DataFrame(values.T).rolling(window, center=True, min_periods=1).mean().T
    np.testing.assert_allclose(smooth(values, window), truth, rtol=1e-12)


def test_smoothing_spreads_divergence_and_keeps_gaps() -> None:
    values = np.array([1.0, 2.0, 3.0, np.inf, np.inf])
    np.testing.assert_allclose(smooth(values, 3), [1.5, 2.0, np.inf, np.inf, np.inf])
    assert np.isnan(smooth(np.full(5, np.nan), 3)).all()


def test_the_band_is_numpys_median_lowest_and_highest() -> None:
    for members in (1, 4, 5):
        losses = np.random.default_rng(members).random((members, 30))
        median, low, high = middle(losses)
        np.testing.assert_allclose(median, np.median(losses, axis=0), rtol=1e-12)
        np.testing.assert_array_equal(low, losses.min(axis=0))
        np.testing.assert_array_equal(high, losses.max(axis=0))


def test_seeds_that_diverged_stay_in_the_median() -> None:
    losses = np.array([[1.0, np.inf, np.inf], [2.0, 2.0, np.inf], [3.0, 3.0, 3.0]])
    median, low, high = middle(losses)
    np.testing.assert_array_equal(median, [2.0, 3.0, np.inf])
    np.testing.assert_array_equal(low, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(high, [3.0, np.inf, np.inf])


def test_what_was_not_measured_does_not_count_in_the_median() -> None:
    median, low, high = middle(np.array([[1.0, np.nan], [3.0, 5.0]]))
    np.testing.assert_array_equal(median, [2.0, 5.0])
    np.testing.assert_array_equal(low, [1.0, 5.0])
    np.testing.assert_array_equal(high, [3.0, 5.0])


def test_the_picture_names_racers_losses_and_what_lines_are(race_run: Run, tmp_path: Path) -> None:
    figure = race(race_run, tmp_path / "race.png")
    axes, legend = figure.axes[0], figure.legends[0]
    racers = lanes(race_run)
    assert axes.get_title(loc="left") == (
        f"{racers[0].name} ends lowest: training loss {racers[0].final:.3g}"
    )
    words = [text.get_text() for text in legend.get_texts()]
    assert words[0] == f"1  {racers[0].label}:  {racers[0].final:.3g}"
    assert words[2] == "3  SGD(lr=1e+04, momentum=0.9):  diverged"
    assert "band: lowest to highest of 3 seeds" in legend.get_title().get_text()
    assert {text.get_text()[:2] for text in axes.texts} == {"1 ", "2 "}
    assert axes.get_ylim()[1] < 1000


def test_batches_are_smoothed_and_full_batches_are_not() -> None:
    data = toys.quadratic(64)
    noisy = slalom.race(MLP(1, 4, 1), data, [SGD(0.1), Adam(0.1)], epochs=30, frames=0)
    assert window_of(noisy, 60) == 5
    legend = race(noisy).legends[0].get_title().get_text()
    assert "mean over 5 steps; faint: every step" in legend
    calm = slalom.race(MLP(1, 4, 1), data, [SGD(0.1)], batch_size=None, epochs=60, frames=0)
    assert window_of(calm, 60) == 1
    assert "mean over 5" not in race(calm).legends[0].get_title().get_text()


def test_a_history_of_epochs_is_drawn_too() -> None:
    run = slalom.race(MLP(1, 4, 1), toys.quadratic(64), [SGD(0.1)], epochs=3, record="epoch")
    assert lanes(run)[0].steps.tolist() == [2, 4, 6]
    assert race(run).axes[0].get_xlabel() == "step"


def test_all_diverged_is_still_a_picture(lost_run: Run) -> None:
    assert race(lost_run).axes[0].get_title(loc="left") == "Every optimizer diverged"


@pytest.mark.slow
def test_a_racer_that_never_started_is_left_out(race_run: Run) -> None:
    records = race_run.records[race_run.records["member"] >= 3]
    interrupted = dataclasses.replace(race_run, records=records)
    assert [lane.members for lane in lanes(interrupted)] == [(3, 4, 5), (6, 7, 8)]
    assert len(race(interrupted).legends[0].get_texts()) == 2


def test_a_cross_stands_at_the_step_at_which_most_seeds_had_diverged(race_run: Run) -> None:
    crosses = [c for c in race(race_run).axes[0].collections if isinstance(c, PathCollection)]
    at = np.sort(race_run.state.diverged_at[6:9])[1]  # the second of three
    assert [float(np.asarray(c.get_offsets())[0, 0]) for c in crosses] == [at]


def test_more_than_ten_racers_show_the_best_ten(grid_run: Run) -> None:
    legend = race(grid_run).legends[0]
    assert len(legend.get_texts()) == 10
    assert "the best 10 of 20 racers" in legend.get_title().get_text()
