"""Candidates that do badly for a while are not trained further, and few on all folds.

With five folds a candidate costs five trainings, and most candidates of a random search get no
weight in the end. A part of one training tells nearly as much of them, so there can be several
times as many in the same time: successive halving (Jamieson and Talwalkar, Non-stochastic best arm
identification and hyperparameter optimization, AISTATS 2016).
"""

from collections.abc import Iterator, Sequence
from math import ceil

import numpy as np

from slalom.engine.state import NEVER
from slalom.tabular.candidate import Candidate, candidates
from slalom.training import Training

# After this part of a training on the first fold, this share of the candidates goes on.
RUNGS = ((1 / 4, 1 / 2), (1 / 2, 1 / 4))
KEPT = 1 / 6  # of the candidates, on the other folds
FEWEST = 5


def kept(every: int, part: float) -> int:
    """How many of so many candidates go on.

    >>> kept(60, 1 / 4), kept(8, 1 / 4)
    (15, 5)
    """
    return min(every, max(FEWEST, round(part * every)))


def share(folds: int, every: int) -> float:
    """What so many candidates cost together of being trained to the end on every fold.

    >>> round(share(1, 60), 3), round(share(5, 60), 3)
    (0.5, 0.233)
    """
    counts = [every, *(kept(every, part) for _, part in RUNGS)]
    ends = [0.0, *(end for end, _ in RUNGS), 1.0]
    first = float(np.dot(np.diff(ends), counts))
    return (first + (folds - 1) * kept(every, KEPT)) / (folds * every)


def by_first_fold(training: Training) -> Iterator[int | None]:
    """Hold back all folds but the first, there halve the field, then train the best on the others.

    Members that are held back stand at step 0 as if they had stopped there; those that are left
    behind have stopped where they are. So the state tells how far this is, and a training that is
    picked up goes on from there. Yields the step to which the training is to be advanced; see
    `slalom.runs.train.carry_out`.
    """
    state = training.state
    later = training.plan.population.columns().fold > 0
    if not state.step.any():
        state.stopped_at[later] = 0
    every = candidates(training.plan.population)
    per_epoch = int(state.layout.steps_per_epoch[every[0].members[0]])
    epochs = training.plan.epochs
    assert epochs is not None  # the estimators count epochs
    for end, part in RUNGS:
        goal = ceil(end * epochs) * per_epoch  # whole epochs, at whose ends they are validated
        if (state.step[~later] > goal).any():
            continue  # that was before it was picked up
        yield goal
        for candidate in _ranking(training, every)[kept(len(every), part) :]:
            first = candidate.members[0]
            if state.training[first]:
                state.stopped_at[first] = state.step[first]
    yield None
    if later.any():
        if (state.stopped_at[later] == 0).all():
            for candidate in _ranking(training, every)[: kept(len(every), KEPT)]:
                state.stopped_at[list(candidate.members[1:])] = NEVER
        yield None


def _ranking(training: Training, every: Sequence[Candidate]) -> list[Candidate]:
    """Candidates by their loss on the first fold so far, the best first."""
    losses = [training.state.best_loss[candidate.members[0]] for candidate in every]
    return [every[k] for k in np.argsort(losses, kind="stable")]
