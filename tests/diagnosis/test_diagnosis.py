"""The diagnosis: trainings that really have a trouble are told which, with the right numbers."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

import slalom
from slalom import CNN, MLP, SGD, Adam, CosineAnnealingLR, Dataset, Net, Run, grid, losses
from slalom.core.errors import BadPlan
from slalom.core.language import language
from slalom.diagnosis import Finding
from slalom.diagnosis.evidence import ROWS, Curve, constant_loss

HAN = re.compile(r"[\u4e00-\u9fff]")
CURVE = slalom.toys.quadratic(100, noise=0.2, seed=1)


def trained(net: Any = None, data: Dataset = CURVE, **arguments: Any) -> Run:
    defaults: dict[str, Any] = {"engine": "reference"}
    if "epochs" not in arguments:
        defaults["steps"] = 200
    return slalom.train(net or MLP(1, 10, 1), data, **(defaults | arguments))


def the(run: Run, kind: str, member: int | None = None) -> Finding:
    """The finding of that kind, which must be there."""
    diagnosis = slalom.diagnose(run, member)
    assert kind in diagnosis.kinds, str(diagnosis)
    return diagnosis.findings[diagnosis.kinds.index(kind)]  # type: ignore[arg-type]


class OfOnesOwn(torch.nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.act = torch.nn.Linear(1, width), torch.nn.ReLU()
        self.last = torch.nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.last(self.act(self.first(x)))
        return found


def noisy(rows: int = 60, features: int = 5) -> Dataset:
    """A straight line in one of five features under much noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, features))
    y = X[:, :1] + 0.5 * rng.normal(size=(rows, 1))
    return Dataset(X.astype(np.float32), y, task="regression").split(validation=0.4)


def outputs_of(run: Run, kind: type[torch.nn.Module], X: torch.Tensor) -> list[torch.Tensor]:
    """What the activations of the best member give, caught by hooks."""
    caught: list[torch.Tensor] = []
    module = run.model()
    for layer in module.modules():
        if isinstance(layer, kind):
            layer.register_forward_hook(lambda *taken: caught.append(taken[2]))
    with torch.no_grad():
        module(X)
    return caught


@pytest.mark.slow
def test_divergence_is_told_with_the_step_and_the_growth_of_the_loss_before() -> None:
    run = trained(optimizer=SGD(lr=1e6))
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(1, 10), torch.nn.ReLU(), torch.nn.Linear(10, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=1e6)
    seen: list[float] = []
    while not seen or np.isfinite(seen[-1]):
        loss = torch.nn.functional.mse_loss(net(torch.tensor(CURVE.X)), torch.tensor(CURVE.y))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        seen.append(loss.item())
    found = the(run, "diverged")
    assert found.numbers["step"] == len(seen)
    assert found.numbers["low"] == pytest.approx(seen[0], rel=1e-5)
    assert found.numbers["high"] == pytest.approx(seen[-2], rel=1e-3)
    assert "the learning rate (1,000,000) is too large" in found.text()
    assert slalom.diagnose(run).kinds == ("diverged",)


@pytest.mark.slow
def test_a_divergence_names_the_largest_learning_rate_with_which_the_same_net_held() -> None:
    run = trained(grid(net=MLP(1, 10, 1), optimizer=SGD, lr=[0.01, 0.1, 0.2, 1e5, 1e6]))
    assert the(run, "diverged", 4).numbers["peer"] == 0.2
    assert "With a learning rate of 0.2 the same net did not diverge" in str(
        slalom.diagnose(run, 4)
    )


@pytest.mark.slow
def test_another_net_is_no_peer() -> None:
    run = trained(
        [
            slalom.Member(MLP(1, 10, 1), SGD(1e6)),
            slalom.Member(MLP(1, 20, 1), SGD(0.1)),
            slalom.Member(MLP(1, 10, 1), Adam(0.1)),
            slalom.Member(MLP(1, 10, 1), SGD(0.1, momentum=0.9)),
        ]
    )
    assert "peer" not in the(run, "diverged", 0).numbers


def test_when_all_members_diverged_the_one_that_lasted_longest_is_told_of() -> None:
    run = trained(grid(net=MLP(1, 10, 1), optimizer=SGD, lr=[1e6, 2.0, 100.0]))
    assert (run.state.diverged_at > 0).all()
    diagnosis = slalom.diagnose(run)
    assert diagnosis.member == 1
    assert diagnosis.kinds == ("diverged",)


