"""A training that one can hold: advance it, stop it, keep it as a snapshot, pick it up again."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Timer
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from slalom.data.dataset import Dataset
from slalom.engine import RECORD, Engine, State
from slalom.plan import Plan
from slalom.training.frames import kept, probe
from slalom.training.progress import Progress

# A stretch is what the engine does between two looks at it. Long enough that starting one costs
# nothing beside it, short enough for a progress bar.
STRETCH_SECONDS = 2.0
FIRST_STRETCH = 1e7  # multiplications and additions: no time at all, whatever the engine
FASTER = 64.0  # times as many steps as before, at most: the first of them are no fair sample


@dataclass(frozen=True)
class Recorded:
    """Records were written: `rows`, a `RECORD` each."""

    rows: NDArray[Any]


@dataclass(frozen=True)
class Filmed:
    """Frames were kept: `count` of them so far."""

    count: int


# What a training says while it goes on, in this order after each stretch.
Happening: TypeAlias = Recorded | Filmed | Progress


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All of a training at one moment, as plain data that nobody changes any more.

    Args:
        plan, dataset: what is trained on what.
        arrays: by name: `state.*`, the records so far (`records`), and the `seconds` that it took.
    """

    plan: Plan
    dataset: Dataset
    arrays: dict[str, NDArray[Any]]

    @classmethod
    def of(
        cls,
        plan: Plan,
        dataset: Dataset,
        state: State,
        records: NDArray[Any],
        seconds: float,
        copy: bool = True,
    ) -> Self:
        """That of a training with this state; see `Training.snapshot`."""
        own = state.arrays()
        arrays = {f"state.{name}": a.copy() if copy else a for name, a in own.items()}
        return cls(plan, dataset, arrays | {"records": records, "seconds": np.array(seconds)})

    def state(self) -> State:
        """The state as it was, a copy.

        Raises:
            BadPlan: when the arrays do not belong to the plan.
        """
        start = "state."
        own = {n.removeprefix(start): a for n, a in self.arrays.items() if n.startswith(start)}
        return State.of(self.plan, self.dataset, own)


