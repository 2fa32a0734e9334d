"""A member: one network in training, as pure data."""

from dataclasses import fields
from typing import Any, Literal

from slalom.core.errors import BadPlan, did_you_mean
from slalom.core.spec import Spec
from slalom.nets import NetSpec, as_net
from slalom.optim import OPTIMIZERS, Adam, Constant, Optimizer, OptimizerLike, Schedule


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
        for name, least in (("batch_size", 1), ("fold", 0), ("seed", 0)):
            self.require_whole(name, least)
            self.require((getattr(self, name) or 0) < 2**63, name, "below 2^63, as torch wants")
        clip = self.clip_norm
        self.require(clip is None or clip > 0, "clip_norm", "a number > 0, or None")


OWN = tuple(f.name for f in fields(Member))


def as_optimizer(optimizer: OptimizerLike) -> Optimizer:
    """The optimizer itself, or that class or name with torch's defaults.

    >>> from slalom import SGD
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


def make_member(arguments: dict[str, Any]) -> Member:
    """A member from arguments of its own and of its optimizer and net, which may stand alone.

    >>> from slalom import MLP
    >>> make_member({"net": MLP(1, 4, 1), "activation": "tanh", "lr": 0.1}).label
    '1-4-1 tanh Adam(lr=0.1)'
    """
    if "net" not in arguments:
        raise BadPlan("A member needs a net: pass net=MLP(...).")
    net, optimizer = as_net(arguments["net"]), as_optimizer(arguments.get("optimizer", Adam))
    given: dict[str, dict[str, Any]] = {"member": {}, "optimizer": {}, "net": {}}
    for name, value in arguments.items():
        given[_owner(name, net, optimizer)][name] = value
    if given["optimizer"]:
        optimizer = optimizer.adjusted(**given["optimizer"])
    if given["net"]:
        net = net.adjusted(**given["net"])
    return Member(**given["member"] | {"net": net, "optimizer": optimizer})


def _owner(name: str, net: NetSpec, optimizer: Optimizer) -> Literal["member", "optimizer", "net"]:
    """Whose argument that is."""
    if name in OWN:
        return "member"
    if name in optimizer.adjustable:
        return "optimizer"
    if name in net.adjustable:
        return "net"
    known = sorted({*OWN, *optimizer.adjustable, *net.adjustable})
    raise BadPlan(
        f"Neither a member, {optimizer.kind} nor {net.kind} has an argument {name!r}. "
        f"{did_you_mean(name, known)}"
    )
