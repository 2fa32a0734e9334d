"""What every engine is: a spec, whose sessions have three verbs over an explicit state.

    session = engine.prepare(plan, dataset)   what follows from the plan, made once
    state = session.start()                   first weights, nothing done yet
    records = session.advance(state, steps)   up to `steps` updates of each member that trains
    session.read(state, members, X)           parameters, or predictions on given rows

The contract, which one suite checks on every engine:

- `advance` in one stretch or in many gives the same bits. All that changes is in the state.
- A member's numbers do not depend on the other members; in the batched engine not beyond rounding.
- A member whose loss is not finite, or whose parameters are not after its last step, is marked with
  the step at which it happened and costs nothing more.
- A record is kept of every `plan.record_every`-th step or epoch of a member (see `Plan.record`),
  counted from its first, and of what ended its training. The rest of the contract, and all of the
  state, is the same whatever is recorded.
- `state.train_loss` is what the record of the latest step or finished epoch holds, kept or not; the
  loss at which a member diverged, which updated nothing, is in its record alone.
- An engine that is stopped may return between an update and the validation that is due after it.
  `state.pending` then holds the loss of that step, which `step` and `epoch_loss` count already, and
  the next `advance`, of whatever engine, validates and records before anything else.
- After each step of `state.layout.due` the parameters of a framed member are kept in the state.
- Members are advanced in their order, or in blocks of neighbours: where the state is larger than
  the memory, its vectors lie in a file, and the system then reads and writes each part once.
- After each epoch (every `validate_every` epochs, and after the last step) a member with validation
  rows is validated; its best parameters are kept; it stops after `patience` epochs without a better
  one.
- `stop` being set makes `advance` return soon, with the state whole.
- Dropout masks are those of `slalom.engine.dropout`.
- Trainings in several threads at once give the numbers that each gives alone.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from threading import Event
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.data.dataset import Dataset
from slalom.engine.device import CPU
from slalom.engine.state import State
from slalom.plan import Plan

# One row of history: `step` counts a member's updates from 1. `train_loss` is the loss that this
# update looked at, or its mean over the epoch (see `Plan.record`); what was not measured is NaN.
# Which steps have a row is said by `Plan.record_every`.
RECORD = np.dtype(
    [
        ("member", np.int64),
        ("step", np.int64),
        ("train_loss", np.float64),
        ("validation_loss", np.float64),
        ("metric", np.float64),
    ]
)


def cores() -> int:
    """Cores that this process may use, or, where the system does not say, those of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_threads(threads: int | None) -> None:
    """Raise `BadPlan` unless this is a number of threads, or None."""
    if threads is not None and (type(threads) is not int or threads < 1):
        raise BadPlan(f"threads must be a whole number >= 1, but {threads!r} was given.")


class Session(Protocol):
    """What an engine prepares once for a plan and a dataset: tables, threads, a compiled program.

    It serves one training at a time, and holds nothing of it: all that changes is in the state.
    """

    def start(self) -> State:
        """The state before the first step."""
        ...

    def advance(
        self, state: State, steps: int, stop: Event | None = None, until: int | None = None
    ) -> NDArray[Any]:
        """Up to `steps` more updates of each member that still trains; returns their `RECORD`s.

        No member goes beyond the step `until`, when it is given: after a stop they may be apart.
        """
        ...

    def read(
        self,
        state: State,
        members: Sequence[int],
        X: NDArray[np.float32] | None = None,
        best: bool = False,
    ) -> list[NDArray[np.float32]]:
        """For each of these members its parameters `[D]`, or its raw outputs on rows `X`, `[B, O]`.

        With `best`, those of its best validation so far.
        """
        ...


class Engine(ABC):
    """A way to carry plans out, as a spec. It knows nothing of files, pictures or progress bars.

    Whoever trains prepares a session and keeps it. The three verbs of a session stand here too, for
    whoever has a state and no session: each of them prepares one for itself.
    """

    name: ClassVar[str]
    on_gpu: ClassVar[bool] = False  # whether it can train there

    @classmethod
    def of(cls, threads: int | None = None, device: torch.device = CPU) -> Self:
        """The engine for the arguments of `slalom.train`; threads of no use to it do nothing.

        Raises:
            BadPlan: when an argument makes no sense, or it does not train on that device.
        """
        check_threads(threads)
        cls.check_device(device)
        return cls()

    @classmethod
    def check_device(cls, device: torch.device) -> None:
        """Raise `BadPlan` if this engine does not train on that device."""
        if device != CPU and not cls.on_gpu:
            raise BadPlan(
                f"The {cls.name} engine trains on the CPU, but the device {device} was asked for. "
                f"Leave the choice to engine='auto', or take engine='batched'."
            )

    @property
    def cold(self) -> bool:
        """Whether the next `prepare` has something to compile first, which takes some seconds."""
        return False

    @abstractmethod
    def refusal(self, plan: Plan, dataset: Dataset) -> str:
        """Why this engine cannot carry the plan out, as a sentence, or nothing."""

    def check(self, plan: Plan, dataset: Dataset) -> None:
        """Raise `BadPlan`, with the reason, if this engine cannot carry the plan out."""
        if reason := self.refusal(plan, dataset):
            raise BadPlan(
                f"The {self.name} engine cannot carry this plan out. {reason} Leave the choice to "
                f"engine='auto', or take engine='reference'."
            )

    def pays(self, plan: Plan, dataset: Dataset) -> bool:
        """Whether it would be done sooner than the reference engine, if it can do it at all."""
        return True

    @abstractmethod
    def prepare(self, plan: Plan, dataset: Dataset) -> Session:
        """A session for this plan.

        Raises:
            BadPlan: when the engine refuses the plan, a net or the loss does not fit the dataset,
                or a member names a fold that is not there.
        """

    def start(self, plan: Plan, dataset: Dataset) -> State:
        """The state before the first step."""
        return self.prepare(plan, dataset).start()

    def advance(
        self, state: State, steps: int, stop: Event | None = None, until: int | None = None
    ) -> NDArray[Any]:
        """As `Session.advance`."""
        return self.prepare(state.plan, state.dataset).advance(state, steps, stop, until)

    def read(
        self,
        state: State,
        members: Sequence[int],
        X: NDArray[np.float32] | None = None,
        best: bool = False,
    ) -> list[NDArray[np.float32]]:
        """As `Session.read`."""
        return self.prepare(state.plan, state.dataset).read(state, members, X, best)
