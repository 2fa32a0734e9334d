"""What a training leaves: leaderboard, models, predictions."""

import re

import numpy as np
import pandas as pd
import pytest
import torch

import slalom
from slalom import MLP, SGD, Adam, Member, Run
from slalom.core.errors import BadPlan, Diverged
from slalom.engine import Reference
from slalom.training import Training

DIVERGES = SGD(1e12)


@pytest.fixture(scope="module")
def run() -> Run:
    """Three members that learn and one, the second, that diverges."""
    data = slalom.toys.sine(60, seed=2).split(validation=0.3)
    members = [
        Member(MLP(1, 8, 1, activation="tanh"), Adam(0.001), 16),
        Member(MLP(1, 8, 1), DIVERGES, 16),
        Member(MLP(1, 8, 1, activation="tanh"), Adam(0.05), 16, seed=3),
        Member(MLP(1, 8, 1, activation="tanh"), Adam(0.01), 16),
    ]
    return slalom.train(members, data, epochs=30)


def test_the_leaderboard_ranks_by_validation_loss_and_diverged_members_last(run: Run) -> None:
    board = run.leaderboard()
    assert board["member"].tolist() == [2, 3, 0, 1]
    assert board["rank"].tolist() == [1, 2, 3, 4]
    assert board["validation_loss"][:3].is_monotonic_increasing
    assert board["lr"].tolist() == [0.05, 0.01, 0.001, 1e12]
    step = int(run.state.diverged_at[1])
    assert board["status"].tolist() == ["done", "done", "done", f"diverged at step {step}"]


def test_scores_of_the_leaderboard_are_those_of_the_best_validation(run: Run) -> None:
    for row in run.leaderboard().head(3).itertuples():
        records = run.history.query("member == @row.member").set_index("step")
        assert records["validation_loss"].idxmin() == row.best_step
        assert records["validation_loss"].min() == row.validation_loss
        assert records["r2"][row.best_step] == row.r2
        assert records["train_loss"][row.best_step] == row.train_loss


def test_the_best_model_reproduces_its_validation_loss(run: Run) -> None:
    assert run.best() == 2
    module, held = run.model(), run.dataset.folds[0].validation
    assert isinstance(module, torch.nn.Sequential)
    assert not module.training
    with torch.no_grad():
        output = module(torch.from_numpy(run.dataset.X[held])).numpy()
    loss = float(((output - run.dataset.y[held]) ** 2).mean())
    assert loss == pytest.approx(run.state.best_loss[2], rel=1e-5)
    np.testing.assert_allclose(run.predict(run.dataset.X[held]), output, rtol=1e-5, atol=1e-6)


