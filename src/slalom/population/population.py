"""Populations, and how to make them.

`grid` makes every combination of what it is given, `sample` draws combinations from distributions.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from operator import eq
from typing import Any, TypeAlias, overload

import numpy as np

from slalom.core.errors import BadPlan
from slalom.core.spec import Spec
from slalom.nets import NetLike
from slalom.population.columns import Columns
from slalom.population.lazy import Grid, LazyMembers, as_columns, changed, folded, joined
from slalom.population.member import Member, make_member


class Population(Spec):
    """An ordered sequence of members that are trained on the same dataset.

    Args:
        members: a tuple of them, or what makes each when it is asked for (see `grid`), so that a
            population of a million takes no more memory than its choices.

    Example:
        >>> from slalom import MLP, SGD, Member
        >>> len(Population([Member(MLP(1, 4, 1), SGD(0.1)), Member(MLP(1, 8, 1), SGD(0.1))]))
        2
    """

    members: tuple[Member, ...] | LazyMembers

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    @overload
    def __getitem__(self, index: int) -> Member: ...
    @overload
    def __getitem__(self, index: slice) -> "Population": ...
    def __getitem__(self, index: int | slice) -> "Member | Population":
        at = range(len(self))[index]
        if isinstance(at, range):
            return Population(tuple(self.members[k] for k in at))
        return self.members[at]

    def __eq__(self, other: object) -> bool:
        """Whether the members are the same, however they are kept."""
        if not isinstance(other, Population):
            return NotImplemented
        if self.members == other.members:
            return True
        return len(self) == len(other) and all(map(eq, self, other))

    def __hash__(self) -> int:
        return hash((len(self), self[0], self[-1]))

    def __add__(self, other: "Population") -> "Population":
        return Population(joined(self.members, other.members))

    def on_folds(self, folds: int) -> "Population":
        """Every member once on each of `folds` folds, the folds of a member side by side."""
        return Population(folded(self.members, folds))

    def columns(self) -> Columns:
        """The members as arrays, derived once: for a grid of a million in 0.2 s."""
        return self._columns

    @cached_property
    def _columns(self) -> Columns:
        return as_columns(self.members)

    def check(self) -> None:
        self.require(len(self.members) > 0, "members", "one member or more")


def grid(**choices: Any) -> Population:
    """Every combination of the choices, the last argument turning fastest.

    Arguments are those of `Member`, and those of its optimizers and nets that stand alone (`lr`,
    `momentum`, `weight_decay`, `dropout`, `activation`, ...). A list, range or array is a set of
    choices; anything else is one choice. Only the choices are kept, and a member is made when it is
    asked for: a grid of a million is made in milliseconds.

    Raises:
        BadPlan: for an argument that no member, optimizer or net of the grid has, and for a choice
            that makes no sense.

    Example:
        >>> from slalom import MLP, Adam, RMSprop, grid
        >>> len(grid(net=[MLP(8, w, 1) for w in (16, 64)], optimizer=[Adam, RMSprop],
        ...          lr=[1e-3, 1e-2], seed=range(4)))
        32
    """
    return Population(Grid(tuple((name, tuple(_choices(v))) for name, v in choices.items())))


def sample(n: int, *, sample_seed: int = 0, **distributions: Any) -> Population:
    """`n` members drawn at random (Bergstra and Bengio 2012).

    Args:
        n: how many members.
        sample_seed: of the drawing; the same seed draws the same members.
        **distributions: arguments as in `grid`. A list, range or array is drawn from evenly; a
            scipy distribution (anything with `rvs`) is asked; anything else is taken as it is.

    Example:
        >>> from scipy.stats import loguniform
        >>> from slalom import MLP, Adam, sample
        >>> population = sample(50, net=MLP(8, 32, 1), optimizer=Adam, lr=loguniform(1e-4, 1e-1))
        >>> len(population)
        50
    """
    if type(n) is not int or n < 1:
        raise BadPlan(f"sample: n must be a whole number >= 1, but {n!r} was given.")
    generator = np.random.default_rng(sample_seed)
    draws = [{k: _draw(v, generator) for k, v in distributions.items()} for _ in range(n)]
    return Population(tuple(make_member(draw) for draw in draws))


# What a population can be made of: one, its members, a single member, or a single net.
MembersLike: TypeAlias = Population | Sequence[Member] | Member | NetLike


def as_population(members: MembersLike, **overrides: Any) -> Population:
    """A population from a population, members, a member, or what makes a single net.

    Args:
        members: what to make a population of.
        **overrides: arguments as in `grid`, the same for every member.
    """
    if isinstance(members, Sequence) and members and all(isinstance(m, Member) for m in members):
        members = Population(tuple(members))
    if isinstance(members, Member):
        members = Population((members,))
    if isinstance(members, Population):
        return Population(changed(members.members, overrides)) if overrides else members
    return Population((make_member({"net": members} | overrides),))


def _choices(value: Any) -> list[Any]:
    if isinstance(value, np.ndarray | list | range):
        return list(value)
    if isinstance(value, Iterable) and not isinstance(value, str | tuple | Population | Callable):
        return list(value)
    return [value]


def _draw(distribution: Any, generator: np.random.Generator) -> Any:
    if hasattr(distribution, "rvs"):
        return distribution.rvs(random_state=generator)
    options = _choices(distribution)
    return options[generator.integers(len(options))]