@pytest.mark.slow
def test_features_far_from_1_are_named_when_a_training_diverges() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=50), 3000 * rng.normal(size=50)]).astype(np.float32)
    data = Dataset(X, X[:, :1], task="regression", feature_names=("age", "income"))
    run = trained(MLP(2, 10, 1), data, optimizer=SGD(0.1))
    found = the(run, "unscaled")
    assert found.numbers["name"] == "income"
    assert found.numbers["size"] == pytest.approx(np.sqrt((X[:, 1] ** 2).mean()), rel=1e-5)


def test_a_tiny_learning_rate_leaves_a_straight_line_and_nothing_learned() -> None:
    run = trained(optimizer=SGD(lr=1e-6))
    assert slalom.diagnose(run).kinds == ("underfit", "lr_too_small")
    # a straight line from the mean of its first tenth to that of its last, 0.9 apart
    assert the(run, "lr_too_small").numbers["share"] == pytest.approx(0.2 / 0.9, abs=0.003)
    found = the(run, "underfit").numbers
    assert found["constant"] == pytest.approx(np.var(CURVE.y), rel=1e-5)
    with torch.no_grad():
        predicted = run.model()(torch.tensor(CURVE.X)).numpy()
    assert found["loss"] == pytest.approx(np.mean((predicted - CURVE.y) ** 2), rel=1e-5)


def test_a_schedule_that_ends_near_0_does_not_hide_a_tiny_learning_rate() -> None:
    run = trained(optimizer=SGD(lr=1e-6), schedule=CosineAnnealingLR())
    assert "lr_too_small" in slalom.diagnose(run).kinds


def test_a_small_learning_rate_is_seen_beside_a_larger_one_that_did_better() -> None:
    run = trained(grid(net=MLP(1, 10, 1), optimizer=SGD, lr=[0.01, 0.1, 0.2]))
    found = the(run, "lr_too_small", 0).numbers
    assert found["peer"] == 0.2
    last = run.history.query("member == 2")["train_loss"].iloc[-1]
    assert found["peer_loss"] == pytest.approx(last)


def test_a_learning_rate_that_makes_the_loss_jump_is_too_large() -> None:
    data = slalom.toys.sine(40, noise=0.3, seed=0).split(0.4)
    run = trained(MLP(1, 30, 30, 1), data, optimizer=SGD(0.5), batch_size=8, epochs=100)
    jumps = run.history["validation_loss"].dropna().to_numpy()[50:]
    found = the(run, "lr_too_large")
    zigzag = np.abs(jumps[:-2] - 2 * jumps[1:-1] + jumps[2:]) / 2
    assert found.numbers["swing"] == pytest.approx(np.median(zigzag), rel=0.1)
    assert "go across the valley" in found.text()


def test_one_huge_step_is_told_and_the_neurons_that_it_killed_are_counted() -> None:
    run = trained(optimizer=SGD(lr=1.0))
    overshot = the(run, "lr_too_large").numbers
    history = run.history["train_loss"]
    assert overshot["peak"] == history.max()
    assert overshot["at"] == run.history["step"][history.argmax()]
    X = torch.tensor(CURVE.X)
    (now,) = outputs_of(run, torch.nn.ReLU, X)
    first = torch.relu(MLP(1, 10, 1).build(0)[0](X))
    dead = (now == 0).all(dim=0)
    found = the(run, "dead").numbers
    assert found["dead"] == int(dead.sum()) >= 5
    assert found["died"] == int((dead & (first > 0).any(dim=0)).sum()) > 0
    assert (found["layer"], found["units"], found["rows"]) == (1, 10, 100)


def test_the_layer_with_most_dead_neurons_is_told_of() -> None:
    run = trained(MLP(1, 40, 40, 1), optimizer=Adam(lr=1.0), seed=2)
    counts = [
        int((v == 0).all(dim=0).sum())
        for v in outputs_of(run, torch.nn.ReLU, torch.tensor(CURVE.X))
    ]
    found = the(run, "dead").numbers
    assert found["dead"] == max(counts) == counts[found["layer"] - 1]