def test_any_member_can_be_asked(run: Run) -> None:
    X = run.dataset.X[:4]
    with torch.no_grad():
        expected = run.model(3)(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(run.predict(X.astype(float), member=3), expected, rtol=1e-5)
    for wrong in (4, -1):
        with pytest.raises(BadPlan, match=f"There is no member {wrong}: this run has 0 to 3"):
            run.predict(X, member=wrong)


def test_a_diverged_member_has_no_model_but_the_others_have() -> None:
    data = slalom.toys.sine(20)
    both = slalom.train([Member(MLP(1, 4, 1), DIVERGES), Member(MLP(1, 4, 1))], data, steps=60)
    assert both.best() == 1
    with pytest.raises(Diverged, match="Member 0 diverged at step"):
        both.model(0)


def test_when_all_diverge_the_error_says_what_to_do() -> None:
    data = slalom.toys.sine(20)
    run = slalom.train([Member(MLP(1, 4, 1), DIVERGES, seed=s) for s in (0, 1)], data, steps=60)
    first = run.state.diverged_at.min()
    message = f"All 2 members diverged (the first at step {first}), so there is no model. Lower"
    for ask in (run.best, run.model, lambda: run.predict(data.X)):
        with pytest.raises(Diverged, match=re.escape(message)):
            ask()
    assert run.leaderboard()["status"].str.startswith("diverged").all()


def test_without_validation_rows_the_last_training_loss_ranks() -> None:
    data = slalom.toys.sine(30)
    members = [Member(MLP(1, 4, 1), SGD(lr)) for lr in (0.001, 0.1, 0.01)]
    run = slalom.train(members, data, steps=20)
    assert not run.validated
    assert run.leaderboard()["member"].tolist() == [1, 2, 0]
    assert run.leaderboard()["validation_loss"].isna().all()
    last = run.history.query("step == 20").set_index("member")["train_loss"]
    assert run.leaderboard()["train_loss"].tolist() == sorted(last)


def test_a_run_stopped_before_its_first_record_still_has_a_model() -> None:
    data = slalom.toys.sine(300_000)  # whose first epoch takes longer than to notice the time
    members = [Member(MLP(1, 4, 1), batch_size=1, seed=s) for s in (0, 1)]
    run = slalom.train(members, data, epochs=10**6, record="epoch", time_limit=1e-9)
    assert run.interrupted
    assert run.leaderboard()["status"].tolist() == ["interrupted"] * 2
    assert run.best() == 0
    assert np.isfinite(run.predict(data.X)).all()


def test_classes_are_predicted_as_probabilities() -> None:
    data = slalom.toys.blobs(60, seed=1).split()
    run = slalom.train(MLP(2, 8, 3), data, lr=0.05, epochs=60)
    probabilities = run.predict(data.X)
    assert probabilities.shape == (60, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    held = data.folds[0].validation
    accuracy = (probabilities[held].argmax(axis=1) == data.y[held]).mean()
    assert accuracy == pytest.approx(run.leaderboard()["accuracy"][0])


def test_early_stopped_members_say_so() -> None:
    generator = np.random.default_rng(0)
    data = slalom.Dataset(generator.normal(size=(40, 3)), generator.normal(size=40), "regression")
    run = slalom.train(MLP(3, 16, 1), data.split(0.5), lr=0.05, epochs=5000, patience=3)
    assert run.leaderboard()["status"].tolist() == ["stopped early"]
    last = run.engine.read(run.state, [0])[0]
    best = torch.nn.utils.parameters_to_vector(run.model().parameters()).detach().numpy()
    assert not np.array_equal(last, best)


def test_the_best_of_several_folds_is_best_on_the_mean_of_them() -> None:
    data = slalom.toys.sine(60, noise=0.3, seed=0).cross_validation(3, seed=0)
    nets = slalom.grid(net=[MLP(1, 1), MLP(1, 16, 1)], optimizer=Adam(0.01)).on_folds(3)
    run = slalom.train(nets, data, steps=200)
    linear, curved = run.state.best_loss.reshape(2, 3)
    assert curved.mean() < linear.mean()
    assert run.best() == 3 + int(curved.argmin())


@pytest.mark.parametrize("record", ["step", "epoch"])
def test_the_leaderboard_is_the_same_however_little_the_history_keeps(record: str) -> None:
    data = slalom.toys.sine(60, noise=0.3, seed=0).cross_validation(3, seed=0)
    optimizers = [SGD(0.1, momentum=0.9), Adam(0.05, betas=(0.5, 0.9)), DIVERGES]
    nets = slalom.grid(
        net=[MLP(1, 2, 1), MLP(1, 8, 1)], optimizer=optimizers, batch_size=[None, 16]
    ).on_folds(3)
    full = slalom.train(nets, data, epochs=20, patience=2, record=record)
    thin = slalom.train(nets, data, epochs=20, patience=2, record=record, record_every=10**9)
    assert len(thin.history) == len(nets) < len(full.history)
    pd.testing.assert_frame_equal(thin.leaderboard(), full.leaderboard())
    assert thin.best() == full.best()


def test_the_leaderboard_names_each_members_own_settings() -> None:
    population = slalom.grid(
        optimizer=[SGD, SGD(1, momentum=0.5, nesterov=True), Adam],
        lr=[0.01, 1],
        net=[MLP(1, 2, 1), MLP(1, 3, 1, dropout=0.1)],
        batch_size=[None, 16],
        seed=[0, 5],
    ) + slalom.grid(net=MLP(1, 2, 1), optimizer=Adam, betas=[(0.5, 0.9), (0.9, 0.999)])
    run = slalom.train(population, slalom.toys.sine(30), steps=2)
    for row in run.leaderboard().itertuples():
        member = population[row.member]
        batch_size = None if np.isnan(row.batch_size) else row.batch_size
        assert (row.net, row.optimizer) == (member.net.label, member.optimizer.label)
        assert (row.lr, row.seed, row.fold) == (member.optimizer.lr, member.seed, member.fold)
        assert batch_size == member.batch_size


def test_of_equally_good_members_the_first_is_best() -> None:
    data = slalom.toys.sine(60, seed=0).cross_validation(2, seed=0)
    twins = [Member(MLP(1, 4, 1), Adam(lr)) for lr in (0.0, 0.01, 0.01)]
    assert slalom.train(twins, data.split(0.2), steps=20).best() == 1
    assert slalom.train(slalom.Population(twins).on_folds(2), data, steps=20).best() in (2, 3)


def test_an_interrupted_run_ranks_by_the_latest_epoch_that_is_over() -> None:
    data = slalom.toys.sine(30)
    members = [Member(MLP(1, 4, 1), SGD(lr), batch_size=10) for lr in (0.001, 0.1)]
    plan = slalom.Plan(slalom.Population(members), slalom.losses.MSE(), epochs=9, record="epoch")
    training = Training(plan, data, Reference())
    training.advance(steps=5)  # two steps into the second epoch
    run = Run.of(training.snapshot(), Reference(), "interrupt")
    assert run.best() == int(np.argmin(run.state.train_loss))
    assert run.leaderboard()["train_loss"].isna().all()  # nothing is known of the fifth step
    assert run.leaderboard()["status"].tolist() == ["interrupted"] * 2
