"""The loop around an engine: history, frames, limits, Ctrl-C."""

import math
import signal
import threading
from typing import Any

import numpy as np
import pytest
import torch

import slalom
from slalom import MLP, SGD, Adagrad, Adam, Member, Plan, Population, RMSprop, grid, losses
from slalom.core.errors import BadData, BadPlan
from slalom.engine import Reference
from slalom.training.progress import Progress


@pytest.fixture(scope="module")
def sine() -> slalom.Dataset:
    return slalom.toys.sine(60, seed=1).split(validation=0.25)


def test_a_net_learns_and_the_history_tells_every_step(sine: slalom.Dataset) -> None:
    run = slalom.train(MLP(1, 16, 1, activation="tanh"), sine, lr=0.05, epochs=40, batch_size=15)
    history = run.history
    assert history.columns.tolist() == [
        "member",
        "step",
        "epoch",
        "train_loss",
        "validation_loss",
        "r2",
    ]
    assert history["step"].tolist() == list(range(1, 121))  # 45 rows, batches of 15
    np.testing.assert_allclose(history["epoch"], history["step"] / 3)
    validated = history["validation_loss"].notna()
    assert history["step"][validated].tolist() == list(range(3, 121, 3))
    assert history["r2"].notna().equals(validated)
    assert history["validation_loss"][validated].iloc[-1] < 0.1
    assert not run.interrupted
    assert run.seconds > 0


def test_data_that_are_no_dataset_are_refused_in_a_sentence() -> None:
    pair: Any = (torch.zeros(4, 1), torch.zeros(4, 1))
    with pytest.raises(BadData, match="but it is tuple"):
        slalom.train(MLP(1, 2, 1), pair)


def test_history_is_sorted_by_member_and_step_however_long_the_stretches(
    sine: slalom.Dataset,
) -> None:
    population = grid(net=MLP(1, 4, 1), seed=range(3))
    run = slalom.train(population, sine, steps=50)
    expected = [(k, step) for k in range(3) for step in range(1, 51)]
    assert list(zip(run.history["member"], run.history["step"], strict=True)) == expected


