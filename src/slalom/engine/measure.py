"""Loss and metric of a member on some rows: one function for whoever shows them."""

import torch

from slalom.data.dataset import Dataset, Rows
from slalom.engine.state import State
from slalom.losses import Loss
from slalom.metrics import metric


def measure(state: State, member: int, rows: Rows, *, best: bool = False) -> tuple[float, float]:
    """The plan's loss, and accuracy or R2, on rows of the dataset, which count by their weights.

    Args:
        state: of a training.
        member: its number.
        rows: row numbers, int64 `[B]`.
        best: with the parameters of its best validation, not with the last ones.
    """
    outputs = torch.from_numpy(state.outputs(member, state.dataset.X[rows], best))
    return measured(state.plan.loss, state.dataset, rows, outputs)


def measured(loss: Loss, data: Dataset, rows: Rows, outputs: torch.Tensor) -> tuple[float, float]:
    """The loss, and accuracy or R2, of raw outputs `[B, O]` on rows `[B]` of the dataset."""
    target = torch.from_numpy(data.y[rows])
    weight = None if data.weight is None else torch.from_numpy(data.weight[rows])
    return float(loss(outputs, target, weight)), metric(loss, outputs, target, weight)
