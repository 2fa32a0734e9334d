"""A stretch of training as tables: what the compiled program reads and writes."""

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.data.dataset import Dataset
from slalom.engine import rules
from slalom.engine.contract import RECORD
from slalom.engine.hyper import encode, without_rule
from slalom.engine.native import activations, losses
from slalom.engine.native.batches import GENERATOR
from slalom.engine.native.curve import is_curve
from slalom.engine.native.helping import COUNTERS
from slalom.engine.native.layout import (
    BUNDLE,
    COLUMNS,
    GEOMETRY,
    MEMBER,
    NEVER,
    Batches,
    Common,
    Data,
    Nets,
    Shared,
    Workspace,
)
from slalom.engine.native.network import layers_of, parts_of
from slalom.engine.native.tiles import PANEL, pitch
from slalom.engine.native.training import work
from slalom.engine.native.vectors import LANES
from slalom.engine.state import Layout, State
from slalom.losses import Loss
from slalom.nets import MLP
from slalom.optim import SCHEDULES, Constant
from slalom.plan import Plan
from slalom.population import Columns, grouped

# Float32 numbers of features in a window of batches, which shares the cache with the arena.
WINDOW = 2**16
# Members that share the making of their batches, if there are enough to keep all threads busy.
SHARING = 16
# What a step costs besides its products, in floating-point operations.
STEP = 45_000.0


def refusal(plan: Plan, columns: Columns, dataset: Dataset) -> str:
    """Why the native engine cannot carry out a plan, as a sentence, or nothing."""
    for net in columns.nets:
        if not isinstance(net, MLP):
            return f"The net {net.label} is not an MLP."
        if not isinstance(net.activation, str):
            return f"The activation of {net.label} is a function of your own."
    if reason := without_rule(columns):
        return reason
    for schedule in columns.schedules:
        if type(schedule) not in SCHEDULES:
            return f"The schedule {schedule.kind} is not one of Slalom's own."
    if type(plan.loss) not in losses.CODES:
        return f"The loss {plan.loss.kind} is not one of Slalom's own."
    if dataset.X.ndim != 2:
        return f"A row of the dataset has features of shape {dataset.X.shape[1:]}, not in a line."
    return ""


class Block:
    """Some members of a population as the program wants them: what stays from stretch to stretch.

    Args:
        state: of the population.
        columns: its columns.
        members: which ones, a slice.
        threads: how many threads there are.
    """

    def __init__(self, state: State, columns: Columns, members: slice, threads: int) -> None:
        plan, dataset = state.plan, state.dataset
        self._columns, self._members, self._threads = columns, members, threads
        self._table = table = _members(state.layout, columns, members)
        rows = np.array([len(fold.train) for fold in dataset.folds])[table["fold"]]
        batch_size = self._batch_size = columns.batch_size[members]
        batch = np.where(batch_size, np.minimum(batch_size, rows), rows)
        geometries, layers, orders, arena = _geometries(
            columns.nets, columns.net[members], batch, table
        )
        self._geometries, self._layers, self._orders = geometries, layers, orders
        parameters = geometries["parameters"][table["geometry"]]
        held = np.array([len(fold.validation) for fold in dataset.folds])[table["fold"]]
        self._cost = STEP + 6.0 * batch * parameters
        self._validation_cost = 2.0 * held * parameters
        table["rule"], self._hyper = encode(plan.population, members)
        self._data = data_of(dataset, plan.loss)
        self._common = _common(plan, dataset, table, batch, arena, geometries)
        self._workspaces: dict[int, Workspace] = {}

    def stretch(self, state: State, steps: int, until: int | None) -> "Stretch":
        """So many steps of the members that train, none beyond `until`."""
        columns, members, table = self._columns, self._members, self._table
        _where_they_stand(table, state, members, steps, until)
        base, slope, first_rate = _rates(columns.schedules, columns.schedule[members], table)
        records = _make_room_for_records(table)
        bundles, order = _bundles(table, self._batch_size, self._cost, self._threads)
        return Stretch(
            members=members,
            nets=Nets(
                table,
                self._geometries,
                self._layers,
                self._orders,
                self._hyper,
                _writable(state.parameters),
                _writable(state.slots),
                _writable(state.best_parameters),
                _writable(state.frame_parameters),
                state.layout.due,
                base,
                slope,
                first_rate,
            ),
            data=self._data,
            common=self._common,
            bundles=bundles,
            order=order,
            records=records,
            workspaces=self._workspaces,
            operations=self._operations(),
        )

    def _operations(self) -> float:
        """About how many floating-point operations the stretch before the members takes."""
        table = self._table
        steps = table["end"] - table["step"]
        validations = 1 + steps // table["steps_per_epoch"]
        costs = steps * self._cost + validations * self._validation_cost
        return float(costs.sum())