def test_neurons_that_are_dead_from_the_start_are_no_fault_of_the_training() -> None:
    run = trained(optimizer=SGD(0.2))
    (now,) = outputs_of(run, torch.nn.ReLU, torch.tensor(CURVE.X))
    assert int((now == 0).all(dim=0).sum()) >= 4
    assert slalom.diagnose(run).kinds == ("healthy",)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_saturated_neurons_are_counted_and_the_features_blamed(activation: str) -> None:
    data = Dataset(1000 * CURVE.X, CURVE.y, task="regression", feature_names=("metres",))
    run = trained(MLP(1, 20, 1, activation=activation), data, optimizer=SGD(0.01), steps=50)
    kind = {"tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}[activation]
    (values,) = outputs_of(run, kind, torch.tensor(data.X))
    z = values.numpy() if activation == "tanh" else 2 * values.numpy() - 1
    found = the(run, "saturated").numbers
    assert found["saturated"] == int(((np.abs(z) > 0.99).mean(axis=0) >= 0.95).sum())
    assert found["saturated"] >= 10
    assert the(run, "unscaled").numbers["name"] == "metres"


def digits(scale: float = 1.0) -> Dataset:
    data = slalom.toys.digits()
    return Dataset(scale * data.X[:300], data.y[:300], task="classification")


def maps_of(run: Run, kind: type[torch.nn.Module], data: Dataset) -> list[torch.Tensor]:
    """What each filter gives anywhere in any row, `[n, filters]` for each convolution."""
    found = outputs_of(run, kind, torch.tensor(data.X))
    return [maps.transpose(0, 1).flatten(1).T for maps in found if maps.dim() == 4]


def test_dead_filters_are_those_that_find_nothing_anywhere() -> None:
    net, data = CNN((1, 8, 8), 10, filters=(6, 8)), digits()
    run = trained(net, data, optimizer=SGD(lr=3.0, momentum=0.5), batch_size=50)
    counts = [int((maps == 0).all(dim=0).sum()) for maps in maps_of(run, torch.nn.ReLU, data)]
    found = the(run, "dead")
    assert found.numbers["dead"] == max(counts)
    assert found.numbers["layer"] == 1 + counts.index(max(counts))
    assert f"of the {found.numbers['units']} filters of convolution" in found.text()
    assert "个滤波器" in found.text("zh")


def test_saturated_filters_are_those_that_are_at_a_limit_almost_everywhere() -> None:
    data = digits(scale=1000.0)
    net = CNN((1, 8, 8), 10, filters=(6,), activation="sigmoid")
    run = trained(net, Dataset(data.X - 7000, data.y, data.task), steps=5)
    (maps,) = maps_of(run, torch.nn.Sigmoid, run.dataset)
    found = the(run, "saturated")
    limits = ((2 * maps - 1).abs() > 0.99).double().mean(dim=0) >= 0.95
    assert found.numbers["saturated"] == int(limits.sum()) >= 3
    assert "filters of convolution 1 are saturated" in found.text()


def test_neurons_of_a_module_of_ones_own_are_looked_at_too() -> None:
    net = Net(OfOnesOwn, width=30)
    run = trained(net, optimizer=SGD(lr=1.0))
    (now,) = outputs_of(run, torch.nn.ReLU, torch.tensor(CURVE.X))
    found = the(run, "dead").numbers
    assert found["dead"] == int((now == 0).all(dim=0).sum())
    assert (found["layer"], found["units"]) == (1, 30)


def test_overfitting_is_dated_by_the_lowest_validation_loss() -> None:
    run = trained(MLP(5, 100, 100, 1), noisy(), optimizer=Adam(1e-2), epochs=200)
    assert slalom.diagnose(run).kinds == ("overfit",)
    found, held = the(run, "overfit").numbers, run.history["validation_loss"].to_numpy()
    assert found["since"] == held.argmin() + 1
    assert found["low"] == held.min()
    assert found["high"] == pytest.approx(held[-20:].mean(), rel=0.05)
    assert found["high"] > 1.05 * found["low"]
    assert found["train_last"] < found["train_then"]
    assert f"Overfitting since epoch {found['since']}" in str(slalom.diagnose(run))


def test_early_stopping_is_told_with_both_epochs() -> None:
    run = trained(MLP(5, 100, 100, 1), noisy(), optimizer=Adam(1e-2), epochs=200, patience=10)
    found = the(run, "stopped_early").numbers
    held = run.history["validation_loss"].to_numpy()
    assert (found["at"], found["best"]) == (len(held), held.argmin() + 1)
    assert found["at"] == found["best"] + 10


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_nothing_is_wrong_with_a_good_training(engine: str) -> None:
    data = slalom.toys.moons(300, noise=0.2, seed=0).split(0.25)
    run = trained(MLP(2, 16, 2), data, lr=0.01, batch_size=32, epochs=60, engine=engine)
    (found,) = slalom.diagnose(run).findings
    assert found.kind == "healthy"
    assert found.numbers["constant"] == pytest.approx(np.log(2), abs=1e-3)
    assert found.numbers["validation"] == run.history["validation_loss"].min()
    rows = data.folds[0].train
    likely = run.predict(data.X[rows])[np.arange(len(rows)), data.y[rows]]
    assert found.numbers["loss"] == pytest.approx(-np.log(likely).mean(), rel=1e-4)


def test_without_validation_rows_it_is_said_that_overfitting_would_not_show() -> None:
    text = str(slalom.diagnose(trained(optimizer=SGD(0.2))))
    assert "Nothing wrong was found" in text
    assert "overfitting would not show" in text


def test_a_training_that_was_cut_short_says_how_far_it_came() -> None:
    run = trained(MLP(1, 500, 500, 1), lr=1e-4, steps=100_000, time_limit=0.2)
    found = slalom.diagnose(run).findings[0]
    assert found.kind == "interrupted"
    assert found.numbers == {"step": run.state.step[0], "total": 100_000}
    assert found.text().startswith("The time limit ended the training after ")


def test_a_training_without_a_single_step_is_diagnosed_too() -> None:
    run = trained(steps=100, time_limit=1e-9)
    if run.state.step[0] == 0:
        assert run.history.empty
        assert slalom.diagnose(run).kinds == ("interrupted",)


def test_a_member_that_is_not_there_and_a_language_that_is_not_known_are_refused() -> None:
    run = trained(steps=1)
    with pytest.raises(BadPlan, match="There is no member 3: this run has 0 to 0"):
        slalom.diagnose(run, 3)
    with pytest.raises(BadPlan, match="lang must be one of"):
        slalom.diagnose(run).text("fr")  # type: ignore[arg-type]


def test_a_weak_signal_with_all_weight_on_few_rows_has_the_weighted_constant_loss() -> None:
    weight = np.where(np.arange(100) < 20, 1.0, 0.0).astype(np.float32)
    data = Dataset(CURVE.X, CURVE.y, task="regression", weight=weight)
    found = the(trained(data=data, lr=1e-9), "underfit").numbers
    assert found["constant"] == pytest.approx(np.var(CURVE.y[:20]), rel=1e-4)


def closed_forms() -> Iterator[tuple[losses.Loss, Any, float]]:
    """A loss, a target, and the lowest loss of a constant, by a formula."""
    rng = np.random.default_rng(0)
    y = rng.normal(3000, 20, size=(101, 1)).astype(np.float32)
    labels = rng.choice(3, 200, p=[0.6, 0.3, 0.1])
    shares = np.bincount(labels) / 200
    yield losses.MSE(), y, float(np.var(y.astype(float)))
    yield losses.L1(), y, float(np.abs(y - np.median(y)).mean())
    yield losses.Huber(delta=1e6), y, float(np.var(y.astype(float))) / 2
    yield losses.CrossEntropy(), labels, float(entropy(shares))
    weighted = shares * [1, 2, 3] / (shares @ [1, 2, 3])
    yield losses.CrossEntropy(weight=(1.0, 2.0, 3.0)), labels, float(entropy(weighted))
    binary = (labels > 0).astype(int)
    p = 3 * binary.mean() / (3 * binary.mean() + 1 - binary.mean())
    best = -3 * binary.mean() * np.log(p) - (1 - binary.mean()) * np.log(1 - p)
    yield losses.BCEWithLogits(pos_weight=3.0), binary, best
    small = rng.normal(0.2, 0.3, size=(200, 1)).astype(np.float32)
    yield losses.GaussianNLL(), small, 0.5 * (np.log(np.var(small.astype(float))) + 1)


@pytest.mark.parametrize(("loss", "target", "lowest"), [*closed_forms()], ids=str)
def test_the_loss_of_the_best_constant_answer_is_that_of_the_formula(
    loss: losses.Loss, target: Any, lowest: float
) -> None:
    targets = 1 if target.ndim == 2 else int(target.max()) + 1
    found = constant_loss(loss, torch.from_numpy(target), None, targets)
    assert found == pytest.approx(lowest, rel=2e-3)


def test_a_huge_dataset_is_looked_at_in_part() -> None:
    X = 1000 * np.random.default_rng(0).normal(size=(3 * ROWS, 2)).astype(np.float32)
    data = Dataset(X, (X[:, 0] > 0).astype(np.int64), task="classification").split(0.2)
    run = trained(MLP(2, 8, 2, activation="tanh"), data, batch_size=64, epochs=1)
    assert the(run, "saturated").numbers["rows"] == ROWS


def test_a_history_of_few_rows_still_dates_overfitting() -> None:
    arguments: dict[str, Any] = {"optimizer": Adam(1e-2), "epochs": 200}
    full = trained(MLP(5, 100, 100, 1), noisy(), **arguments)
    thin = trained(MLP(5, 100, 100, 1), noisy(), **arguments, record_every=15)
    assert len(thin.history) < 20
    assert the(thin, "overfit").numbers["since"] == the(full, "overfit").numbers["since"]


def own_net() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))