class Training:
    """A plan being carried out: an engine's session, the state, and what has been recorded.

    Whoever wants to follow it adds a function to `listeners`, which is called with each `Happening`
    in the thread that advances.

    Args:
        plan, dataset: what is trained on what.
        engine: what carries it out.

    Attributes:
        session, state: see `slalom.engine.contract`.
        seconds: of training so far.

    Raises:
        BadPlan: when the engine cannot carry the plan out, or frames cannot be drawn.

    Example:
        >>> from slalom import MLP, SGD, Member, Plan, Population, toys
        >>> from slalom.engine import Reference
        >>> from slalom.losses import MSE
        >>> plan = Plan(Population([Member(MLP(1, 10, 1), SGD(0.2))]), MSE(), steps=20)
        >>> training = Training(plan, toys.quadratic(100), Reference())
        >>> training.advance(steps=5)
        >>> later = Training.resume(training.snapshot(), Reference())
        >>> later.advance()
        >>> training.state.step.tolist(), later.state.step.tolist(), later.done
        ([5], [20], True)
    """

    def __init__(self, plan: Plan, dataset: Dataset, engine: Engine) -> None:
        if plan.frames:
            probe(dataset)  # refuses data that cannot be drawn, before anything is trained
        self._begin(plan, dataset, engine, state=None)

    def _begin(self, plan: Plan, dataset: Dataset, engine: Engine, state: State | None) -> None:
        self.plan, self.dataset, self.engine = plan, dataset, engine
        self.session = engine.prepare(plan, dataset)
        self.state = self.session.start() if state is None else state
        self.seconds = 0.0
        self.listeners: list[Callable[[Happening], None]] = []
        self._records: list[NDArray[Any]] = [np.empty(0, dtype=RECORD)]
        self._stop = Event()
        self._stretch_steps = max(1, int(FIRST_STRETCH / _operations(self.state)))

    @classmethod
    def resume(cls, snapshot: Snapshot, engine: Engine) -> Self:
        """The training as it was; it goes on to the same bits.

        Args:
            snapshot: what `snapshot` gave.
            engine: what carries it on. Another one than before agrees with it to rounding.

        Raises:
            BadPlan: when the arrays do not belong to the plan.
        """
        training = cls.__new__(cls)
        training._begin(snapshot.plan, snapshot.dataset, engine, snapshot.state())
        training._records = [snapshot.arrays["records"]]
        training.seconds = float(snapshot.arrays["seconds"])
        return training

    def snapshot(self, copy: bool = True) -> Snapshot:
        """All of it, as it stands; not while `advance` is under way in another thread.

        Args:
            copy: whether it stays as it is when the training goes on. One that is written to a file
                at once need not.
        """
        return Snapshot.of(self.plan, self.dataset, self.state, self.records, self.seconds, copy)

    @property
    def done(self) -> bool:
        """Whether nobody trains any more."""
        return not self.state.training.any()

    @property
    def records(self) -> NDArray[Any]:
        """All rows of history (`RECORD`) so far, in the order in which they were written."""
        if len(self._records) > 1:
            self._records = [np.concatenate(self._records)]
        return self._records[0]

    def advance(
        self, steps: int | None = None, seconds: float | None = None, until: int | None = None
    ) -> None:
        """Train on, to the end or to whichever of these comes first; or until `stop` is called.

        Args:
            steps: more updates of each member, from those of the one that is least far.
            seconds: of time from now on.
            until: updates of each member since its start.
        """
        goal = np.iinfo(np.int64).max if until is None else until
        if steps is not None:
            goal = min(goal, self._least() + steps)
        timer = None if seconds is None else Timer(seconds, self.stop)
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            while not self._stop.is_set() and self._behind(goal):
                self._take_stretch(goal)
        finally:
            if timer is not None:
                timer.cancel()
                timer.join()
            self._stop.clear()

    def stop(self) -> None:
        """Make `advance` return soon, from whatever thread; or the next one, if none is under way.

        The training can go on from there.
        """
        self._stop.set()

    def progress(self) -> Progress:
        """How far it is."""
        state, training = self.state, self.state.training
        return Progress(
            members=len(state.step),
            training=int(training.sum()),
            steps=int(state.step.sum()),
            remaining=int((state.layout.total_steps - state.step)[training].sum()),
            best=float(state.best_loss.min()),
            seconds=self.seconds,
        )

    def _least(self) -> int:
        """Updates of the member that trains and has had the fewest."""
        return int(self.state.step[self.state.training].min(initial=np.iinfo(np.int64).max))

    def _behind(self, goal: int) -> bool:
        """Whether somebody has something to do before the step `goal`."""
        state = self.state
        return bool((state.training & ((state.step < goal) | ~np.isnan(state.pending))).any())

    def _take_stretch(self, goal: int) -> None:
        began = time.perf_counter()
        least, frames = self._least(), kept(self.state)
        # A state on a disk is taken to the end at once, so that each part is read and written once.
        steps = self.state.layout.total_steps.max() if self.state.on_disk else self._stretch_steps
        until = min(goal, least + int(steps))
        rows = self.session.advance(self.state, int(steps), self._stop, until)
        took = time.perf_counter() - began
        pace = min(FASTER, STRETCH_SECONDS / max(took, 1e-6))
        if until == least + steps or pace < 1:  # else it was cut short, which tells nothing
            self._stretch_steps = max(1, int(steps * pace))
        self.seconds += took
        if len(rows):
            self._records.append(rows)
            self._tell(Recorded(rows))
        if kept(self.state) > frames:
            self._tell(Filmed(kept(self.state)))
        self._tell(self.progress())

    def _tell(self, happening: Happening) -> None:
        for listener in self.listeners:
            listener(happening)


def _operations(state: State) -> float:
    """About how many multiplications and additions one step of all members takes."""
    rows = state.dataset.rows / state.layout.steps_per_epoch
    return float(6 * (rows * np.diff(state.layout.parameters)).sum())
