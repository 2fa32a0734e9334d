"""The one number beside the loss that a person reads: accuracy, or R2."""

import torch

from slalom.losses import Loss


def metric_name(task: str) -> str:
    """What `metric` is for a task.

    >>> metric_name("classification")
    'accuracy'
    """
    return "accuracy" if task == "classification" else "r2"


def metric(
    loss: Loss, output: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None
) -> float:
    """Accuracy, or the mean R2 of the targets, of raw outputs `[B, O]`.

    R2 is scikit-learn's `r2_score(..., multioutput="uniform_average")` in float64, and NaN when a
    target is constant or the weights are all 0.
    """
    return float(metrics(loss.predict(output)[None], target, weight)[0])


def metrics(
    predicted: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None
) -> torch.Tensor:
    """The metric of each of S predictions of the same rows, `[S, B, O]`: float64 `[S]`."""
    predicted = predicted.double()
    w = torch.ones(len(target), dtype=torch.float64) if weight is None else weight.double()
    if not target.is_floating_point():
        return (w * (predicted.argmax(dim=2) == target)).sum(dim=1) / w.sum()
    truth = target.double()
    center = (w[:, None] * truth).sum(dim=0) / w.sum()
    unexplained = (w[:, None] * (truth - predicted) ** 2).sum(dim=1)
    total = (w[:, None] * (truth - center) ** 2).sum(dim=0)
    return (1 - unexplained / total.where(total > 0, torch.nan)).mean(dim=1)
