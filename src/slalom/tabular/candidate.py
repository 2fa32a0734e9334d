"""Candidates: a recipe over its folds, wherever its members stand in the population."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from slalom.core.errors import Diverged
from slalom.population import Population, grouped
from slalom.runs import Run


@dataclass(frozen=True, eq=False)
class Candidate:
    """Members that differ by their fold alone.

    Args:
        members: their numbers, in the order of their folds.
        predictions: what they predict on all validation rows, fold after fold, each row by the
            member that did not see it, float64 `[N, O]`; None when one of them left no model.
        weight: its share in an ensemble.
    """

    members: tuple[int, ...]
    predictions: NDArray[np.float64] | None = None
    weight: float = 0.0

    def on(self, folds: NDArray[np.int64], population: Population) -> "Candidate":
        """With its members on these folds alone."""
        return replace(self, members=tuple(k for k in self.members if population[k].fold in folds))

    def judged(self, run: Run) -> "Candidate":
        """With its predictions after a training, if all of its members were trained."""
        data, population = run.dataset, run.population
        if not run.state.step[list(self.members)].all():
            return self
        try:
            parts = [
                run.predict(data.X[data.folds[population[k].fold].validation], member=k)
                for k in self.members
            ]
        except Diverged:
            return self
        predictions = np.concatenate(parts).astype(np.float64)
        return replace(self, predictions=predictions if np.isfinite(predictions).all() else None)


def candidate_numbers(population: Population) -> NDArray[np.int64]:
    """Which candidate each member belongs to, `[P]`; numbered as they first come.

    Members that are alike and have the same fold too are repetitions: the first of a fold goes with
    the first of the others.

    Example:
        >>> from slalom import MLP, grid
        >>> population = grid(net=MLP(1, 2, 1), fold=[0, 1], lr=[0.1, 0.2])
        >>> candidate_numbers(population).tolist()
        [0, 1, 0, 1]
    """
    columns = population.columns()
    _, alike = grouped(columns.alike(), columns.fold)
    order = np.argsort(alike, kind="stable")
    first = np.flatnonzero(np.diff(alike[order], prepend=-1))
    repetition = np.empty(len(order), dtype=np.int64)
    repetition[order] = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order)))
    start, number = grouped(columns.alike(), repetition)
    return np.argsort(np.argsort(start))[number]


def candidates(population: Population) -> tuple[Candidate, ...]:
    """All candidates of a population, as they first come."""
    numbers = candidate_numbers(population)
    order = np.lexsort((population.columns().fold, numbers))
    cuts = np.flatnonzero(np.diff(numbers[order])) + 1
    return tuple(Candidate(tuple(members.tolist())) for members in np.split(order, cuts))
