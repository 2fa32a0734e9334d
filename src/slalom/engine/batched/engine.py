"""The batched engine: a spec, and its session, which trains teams of members side by side."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from threading import Event
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.data.batches import steps_per_epoch
from slalom.data.dataset import Dataset
from slalom.engine import rules
from slalom.engine.batched.compiled import update_rows
from slalom.engine.batched.lockstep import Lockstep, Team
from slalom.engine.batched.place import PROBED, members_with_room, working_on
from slalom.engine.batched.stacking import Stacked, few, stacked
from slalom.engine.batched.teams import next_turn, parts_on_cpu, teams_of
from slalom.engine.contract import RECORD, Engine, check_threads, cores
from slalom.engine.device import CPU, DeviceLike, device_of
from slalom.engine.hyper import without_rule
from slalom.engine.native.denormals import flush_denormals
from slalom.engine.reference import ONE_THREAD, ReferenceSession
from slalom.engine.state import State
from slalom.plan import Plan
from slalom.population import grouped

PATIENCE = 0.01  # seconds of sleep before it is looked whether somebody wants an end
# From so many members on that share a net and a batch size it is twice as fast as one by one. What
# it begins with (torch.func loads much of torch when it is first used) takes a second, in which the
# reference engine takes so many steps of a small convolutional net.
TOGETHER, GRAPH_STEPS = 3, 500


class Batched(Engine):
    """Any net that `torch.func` takes, members of one architecture trained together, by torch.

    It gives the reference engine's numbers up to float32 rounding, and the same bits whatever the
    number of threads.

    Args:
        threads: how many teams of members train at a time; as many as there are cores that this
            process may use when not given. On a GPU one does.
        device: where they train: "cpu", "cuda", "cuda:1" or "auto"; see `slalom.engine.device`. A
            population that is larger than the memory of a GPU trains there in blocks.

    Raises:
        BadPlan: for a device that is not there, and by `prepare`, for what it cannot train; the
            reference engine can.

    Example:
        >>> import torch
        >>> from slalom import SGD, Member, Net, Plan, Population, toys
        >>> from slalom.losses import MSE
        >>> net = Net(torch.nn.Linear, in_features=1, out_features=1)
        >>> plan = Plan(Population([Member(net, SGD(0.2), seed=s) for s in (0, 1)]), MSE(), steps=9)
        >>> session = Batched().prepare(plan, toys.quadratic(100))
        >>> state = session.start()
        >>> records = session.advance(state, steps=9)
        >>> state.step.tolist()
        [9, 9]
    """

    name = "batched"
    on_gpu = True

    def __init__(self, threads: int | None = None, device: DeviceLike = CPU) -> None:
        check_threads(threads)
        self.threads = threads or cores()
        self.device = device_of(device)

    @classmethod
    def of(cls, threads: int | None = None, device: torch.device = CPU) -> Self:
        return cls(threads, device)

    @property
    def cold(self) -> bool:
        compiled = cast(Any, update_rows)
        return not compiled.signatures and not compiled._cache.filled

    def refusal(self, plan: Plan, dataset: Dataset) -> str:
        if reason := without_rule(plan.population.columns()):
            return reason
        return next((each.refusal for each in self._stacked(plan, dataset) if each.refusal), "")

    def pays(self, plan: Plan, dataset: Dataset) -> bool:
        columns = plan.population.columns()
        rows = np.array([len(fold.train) for fold in dataset.folds])[columns.fold]
        first, group = grouped(columns.net, columns.batch_size, rows)
        members, batch_size = np.bincount(group), columns.batch_size
        per_epoch = [steps_per_epoch(int(rows[k]), int(batch_size[k]) or None) for k in first]
        steps = members * np.array([plan.total_steps(n) for n in per_epoch])
        together = steps[(members >= TOGETHER) & (steps >= GRAPH_STEPS)].sum()
        return bool(2 * together >= steps.sum())

    def prepare(self, plan: Plan, dataset: Dataset) -> "BatchedSession":
        reference = ReferenceSession(plan, dataset)
        self.check(plan, dataset)
        threads = self.threads if self.device == CPU else 1
        return BatchedSession(reference, self._stacked(plan, dataset), threads, self.device)

    def _stacked(self, plan: Plan, dataset: Dataset) -> list[Stacked]:
        """The nets of a plan."""
        nets = plan.population.columns().nets
        return [stacked(net, plan.loss, dataset, self.device) for net in nets]


class BatchedSession:
    """A session of the batched engine: the programs of the nets, and who trains together."""

    def __init__(
        self,
        reference: ReferenceSession,
        nets: Sequence[Stacked],
        threads: int,
        device: torch.device,
    ) -> None:
        self._reference, self._nets = reference, nets
        self._threads, self._device = threads, device
        plan, dataset, net = reference.plan, reference.dataset, reference.columns.net
        X = torch.from_numpy(dataset.X)
        there = X.to(device)
        seen = [there if each.program.sees_all else each.program.seen(X) for each in nets]
        self._teams = [
            Team(members, nets[net[members[0]]], seen[net[members[0]]], {})
            for members in teams_of(plan, dataset, self._parts)
        ]

    def start(self) -> State:
        return self._reference.start()

    def advance(
        self, state: State, steps: int, stop: Event | None = None, until: int | None = None
    ) -> NDArray[Any]:
        with ONE_THREAD:
            ends = rules.ends(state, steps, until)
            records = self._side_by_side(state, ends, stop or Event())
        return np.concatenate([np.empty(0, dtype=RECORD), *records])

    def read(
        self,
        state: State,
        members: Sequence[int],
        X: NDArray[np.float32] | None = None,
        best: bool = False,
    ) -> list[NDArray[np.float32]]:
        return state.read(members, X, best)

    def _parts(self, members: int, member: int, batch: int) -> int:
        """Into how many teams members like this one go, that have so many rows a batch."""
        plan, dataset = self._reference.plan, self._reference.dataset
        own, net = plan.population[member], self._nets[self._reference.columns.net[member]]
        if self._device == CPU:
            numbers = net.base + batch * net.per_row
            return parts_on_cpu(members, batch * dataset.X[0].size, numbers)
        rows = dataset.folds[own.fold].train
        X, y = (torch.from_numpy(table[rows[:batch]]) for table in (dataset.X, dataset.y))
        step = partial(few, net.program, X, y, np.arange(PROBED))
        # Parameters and slots are there twice while they are updated, and the gradient once; its
        # batch; and the order of its rows, which is made of two others.
        numbers = net.moves.numel() * (3 + 2 * len(own.optimizer.slots)) + X.numel() + y.numel()
        order = 3 * len(rows) * bool(own.batch_size)
        with working_on(self._device):
            room = members_with_room(self._device, step, 4 * numbers + 8 * order)
        return -(-members // room)

    def _side_by_side(
        self, state: State, ends: NDArray[np.int64], stop: Event
    ) -> list[NDArray[Any]]:
        """Teams in some threads; whatever ends this, nobody works on when it returns."""
        ended = _Either(stop)
        with ThreadPoolExecutor(self._threads, initializer=flush_denormals) as pool:
            futures: list[Future[NDArray[Any]]] = []
            try:
                for team in self._teams:
                    futures.append(pool.submit(self._carried_out, state, team, ends, ended))
                while wait(futures, PATIENCE).not_done:
                    pass
            finally:
                ended.set()
        return [future.result() for future in futures]

    def _carried_out(
        self, state: State, team: Team, ends: NDArray[np.int64], stop: Event
    ) -> NDArray[Any]:
        """The records of a team's stretch."""
        records = [np.empty(0, dtype=RECORD)]
        with working_on(self._device):
            while not stop.is_set() and (
                turn := next_turn(state, team.members, ends[team.members])
            ):
                lockstep = Lockstep(state, team, turn)
                lockstep.advance(stop)
                records.append(lockstep.records)
        return np.concatenate(records)


class _Either(Event):
    """Set when it is, or when another one is."""

    def __init__(self, other: Event) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        return super().is_set() or self._other.is_set()
