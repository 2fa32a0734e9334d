"""A population that is being watched: it goes on, back to any step, and on from there otherwise."""

from typing import Any, Self

from slalom.data.dataset import Dataset
from slalom.engine import select
from slalom.losses import as_loss
from slalom.plan import Plan
from slalom.population import Population
from slalom.runs import Run
from slalom.runs.rewind import forked
from slalom.studio.settings import Bounds, Wanted
from slalom.training import Snapshot, Training

STEPS = 100_000  # the end of a training that goes on as long as somebody looks: an hour of it
PATIENCE = 2.0  # seconds that one request may train before it answers with what it has
MOMENTS, MEMORY = 64, 2**25  # that are kept for each who watches, at most 32 MB of them
ROWS = 200_000  # of history for all members: below, the loss of every step is kept


class Stage:
    """A training in the hands of somebody who watches it.

    A moment is kept wherever somebody looked. A step between two of them is reached by training
    forward again, which gives the same bits; see `slalom.runs.rewind`.

    Args:
        training: as it stands.
        axes: what varies among its members, with the values; see `Wanted`.
        frame: what a picture covers; see `Wanted`.

    Attributes:
        training: as it stands.
        moments: of it, by their step, the earliest first.
        furthest: the last step that was reached.

    Example:
        >>> from slalom.studio.settings import wanted
        >>> stage = Stage.of(wanted({"data": {"toy": "sine"}, "hidden": [4]}))
        >>> stage.advance(20)
        >>> stage.seek(5)
        >>> stage.step, stage.furthest
        (5, 20)
    """

    def __init__(
        self,
        training: Training,
        axes: dict[str, list[Any]] | None = None,
        frame: Bounds | None = None,
    ) -> None:
        self.training, self.axes, self.frame = training, axes or {}, frame
        self.moments: dict[int, Snapshot] = {}
        self.furthest = 0
        self.keep()

    @classmethod
    def of(cls, wanted: Wanted, steps: int = STEPS) -> Self:
        """A training that has not begun.

        Args:
            wanted: who trains on what.
            steps: how long, if not until nobody looks any more.

        Raises:
            BadPlan: when no engine can carry it out.
        """
        members = len(wanted.population)
        every = max(1, steps * members // ROWS)
        plan = Plan(
            wanted.population,
            as_loss(None, wanted.dataset.task),
            steps=steps,
            record="step" if every == 1 else "epoch",
            record_every=every,
        )
        engine, _ = select("auto", plan, wanted.dataset)
        return cls(Training(plan, wanted.dataset, engine), wanted.axes, wanted.frame)

    @property
    def dataset(self) -> Dataset:
        """What is trained on."""
        return self.training.dataset

    @property
    def population(self) -> Population:
        """Who trains."""
        return self.training.plan.population

    @property
    def step(self) -> int:
        """Updates of the member that has had most of them."""
        return int(self.training.state.step.max())

    @property
    def epoch(self) -> int:
        """Updates of the first member in one pass over its rows."""
        return int(self.training.state.layout.steps_per_epoch[0])

    @property
    def run(self) -> Run:
        """The training so far, as what it would leave."""
        return Run.of(self.training.snapshot(), self.training.engine)

    def advance(self, steps: int) -> None:
        """Train on by some steps, or as many as can be done before somebody gets impatient."""
        self.training.advance(until=self.step + steps, seconds=PATIENCE)
        self.keep()

    def seek(self, step: int) -> None:
        """Go to a step that was reached before, forwards or back; or as far as patience goes."""
        step = max(0, min(step, self.furthest))
        nearest = max(kept for kept in self.moments if kept <= step)
        if not nearest <= self.step <= step:  # else from here
            self.training = Training.resume(self.moments[nearest], self.training.engine)
        self.training.advance(until=step, seconds=PATIENCE)

    def fork(self, changes: dict[str, Any]) -> None:
        """Go on from here with other hyperparameters; what came later is forgotten.

        Raises:
            BadPlan: for what cannot be changed on the way.
        """
        moment = forked(self.training.snapshot(), changes)
        self.training = Training.resume(moment, self.training.engine)
        self.furthest = self.step
        self.moments = {step: m for step, m in self.moments.items() if step < self.step}
        self.keep()

    def retrain(self, changes: dict[str, Any]) -> None:
        """Train again with other hyperparameters, from the first moment to where it stands.

        Raises:
            BadPlan: for what cannot be changed on the way.
        """
        step = self.step
        moment = forked(self.moments[min(self.moments)], changes)
        self.training = Training.resume(moment, self.training.engine)
        self.moments, self.furthest = {}, 0
        self.keep()
        self.advance(step - self.step)

    def keep(self) -> None:
        """Keep this moment; where there is no room, about half of them stay, evenly spread."""
        moment = self.training.snapshot()
        self.furthest = max(self.furthest, self.step)
        self.moments[self.step] = moment
        size = sum(values.nbytes for values in moment.arrays.values())
        most = min(MOMENTS, MEMORY // size)
        if len(self.moments) > most:
            # A power of two: then those that stayed the last time stay where they are needed.
            width = 1 << (self.furthest // max(1, most // 2)).bit_length()
            earliest = {step // width: step for step in sorted(self.moments, reverse=True)}
            self.moments = {step: self.moments[step] for step in sorted(earliest.values())}
