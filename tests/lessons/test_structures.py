from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from sklearn.datasets import load_digits

from slalom import lessons
from slalom.lessons.structures.decide import decide
from slalom.lessons.structures.graph import nodes
from slalom.lessons.structures.look import UNSEEN, Looked, Looking, digits, look_at_digits, shifted
from slalom.lessons.structures.remember import TURN, Followed, Following, follow, turn


@cache
def looked() -> Looked:
    return look_at_digits(filters=3, epochs=1, lr=0.003, seed=4)


@cache
def followed(cell: str = "RNN") -> Followed:
    return follow(cell, hidden=32, steps=60, lr=0.003, seed=4)


def test_a_feature_map_is_the_correlation_of_the_digit_with_the_filter() -> None:
    torch.manual_seed(4)
    net: Any = Looking(3)
    digit = looked().images[0]
    for k, found in enumerate(net.first(torch.from_numpy(digit)[None, None])[0]):
        weights, bias = net.first.weight[k, 0], net.first.bias[k]
        wanted = correlate2d(digit, weights.detach(), mode="same") + bias.item()
        np.testing.assert_allclose(found.detach(), wanted, atol=1e-5)


def test_filters_start_as_torch_draws_them_and_training_changes_them() -> None:
    torch.manual_seed(4)
    drawn = torch.nn.Conv2d(1, 3, 3, padding=1).weight[:, 0].detach().numpy()
    np.testing.assert_array_equal(looked().before, drawn)
    assert (looked().after != drawn).all()


@pytest.mark.parametrize("filters", [2, 8, 16])
def test_the_opponent_has_within_a_neuron_as_many_parameters(filters: int) -> None:
    look, dense = look_at_digits(filters, epochs=1, lr=0.003, seed=0).parameters
    first, second = filters * 9 + filters, 2 * filters * filters * 9 + 2 * filters
    assert look == first + second + 8 * filters * 10 + 10
    assert abs(look - dense) <= 75 / 2


def test_no_net_trains_on_a_digit_that_it_is_tested_on() -> None:
    data = digits()
    assert len(data.test) == UNSEEN
    both = np.concatenate([data.folds[0].train, data.test])
    np.testing.assert_array_equal(np.sort(both), np.arange(1797))


def test_a_moved_digit_has_its_pixels_one_place_on_and_nothing_behind_them() -> None:
    image = torch.arange(1.0, 65.0).reshape(1, 8, 8)
    right, up = shifted(image, 0, 1), shifted(image, -1, 0)
    assert right[0, :, 1:].equal(image[0, :, :-1])
    assert up[0, :-1].equal(image[0, 1:])
    assert not right[0, :, 0].any() and not up[0, -1].any()


def test_only_a_digit_that_moves_up_or_down_loses_ink() -> None:
    ink = load_digits().images.sum(axis=0)
    rows, columns = ink.sum(axis=1) / ink.sum(), ink.sum(axis=0) / ink.sum()
    assert max(columns[0], columns[-1]) < 0.005
    assert min(rows[0], rows[-1]) > 0.1


def test_accuracies_are_shares_of_the_unseen_digits() -> None:
    counts = looked().accuracies * UNSEEN
    np.testing.assert_allclose(counts, counts.round(), atol=1e-9)
    assert looked().numbers()["mistakes"] == UNSEEN - round(counts[0, 0, 0])


def test_the_best_answer_without_memory_has_an_error_of_one_half() -> None:
    sine, cosine = (values.ravel() for values in turn(0, TURN))
    for value in np.unique(sine.round(5)):
        alike = cosine[np.abs(sine - value) < 1e-4]  # where the sine rises, and where it falls
        assert alike.mean() == pytest.approx(0, abs=1e-5)
    assert np.mean(cosine**2) == pytest.approx(0.5)


def test_the_hidden_state_follows_the_formula() -> None:
    torch.manual_seed(4)
    net: Any = Following("RNN", 5)
    heard, _ = turn(7, 12)
    layer = net.recurrent
    W, U = layer.weight_ih_l0.detach().numpy(), layer.weight_hh_l0.detach().numpy()
    b = (layer.bias_ih_l0 + layer.bias_hh_l0).detach().numpy()
    state = np.zeros(5)
    for value in heard:
        state = np.tanh(W @ value + U @ state + b)
    _, last = net(torch.from_numpy(heard), None)
    np.testing.assert_allclose(last[0].detach(), state, atol=1e-5)


def test_each_piece_starts_where_the_one_before_ended() -> None:
    ends = np.cumsum(followed().lengths)
    assert [piece.start for piece in followed().pieces] == [0, *ends[:-1]]
    assert followed().end == ends[-1]


def test_a_loss_is_the_mean_squared_distance_of_what_was_said_from_the_cosine() -> None:
    for piece in followed().pieces:
        moments = np.arange(piece.start, piece.start + len(piece.said))
        error = piece.said - np.cos(2 * np.pi * moments / 60)
        assert piece.loss == pytest.approx(np.mean(error**2), rel=1e-4)


def test_with_its_hidden_state_the_net_knows_at_once_where_it_is() -> None:
    numbers = followed().numbers()
    assert numbers["carried_error"] < 0.2 < numbers["emptied_error"]
    assert numbers["late_loss"] < 0.2


def test_nodes_are_counted_once_each() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    assert nodes(x * 2) == 2  # the product, and the leaf
    y = x * 2
    assert nodes(y + y.sin()) == 4  # y is there once, though two ways lead to it


@pytest.mark.parametrize("cell", ["RNN", "GRU"])
def test_a_graph_grows_by_the_same_number_of_nodes_with_each_moment(cell: str) -> None:
    lengths, counts = followed(cell).lengths, followed(cell).nodes
    slope = followed(cell).numbers()["nodes_a_moment"]
    assert slope == int(slope) > 0
    np.testing.assert_array_equal(counts - slope * lengths, counts[0] - slope * lengths[0])


def test_a_state_that_keeps_its_graph_stops_the_next_backward_pass() -> None:
    net: Any = Following("RNN", 4)
    said, state = net(torch.zeros(3, 1), None)
    said.sum().backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        net(torch.zeros(3, 1), state)[0].sum().backward()
    net(torch.zeros(3, 1), state.detach())[0].sum().backward()


@pytest.mark.parametrize(
    ("number", "turns", "output"), [(1.5, 0, 1.5), (0.7, 1, 1.4), (0.3, 2, 1.2), (0.01, 7, 1.28)]
)
def test_a_number_goes_round_until_it_is_one_or_more_and_its_graph_is_as_long(
    number: float, turns: int, output: float
) -> None:
    decided = decide(number)
    assert decided.turns == turns
    assert decided.passed == pytest.approx([number * 2**k for k in range(turns + 1)])
    assert decided.passed[-1] == pytest.approx(output)
    assert decided.nodes == (2 * turns + 2 if turns else 0)  # both parameters are there once
    assert decided.gradient == pytest.approx(turns * number * 2.0 ** (turns - 1))


@pytest.mark.slow
@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize("cell", ["RNN", "GRU"])
def test_extreme_values_can_be_drawn(end: str, cell: str) -> None:
    lesson = lessons.get("structures")
    extremes = {p.name: getattr(p, end) for p in lesson.parameters if hasattr(p, end)}
    made = lesson.make(**(extremes | {"cell": cell, "epochs": 1}))
    for draw in made.figures.values():
        assert draw()
