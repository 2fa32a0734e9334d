"""Loss and metric of a member on some rows: one function for whoever shows them."""

import torch

from slalom.data.dataset import Rows
from slalom.engine.contract import Engine, Session
from slalom.engine.state import State
from slalom.metrics import metric


def measure(
    engine: Engine | Session, state: State, member: int, rows: Rows, *, best: bool = False
) -> tuple[float, float]:
    """The plan's loss, and accuracy or R2, on rows of the dataset, which count by their weights.

    Args:
        engine, state: a training; its session, where there is one.
        member: its number.
        rows: row numbers, int64 `[B]`.
        best: with the parameters of its best validation, not with the last ones.
    """
    loss, data = state.plan.loss, state.dataset
    (output,) = engine.read(state, [member], data.X[rows], best=best)
    outputs, target = torch.from_numpy(output), torch.from_numpy(data.y[rows])
    weight = None if data.weight is None else torch.from_numpy(data.weight[rows])
    return float(loss(outputs, target, weight)), metric(loss, outputs, target, weight)
