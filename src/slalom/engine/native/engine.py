"""The native engine: a spec, and its session around the compiled program."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.data.dataset import Dataset
from slalom.engine.contract import RECORD, Engine, check_threads, cores
from slalom.engine.device import CPU
from slalom.engine.native.denormals import flush_denormals, flushed_denormals
from slalom.engine.native.tables import Block, Stretch, refusal
from slalom.engine.native.training import work
from slalom.engine.reference import ReferenceSession
from slalom.engine.state import State
from slalom.plan import Plan

# How long `advance` may sleep before it looks whether somebody wants it to stop.
PATIENCE = 0.01
# A stretch of fewer floating-point operations is over in a millisecond: sooner than threads would
# be at work, and than anybody who wants it to stop would notice.
AT_ONCE = 2e8
# Members whose tables are made at a time: they take some 400 bytes each beside the state.
BLOCK = 65536


class Native(Engine):
    """Fully connected nets, compiled by Numba, on all cores.

    It gives the reference engine's numbers up to float32 rounding, and the same bits whatever the
    number of threads.

    Args:
        threads: how many threads train; as many as there are cores that this process may use when
            not given.

    Raises:
        BadPlan: by `prepare`, for what it cannot train; the reference engine can.

    Example:
        >>> from slalom import MLP, SGD, Member, Plan, Population, toys
        >>> from slalom.losses import MSE
        >>> plan = Plan(Population([Member(MLP(1, 10, 1), SGD(0.2))]), MSE(), steps=200)
        >>> session = Native().prepare(plan, toys.quadratic(100))
        >>> state = session.start()
        >>> records = session.advance(state, steps=200)
        >>> int(state.step[0])
        200
    """

    name = "native"

    def __init__(self, threads: int | None = None) -> None:
        check_threads(threads)
        self.threads = threads or cores()

    @classmethod
    def of(cls, threads: int | None = None, device: torch.device = CPU) -> Self:
        cls.check_device(device)
        return cls(threads)

    @property
    def cold(self) -> bool:
        program = cast(Any, work)
        return not program.signatures and not program._cache.filled

    def refusal(self, plan: Plan, dataset: Dataset) -> str:
        return refusal(plan, plan.population.columns(), dataset)

    def prepare(self, plan: Plan, dataset: Dataset) -> "NativeSession":
        reference = ReferenceSession(plan, dataset)
        self.check(plan, dataset)
        return NativeSession(reference, self.threads)


class NativeSession:
    """A session of the native engine: the columns of the plan, its tables, and the threads."""

    def __init__(self, reference: ReferenceSession, threads: int) -> None:
        self._reference, self._columns, self._threads = reference, reference.columns, threads
        self._blocks: dict[int, Block] = {}
        self._pool = ThreadPoolExecutor(threads, initializer=flush_denormals)

    def start(self) -> State:
        state, program = self._reference.start(), cast(Any, work)
        if not program.signatures:  # compiled or loaded here, where no time limit runs
            stretch = self.stretch(state, 0, steps=0)
            stretch.work(stretch.shared(1))
        return state

    def advance(
        self, state: State, steps: int, stop: Event | None = None, until: int | None = None
    ) -> NDArray[Any]:
        stop = stop or Event()
        records = []
        for first in range(0, len(state.step), BLOCK):
            if stop.is_set():
                break
            stretch = self.stretch(state, first, steps, until)
            if not len(stretch.bundles):
                continue
            try:
                self._carry_out(stretch, stop)
            finally:
                stretch.save(state)
            records.append(stretch.written())
        if len(records) == 1:  # which may be long: not copied
            return records[0]
        return np.concatenate([np.empty(0, dtype=RECORD), *records])

    def stretch(self, state: State, first: int, steps: int, until: int | None = None) -> Stretch:
        """So many steps of the members from `first` on, as tables for the program."""
        if first not in self._blocks:
            members = slice(first, min(first + BLOCK, len(state.step)))
            block = Block(state, self._columns, members, self._threads)
            if len(state.step) > BLOCK:  # kept one by one, they would take more than the state
                return block.stretch(state, steps, until)
            self._blocks[first] = block
        return self._blocks[first].stretch(state, steps, until)

    def read(
        self,
        state: State,
        members: Sequence[int],
        X: NDArray[np.float32] | None = None,
        best: bool = False,
    ) -> list[NDArray[np.float32]]:
        return state.read(members, X, best)

    def _carry_out(self, stretch: Stretch, stop: Event) -> None:
        """Work in some threads; the flag that they share, which follows `stop`, ends the work."""
        if stretch.operations < AT_ONCE:
            with flushed_denormals():
                stretch.work(stretch.shared(1))
            return
        threads = min(self._threads, len(stretch.bundles) * stretch.common.parts)
        shared = stretch.shared(threads)
        futures: list[Future[None]] = []
        try:
            futures.extend(self._pool.submit(stretch.work, shared) for _ in range(threads))
            while wait(futures, PATIENCE).not_done:
                shared.flag[0] = shared.flag[0] or stop.is_set()
        finally:  # also when interrupted, so that nobody works on when this returns
            shared.flag[0] = any(not future.done() for future in futures)
            wait(futures)
        for future in futures:
            future.result()