def test_a_module_of_ones_own_is_diagnosed_without_its_neurons() -> None:
    assert slalom.diagnose(trained(Net(own_net), optimizer=SGD(10.0), steps=3)).kinds
    assert slalom.diagnose(trained(Net(own_net), optimizer=SGD(0.2))).kinds == ("healthy",)


def test_each_fold_is_diagnosed_on_its_own_rows() -> None:
    data = slalom.toys.sine(50, noise=0.1, seed=0).cross_validation(3)
    run = trained(grid(net=MLP(1, 10, 1), lr=0.01, fold=range(3)), data, epochs=100)
    for k, fold in enumerate(data.folds):
        found = the(run, "healthy", k).numbers
        y = data.y[fold.train]
        assert found["constant"] == pytest.approx(np.var(y), rel=1e-4)
        assert found["validation"] == run.state.best_loss[k]


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    lr=st.floats(1e-9, 1e9),
    activation=st.sampled_from(["relu", "tanh", "sigmoid", "gelu"]),
    hidden=st.lists(st.integers(1, 9), max_size=2),
    dropout=st.sampled_from([0.0, 0.5]),
    optimizer=st.sampled_from([SGD, Adam]),
    batch_size=st.sampled_from([None, 1, 7]),
    epochs=st.integers(1, 25),
    validation=st.sampled_from([0.0, 0.3]),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    record_every=st.sampled_from([1, 10]),
    loss=st.sampled_from(["mse", "l1", "gaussian_nll", "cross_entropy"]),
)
def test_any_training_has_a_diagnosis_in_both_languages(
    lr: float,
    activation: str,
    hidden: list[int],
    dropout: float,
    optimizer: Any,
    batch_size: int | None,
    epochs: int,
    validation: float,
    scale: float,
    record_every: int,
    loss: str,
) -> None:
    data = slalom.toys.sine(20, noise=0.1)
    if loss == "cross_entropy":
        data = slalom.toys.gaussians(20)
    data = Dataset(scale * data.X, data.y, task=data.task).split(validation)
    outputs = {"gaussian_nll": 2, "cross_entropy": 2}.get(loss, 1)
    net = MLP(data.X.shape[1], *hidden, outputs, activation=activation, dropout=dropout)
    run = trained(
        net,
        data,
        optimizer=optimizer(lr),
        batch_size=batch_size,
        epochs=epochs,
        loss=loss,
        record_every=record_every,
    )
    diagnosis = slalom.diagnose(run)
    assert diagnosis.findings
    for finding in diagnosis.findings:
        assert "{" not in finding.text() and not HAN.search(finding.text())
        assert "{" not in finding.text("zh") and HAN.search(finding.text("zh"))
        with language("zh"):
            assert finding.text() == finding.text("zh")


def test_the_swing_of_a_curve_is_the_height_of_a_zigzag_and_0_on_a_slope() -> None:
    step = np.arange(1, 51)
    assert Curve(step, step * -0.5 + 90.0).swing == 0
    assert Curve(step, step % 2 * 0.3).swing == pytest.approx(0.3)


def test_means_of_epochs_are_those_of_pandas() -> None:
    loss = np.random.default_rng(0).normal(size=23)
    curve = Curve(np.arange(1, 24), loss).means(5)
    assert curve.step.tolist() == [5, 10, 15, 20, 23]
    expected = [part.mean() for part in np.split(loss, [5, 10, 15, 20])]
    np.testing.assert_allclose(curve.loss, expected)
