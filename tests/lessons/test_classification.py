"""The lesson on classification, against formulas and a loop in float64."""

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from slalom import lessons
from slalom.lessons.classification.drawing import MOMENTS, evenly
from slalom.lessons.classification.shapes import trained
from slalom.lessons.files import content_of
from slalom.lessons.lesson import Made


def make(**values: object) -> Made:
    return lessons.get("classification").make(**values)


@pytest.fixture(scope="module")
def made() -> Made:
    return make()


def clouds(points: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """The lesson's points, class by class."""
    normal = np.random.default_rng(1).normal(size=(points, 2))
    y = np.repeat([0, 1], points // 2)
    return np.where(y == 0, 2.0, -2.0)[:, None] + spread * normal, y


def test_the_losses_are_those_of_a_loop_in_float64_with_the_formula_of_cross_entropy(
    made: Made,
) -> None:
    X, y = map(torch.tensor, clouds(200, 1.5))
    torch.manual_seed(0)
    hidden, output = torch.nn.Linear(2, 10), torch.nn.Linear(10, 2)
    weights = [
        p.detach().double().requires_grad_() for m in (hidden, output) for p in m.parameters()
    ]
    losses = []
    for _ in range(100):
        a, b, c, d = weights
        z = torch.clamp(X @ a.T + b, min=0) @ c.T + d
        p = z.exp() / z.exp().sum(dim=1, keepdim=True)
        loss = -p[torch.arange(200), y].log().mean()
        for weight, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.data -= 0.05 * slope
        losses.append(loss.item())
    assert made.numbers["losses"] == pytest.approx(losses, rel=1e-4)


def test_the_accuracy_is_near_that_of_the_best_border(made: Made) -> None:
    # The best border is the line half-way between the centres.
    best = norm.cdf(2 * np.sqrt(2) / 1.5)
    assert made.numbers["accuracy"] == pytest.approx(best, abs=0.025)
    assert made.numbers["wrong"] == round(200 * (1 - made.numbers["accuracy"]))
    straight = LogisticRegression().fit(*clouds(200, 1.5)).score(*clouds(200, 1.5))
    assert made.numbers["accuracy"] == pytest.approx(straight, abs=0.01)


def test_the_worst_cost_is_minus_the_log_of_the_probability_of_the_right_class(made: Made) -> None:
    logits, k = np.array(made.numbers["worst_logits"]), made.numbers["worst_class"]
    probabilities = np.exp(logits) / np.exp(logits).sum()
    assert made.numbers["worst_probabilities"] == pytest.approx(probabilities, abs=0.011)
    assert made.numbers["worst_cost"] == pytest.approx(-np.log(probabilities[k]), abs=0.02)


def test_cross_entropy_takes_what_the_prose_says_and_nothing_else() -> None:
    cross_entropy = torch.nn.functional.cross_entropy
    logits, labels = torch.tensor([[2.0, 0.0, 1.0], [0.5, 0.5, 3.0]]), torch.tensor([0, 2])
    one_hot = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    p = np.exp([2.0, 3.0]) / [np.exp([2, 0, 1]).sum(), np.exp([0.5, 0.5, 3]).sum()]
    assert labels.dtype == torch.int64
    for target in (labels, one_hot):
        assert cross_entropy(logits, target).item() == pytest.approx(-np.log(p).mean())
    for target in (labels.float(), labels.int(), labels[:, None], one_hot.long()):
        with pytest.raises(RuntimeError):
            cross_entropy(logits, target)


def test_a_second_softmax_keeps_a_net_from_being_sure() -> None:
    for classes in (2, 6):
        numbers = make(shape="spirals", arms=classes, steps=2).numbers
        sure = torch.tensor([100.0, *[-100.0] * (classes - 1)])
        twice = sure.softmax(dim=0).softmax(dim=0)[0].item()
        assert numbers["softmax_twice"] == pytest.approx(twice)


def test_the_film_stops_where_the_way_has_grown_by_equal_parts() -> None:
    fast_then_slow = np.sqrt(np.arange(10_000.0))
    stops = evenly(fast_then_slow)
    assert len(stops) == MOMENTS and (stops[0], stops[-1]) == (0, 9999)
    assert np.diff(fast_then_slow[stops]) == pytest.approx(np.sqrt(9999) / 59, rel=0.35)
    assert evenly(np.zeros(100)).tolist() == [0, 99]


@pytest.mark.slow
def test_the_film_shows_more_of_the_first_half_than_of_the_second(made: Made) -> None:
    film = made.figures["film"]()
    assert 20 <= film.moments <= MOMENTS
    caption = film.moving[-1]
    film.show(film.moments // 2)
    assert caption.get_text().startswith("step ")
    assert int(caption.get_text().split()[1]) < 50


@pytest.mark.slow
def test_nets_with_two_hidden_layers_tell_the_harder_shapes_apart() -> None:
    for run in trained():
        right = run.predict(run.dataset.X).argmax(axis=1) == run.dataset.y
        assert right.mean() > 0.9


def test_a_fresh_net_finds_every_class_about_equally_likely() -> None:
    numbers = make(shape="spirals", arms=6, steps=2).numbers
    assert numbers["blind_loss"] == pytest.approx(1.791759469)
    assert numbers["first_loss"] == pytest.approx(numbers["blind_loss"], abs=0.2)


@pytest.mark.slow
def test_a_wide_net_follows_spirals_that_a_narrow_one_cannot() -> None:
    wide, narrow = (
        make(shape="spirals", width=width, lr=0.5, steps=2000).numbers["accuracy"]
        for width in (40, 3)
    )
    assert wide > 0.95
    assert narrow < 0.8


@pytest.mark.slow
@pytest.mark.parametrize(
    "values",
    [
        {"points": 20, "spread": 0.1, "width": 1, "lr": 1e-3, "steps": 2, "seed": 9999},
        {"points": 1000, "spread": 2.5, "width": 100, "lr": 1, "steps": 300},
        {"shape": "spirals", "arms": 6, "points": 20, "width": 1, "lr": 1, "steps": 3000},
    ],
    ids=["low", "high", "spirals"],
)
def test_pictures_are_drawn_at_both_ends_of_every_range(values: dict[str, object]) -> None:
    for figure in make(**values).figures.values():
        assert content_of(figure())
