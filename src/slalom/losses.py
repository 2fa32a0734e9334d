"""Losses as pure data, computed by torch.

A loss knows how many outputs it wants from a net, its value on a batch (torch's own, with
`reduction="mean"`), its value with sample weights (the weighted mean, which equals repeating rows
by whole-number weights), and what its outputs mean to a person (`predict`).

Shapes: output `[B, O]`; target float `[B, T]` for regression, int64 `[B]` for classification.
"""

from typing import TypeAlias

import torch
from torch.nn import functional as F  # noqa: N812  # the name everybody knows it by

from slalom.core.errors import BadPlan, did_you_mean
from slalom.core.spec import Spec


class Loss(Spec, abstract=True):
    """Base of the losses."""

    def __call__(
        self, output: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The mean loss of a batch, weighted by `weight [B]` when it is given."""
        if weight is None:
            return self.value(output, target, "mean")
        losses = self.value(output, target, "none")
        rows = losses.reshape(len(losses), -1).mean(dim=1)
        # A batch whose weights are all 0 teaches nothing: 0 / tiny, where 0 / 0 would be NaN.
        norm = (weight * self.row_weights(target)).sum().clamp(min=torch.finfo(rows.dtype).tiny)
        return (weight * rows).sum() / norm

    def value(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        """torch's own function with this `reduction`."""
        raise NotImplementedError

    def row_weights(self, target: torch.Tensor) -> torch.Tensor:
        """What each row counts by itself: 1, or the weight of its class."""
        return torch.ones(len(target), device=target.device)

    def outputs(self, targets: int) -> int:
        """How many outputs the net needs: `targets` is T, or the number of classes."""
        return targets

    def predict(self, output: torch.Tensor) -> torch.Tensor:
        """The outputs as a person wants them: values, or probabilities that sum to 1."""
        return output

    def variance(self, output: torch.Tensor) -> torch.Tensor | None:
        """The variance of the target that the outputs tell, in the shape of `predict`, if any."""
        return None


class MSE(Loss):
    """Mean of squared differences; torch's `mse_loss`."""

    def value(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        return F.mse_loss(output, target, reduction=reduction)


class L1(Loss):
    """Mean of absolute differences; torch's `l1_loss`."""

    def value(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        return F.l1_loss(output, target, reduction=reduction)


class Huber(Loss):
    """Squared near 0 and straight beyond `delta` (Huber 1964); torch's `huber_loss`."""

    delta: float = 1.0

    def value(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        return F.huber_loss(output, target, reduction=reduction, delta=self.delta)

    def check(self) -> None:
        self.require(self.delta > 0, "delta", "a number > 0")


class CrossEntropy(Loss):
    """Cross entropy of the softmax of the outputs; torch's `cross_entropy`.

    Args:
        weight: one weight a class, or None for equal ones.
        label_smoothing: share of the target that is spread over all classes (Szegedy et al. 2016).
    """

    weight: tuple[float, ...] | None = None
    label_smoothing: float = 0.0

    def value(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        return F.cross_entropy(
            output,
            target,
            weight=None if self.weight is None else output.new_tensor(self.weight),
            reduction=reduction,
            label_smoothing=self.label_smoothing,
        )

    def row_weights(self, target: torch.Tensor) -> torch.Tensor:
        if self.weight is None:
            return super().row_weights(target)
        return torch.tensor(self.weight, device=target.device)[target]

    def outputs(self, targets: int) -> int:
        if self.weight is not None and len(self.weight) != targets:
            raise BadPlan(
                f"The loss CrossEntropy has {len(self.weight)} class weights, but there are "
                f"{targets} classes. Give one weight a class."
            )
        return targets

    def predict(self, output: torch.Tensor) -> torch.Tensor:
        return output.softmax(dim=1)

    def check(self) -> None:
        self.require(0 <= self.label_smoothing < 1, "label_smoothing", "in [0, 1)")
        positive = self.weight is None or all(w > 0 for w in self.weight)
        self.require(positive, "weight", "one number > 0 a class, or None")


class BCEWithLogits(Loss):
    """Cross entropy of the sigmoid of one output; torch's `binary_cross_entropy_with_logits`.

    Args:
        pos_weight: what a row of class 1 counts beside one of class 0.
    """

    pos_weight: float | None = None

    def value(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        weight = None if self.pos_weight is None else output.new_tensor(self.pos_weight)
        return F.binary_cross_entropy_with_logits(
            output,
            target.reshape(output.shape).to(output.dtype),
            reduction=reduction,
            pos_weight=weight,
        )

    def outputs(self, targets: int) -> int:
        if targets != 2:
            raise BadPlan(
                f"The loss bce_with_logits separates two classes, but there are {targets}. "
                f"Use cross_entropy."
            )
        return 1

    def predict(self, output: torch.Tensor) -> torch.Tensor:
        positive = output.sigmoid()
        return torch.cat([1 - positive, positive], dim=1)

    def check(self) -> None:
        self.require(self.pos_weight is None or self.pos_weight > 0, "pos_weight", "> 0, or None")


class GaussianNLL(Loss):
    """Likelihood of a normal distribution whose mean and log variance the net gives.

    The first T outputs are means, the last T log variances; the numbers of torch's
    `gaussian_nll_loss` of these.

    Args:
        eps: smallest variance; torch's default.
    """

    eps: float = 1e-6

    def value(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        mean, log_variance = output.chunk(2, dim=1)
        # Written out, without the look whether a variance is negative, which stops `torch.func`.
        variance = log_variance.exp()
        least = self.eps + (variance - variance.detach())  # with the gradient of what it replaces
        variance = torch.where(variance < self.eps, least, variance)
        losses = 0.5 * (variance.log() + (mean - target) ** 2 / variance)
        return losses if reduction == "none" else losses.mean()

    def outputs(self, targets: int) -> int:
        return 2 * targets

    def predict(self, output: torch.Tensor) -> torch.Tensor:
        return output.chunk(2, dim=1)[0]

    def variance(self, output: torch.Tensor) -> torch.Tensor:
        return output.chunk(2, dim=1)[1].exp().clamp(min=self.eps)

    def check(self) -> None:
        self.require(self.eps > 0, "eps", "a number > 0")


LOSSES: dict[str, type[Loss]] = {
    "mse": MSE,
    "l1": L1,
    "huber": Huber,
    "cross_entropy": CrossEntropy,
    "bce_with_logits": BCEWithLogits,
    "gaussian_nll": GaussianNLL,
}

CLASSIFICATION = (CrossEntropy, BCEWithLogits)


# A loss, or its name.
LossLike: TypeAlias = Loss | str


def as_loss(loss: LossLike | None, task: str) -> Loss:
    """The loss itself, the one of that name, or the usual one of the task for None.

    Raises:
        BadPlan: for an unknown name, or a loss of the other task.

    >>> as_loss("huber", "regression"), as_loss(None, "classification").kind
    (Huber(delta=1.0), 'CrossEntropy')
    """
    if loss is None:
        loss = "mse" if task == "regression" else "cross_entropy"
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise BadPlan(f"No loss is called {loss!r}. {did_you_mean(loss, sorted(LOSSES))}")
        loss = LOSSES[loss]()
    if not isinstance(loss, Loss):
        raise BadPlan(f"A loss is a name ({', '.join(LOSSES)}) or a spec, but {loss!r} was given.")
    if isinstance(loss, CLASSIFICATION) != (task == "classification"):
        raise BadPlan(f"The loss {loss.kind} does not fit a {task} target.")
    return loss
