"""Greedy selection of an ensemble, against a plain re-implementation."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from slalom.tabular.greedy import bagged_weights, greedy_weights

Candidates = NDArray[np.float64]


def shapes(least: int = 1) -> Any:
    return st.tuples(st.integers(least, 6), st.integers(1, 5), st.integers(1, 2))


def squared_error(truth: NDArray[np.float64]) -> Any:
    """Rounded, so that ties are ties in whatever order it is summed up."""
    return lambda p: round(float(((p - truth) ** 2).mean()), 9)


def plain_caruana(candidates: Candidates, score: Any, rounds: int, first: int = 0) -> list[float]:
    """Every bag that the greedy path goes through, then the best of them, the shortest first."""
    start = sorted(range(len(candidates)), key=lambda c: score(candidates[c]))[:first]
    bags: list[tuple[int, ...]] = [tuple(start)]
    for _ in range(rounds):
        longer = [(*bags[-1], c) for c in range(len(candidates))]
        bags.append(min(longer, key=lambda bag: score(sum(candidates[c] for c in bag) / len(bag))))
    best = min(
        filter(None, bags), key=lambda bag: score(sum(candidates[c] for c in bag) / len(bag))
    )
    return [best.count(c) / len(best) for c in range(len(candidates))]


@given(st.data(), shapes(), st.integers(1, 8), st.integers(0, 3))
def test_the_weights_are_those_of_a_plain_implementation(
    data: st.DataObject, shape: tuple[int, int, int], rounds: int, first: int
) -> None:
    # Whole numbers, so that sums in any order are exact and ties are ties.
    numbers = st.integers(-9, 9).map(float)
    candidates = data.draw(arrays(np.float64, shape, elements=numbers))
    truth = data.draw(arrays(np.float64, shape[1:], elements=numbers))
    score = squared_error(truth)
    first = min(first, shape[0])
    weights = greedy_weights(candidates, score, rounds, first)
    assert weights.tolist() == plain_caruana(candidates, score, rounds, first)


@given(st.data(), shapes())
def test_no_ensemble_is_worse_than_its_best_single_candidate_and_weights_sum_to_one(
    data: st.DataObject, shape: tuple[int, int, int]
) -> None:
    numbers = st.floats(-1e3, 1e3)
    candidates = data.draw(arrays(np.float64, shape, elements=numbers))
    score = squared_error(data.draw(arrays(np.float64, shape[1:], elements=numbers)))
    weights = greedy_weights(candidates, score)
    assert weights.shape == (shape[0],)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)
    together = score(np.tensordot(weights, candidates, axes=1))
    assert together <= min(map(score, candidates)) * (1 + 1e-9) + 1e-9


def test_an_average_beats_each_of_its_parts_where_they_err_to_both_sides() -> None:
    truth = np.array([[1.0], [2.0]])
    candidates = np.array([truth + 1, truth - 1, truth + 5])
    assert greedy_weights(candidates, squared_error(truth)).tolist() == [0.5, 0.5, 0.0]


def test_a_perfect_candidate_stands_alone() -> None:
    truth = np.array([[1.0], [2.0]])
    weights = greedy_weights(np.array([truth + 1, truth, truth - 1]), squared_error(truth))
    assert weights.tolist() == [0.0, 1.0, 0.0]


def weighted_error(truth: NDArray[np.float64]) -> Any:
    return lambda weight: (
        lambda p: round(float(np.average(((p - truth) ** 2).mean(1), weights=weight)), 9)
    )


@given(st.data(), shapes(), st.integers(1, 5))
def test_bagged_weights_are_the_mean_over_repeated_rows(
    data: st.DataObject, shape: tuple[int, int, int], bags: int
) -> None:
    numbers = st.integers(-9, 9).map(float)
    candidates = data.draw(arrays(np.float64, shape, elements=numbers))
    truth = data.draw(arrays(np.float64, shape[1:], elements=numbers))
    weight = np.ones(shape[1])
    counts = np.random.default_rng(0).multinomial(shape[1], weight / shape[1], size=bags)
    each = []
    for of_bag in counts:
        rows = np.repeat(np.arange(shape[1]), of_bag)
        score = squared_error(truth[rows])
        each.append(greedy_weights(candidates[:, rows], score, rounds=6, first=shape[0] // 4))
    given_ = bagged_weights(candidates, weighted_error(truth), weight, bags=bags, rounds=6)
    assert given_.sum() == pytest.approx(1)
    np.testing.assert_allclose(given_, np.mean(each, axis=0), atol=1e-12)


def test_a_row_that_counts_nothing_is_never_drawn() -> None:
    truth = np.array([[1.0], [2.0], [3.0]])
    right_there = truth + np.array([[0.0], [0.0], [9.0]])
    right_elsewhere = truth + np.array([[1.0], [1.0], [0.0]])
    candidates, weight = np.array([right_there, right_elsewhere]), np.array([1.0, 2.0, 0.0])
    assert bagged_weights(candidates, weighted_error(truth), weight).tolist() == [1.0, 0.0]


def test_one_of_many_candidates_that_is_right_everywhere_does_not_stand_alone() -> None:
    truth = np.zeros((5, 1))
    candidates = np.array([truth + n for n in range(12)])
    weights = bagged_weights(candidates, weighted_error(truth), np.ones(5), rounds=3)
    np.testing.assert_allclose(weights[:3], [4 / 6, 1 / 6, 1 / 6])
