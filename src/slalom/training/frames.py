"""The frames of an animation, of the weights that an engine keeps while a population trains."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.data.dataset import Dataset
from slalom.engine import State
from slalom.engine.measure import measured

LINE_POINTS, SQUARE_POINTS = 200, 60
F = TypeVar("F", np.float32, np.float64)


@dataclass(frozen=True, eq=False)
class Frame:
    """What a picture needs at one moment of a training.

    Args:
        step: updates that each framed member had done, int64 `[P]`.
        train_loss: its loss on all its training rows at that moment, float64 `[P]`.
        metric: accuracy or R2 on the same rows, float64 `[P]`.
        predictions: what it predicts on the probe, float32 `[P, G, O]`: values, or probabilities.
    """

    step: NDArray[np.int64]
    train_loss: NDArray[np.float64]
    metric: NDArray[np.float64]
    predictions: NDArray[np.float32]


def kept(state: State) -> int:
    """How many frames there are so far: those of steps to which all that still train have come."""
    step, due = state.step, state.layout.due
    least = step[state.training].min(initial=step.max())
    return int(np.searchsorted(due, least, side="right"))


def frames(state: State) -> tuple[Frame, ...]:
    """What the pictures show of the frames so far.

    While a population trains only weights are kept, which costs next to nothing; losses and
    predictions of all frames of a net are computed here, together.
    """
    count, layout = kept(state), state.layout
    if not count:
        return ()
    each = [_member(state, k, count) for k in range(layout.framed)]
    columns = (np.stack(values, axis=1) for values in zip(*each, strict=True))
    return tuple(Frame(*moment) for moment in zip(*columns, strict=True))


def _member(
    state: State, k: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]:
    """Steps, losses and metrics `[F]` of a member, and its predictions on the probe `[F, G, O]`."""
    plan, data, member = state.plan, state.dataset, state.plan.population[k]
    step = np.minimum(state.layout.due[:count], state.step[k])
    own = int((state.layout.due[:count] <= state.step[k]).sum())
    (parameters, buffers), (last, last_buffers) = state.frames(k), state.numbers(k)
    parameters = _standing_still(parameters[:own], last, count)
    buffers = _standing_still(buffers[:own], last_buffers, count)
    rows = data.folds[member.fold].train
    tables = torch.from_numpy(data.X[rows]), torch.from_numpy(probe(data))
    trained, probed = member.net.forward(parameters, buffers, *tables)
    predictions = torch.stack([plan.loss.predict(outputs) for outputs in probed]).numpy()
    return step, *measured(plan.loss, data, rows, trained), predictions


def _standing_still(rows: NDArray[F], last: NDArray[F], count: int) -> NDArray[F]:
    """As many rows as there are frames: a member that ended earlier stays what it was."""
    return np.concatenate([rows, np.tile(last, (count - len(rows), 1))])


def drawable(data: Dataset) -> bool:
    """Whether an animation of the data can be made: a line on one feature, regions on two."""
    if data.task == "regression":
        return data.X.shape[1:] == (1,) and data.targets == 1
    return data.X.shape[1:] == (2,) or (data.X.shape[1:] == (1,) and data.targets == 2)


def probe(data: Dataset) -> NDArray[np.float32]:
    """A line `[200, 1]` or a square grid `[3600, 2]` that covers the points with a margin."""
    if not drawable(data):
        raise BadPlan(
            "Frames draw a line on one feature or classes on two, but the data has features of "
            f"shape {data.X.shape[1:]} and {data.targets} targets for {data.task}. Use frames=0."
        )
    low, high = data.X.min(axis=0), data.X.max(axis=0)
    margin = 0.1 * (high - low) + 1e-6
    low, high = low - margin, high + margin
    if len(low) == 1:
        return np.linspace(low[0], high[0], LINE_POINTS, dtype=np.float32)[:, None]
    axes = [
        np.linspace(a, b, SQUARE_POINTS, dtype=np.float32) for a, b in zip(low, high, strict=True)
    ]
    across, up = np.meshgrid(*axes)
    return np.column_stack([across.ravel(), up.ravel()])
