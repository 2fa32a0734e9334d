"""Greedy selection of an ensemble, against a plain re-implementation."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from slalom.tabular.greedy import greedy_weights

pytestmark = pytest.mark.slow

Candidates = NDArray[np.float64]


def shapes(least: int = 1) -> Any:
    return st.tuples(st.integers(least, 6), st.integers(1, 5), st.integers(1, 2))


def squared_error(truth: NDArray[np.float64]) -> Any:
    """Rounded, so that ties are ties in whatever order it is summed up."""
    return lambda p: round(float(((p - truth) ** 2).mean()), 9)


def plain_caruana(candidates: Candidates, score: Any, rounds: int) -> list[float]:
    """Every bag that the greedy path goes through, then the best of them, the shortest first."""
    bags: list[tuple[int, ...]] = [()]
    for _ in range(rounds):
        longer = [(*bags[-1], c) for c in range(len(candidates))]
        bags.append(min(longer, key=lambda bag: score(sum(candidates[c] for c in bag) / len(bag))))
    best = min(
        filter(None, bags), key=lambda bag: score(sum(candidates[c] for c in bag) / len(bag))
    )
    return [best.count(c) / len(best) for c in range(len(candidates))]


@given(st.data(), shapes(), st.integers(1, 8))
def test_the_weights_are_those_of_a_plain_implementation(
    data: st.DataObject, shape: tuple[int, int, int], rounds: int
) -> None:
    # Whole numbers, so that sums in any order are exact and ties are ties.
    numbers = st.integers(-9, 9).map(float)
    candidates = data.draw(arrays(np.float64, shape, elements=numbers))
    truth = data.draw(arrays(np.float64, shape[1:], elements=numbers))
    score = squared_error(truth)
    weights = greedy_weights(candidates, score, rounds)
    assert weights.tolist() == plain_caruana(candidates, score, rounds)


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
