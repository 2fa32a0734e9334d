"""The plan: pure data that says everything about a training."""

from typing import Literal

from slalom.core.spec import Spec
from slalom.losses import Loss
from slalom.population import Population


class Plan(Spec):
    """Who is trained, on which loss, for how long, and what is recorded.

    Give either `epochs` (passes over a member's rows) or `steps` (optimizer updates).

    Args:
        population: the members.
        loss: one for all members, so that they can be compared.
        epochs: passes of each member over its rows.
        steps: optimizer updates of each member.
        patience: epochs without a better validation loss after which a member stops, or None.
        validate_every: epochs between two looks at the validation rows; the last step always looks.
        record: "step" keeps the loss of every step, "epoch" the mean over each epoch, which is a
            history of one row an epoch.
        record_every: how many of these steps or epochs make one row; a row tells of the last of
            them alone. The last row of a member (after its last step, when it stopped early or
            diverged) is always kept. What is validated, and which weights are the best, does not
            depend on it; every one, because a short history costs nothing.
        frames: how many frames to keep for an animation, 0 for none.

    Raises:
        BadPlan: when a value makes no sense.

    Example:
        >>> from slalom import MLP, SGD, Member, Plan, Population
        >>> from slalom.losses import MSE
        >>> plan = Plan(Population([Member(MLP(1, 10, 1), SGD(0.2))]), MSE(), steps=200)
        >>> Plan.loads(plan.dumps()) == plan
        True
    """

    population: Population
    loss: Loss
    epochs: int | None = None
    steps: int | None = None
    patience: int | None = None
    validate_every: int = 1
    record: Literal["step", "epoch"] = "epoch"
    record_every: int = 1
    frames: int = 0

    def total_steps(self, steps_per_epoch: int) -> int:
        """Optimizer steps of a member that takes `steps_per_epoch` for one pass."""
        if self.steps is not None:
            return self.steps
        assert self.epochs is not None  # check() saw to it
        return self.epochs * steps_per_epoch

    def check(self) -> None:
        for name in ("epochs", "steps", "patience", "validate_every", "record_every"):
            self.require_whole(name, 1)
        self.require_whole("frames", 0)
        self.require(
            (self.epochs is None) != (self.steps is None), "epochs", "given, or steps, not both"
        )
