"""A population as columns: what engines and leaderboards read, without a `Member` in sight."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from slalom.core.arrays import Float64Array
from slalom.nets import NetSpec
from slalom.optim import Optimizer, Schedule
from slalom.population.member import Member

T = TypeVar("T")  # hashable
Codes = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Columns:
    """What the members of a population are, one array `[P]` an attribute.

    Nets, optimizer classes and schedules are distinct and in the order in which they first come;
    the array beside them says which one a member has.

    Args:
        nets, net: the nets, and which one, int32.
        optimizers, optimizer: the classes of the optimizers, and which one, int32.
        arguments: float64 by name: every argument of these classes, a pair such as `betas` as
            `beta1` and `beta2`, True as 1; NaN where the optimizer has no such argument.
        schedules, schedule: the schedules, and which one, int32.
        batch_size: int64, 0 for all rows at once.
        seed, fold: int64.
        clip_norm: float64, infinite for no limit.

    Example:
        >>> from slalom import MLP, SGD, grid
        >>> columns = grid(net=MLP(1, 4, 1), optimizer=SGD, lr=[0.1, 0.2], seed=[7, 8]).columns()
        >>> columns.arguments["lr"].tolist(), columns.seed.tolist()
        ([0.1, 0.1, 0.2, 0.2], [7, 8, 7, 8])
    """

    nets: tuple[NetSpec, ...]
    net: Codes
    optimizers: tuple[type[Optimizer], ...]
    optimizer: Codes
    arguments: dict[str, Float64Array]
    schedules: tuple[Schedule, ...]
    schedule: Codes
    batch_size: NDArray[np.int64]
    seed: NDArray[np.int64]
    fold: NDArray[np.int64]
    clip_norm: Float64Array

    def __len__(self) -> int:
        return len(self.net)

    def alike(self) -> NDArray[np.int64]:
        """Numbers `[P]`, equal where members differ by their fold alone."""
        coded = (self.net, self.optimizer, self.schedule, self.batch_size, self.seed)
        return grouped(*coded, self.clip_norm, *self.arguments.values())[1]


def columns_of(members: Sequence[Member]) -> Columns:
    """The columns of members that are there one by one."""
    nets, net = coded(m.net for m in members)
    schedules, schedule = coded(m.schedule for m in members)
    optimizers, optimizer, arguments = optimizer_columns([m.optimizer for m in members])
    return Columns(
        nets=nets,
        net=net,
        optimizers=optimizers,
        optimizer=optimizer,
        arguments=arguments,
        schedules=schedules,
        schedule=schedule,
        batch_size=np.array([m.batch_size or 0 for m in members], dtype=np.int64),
        seed=np.array([m.seed for m in members], dtype=np.int64),
        fold=np.array([m.fold for m in members], dtype=np.int64),
        clip_norm=np.array([m.clip_norm or np.inf for m in members]),
    )


def optimizer_columns(
    optimizers: Sequence[Optimizer],
) -> tuple[tuple[type[Optimizer], ...], Codes, dict[str, Float64Array]]:
    """The classes of optimizers, which one each is of, and the arguments by name."""
    classes, codes = coded(type(o) for o in optimizers)
    arguments: dict[str, Float64Array] = {}
    for code, cls in enumerate(classes):
        of = np.flatnonzero(codes == code)
        for field in fields(cls):
            own = [getattr(optimizers[int(k)], field.name) for k in of]
            if field.name in cls.words:
                own = [cls.words[field.name].index(word) for word in own]
            values = np.array(own, dtype=np.float64)
            for name, column in spread(field.name, values):
                arguments.setdefault(name, np.full(len(optimizers), np.nan))[of] = column
    return classes, codes, arguments


def joined_columns(parts: Sequence[Columns]) -> Columns:
    """The columns of populations one after another."""
    nets, net = _joined([(p.nets, p.net) for p in parts])
    optimizers, optimizer = _joined([(p.optimizers, p.optimizer) for p in parts])
    schedules, schedule = _joined([(p.schedules, p.schedule) for p in parts])
    names = dict.fromkeys(name for p in parts for name in p.arguments)
    return Columns(
        nets=nets,
        net=net,
        optimizers=optimizers,
        optimizer=optimizer,
        arguments={
            name: np.concatenate([p.arguments.get(name, np.full(len(p), np.nan)) for p in parts])
            for name in names
        },
        schedules=schedules,
        schedule=schedule,
        batch_size=np.concatenate([p.batch_size for p in parts]),
        seed=np.concatenate([p.seed for p in parts]),
        fold=np.concatenate([p.fold for p in parts]),
        clip_norm=np.concatenate([p.clip_norm for p in parts]),
    )


def coded(values: Iterable[T]) -> tuple[tuple[T, ...], Codes]:
    """The distinct values in the order in which they first come, and which one each value is.

    >>> coded("abca")
    (('a', 'b', 'c'), array([0, 1, 2, 0], dtype=int32))
    """
    known: dict[T, int] = {}
    codes = [known.setdefault(value, len(known)) for value in values]
    return tuple(known), np.array(codes, dtype=np.int32)


def grouped(*columns: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first member of each group that agrees in all columns, and the group `[P]` of each.

    Groups are numbered in the order of their values, the first column's before the next one's.

    >>> grouped(np.array([2, 1, 2, 2]), np.array([5, 5, 4, 5]))
    (array([1, 2, 0]), array([2, 0, 1, 2]))
    """
    groups = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        distinct, codes = np.unique(column, return_inverse=True)
        if len(distinct) > 1:
            _, groups = np.unique(groups * len(distinct) + codes, return_inverse=True)
    _, first, groups = np.unique(groups, return_index=True, return_inverse=True)
    return first, groups


def spread(name: str, values: Float64Array) -> Iterator[tuple[str, Float64Array]]:
    """The columns of an argument: one for numbers `[N]`, several for tuples `[N, n]`.

    >>> dict(spread("betas", np.array([[0.9, 0.99]])))
    {'beta1': array([0.9]), 'beta2': array([0.99])}
    """
    if values.ndim == 1:
        yield name, values
    else:
        for k, column in enumerate(values.T, start=1):
            yield f"{name.removesuffix('s')}{k}", column


def _joined(parts: Sequence[tuple[tuple[T, ...], Codes]]) -> tuple[tuple[T, ...], Codes]:
    distinct, codes = coded(value for values, _ in parts for value in values)
    starts = np.cumsum([0, *(len(values) for values, _ in parts)])
    new = [codes[start + own] for start, (_, own) in zip(starts, parts, strict=False)]
    return distinct, np.concatenate(new)
