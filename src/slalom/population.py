"""Members and populations: who is trained.

A member is pure data. `grid` makes every combination of what it is given, `sample` draws
combinations from distributions.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from itertools import product
from typing import Any, overload

import numpy as np

from slalom.errors import BadPlan, did_you_mean
from slalom.nets import NetSpec, as_net
from slalom.optim import SGD, Adagrad, Adam, AdamW, Constant, Optimizer, RMSprop, Schedule
from slalom.spec import Spec

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}


class Member(Spec):
    """One network in training.

    Args:
        net: the recipe of its module: an `MLP`, a `Net`, or what makes a `torch.nn.Module`.
        optimizer: with its hyperparameters.
        batch_size: rows a batch, in the order of a shuffling DataLoader; None for all rows at once,
            unshuffled.
        seed: of the first weights, the batches and dropout. Members with the same seed (and net)
            start from the same weights and see the same batches.
        fold: which of the dataset's splits it trains and validates on.
        schedule: of the learning rate.
        clip_norm: longest gradient, as `torch.nn.utils.clip_grad_norm_`; None for no limit.

    Raises:
        BadPlan: when a part makes no sense.

    Example:
        >>> from slalom import MLP, Adam, Member
        >>> Member(MLP(1, 10, 1), Adam(lr=0.01), batch_size=32).label
        '1-10-1 relu Adam(lr=0.01) batch 32'
    """

    net: NetSpec
    optimizer: Optimizer = Adam()  # specs are frozen
    batch_size: int | None = None
    seed: int = 0
    fold: int = 0
    schedule: Schedule = Constant()
    clip_norm: float | None = None

    @property
    def label(self) -> str:
        """What sets it apart from others, in a line."""
        parts = [self.net.label, self.optimizer.label]
        if self.schedule != Constant():
            parts.append(self.schedule.kind)
        if self.batch_size is not None:
            parts.append(f"batch {self.batch_size}")
        if self.clip_norm is not None:
            parts.append(f"clip {self.clip_norm:g}")
        return " ".join(parts)

    def __post_init__(self) -> None:
        object.__setattr__(self, "net", as_net(self.net))
        object.__setattr__(self, "optimizer", as_optimizer(self.optimizer))
        super().__post_init__()

    def check(self) -> None:
        self.require_whole("batch_size", 1)
        self.require_whole("fold", 0)
        self.require_whole("seed", 0)
        self.require(self.seed < 2**63, "seed", "below 2^63, which is what torch.manual_seed takes")
        clip = self.clip_norm
        self.require(clip is None or clip > 0, "clip_norm", "a number > 0, or None")


class Population(Spec):
    """An ordered tuple of members that are trained on the same dataset.

    Example:
        >>> from slalom import MLP, SGD, Member
        >>> len(Population([Member(MLP(1, 4, 1), SGD(0.1)), Member(MLP(1, 8, 1), SGD(0.1))]))
        2
    """

    members: tuple[Member, ...]

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    @overload
    def __getitem__(self, index: int) -> Member: ...
    @overload
    def __getitem__(self, index: slice) -> "Population": ...
    def __getitem__(self, index: int | slice) -> "Member | Population":
        if isinstance(index, slice):
            return Population(self.members[index])
        return self.members[index]

    def __add__(self, other: "Population") -> "Population":
        return Population(self.members + other.members)

    def on_folds(self, folds: int) -> "Population":
        """Every member once on each of `folds` folds, the folds of a member side by side."""
        return Population(tuple(replace(m, fold=k) for m in self.members for k in range(folds)))

    def check(self) -> None:
        self.require(len(self.members) > 0, "members", "one member or more")


def as_optimizer(optimizer: Any) -> Optimizer:
    """The optimizer itself, or that class or name with torch's defaults.

    >>> as_optimizer("rmsprop"), as_optimizer(SGD).lr
    (RMSprop(lr=0.01, alpha=0.99, eps=1e-08, weight_decay=0.0, momentum=0.0, centered=False), 0.001)
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    if isinstance(optimizer, type) and issubclass(optimizer, Optimizer):
        return optimizer()
    name = str(optimizer).lower()
    if name not in OPTIMIZERS:
        raise BadPlan(f"No optimizer {optimizer!r}. {did_you_mean(name, sorted(OPTIMIZERS))}")
    return OPTIMIZERS[name]()


def grid(**choices: Any) -> Population:
    """Every combination of the choices, the last argument turning fastest.

    Arguments are those of `Member`, and those of its optimizers and nets that stand alone (`lr`,
    `momentum`, `weight_decay`, `dropout`, `activation`, ...). A list, range or array is a set of
    choices; anything else is one choice.

    Raises:
        BadPlan: for an argument that no member, optimizer or net of the grid has.

    Example:
        >>> from slalom import MLP, Adam, RMSprop, grid
        >>> len(grid(net=[MLP(8, w, 1) for w in (16, 64)], optimizer=[Adam, RMSprop],
        ...          lr=[1e-3, 1e-2], seed=range(4)))
        32
    """
    values = [_choices(v) for v in choices.values()]
    for name, options in zip(choices, values, strict=True):
        if not options:
            raise BadPlan(f"grid: {name} must have one choice or more, but is empty.")
    return Population(
        tuple(
            _member(dict(zip(choices, combination, strict=True)))
            for combination in product(*values)
        )
    )


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
    return Population(tuple(_member(draw) for draw in draws))


def as_population(members: Any, **overrides: Any) -> Population:
    """A population from a population, members, a member, or what makes a single net.

    Args:
        members: what to make a population of.
        **overrides: arguments as in `grid`, the same for every member.
    """
    if isinstance(members, Member | Population):
        members = [members] if isinstance(members, Member) else list(members)
    if isinstance(members, Sequence) and members and all(isinstance(m, Member) for m in members):
        own = [{name: getattr(m, name) for name in _names(m)} for m in members]
        return Population(tuple(_member(arguments | overrides) for arguments in own))
    return Population((_member({"net": members} | overrides),))


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


def _member(arguments: dict[str, Any]) -> Member:
    """A member from arguments of its own and of its optimizer and net, which may stand alone."""
    if "net" not in arguments:
        raise BadPlan("A member needs a net: pass net=MLP(...).")
    own = dict(arguments)
    net = as_net(own.pop("net"))
    optimizer = as_optimizer(own.pop("optimizer", Adam))
    for name in [name for name in own if name not in _names(Member)]:
        if name in optimizer.adjustable:
            optimizer = optimizer.adjusted(**{name: own.pop(name)})
        elif name in net.adjustable:
            net = net.adjusted(**{name: own.pop(name)})
        else:
            known = sorted({*_names(Member), *optimizer.adjustable, *net.adjustable})
            raise BadPlan(
                f"Neither a member, {optimizer.kind} nor {net.kind} has an argument {name!r}. "
                f"{did_you_mean(name, known)}"
            )
    return Member(net=net, optimizer=optimizer, **own)


def _names(spec: Spec | type[Spec]) -> list[str]:
    return [f.name for f in fields(spec)]  # type: ignore[arg-type]
