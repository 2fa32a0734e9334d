"""The optimizers of members as numbers, for engines that update many members by one rule."""

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from slalom.optim import OPTIMIZERS, Optimizer
from slalom.population import Columns, Population, grouped, spread

LENGTH = 6  # arguments of an optimizer, but for its rate, at most

# A rule is an optimizer with the slots that its arguments want; its code is its place here.
RULES = [(optimizer, slots) for optimizer in OPTIMIZERS.values() for slots in optimizer.updates]


def without_rule(columns: Columns) -> str:
    """Why some member's optimizer has no rule, as a sentence, or nothing."""
    for optimizer in columns.optimizers:
        if optimizer not in OPTIMIZERS.values():
            return f"The optimizer {optimizer.__name__} is not one of Slalom's own."
        if not optimizer.updates:
            return f"The optimizer {optimizer.__name__} updates matrices as a whole."
    return ""


def arguments_of(optimizer: type[Optimizer]) -> tuple[str, ...]:
    """The arguments in the order in which `scalars` finds them.

    Example:
        >>> arguments_of(OPTIMIZERS["adam"])
        ('beta1', 'beta2', 'eps', 'weight_decay', 'amsgrad')
    """
    defaults = {f.name: np.array([f.default], dtype=np.float64) for f in fields(optimizer)}
    del defaults["lr"]
    return tuple(name for item in defaults.items() for name, _ in spread(*item))


def encode(
    population: Population, members: slice | NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The rule of each member, and its arguments in the order of `arguments_of`.

    The learning rate is not among these: it comes with each step.

    Example:
        >>> from slalom import MLP, Adam, grid
        >>> rules, hyper = encode(grid(net=MLP(1, 4, 1), optimizer=Adam), slice(None))
        >>> RULES[rules[0]][1], hyper.tolist()
        (('exp_avg', 'exp_avg_sq'), [[0.9, 0.999, 1e-08, 0.0, 0.0, 0.0]])
    """
    columns = population.columns()
    own = columns.optimizer[members]
    hyper = np.zeros((len(own), LENGTH))
    for code, optimizer in enumerate(columns.optimizers):
        of = own == code
        for place, name in enumerate(arguments_of(optimizer)):
            hyper[of, place] = columns.arguments[name][members][of]
    return _rules(population, columns)[members], hyper


def _rules(population: Population, columns: Columns) -> NDArray[np.int64]:
    """The rule of each member: which slots it has depends on which arguments are zero."""
    used = [argument != 0 for argument in columns.arguments.values()]
    first, which = grouped(columns.optimizer, *used)
    some = (population[int(k)].optimizer for k in first)
    codes = [RULES.index((type(optimizer), optimizer.slots)) for optimizer in some]
    return np.array(codes, dtype=np.int64)[which]