def test_long_trainings_keep_one_row_an_epoch_unless_told_otherwise(
    sine: slalom.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slalom.runs.train.STEPWISE_ROWS", 20)
    short = slalom.train(MLP(1, 4, 1), sine, steps=20)
    long = slalom.train(MLP(1, 4, 1), sine, steps=21, batch_size=15)
    told = slalom.train(MLP(1, 4, 1), sine, steps=21, batch_size=15, record="step")
    assert [len(r.history) for r in (short, long, told)] == [20, 7, 21]
    assert [r.plan.record for r in (short, long, told)] == ["step", "epoch", "step"]


def test_a_history_that_would_be_too_large_keeps_fewer_rows_of_each_member(
    sine: slalom.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slalom.runs.train.STEPWISE_ROWS", 20)
    monkeypatch.setattr("slalom.runs.train.HISTORY_ROWS", 24)
    nets = grid(net=MLP(1, 4, 1), seed=range(4))

    def kept(**arguments: Any) -> tuple[int, list[int]]:
        run = slalom.train(nets, sine, **arguments)
        return run.plan.record_every, run.history["step"][run.history["member"] == 3].tolist()

    assert kept(epochs=6) == (1, [1, 2, 3, 4, 5, 6])
    assert kept(epochs=13) == (3, [3, 6, 9, 12, 13])
    assert kept(epochs=13, validate_every=2) == (4, [4, 8, 12, 13])
    assert kept(steps=7, record="step", batch_size=15) == (2, [2, 4, 6, 7])
    assert kept(steps=7, batch_size=15) == (1, [3, 6, 7])  # epochs of three steps
    assert kept(epochs=13, record_every=1) == (1, list(range(1, 14)))
    assert kept(epochs=2, record_every=5) == (5, [2])
    monkeypatch.setattr("slalom.runs.train.HISTORY_ROWS", 3)
    assert kept(epochs=13) == (13, [13])  # one row a member, however many they are


def test_arguments_go_into_the_plan(sine: slalom.Dataset) -> None:
    run = slalom.train(
        [Member(MLP(1, 2, 1), SGD(0.5)), Member(MLP(1, 3, 1), Adam())],
        sine,
        lr=0.01,
        batch_size=8,
        seed=4,
        schedule=slalom.StepLR(3),
        clip_norm=2.0,
        loss="huber",
        steps=3,
        patience=5,
        validate_every=2,
        record="epoch",
        record_every=2,
        frames=0,
    )
    changed = {"batch_size": 8, "seed": 4, "schedule": slalom.StepLR(3), "clip_norm": 2.0}
    members = [
        Member(MLP(1, 2, 1), SGD(0.01), **changed),
        Member(MLP(1, 3, 1), Adam(0.01), **changed),
    ]
    assert run.plan == Plan(
        Population(members),
        losses.Huber(),
        steps=3,
        patience=5,
        validate_every=2,
        record="epoch",
        record_every=2,
    )


def test_a_plan_says_everything_itself(sine: slalom.Dataset) -> None:
    plan = Plan(Population([Member(MLP(1, 4, 1), SGD(0.1))]), losses.L1(), steps=7, record="step")
    run = slalom.train(plan, sine)
    assert run.plan is plan
    assert len(run.history) == 7


def test_100_epochs_and_the_loss_of_the_task_are_the_defaults() -> None:
    run = slalom.train(MLP(2, 3, 2), slalom.toys.moons(20), frames=0)
    assert (run.plan.epochs, run.plan.steps, run.plan.loss) == (100, None, losses.CrossEntropy())
    assert run.metric == "accuracy"


def test_racers_start_from_the_same_weights_and_see_the_same_batches() -> None:
    data = slalom.toys.quadratic(100)
    racers = [SGD(0.0), Adagrad(0.0), RMSprop(0.0), Adam(0.0)]  # nobody moves
    run = slalom.race(MLP(1, 5, 1), data, racers, seeds=2, epochs=3)
    assert [m.seed for m in run.population] == [0, 1] * 4
    assert all(m.batch_size == 32 for m in run.population)
    curves = run.history.pivot(index="step", columns="member", values="train_loss").to_numpy()
    for k in range(2, 8):
        np.testing.assert_array_equal(curves[:, k], curves[:, k % 2])
    assert not np.array_equal(curves[:, 0], curves[:, 1])


def test_frames_hold_what_the_nets_predict_along_the_way() -> None:
    data = slalom.toys.quadratic(30)
    run = slalom.train(MLP(1, 6, 1), data, optimizer=SGD(0.1), steps=40, frames=5)
    assert [int(f.step[0]) for f in run.frames] == [0, 10, 20, 30, 40]
    assert run.probe.shape == (200, 1)
    assert run.probe.min() < data.X.min() and run.probe.max() > data.X.max()
    first, last = run.frames[0], run.frames[-1]
    np.testing.assert_array_equal(last.predictions[0], run.predict(run.probe))
    start = MLP(1, 6, 1).build(seed=0)
    assert first.predictions.shape == (1, 200, 1)
    with torch.no_grad():
        expected = start(torch.from_numpy(data.X)).numpy()
    np.testing.assert_allclose(first.train_loss, ((expected - data.y) ** 2).mean(), rtol=1e-5)
    assert last.train_loss < first.train_loss


def test_frames_do_not_change_the_training() -> None:
    data = slalom.toys.moons(40)
    arguments: dict[str, Any] = {"steps": 30, "batch_size": 8, "seed": 2}
    with_frames = slalom.train(MLP(2, 6, 2), data, frames=7, **arguments)
    without = slalom.train(MLP(2, 6, 2), data, frames=0, **arguments)
    assert with_frames.history.equals(without.history)
    assert with_frames.probe.shape == (3600, 2)
    assert (without.frames, without.probe) == ((), None)


def test_frames_come_by_themselves_only_where_they_can_be_drawn() -> None:
    drawable = slalom.toys.moons(20)
    wide = slalom.Dataset(np.zeros((4, 3)), np.zeros(4), task="regression")
    assert len(slalom.train(MLP(2, 2), drawable, steps=100).frames) == 60
    assert slalom.train(MLP(3, 1), wide, steps=5).frames == ()
    many = grid(net=MLP(2, 2), seed=range(13))
    assert slalom.train(many, drawable, steps=2).frames == ()
    with pytest.raises(
        BadPlan, match=r"Frames draw a line on one feature or classes on two.*\(3,\)"
    ):
        slalom.train(MLP(3, 1), wide, steps=5, frames=3)


def test_a_net_without_parameters_is_refused_where_frames_would_be_kept_too() -> None:
    with pytest.raises(BadPlan, match="has no parameters to train"):
        slalom.train(torch.nn.Identity, slalom.toys.quadratic(20), steps=2)


def test_large_nets_keep_fewer_frames_rather_than_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("slalom.runs.train.FRAME_NUMBERS", 100)
    run = slalom.train(MLP(1, 6, 1), slalom.toys.quadratic(20), steps=100)
    assert len(run.frames) == 100 // (2 * 6 + 6 + 1)


def test_early_stopping_ends_the_run_before_its_epochs() -> None:
    generator = np.random.default_rng(0)
    data = slalom.Dataset(generator.normal(size=(40, 3)), generator.normal(size=40), "regression")
    run = slalom.train(MLP(3, 16, 1), data.split(0.5), lr=0.05, epochs=5000, patience=5)
    assert run.state.stopped_at[0] == run.state.best_step[0] + 5
    assert not run.interrupted
    best = run.history["validation_loss"].min()
    assert run.leaderboard()["validation_loss"].tolist() == [best]


def test_a_time_limit_returns_what_has_been_reached(sine: slalom.Dataset) -> None:
    run = slalom.train(MLP(1, 4, 1), sine, steps=10**9, time_limit=0.3)
    assert run.interrupted
    assert 0 < run.state.step[0] < 10**9
    assert len(run.history) == 0 or run.history["step"].max() <= run.state.step[0]
    assert np.isfinite(run.predict(sine.X, member=0)).all()


def test_progress_is_reported_after_every_stretch(sine: slalom.Dataset) -> None:
    seen: list[Progress] = []
    run = slalom.train(grid(net=MLP(1, 4, 1), seed=[0, 1]), sine, steps=70, on_progress=seen.append)
    assert (seen[-1].steps, seen[-1].remaining, seen[-1].training) == (140, 0, 0)
    assert seen[-1].share == 1
    assert all(p.members == 2 and p.steps + p.remaining == 140 for p in seen)
    assert [p.steps for p in seen] == sorted({p.steps for p in seen})
    assert seen[-1].best == run.state.best_loss.min()


def test_the_bar_draws_on_standard_error_only_when_asked(
    sine: slalom.Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    slalom.train(MLP(1, 2, 1), sine, steps=3)
    assert capsys.readouterr() == ("", "")
    slalom.train(MLP(1, 2, 1), sine, steps=3, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "training" in err


def test_ctrl_c_returns_what_has_been_reached(sine: slalom.Dataset) -> None:
    before = signal.getsignal(signal.SIGINT)

    def interrupt(progress: Progress) -> None:
        signal.raise_signal(signal.SIGINT)

    run = slalom.train(MLP(1, 4, 1), sine, steps=10**6, on_progress=interrupt, record="step")
    assert run.interrupted
    assert 0 < run.state.step[0] < 10**6
    assert len(run.history) == run.state.step[0]
    assert run.leaderboard()["status"].tolist() == ["interrupted"]
    assert np.isfinite(run.predict(sine.X)).all()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_interrupts_at_once(sine: slalom.Dataset) -> None:
    before = signal.getsignal(signal.SIGINT)

    def interrupt(progress: Progress) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        slalom.train(MLP(1, 4, 1), sine, steps=10**6, on_progress=interrupt)
    assert signal.getsignal(signal.SIGINT) is before


def test_training_works_in_a_thread_where_signals_cannot_be_set(sine: slalom.Dataset) -> None:
    runs: list[slalom.Run] = []
    thread = threading.Thread(
        target=lambda: runs.append(slalom.train(MLP(1, 4, 1), sine, steps=5, time_limit=60))
    )
    thread.start()
    thread.join()
    assert runs[0].state.step.tolist() == [5]


def test_another_engine_can_be_given(sine: slalom.Dataset) -> None:
    class Named(Reference):
        name = "named"

    run = slalom.train(MLP(1, 2, 1), sine, steps=2, engine=Named())
    assert run.engine.name == "named"


def test_a_loss_of_the_other_task_is_refused(sine: slalom.Dataset) -> None:
    with pytest.raises(BadPlan, match="does not fit a regression target"):
        slalom.train(MLP(1, 2), sine, loss="cross_entropy")


def test_progress_knows_its_share_and_speed() -> None:
    progress = Progress(members=1, training=1, steps=30, remaining=70, best=math.inf, seconds=2.0)
    assert (progress.share, progress.steps_per_second) == (0.3, 15.0)


def test_a_plan_is_given_alone(sine: slalom.Dataset) -> None:
    plan = slalom.train(MLP(1, 2, 1), sine, steps=1).plan
    with pytest.raises(BadPlan, match=r"so lr, loss, epochs cannot be given beside it"):
        slalom.train(plan, sine, lr=0.1, loss="l1", epochs=3)
