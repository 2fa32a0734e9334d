"""What a net has learned, taken to another task."""

from slalom.core.errors import BadPlan
from slalom.nets.transfer import Transfer, encoded
from slalom.training import Outcome


def transfer(
    trained: Outcome, outputs: int, *, member: int | None = None, freeze: bool = True
) -> Transfer:
    """The recipe of a trained net with a new output layer: one to train on another task.

    Each member that is made of it gets a new layer of its own, by its seed, behind the same trunk.

    Args:
        trained: a run.
        outputs: of the new layer: classes, or numbers.
        member: which net; the best one when not given.
        freeze: whether the trunk stays as it is. Then what it makes of each row is worked out once,
            and a population of new layers trains in next to no time. Otherwise all of the net is
            trained, from what it has learned.

    Returns:
        A net for `slalom.train`, `grid` and `Member`.

    Raises:
        BadPlan: when `trained` is no run, or its net has no linear layer.
        Diverged: when that member has no weights.

    Example:
        >>> import slalom
        >>> digits = slalom.toys.digits().split(validation=0.3)
        >>> run = slalom.train(slalom.CNN((1, 8, 8), 10, filters=(4,)), digits, epochs=1)
        >>> parity = slalom.Dataset(digits.X, digits.y % 2, "classification", folds=digits.folds)
        >>> net = slalom.transfer(run, outputs=2)
        >>> len(slalom.train(slalom.grid(net=net, seed=range(4)), parity, epochs=3).population)
        4
    """
    if not isinstance(trained, Outcome):
        raise BadPlan(
            f"transfer takes a run, as slalom.train and slalom.open_run give it, but "
            f"{type(trained).__name__} was given."
        )
    k = trained.best() if member is None else member
    trained.model(k)  # which has weights, or says why not
    parameters, buffers = trained.state.numbers(k, best=True)
    net = trained.population[k].net
    made = Transfer(net, encoded(parameters), encoded(buffers), outputs, freeze)
    made.build(seed=0)  # or says why not
    return made
