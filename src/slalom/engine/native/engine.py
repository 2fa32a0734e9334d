"""The native engine: the three verbs around the compiled program."""

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.data.dataset import Dataset
from slalom.engine.contract import RECORD
from slalom.engine.native.layout import Crew
from slalom.engine.native.tables import Tables, refusal
from slalom.engine.native.training import work
from slalom.engine.reference import ReferenceEngine
from slalom.engine.state import State
from slalom.plan import Plan
from slalom.population import Columns

# How long `advance` may sleep before it looks whether somebody wants it to stop.
PATIENCE = 0.01
# Members whose tables are made at a time: they take some 400 bytes each beside the state.
BLOCK = 65536

# Made once for each state, and kept beside the engine, which can so be copied and pickled.
_COLUMNS: WeakKeyDictionary[State, Columns] = WeakKeyDictionary()


class NativeEngine:
    """Fully connected nets, compiled by Numba, on all cores.

    It gives the reference engine's numbers up to float32 rounding, and the same bits whatever the
    number of threads.

    Args:
        threads: how many threads train; as many as there are cores that this process may use when
            not given.

    Raises:
        BadPlan: by `start`, for what it cannot train; the reference engine can.

    Example:
        >>> from slalom import MLP, SGD, Member, Plan, Population, toys
        >>> from slalom.losses import MSE
        >>> plan = Plan(Population([Member(MLP(1, 10, 1), SGD(0.2))]), MSE(), steps=200)
        >>> engine = NativeEngine()
        >>> state = engine.start(plan, toys.quadratic(100))
        >>> records = engine.advance(state, steps=200)
        >>> int(state.step[0])
        200
    """

    name = "native"

    def __init__(self, threads: int | None = None) -> None:
        if threads is not None and (type(threads) is not int or threads < 1):
            raise BadPlan(f"threads must be a whole number >= 1, but {threads!r} was given.")
        self.threads = threads or _cores()
        self._reference = ReferenceEngine()

    @property
    def cold(self) -> bool:
        """Whether `start` will compile the program, which is done once and takes some seconds."""
        program: Any = work
        return not program.signatures and not program._cache.filled

    def start(self, plan: Plan, dataset: Dataset) -> State:
        if reason := refusal(plan, dataset):
            raise BadPlan(
                f"The native engine cannot carry this plan out. {reason} Leave the choice to "
                f"engine='auto', or take engine='reference'."
            )
        state = self._reference.start(plan, dataset)
        # Compiles the program if that has not been done yet: here, where no time limit runs.
        tables = self._tables(state, 0, steps=0)
        tables.work(tables.crew(1))
        return state

    def advance(self, state: State, steps: int, stop: Event | None = None) -> NDArray[Any]:
        stop = stop or Event()
        records = []
        for first in range(0, len(state.step), BLOCK):
            if stop.is_set():
                break
            tables = self._tables(state, first, steps)
            if not len(tables.tasks):
                continue
            try:
                threads = min(self.threads, len(tables.tasks) * tables.job.parts)
                _together(tables, tables.crew(threads), threads, stop)
            finally:
                tables.save(state)
            records.append(tables.written())
        if len(records) == 1:  # which may be long: not copied
            return records[0]
        return np.concatenate([np.empty(0, dtype=RECORD), *records])

    def _tables(self, state: State, first: int, steps: int) -> Tables:
        if state not in _COLUMNS:
            _COLUMNS[state] = state.plan.population.columns()
        members = slice(first, min(first + BLOCK, len(state.step)))
        return Tables.of(state, _COLUMNS[state], members, steps, self.threads)

    def read(
        self,
        state: State,
        members: Sequence[int],
        X: NDArray[np.float32] | None = None,
        best: bool = False,
    ) -> list[NDArray[np.float32]]:
        return self._reference.read(state, members, X, best)


def _cores() -> int:
    """Cores that this process may use, or, where the system does not say, those of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _together(tables: Tables, crew: Crew, threads: int, stop: Event) -> None:
    """Work in some threads; the crew's flag, which follows `stop`, ends the work."""
    futures: list[Future[None]] = []
    with ThreadPoolExecutor(threads) as pool:
        try:
            futures.extend(pool.submit(tables.work, crew) for _ in range(threads))
            while wait(futures, PATIENCE).not_done:
                crew.flag[0] = crew.flag[0] or stop.is_set()
        finally:  # also when interrupted, so that the threads end
            crew.flag[0] = any(not future.done() for future in futures)
    for future in futures:
        future.result()
