import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest

import slalom
from slalom import MLP, SGD, grid, toys
from slalom.core.errors import BadPlan
from slalom.plots.curves import curves, learning_curves, limits, thin
from slalom.runs import Run


def texts(run: Run) -> str:
    """All words of the picture."""
    figure = learning_curves(run)
    axes = figure.axes[0]
    legends = [*figure.legends, *([axes.get_legend()] if axes.get_legend() else [])]
    words = [t.get_text() for legend in legends for t in legend.get_texts()]
    words += [t.get_text() for t in axes.texts]
    return "\n".join([axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel(), *words])


def test_curves_are_the_validation_losses_of_the_history(grid_run: Run) -> None:
    numbers = curves(grid_run)
    assert (numbers.measure, numbers.unit) == ("validation", "epoch")
    for k in (0, 17, 39):
        records = grid_run.history[grid_run.history["member"] == k].dropna(
            subset=["validation_loss"]
        )
        np.testing.assert_array_equal(numbers.x[k], records["epoch"])
        np.testing.assert_array_equal(numbers.y[k], records["validation_loss"])


@pytest.mark.parametrize("fixture", ["grid_run", "race_run", "region_run", "line_run", "lost_run"])
def test_the_order_is_that_of_the_leaderboard(fixture: str, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(fixture)
    assert curves(run).order.tolist() == run.leaderboard()["member"].tolist()


def test_without_validation_they_are_training_losses(race_run: Run) -> None:
    numbers = curves(race_run)
    assert numbers.measure == "training"
    records = race_run.history[race_run.history["member"] == 0]
    np.testing.assert_array_equal(numbers.y[0], records["train_loss"])


def test_a_plan_in_steps_is_drawn_in_steps(line_run: Run) -> None:
    assert curves(line_run).unit == "step"
    assert learning_curves(line_run).axes[0].get_xlabel() == "step"


def test_less_than_two_epochs_are_drawn_in_steps_of_training_loss() -> None:
    data = toys.quadratic(40).split()
    run = slalom.train(MLP(1, 4, 1), data, epochs=1, batch_size=8)
    numbers = curves(run)
    assert (numbers.unit, numbers.measure) == ("step", "training")
    assert "training loss (mean squared error)" in texts(run)


def test_divergence_is_marked_at_its_step_in_the_unit_of_the_axis(race_run: Run) -> None:
    numbers = curves(race_run)
    gone = np.flatnonzero(race_run.state.diverged_at >= 0)
    assert set(gone) == {6, 7, 8}
    steps = race_run.state.diverged_at[gone] / race_run.state.layout.steps_per_epoch[gone]
    np.testing.assert_allclose(numbers.diverged[gone], steps)
    assert np.isnan(numbers.diverged[:6]).all()
    crosses = [
        c for c in learning_curves(race_run).axes[0].collections if len(c.get_offsets()) == 3
    ]
    np.testing.assert_allclose(np.asarray(crosses[0].get_offsets())[:, 0], steps)
    assert "3 diverged" in texts(race_run)


def test_what_explodes_does_not_flatten_the_others(race_run: Run) -> None:
    low, high, log = limits(curves(race_run))
    assert log
    assert high < 100
    best = [curves(race_run).y[k] for k in curves(race_run).order[:3]]
    assert low <= min(y.min() for y in best)
    assert high >= max(y.max() for y in best)


def test_a_loss_that_can_be_negative_is_drawn_on_a_linear_axis() -> None:
    data = toys.quadratic(40).split()
    run = slalom.train(MLP(1, 4, 2), data, loss="gaussian_nll", epochs=60, lr=0.05)
    assert curves(run).y[0].min() < 0
    assert learning_curves(run).axes[0].get_yscale() == "linear"
    assert "Gaussian negative log likelihood, nats" in texts(run)


def test_thinning_keeps_ends_and_extremes_and_shape() -> None:
    generator = np.random.default_rng(0)
    x, y = np.arange(10_000.0), generator.normal(size=10_000)
    a, b = thin(x, y, 200)
    assert 150 < len(a) <= 202
    assert (np.diff(a) > 0).all()
    assert {0.0, 9999.0} <= set(a)
    assert (b.min(), b.max()) == (y.min(), y.max())
    np.testing.assert_array_equal(b, y[a.astype(int)])


def test_short_curves_are_not_thinned() -> None:
    x = np.arange(5.0)
    assert thin(x, x, 200)[0] is x


def test_one_member_shows_both_losses_and_its_best(line_run: Run) -> None:
    words = texts(line_run)
    assert "SGD(lr=0.2): best validation loss" in words
    assert f"{line_run.state.best_loss[0]:.3g}" in words
    assert "validation\ntraining" in words
    assert "\nloss (mean squared error)" in words


def test_the_best_of_many_are_named_with_their_loss(grid_run: Run) -> None:
    words = texts(grid_run)
    board = grid_run.leaderboard()
    best = board.iloc[0]
    assert f"Best validation loss of 40 members: {best['validation_loss']:.3g}" in words
    for place in (0, 1, 2):
        row = board.iloc[place]
        label = f"{place + 1}  {row['optimizer']}, seed {row['seed']}"
        assert f"{label}:  {row['validation_loss']:.3g}" in words
    for name in ("SGD", "RMSprop", "Adam", "AdamW", "Adagrad"):
        assert f"\n{name}\n" in words


def test_all_diverged_is_still_a_picture(lost_run: Run, tmp_path: Path) -> None:
    figure = learning_curves(lost_run, tmp_path / "lost.png")
    lines = figure.axes[0].collections[0].get_paths()
    assert [len(path.vertices) for path in lines] == [len(y) + 1 for y in curves(lost_run).y[::-1]]
    assert "All 2 members diverged" in texts(lost_run)


def test_members_that_never_started_are_left_out(grid_run: Run) -> None:
    records = grid_run.records[grid_run.records["member"] < 20]
    interrupted = dataclasses.replace(grid_run, records=records)
    assert [len(y) for y in curves(interrupted).y[20:]] == [0] * 20
    learning_curves(interrupted)


def test_an_empty_history_is_refused(line_run: Run) -> None:
    empty = dataclasses.replace(line_run, records=line_run.records[:0])
    with pytest.raises(BadPlan, match="no history to draw"):
        learning_curves(empty)


@pytest.mark.slow
def test_a_thousand_members_are_quick_and_small(tmp_path: Path) -> None:
    members = grid(net=MLP(1, 1, 1), optimizer=SGD, lr=np.logspace(-3, 0, 20), seed=range(50))
    run = slalom.train(members, toys.quadratic(8).split(), steps=3)
    began = time.process_time()
    learning_curves(run, tmp_path / "many.svg")
    assert time.process_time() - began < 5
    assert (tmp_path / "many.svg").stat().st_size < 2_000_000


def test_a_run_plots_itself(line_run: Run, tmp_path: Path) -> None:
    line_run.plot(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
