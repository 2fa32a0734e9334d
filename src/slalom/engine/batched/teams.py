"""Who trains together: members of one architecture, whose batches have the same lengths.

How some operations of torch round an element depends on its place in a tensor. So that a training
gives the same bits in one stretch or in many, by one thread or by ten, who has which place follows
from the plan and the state alone.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slalom.data.dataset import Dataset
from slalom.engine.hyper import encode
from slalom.engine.state import NEVER, State
from slalom.plan import Plan
from slalom.population import grouped

MOST = 64  # members of a team: more are hardly faster, and what is between layers fills the cache
NUMBERS = 2**26  # features that a batch of all of them may have, 256 MB
# Numbers that an operation of a team gives, so that it is worth a thread of its own: Python runs in
# one at a time, and between smaller ones threads would wait for each other.
ENOUGH = 12_000
FAR = np.iinfo(np.int64).max


def teams_of(
    plan: Plan, dataset: Dataset, parts: Callable[[int, int, int], int]
) -> Iterator[NDArray[np.int64]]:
    """The numbers of the members of each team, those with the same rule side by side.

    Args:
        plan, dataset: of the population.
        parts: into how many teams those go that have an architecture and batches in common, by
            how many they are, the number of one of them, and rows a batch.
    """
    columns = plan.population.columns()
    rows = np.array([[len(f.train), len(f.validation)] for f in dataset.folds])[columns.fold]
    _, group = grouped(columns.net, columns.batch_size, *rows.T)
    batch = np.where(columns.batch_size, np.minimum(columns.batch_size, rows[:, 0]), rows[:, 0])
    rules, _ = encode(plan.population, slice(None))
    order = np.lexsort((rules, group))
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        first = int(members[0])
        yield from np.array_split(members, parts(len(members), first, int(batch[first])))


def parts_on_cpu(members: int, features: int, numbers: float) -> int:
    """Into how many teams so many members go, so that two threads have something to do.

    Args:
        members: that have an architecture and batches in common.
        features: of a batch of one member.
        numbers: that an operation gives for one member, in the mean.

    Example:
        >>> parts_on_cpu(32, features=2048, numbers=300), parts_on_cpu(32, 2048, numbers=1400)
        (1, 2)
        >>> parts_on_cpu(256, features=2048, numbers=300)
        4
    """
    most = int(np.clip(NUMBERS // features, 1, MOST))
    return max(-(-members // most), min(2, members, int(members * numbers / ENOUGH)))


def seated(state: State, team: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """The members that have a row in the tensors of a team at a step.

    All of them have one until half have ended; then those that go on, until half of these have
    ended; and so on. So a member that has ended costs at most as much again as one that goes on,
    and there are few graphs, each of which is for so many rows.

    Args:
        state: which knows when who has ended.
        team: its members.
        step: updates of those that go on.
    """
    ends = np.where(state.diverged_at != NEVER, state.diverged_at, state.stopped_at)[team]
    ends[ends == NEVER] = FAR
    for end in np.unique(ends[ends <= step]):
        left = ends > end
        if half_have_ended(int(left.sum()), len(team)):
            team, ends = team[left], ends[left]
    return team


def half_have_ended(going: int, rows: int) -> bool:
    """Whether it is time for those that go on to take the rows of all."""
    return 0 < 2 * going <= rows


class Turn(NamedTuple):
    """Members that take their next steps together, and the step at which they end."""

    members: NDArray[np.int64]
    end: int


def next_turn(state: State, team: NDArray[np.int64], ends: NDArray[np.int64]) -> Turn | None:
    """Whose turn it is, if anybody's: of those that are behind, for they catch up first.

    All of a team are at the same step, unless another engine was stopped before.

    Args:
        state: of the population.
        team: its members.
        ends: the step at which the stretch of each ends, `[P]`.
    """
    steps, pending = state.step[team], ~np.isnan(state.pending[team])
    going = state.training[team] & ((steps < ends) | pending)
    if not going.any():
        return None
    least = int(steps[going].min())
    here = going & (steps == least)
    if (here & pending).any():  # what is due after their last step, before anything else
        return Turn(team[here & pending], least)
    ahead = steps[going & ~here].min(initial=FAR)
    return Turn(team[here], int(min(ends[here].min(), ahead)))
