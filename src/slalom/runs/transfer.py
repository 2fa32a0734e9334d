"""What a net has learned, taken to another task."""

import torch

from slalom.core.errors import BadPlan
from slalom.nets import NetSpec, flat_buffers, flat_parameters
from slalom.nets.transfer import Transfer, encoded
from slalom.training import Outcome


def transfer(
    trained: Outcome | torch.nn.Module,
    outputs: int | None = None,
    *,
    member: int | None = None,
    net: NetSpec | None = None,
    freeze: bool = True,
    rate: float = 1.0,
) -> Transfer:
    """The recipe of a trained net with a new output layer: one to train on another task.

    Each member that is made of it gets a new layer of its own, by its seed, behind the same trunk.
    To let a trunk learn after some epochs, train the layer first, and then the net of that run with
    `freeze=False`, which begins with what both have learned, and with an optimizer of its own.

    Args:
        trained: a run, or a torch module that was trained wherever it was.
        outputs: of the new layer: classes, or numbers. When not given the layer is kept, with what
            it has learned.
        member: which net of a run; the best one when not given.
        net: the recipe of a module, such as `slalom.Net(MyModule, width=64)`.
        freeze: whether the trunk stays as it is. Then what it makes of each row is worked out once,
            and a population of new layers trains in next to no time. Otherwise all of the net is
            trained, from what it has learned.
        rate: share of the learning rate at which a trunk learns that is not frozen; 1, for that is
            what one optimizer does. A tenth keeps more of what it knows.

    Returns:
        A net for `slalom.train`, `grid` and `Member`.

    Raises:
        BadPlan: when `trained` is neither, its recipe is missing or not its own, its net has no
            linear layer, or `outputs` or `rate` make no sense.
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
    if isinstance(trained, Outcome) and net is None:
        k = trained.best() if member is None else member
        trained.model(k)  # which has weights, or says why not
        parameters, buffers = trained.state.numbers(k, best=True)
        net = trained.population[k].net
    elif isinstance(trained, torch.nn.Module) and net is not None and member is None:
        parameters, buffers = flat_parameters(trained), flat_buffers(trained)
    else:
        raise BadPlan(
            f"transfer takes a run, as slalom.train and slalom.open_run give it, and maybe one of "
            f"its members; or a torch.nn.Module with its recipe, as in transfer(module, "
            f"net=slalom.Net(MyModule)). {type(trained).__name__} was given, "
            f"{'without' if net is None else 'with'} a recipe."
        )
    made = Transfer(net, encoded(parameters), encoded(buffers), outputs, freeze, rate)
    made.build(seed=0)  # or says why not
    return made