@dataclass
class Stretch:
    """Some members of a population for some steps.

    Args:
        members: which ones, a slice.
        nets, data, common, bundles, order, records: as `slalom.engine.native.training.work` wants
            them.
        workspaces: what so many threads work in, made when it is first wanted.
        operations: about how many there are, of floating-point numbers.
    """

    members: slice
    nets: Nets
    data: Data
    common: Common
    bundles: NDArray[Any]
    order: NDArray[np.int64]
    records: NDArray[Any]
    workspaces: dict[int, Workspace]
    operations: float

    def shared(self, threads: int) -> Shared:
        """What so many threads share while they work."""
        flag, queue, arrived, working = np.zeros((4, 1), dtype=np.int64)
        counters = np.zeros(threads * COUNTERS, dtype=np.int64)
        if threads not in self.workspaces:
            self.workspaces[threads] = _workspaces(self.common, self.data, threads)
        return Shared(flag, queue, arrived, working, counters, self.workspaces[threads])

    def work(self, shared: Shared) -> None:
        """What one thread of a shared does."""
        work(self.nets, self.data, self.common, self.bundles, self.order, self.records, shared)

    def save(self, state: State) -> None:
        """Give the state what changed."""
        rules.keep(self.nets.members, state, self.members)

    def written(self) -> NDArray[Any]:
        """The records that were written."""
        table = self.nets.members
        if table["recorded"].sum() == len(self.records):
            return self.records
        room = np.diff(table["records"], append=len(self.records))
        place = np.arange(len(self.records)) - np.repeat(table["records"], room)
        written: NDArray[Any] = self.records[place < np.repeat(table["recorded"], room)]
        return written


def _members(layout: Layout, columns: Columns, members: slice) -> NDArray[Any]:
    table = np.zeros(members.stop - members.start, dtype=MEMBER)
    table["number"] = np.arange(members.start, members.stop)
    table["lr"] = columns.arguments["lr"][members]
    for name in ("clip_norm", "seed", "fold"):
        table[name] = getattr(columns, name)[members]
    for name in ("parameters", "slots"):
        table[name] = getattr(layout, name)[:-1][members]
    for name in ("steps_per_epoch", "total_steps"):
        table[name] = getattr(layout, name)[members]
    return table


def _where_they_stand(
    table: NDArray[Any], state: State, members: slice, steps: int, until: int | None
) -> None:
    """Take over what changes in the members, and where a stretch ends for each of them."""
    rules.stand(table, state, members, steps, until)
    table["recorded"] = 0
    due = np.append(state.layout.due, NEVER)
    following = due[np.searchsorted(state.layout.due, table["step"], side="right")]
    table["next_frame"] = np.where(table["number"] < state.layout.framed, following, NEVER)


