"""Back to any step of a run, and on from there with other hyperparameters.

Trainings are repeated to the bit, so a step is visited by training forward to it, from the nearest
moment that was kept before or from the start. A member does not depend on its neighbours, so each
is taken to that step, or to where it ended.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.engine import State
from slalom.engine.state import NEVER
from slalom.plan import Plan
from slalom.population import Population
from slalom.population.member import OWN, make_member
from slalom.training import Happening, Outcome, Progress, Snapshot, Training

FIXED = ("net", "batch_size", "seed", "fold")  # what a member keeps: its weights and its batches
MEMORY = 2.0**28  # 256 MB for the moments of a training
FIRST, GROWTH = 1.0, 1.25  # seconds: whatever took less is trained again before anybody notices


class Trail:
    """Moments of a training, kept in the memory on the way: the later, the further apart.

    Args:
        training: whose moments.
        budget: bytes that they may take together. When they take more, every second is let go.
    """

    def __init__(self, training: Training, budget: float = MEMORY) -> None:
        self.training, self.budget = training, budget
        self.moments: list[Snapshot] = []
        self._next = training.seconds + FIRST
        training.listeners.append(self._listen)

    def _listen(self, happening: Happening) -> None:
        if isinstance(happening, Progress) and self.training.seconds >= self._next:
            self._next = max(self.training.seconds + FIRST, GROWTH * self.training.seconds)
            self._keep()

    def _keep(self) -> None:
        size = sum(values.nbytes for values in self.training.state.arrays().values())
        if size <= self.budget:
            self.moments.append(self.training.snapshot())
        if len(self.moments) * size > self.budget:
            self.moments = self.moments[1::2]


def at(run: Outcome, step: int, moments: Iterable[Snapshot]) -> Snapshot:
    """A run as it stood at a step: each member there, or where it ended before.

    Args:
        run: as it ended.
        step: updates of each member since its start.
        moments: what was kept on the way, the latest first.

    Raises:
        BadPlan: when there is no such step.
    """
    final = run.state
    last = int(final.step.max())
    if type(step) is not int or not 0 <= step <= last:
        raise BadPlan(f"step must be a whole number from 0 to {last}, but {step!r} was given.")
    goals = np.minimum(final.step, step)
    before = (m for m in moments if (m.arrays["state.step"] <= goals).all())
    moment = next(before, None)
    if moment is None:
        training = Training(run.plan, run.dataset, run.engine)
    else:
        training = Training.resume(moment, run.engine)
    state = training.state
    state.stopped_at[state.step < goals] = NEVER  # who was held back then went on later
    over = _ended_from_outside(final) & (final.step <= step)
    for goal in np.unique(goals[over]):
        training.advance(until=int(goal))
        state.stopped_at[over & (goals == goal)] = goal
    training.advance(until=step)
    state.stopped_at[over] = final.stopped_at[over]
    return training.snapshot()


def forked(moment: Snapshot, changes: dict[str, Any]) -> Snapshot:
    """A moment of a run from which it goes on otherwise.

    Args:
        moment: as `at` gives it.
        changes: arguments of the members (`lr`, `schedule`, ...) and of the plan (`epochs`, ...).

    Raises:
        BadPlan: for an argument that cannot be changed on the way.
    """
    names = ("epochs", "steps", "patience")
    of_plan = {name: value for name, value in changes.items() if name in names}
    of_members = {name: value for name, value in changes.items() if name not in names}
    if wrong := [name for name in of_members if name in FIXED]:
        raise BadPlan(
            f"A fork goes on with the weights and the batches of its origin, so {wrong[0]} cannot "
            f"be another one. What can: arguments of the optimizer such as lr, schedule, "
            f"clip_norm, and epochs, steps, patience."
        )
    plan = _changed(moment.plan, of_members, of_plan)
    for old, new in zip(moment.plan.population, plan.population, strict=True):
        same = type(old.optimizer) is type(new.optimizer)
        if not same or old.optimizer.slots != new.optimizer.slots:
            raise BadPlan(
                f"{new.optimizer.label} cannot take over what {old.optimizer.label} remembers of "
                f"its steps. Change arguments that both have, such as lr."
            )
    longer = (plan.epochs, plan.steps) != (moment.plan.epochs, moment.plan.steps)
    if plan.frames and longer:
        raise BadPlan("A run with frames keeps its length, over which its pictures are spread.")
    return Snapshot(plan, moment.dataset, dict(moment.arrays))


def _changed(plan: Plan, of_members: dict[str, Any], of_plan: dict[str, Any]) -> Plan:
    if "epochs" in of_plan or "steps" in of_plan:
        of_plan = {"epochs": None, "steps": None} | of_plan
    if not of_members:
        return plan.adjusted(**of_plan)
    own = ({name: getattr(member, name) for name in OWN} for member in plan.population)
    members = [make_member(arguments | of_members) for arguments in own]
    return plan.adjusted(population=Population(tuple(members)), **of_plan)


def _ended_from_outside(state: State) -> NDArray[np.bool_]:
    """Members that the rules of training would have let go on: held back, left, or interrupted."""
    by_itself: NDArray[np.bool_] = (state.diverged_at != NEVER) | (
        state.step >= state.layout.total_steps
    )
    if state.plan.patience is not None:
        epochs = (state.step - state.best_step) / state.layout.steps_per_epoch
        by_itself |= (state.stopped_at != NEVER) & (epochs >= state.plan.patience)
    return ~by_itself
