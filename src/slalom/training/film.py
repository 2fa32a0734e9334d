"""Keeps the frames of an animation while a population trains."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.data.dataset import Dataset
from slalom.engine import Session, State
from slalom.engine.measure import measure

FRAMED_MEMBERS = 12  # more could not be told apart in one animation
LINE_POINTS, SQUARE_POINTS = 200, 60


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


class Film:
    """The frames that a plan asks for, at evenly spaced steps from the first to the last.

    Args:
        session: what is asked for predictions.
        state: what is filmed; its first 12 members.

    Raises:
        BadPlan: when frames are wanted of data that cannot be drawn.
    """

    def __init__(self, session: Session, state: State) -> None:
        plan = state.plan
        self.session, self.state = session, state
        self.frames: list[Frame] = []
        self.probe = probe(state.dataset) if plan.frames else None
        longest = int(state.layout.total_steps.max())
        self._due = np.linspace(0, longest, plan.frames).round().astype(int).tolist()
        self._members = range(min(len(plan.population), FRAMED_MEMBERS))
        self.shoot()

    def steps_to_next(self) -> list[int]:
        """Steps until the next frame is due, as a list of one or none."""
        return [at - int(self.state.step.max()) for at in self._due[:1]]

    def shoot(self) -> None:
        """Keep a frame if one is due."""
        done = self.state.step.max()
        if not self._due or done < self._due[0]:
            return
        self._due = [at for at in self._due if at > done]
        moments = [self._moment(k) for k in self._members]
        losses, scores, predictions = zip(*moments, strict=True)
        self.frames.append(
            Frame(
                self.state.step[list(self._members)].copy(),
                np.array(losses),
                np.array(scores),
                np.array(predictions, dtype=np.float32),
            )
        )

    def _moment(self, k: int) -> tuple[float, float, NDArray[np.float32]]:
        """Loss and metric of a member on its training rows, and its predictions on the probe."""
        assert self.probe is not None  # frames are only due with one
        state = self.state
        rows = state.dataset.folds[state.plan.population[k].fold].train
        (probed,) = self.session.read(state, [k], self.probe)
        predictions = state.plan.loss.predict(torch.from_numpy(probed)).numpy()
        return *measure(self.session, state, k, rows), predictions


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
