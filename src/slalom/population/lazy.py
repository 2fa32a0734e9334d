"""Members that are made when somebody asks for them, so that a million take no memory.

`Grid` keeps choices in place of the members that they make, `Joined` keeps several sequences of
members as one. Both are pure data like the tuple of members in whose place they stand.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, combinations, product
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from slalom.core.arrays import Float64Array
from slalom.core.errors import BadPlan
from slalom.core.spec import Spec
from slalom.nets import NetSpec, as_net
from slalom.optim import Adam, Constant, Optimizer
from slalom.population.columns import (
    Codes,
    Columns,
    coded,
    columns_of,
    joined_columns,
    optimizer_columns,
    spread,
)
from slalom.population.member import OWN, Member, as_optimizer, make_member


class LazyMembers(Spec, abstract=True):
    """Base of what stands in the place of a tuple of members."""

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, index: int) -> Member:
        """Member `index`, from 0 to the length less one."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Member]:
        return map(self.__getitem__, range(len(self)))

    def columns(self) -> Columns:
        """All members as columns."""
        raise NotImplementedError

    def on_folds(self, folds: int) -> "Members":
        """Every member once on each of `folds` folds, side by side."""
        return folded(tuple(self), folds)

    def changed(self, arguments: dict[str, Any]) -> "Members":
        """Every member with these arguments, which are those of `grid`, instead."""
        return changed(tuple(self), arguments)


Members: TypeAlias = tuple[Member, ...] | LazyMembers


class Grid(LazyMembers):
    """Every combination of choices, the last argument turning fastest. `slalom.grid` makes it.

    Args:
        choices: each argument's name and its choices, one or more.

    Raises:
        BadPlan: when a combination makes no sense. What an argument must be is an interval, or
            depends on one other argument; so the ends of each argument's numbers are tried, in
            pairs, and not every member.

    Example:
        >>> from slalom import MLP
        >>> members = Grid([("net", [MLP(1, 4, 1)]), ("lr", [0.1, 0.2]), ("seed", [0, 1])])
        >>> members[2].label, members[2].seed
        ('1-4-1 relu Adam(lr=0.2)', 0)
    """

    choices: tuple[tuple[str, tuple[object, ...]], ...]

    def __post_init__(self) -> None:
        as_spec: dict[str, Callable[[Any], Any]] = {"net": as_net, "optimizer": as_optimizer}
        choices = [
            (name, [as_spec[name](v) for v in values] if name in as_spec else values)
            for name, values in self.choices
        ]
        object.__setattr__(self, "choices", choices)
        super().__post_init__()

    def __len__(self) -> int:
        return prod(len(values) for _, values in self.choices)

    def __getitem__(self, index: int) -> Member:
        arguments = {}
        for name, values in reversed(self.choices):
            index, at = divmod(index, len(values))
            arguments[name] = values[at]
        return make_member(arguments)

    def on_folds(self, folds: int) -> Members:
        if "fold" in dict(self.choices):
            return super().on_folds(folds)
        return Grid((*self.choices, ("fold", tuple(range(folds)))))

    def changed(self, arguments: dict[str, Any]) -> Members:
        if {"net", "optimizer"} & arguments.keys():  # their arguments go with them
            return super().changed(arguments)
        choices = dict(self.choices)
        for name, value in arguments.items():  # as many members as before, also if now alike
            choices[name] = (value,) * len(choices.get(name, [value]))
        return Grid(tuple(choices.items()))

    def columns(self) -> Columns:
        nets, net = self._nets()
        optimizers, optimizer, arguments = self._optimizers()
        schedules, schedule = coded(self._values("schedule", Constant()))
        return Columns(
            nets=nets,
            net=net,
            optimizers=optimizers,
            optimizer=optimizer,
            arguments=arguments,
            schedules=schedules,
            schedule=schedule[self._at("schedule")],
            batch_size=self._own("batch_size", 0, np.int64),
            seed=self._own("seed", 0, np.int64),
            fold=self._own("fold", 0, np.int64),
            clip_norm=self._own("clip_norm", np.inf, np.float64),
        )

    def check(self) -> None:
        choices = dict(self.choices)
        self.require(len(choices) == len(self.choices), "choices", "of arguments that differ")
        for name, values in self.choices:
            if not values:
                raise BadPlan(f"grid: {name} must have one choice or more, but is empty.")
        first = {name: values[0] for name, values in self.choices}
        telling = {name: _telling(values) for name, values in self.choices}
        alone = [name for name in choices if name in OWN and name not in ("net", "optimizer")]
        pairs = combinations([name for name in choices if name not in alone], 2)
        make_member(first)
        for name in alone:
            for value in telling[name]:
                make_member(first | {name: value})
        for one, other in pairs:
            for pair in product(telling[one], telling[other]):
                make_member(first | dict(zip((one, other), pair, strict=True)))

    def _values(self, name: str, default: Any) -> tuple[Any, ...]:
        return dict(self.choices).get(name, (default,))

    def _at(self, name: str) -> NDArray[np.int64]:
        """Which choice of an argument each member has: `[P]`."""
        sizes = {name: len(values) for name, values in self.choices}
        if name not in sizes:
            return np.zeros(len(self), dtype=np.int64)
        before = prod(list(sizes.values())[: list(sizes).index(name)])
        after = len(self) // before // sizes[name]
        return np.tile(np.repeat(np.arange(sizes[name]), after), before)

    def _own(self, name: str, none: float, dtype: type) -> NDArray[Any]:
        """The column of a number of the member's own; `none` is for None, and the default."""
        values = [none if value is None else value for value in self._values(name, None)]
        return np.array(values, dtype=dtype)[self._at(name)]

    def _optimizers(self) -> tuple[tuple[type[Optimizer], ...], Codes, dict[str, Float64Array]]:
        choices = self._values("optimizer", Adam())
        at = self._at("optimizer")
        optimizers, code, arguments = optimizer_columns(choices)
        arguments = {name: column[at] for name, column in arguments.items()}
        for name, values in self.choices:
            takes = np.array([name in o.adjustable for o in choices])
            if name in OWN or not takes.any():
                continue
            for part, column in spread(name, np.array(values, dtype=np.float64)):
                arguments[part] = np.where(takes[at], column[self._at(name)], arguments[part])
        return optimizers, code[at], arguments

    def _nets(self) -> tuple[tuple[NetSpec, ...], Codes]:
        optimizers = self._values("optimizer", Adam())
        of_net = [
            name
            for name, _ in self.choices
            if name not in OWN and not all(name in o.adjustable for o in optimizers)
        ]
        if not of_net:
            nets, codes = coded(self._values("net", None))
            return nets, codes[self._at("net")]
        choices = dict(self.choices)
        names = [name for name in choices if name in ("net", "optimizer", *of_net)]
        nets, codes = coded(
            make_member(dict(zip(names, combination, strict=True))).net
            for combination in product(*(choices[name] for name in names))
        )
        sizes = tuple(len(choices[name]) for name in names)
        return nets, codes[np.ravel_multi_index([self._at(name) for name in names], sizes)]


