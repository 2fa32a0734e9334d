"""Slalom itself. It draws its permutations while the clock runs, as in any training."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from peers.contestant import Contestant
from peers.job import Job
from slalom import Plan
from slalom.engine import Engine, Native, Reference

NAMES = ("native", "reference")


class Slalom(Contestant):
    """An engine on the job's plan, or on another plan for the same data."""

    def __init__(self, job: Job, steps: int, engine: Engine, plan: Plan | None = None) -> None:
        super().__init__(job, steps)
        self.engine = engine
        self.session = engine.prepare(plan or job.plan(), job.data())
        self.state = self.session.start()

    def advance(self, stretches: int) -> NDArray[Any]:
        records = self.session.advance(self.state, stretches * self.steps)
        if isinstance(self.engine, Reference):
            records = records[np.lexsort((records["step"], records["member"]))]
        # Member by member, with all steps of each: no other record is looked at.
        losses = records["train_loss"].reshape(len(self.state.step), -1)
        return losses[:, -self.steps :].T


def engine_of(name: str, threads: int = 2) -> Engine:
    """The engine of that name; `threads` is for the native one."""
    return Native(threads=threads) if name == "native" else Reference()


def reference_losses(job: Job, steps: int) -> NDArray[Any]:
    """The truth: losses `[steps, 2]` of the first and the last member."""
    return Slalom(job.only(0, -1), steps, Reference()).advance(1)
