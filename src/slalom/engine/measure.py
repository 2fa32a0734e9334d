"""Loss and metric of a member on some rows: one function for whoever shows them."""

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.data.dataset import Dataset, Rows
from slalom.engine.state import State
from slalom.losses import Loss
from slalom.metrics import metrics


def measure(state: State, member: int, rows: Rows, *, best: bool = False) -> tuple[float, float]:
    """The plan's loss, and accuracy or R2, on rows of the dataset, which count by their weights.

    Args:
        state: of a training.
        member: its number.
        rows: row numbers, int64 `[B]`.
        best: with the parameters of its best validation, not with the last ones.
    """
    outputs = torch.from_numpy(state.outputs(member, state.dataset.X[rows], best))
    losses, scores = measured(state.plan.loss, state.dataset, rows, outputs[None])
    return float(losses[0]), float(scores[0])


def measured(
    loss: Loss, data: Dataset, rows: Rows, outputs: torch.Tensor
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The losses, and accuracies or R2, of S raw outputs `[S, B, O]` on the same rows: `[S]`."""
    target = torch.from_numpy(data.y[rows])
    weight = None if data.weight is None else torch.from_numpy(data.weight[rows])
    losses = np.array([float(loss(output, target, weight)) for output in outputs])
    predicted = torch.stack([loss.predict(output) for output in outputs])
    return losses, metrics(predicted, target, weight).numpy()