def _geometries(
    nets: tuple[Any, ...], net: NDArray[np.int32], batch: NDArray[np.int64], table: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64], int]:
    """The geometries of the members, a table of layers for each, the orders of features for
    embeddings, and the largest arena."""
    panels = -(-batch // PANEL)
    first, table["geometry"] = grouped(net, panels)
    specs = [nets[net[k]] for k in first]
    parts = [parts_of(spec, int(panels[k])) for spec, k in zip(specs, first, strict=True)]
    shapes = [
        layers_of(spec, -(-int(panels[k]) // n))
        for spec, k, n in zip(specs, first, parts, strict=True)
    ]
    depth = max(len(own) for own, _, _ in shapes)
    layers = np.zeros((len(first), depth, COLUMNS), dtype=np.int64)
    geometries = np.zeros(len(first), dtype=GEOMETRY)
    geometries["parts"] = parts
    orders: list[int] = []
    for geometry, spec, table_of, (own, chunk, _) in zip(
        geometries, specs, layers, shapes, strict=True
    ):
        table_of[: len(own)] = own
        geometry["depth"], geometry["chunk"] = len(own), chunk
        geometry["activation"] = activations.CODES[spec.activation]
        geometry["dropout"] = spec.dropout
        geometry["relu"] = spec.activation == "relu" and not spec.dropout
        geometry["curve"] = is_curve(spec)
        geometry["parameters"] = spec.size[0]
        if spec.embedding is not None:
            geometry["first"], geometry["size"] = 1, spec.embedding.size
            geometry["embedded"], geometry["columns"] = len(spec.embedding.columns), len(orders)
            orders += spec.embedding.order(spec.widths[0])
    return geometries, layers, np.array(orders, dtype=np.int64), max(a for _, _, a in shapes)


def _rates(
    schedules: tuple[Any, ...], schedule: NDArray[np.int32], table: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Learning rates by schedule and step, as `base + slope * lr`, and the step of the first."""
    changing = np.array([s != Constant() for s in schedules])[schedule]
    table["schedule"] = NEVER
    if not changing.any():
        return np.zeros((1, 1)), np.zeros((1, 1)), 0
    own = table[changing]
    first, rows = grouped(schedule[changing], own["total_steps"])
    table["schedule"][changing] = rows
    first_rate = int(own["step"].min())
    steps = np.arange(first_rate, max(own["end"].max(), first_rate + 1))
    base, slope = np.empty((2, len(first), len(steps)))
    for row, k in enumerate(first):
        total = int(own["total_steps"][k])
        at = schedules[schedule[changing][k]].at
        base[row] = at(0.0, np.minimum(steps, total - 1), total)
        slope[row] = at(1.0, np.minimum(steps, total - 1), total) - base[row]
    return base, slope, first_rate


def _make_room_for_records(table: NDArray[Any]) -> NDArray[Any]:
    """An empty table of records, as many for each member as it may write."""
    every = table["record_every"]
    done = table["step"] - ~np.isnan(table["pending"])
    # What ends the training takes the place of the next one that the plan wants, or comes last.
    room = -(-table["end"] // every) - done // every
    table["records"] = np.cumsum(room) - room
    return np.empty(int(room.sum()), dtype=RECORD)


def _bundles(
    table: NDArray[Any], batch_size: NDArray[np.int64], cost: NDArray[np.float64], threads: int
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Bundles, the dearest first, and the order in which they list the members.

    Members that see the same batches form a bundle, or several that cost about the same, so that
    all threads are busy to the end.
    """
    going = np.flatnonzero((table["step"] < table["end"]) | ~np.isnan(table["pending"]))
    if not len(going):
        return np.empty(0, dtype=BUNDLE), going
    members, batch_size = table[going], batch_size[going]
    _, group = grouped(np.where(batch_size, members["seed"], 0), members["fold"], batch_size)
    order = np.argsort(group, kind="stable")
    costs = ((members["end"] - members["step"] + 1) * cost[going])[order]
    wanted = np.clip(len(going) // SHARING, 2 * threads, 8 * threads)
    share = (np.cumsum(costs) - costs) * wanted // costs.sum()  # of the cost, that before a member
    cut = (np.diff(group[order], prepend=-1) != 0) | (np.diff(share, prepend=-1) != 0)
    first = np.flatnonzero(cut)
    bundles = np.empty(len(first), dtype=BUNDLE)
    bundles["first"], bundles["last"] = first, np.append(first[1:], len(order))
    for name in ("seed", "fold"):
        bundles[name] = members[name][order[first]]
    bundles["batch_size"] = batch_size[order[first]]
    return bundles[np.argsort(-np.add.reduceat(costs, first), kind="stable")], going[order]


def _common(
    plan: Plan,
    dataset: Dataset,
    table: NDArray[Any],
    batch: NDArray[np.int64],
    arena: int,
    geometries: NDArray[Any],
) -> Common:
    code, numbers = losses.encode(plan.loss, dataset.targets)
    folds = [dataset.folds[k] for k in np.unique(table["fold"])]
    features = dataset.X.shape[1]
    batches = -(-batch // PANEL)
    window = WINDOW // (PANEL * (features + pitch(features)))
    return Common(
        loss=code,
        numbers=numbers,
        record_steps=plan.record == "step",
        validate_every=plan.validate_every,
        patience=float(plan.patience or np.inf),
        arena=arena,
        parameters=int(geometries["parameters"].max()),
        parts=int(geometries["parts"].max()),
        rows=max(len(rows) for fold in folds for rows in (fold.train, fold.validation)),
        panels=int(max(batches.max(), min(window, (batches * table["steps_per_epoch"]).max()))),
        validation_panels=max(-(-len(fold.validation) // PANEL) for fold in folds),
    )


def _workspaces(common: Common, data: Data, threads: int) -> Workspace:
    """Workspace for so many threads: every array has a row for each."""
    features, targets = data.features, data.targets
    gradient = pitch(common.parameters + LANES)
    return Workspace(
        arena=aligned(threads, common.arena),
        gradient=aligned(threads, gradient),
        parts=aligned(threads, (common.parts - 1) * gradient),
        losses=np.empty((threads, common.parts), np.float64),
        sums=aligned(threads, 4 * PANEL),
        unexplained=np.empty((threads, targets), np.float64),
        order=np.empty((threads, common.rows), np.int32),
        words=np.empty((threads, GENERATOR), np.uint32),
        window=_batches(threads, common.panels, features, targets),
        held=_batches(threads, common.validation_panels, features, targets),
    )


def _batches(threads: int, panels: int, features: int, targets: int) -> Batches:
    slack = LANES * PANEL  # by_feature writes some rows more
    return Batches(
        samples=aligned(threads, panels * PANEL * pitch(features) + slack),
        X=aligned(threads, panels * PANEL * features + slack),
        y=aligned(threads, panels * PANEL * targets),
        weight=aligned(threads, panels * PANEL),
        total=np.empty((threads, panels), np.float64),
    )


def aligned(rows: int, size: int) -> NDArray[np.float32]:
    """Rows of zeros, float32, each of which starts with a line of the cache.

    A vector that lies across two lines takes twice as long to load or to store.
    """
    line = 64
    size = -(-size * 4 // line) * line
    room = np.zeros(rows * size + line, dtype=np.uint8)
    start = -room.ctypes.data % line
    return room[start : start + rows * size].view(np.float32).reshape(rows, -1)


_DATA: WeakKeyDictionary[Dataset, dict[Loss, Data]] = WeakKeyDictionary()


def data_of(dataset: Dataset, loss: Loss) -> Data:
    """The dataset as the compiled program wants it, made once."""
    made = _DATA.setdefault(dataset, {})
    if loss not in made:
        made[loss] = _data(dataset, loss)
    return made[loss]


def _data(dataset: Dataset, loss: Loss) -> Data:
    y = dataset.y.reshape(dataset.rows, -1).astype(np.float32)
    weight = np.ones(dataset.rows, np.float32) if dataset.weight is None else dataset.weight
    parts = ("train", "validation")
    train, validation = ([getattr(fold, part) for fold in dataset.folds] for part in parts)
    of_class = loss.row_weights(torch.tensor(dataset.y)).numpy().astype(np.float64)
    return Data(
        features=dataset.X.shape[1],
        targets=y.shape[1],
        X=_writable(dataset.X).reshape(-1),
        y=y.reshape(-1),
        weight=_writable(weight),
        mass=weight * of_class,
        train=np.concatenate(train),
        train_from=np.cumsum([0, *map(len, train)]),
        validation=np.concatenate(validation),
        validation_from=np.cumsum([0, *map(len, validation)]),
        variation=np.stack([_variation(y[rows], weight[rows]) for rows in validation]),
    )


def _variation(y: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float64]:
    """Weighted squares around the mean of each target; NaN where there are none to explain."""
    w, truth = weight[:, None].astype(np.float64), y.astype(np.float64)
    total = w.sum()
    center = (w * truth).sum(axis=0) / (total if total else np.nan)
    squares: NDArray[np.float64] = (w * (truth - center) ** 2).sum(axis=0)
    return np.where(squares > 0, squares, np.nan)


def _writable(array: NDArray[Any]) -> NDArray[Any]:
    """The array itself, unless Numba would take it for another type and compile for that."""
    return np.require(array, requirements=["C", "A", "W", "E"])
