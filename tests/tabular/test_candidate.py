"""A candidate is a recipe over its folds, in whatever order the members stand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import slalom
from slalom import MLP, SGD, Adam, Member, Population
from slalom.tabular.candidate import candidate_numbers, candidates

RECIPES = [Member(MLP(1, 4, 1), Adam(0.01)), Member(MLP(1, 4, 1), Adam(0.02)), Member(MLP(1, 5, 1))]


@given(order=st.permutations(range(9)))
def test_members_that_differ_by_their_fold_alone_are_one_candidate(order: list[int]) -> None:
    every = list(Population(RECIPES).on_folds(3))
    shuffled = Population([every[k] for k in order])
    found = candidates(shuffled)
    assert len(found) == 3
    for candidate in found:
        members = [shuffled[k] for k in candidate.members]
        assert [m.fold for m in members] == [0, 1, 2]
        assert len({(m.net, m.optimizer) for m in members}) == 1
    first = [candidate.members for candidate in found]
    numbers = candidate_numbers(shuffled)
    assert all((numbers[list(members)] == c).all() for c, members in enumerate(first))
    assert numbers[0] == 0


def test_a_recipe_that_stands_twice_is_two_candidates() -> None:
    population = Population([RECIPES[0], RECIPES[1], RECIPES[0]]).on_folds(2)
    assert candidate_numbers(population).tolist() == [0, 0, 1, 1, 2, 2]


def test_a_candidate_predicts_each_row_by_the_member_that_did_not_see_it() -> None:
    data = slalom.toys.sine(60, seed=0).cross_validation(3)
    run = slalom.train(Population(RECIPES).on_folds(3), data, steps=20, frames=0)
    candidate = candidates(run.population)[1].judged(run)
    for fold, k in enumerate((3, 4, 5)):
        rows = data.folds[fold].validation
        own = candidate.predictions[20 * fold : 20 * fold + 20]  # type: ignore[index]
        np.testing.assert_array_equal(own, run.predict(data.X[rows], member=k))


def test_a_candidate_of_which_a_member_diverged_predicts_nothing() -> None:
    data = slalom.toys.sine(60, seed=0).cross_validation(2)
    wild = [Member(MLP(1, 4, 1), SGD(1e12))]
    run = slalom.train(Population(wild).on_folds(2), data, steps=20, frames=0)
    assert candidates(run.population)[0].judged(run).predictions is None