class Joined(LazyMembers):
    """Several sequences of members, one after another: what the sum of two populations holds.

    Example:
        >>> from slalom import MLP, SGD, Adam, grid
        >>> both = grid(net=MLP(1, 1), optimizer=SGD, momentum=[0, 0.9]) + grid(
        ...     net=MLP(1, 1), optimizer=Adam)
        >>> [member.optimizer.name for member in both]
        ['SGD', 'Momentum', 'Adam']
    """

    parts: tuple[tuple[Member, ...] | LazyMembers, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __getitem__(self, index: int) -> Member:
        ends = list(accumulate(map(len, self.parts)))
        part = bisect_right(ends, index)
        return self.parts[part][index - ends[part]]

    def __iter__(self) -> Iterator[Member]:
        return (member for part in self.parts for member in part)

    def on_folds(self, folds: int) -> Members:
        return Joined(tuple(folded(part, folds) for part in self.parts))

    def changed(self, arguments: dict[str, Any]) -> Members:
        return Joined(tuple(changed(part, arguments) for part in self.parts))

    def columns(self) -> Columns:
        return joined_columns([as_columns(part) for part in self.parts])


def as_columns(members: Members) -> Columns:
    """The columns of any sequence of members."""
    return members.columns() if isinstance(members, LazyMembers) else columns_of(members)


def folded(members: Members, folds: int) -> Members:
    """Every member once on each of `folds` folds, the folds of a member side by side."""
    if isinstance(members, LazyMembers):
        return members.on_folds(folds)
    return tuple(m.adjusted(fold=k) for m in members for k in range(folds))


def changed(members: Members, arguments: dict[str, Any]) -> Members:
    """Every member with these arguments, which are those of `grid`, instead."""
    if isinstance(members, LazyMembers):
        return members.changed(arguments)
    return tuple(make_member({name: getattr(m, name) for name in OWN} | arguments) for m in members)


def joined(one: Members, other: Members) -> Members:
    """The members of both, as a tuple if both are tuples."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return one + other
    return Joined((*_parts(one), *_parts(other)))


def _parts(members: Members) -> tuple[Members, ...]:
    return members.parts if isinstance(members, Joined) else (members,)


def _telling(values: Sequence[Any]) -> list[Any]:
    """Of an argument's choices those that are refused if any is: see `Grid`."""
    kinds: dict[Any, list[Any]] = {}
    for value in values:
        kinds.setdefault(type(value), []).append(value)
    telling: list[Any] = []
    for kind, of in kinds.items():
        if kind in (int, float):
            no_numbers = [value for value in of if value != value]
            telling += no_numbers[:1] or [min(of), max(of)]
        elif issubclass(kind, NetSpec):  # sense in themselves, and differ by what can be adjusted
            telling += {net.adjustable: net for net in of}.values()
        else:
            telling += dict.fromkeys(of)
    return telling
