"""Candidates that do badly on their first fold are not trained on the others.

With five folds a candidate costs five trainings, and most candidates of a random search get no
weight in the end. One training tells nearly as much of them, so there can be twice as many in the
same time.
"""

from collections.abc import Iterator

import numpy as np

from slalom.engine.state import NEVER
from slalom.tabular.candidate import candidates
from slalom.training import Training

KEPT = 1 / 3  # of the candidates
FEWEST = 5


def share(folds: int) -> float:
    """What all candidates together cost of being trained on every fold.

    >>> round(share(5), 3), share(1)
    (0.467, 1.0)
    """
    return (1 + (folds - 1) * KEPT) / folds


def by_first_fold(training: Training) -> Iterator[None]:
    """Hold back all folds but the first, then go on with the third that was best there.

    Members that are held back stand at step 0 as if they had stopped there. Yields each time that
    the training is to be advanced; see `slalom.runs.train.carry_out`.
    """
    state = training.state
    later = training.plan.population.columns().fold > 0
    if later.any():
        state.stopped_at[later] = 0
    yield
    if later.any():
        every = candidates(training.plan.population)
        losses = [state.best_loss[candidate.members[0]] for candidate in every]
        kept = max(FEWEST, round(KEPT * len(every)))
        for best in np.argsort(losses, kind="stable")[:kept]:
            state.stopped_at[list(every[best].members[1:])] = NEVER
        yield
