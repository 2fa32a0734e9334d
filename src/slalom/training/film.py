"""Keeps the frames of an animation while a population trains.

While it trains only weights are kept, which costs next to nothing; what the frames show of them is
computed later, for all frames of a net together (`Film.frames`).
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.data.dataset import Dataset
from slalom.engine import State
from slalom.engine.measure import measured
from slalom.engine.state import part

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
    """The moments that a plan asks for, at evenly spaced steps from the first to the last.

    Args:
        state: what is filmed; its first 12 members.

    Raises:
        BadPlan: when frames are wanted of data that cannot be drawn.
    """

    def __init__(self, state: State) -> None:
        plan, layout = state.plan, state.layout
        self.probe = probe(state.dataset) if plan.frames else None
        self._state = state
        longest = int(layout.total_steps.max())
        self._due = np.linspace(0, longest, plan.frames).round().astype(int).tolist()
        self._members = min(len(plan.population), FRAMED_MEMBERS)
        self._sizes = (
            self._members,
            int(layout.parameters[self._members]),
            int(layout.buffers[self._members]),
        )
        self._shots: list[tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float64]]] = []

    def __len__(self) -> int:
        return len(self._shots)

    @property
    def next_step(self) -> int | None:
        """The step at which the next frame is due, if any is."""
        return self._due[0] if self._due else None

    def shoot(self) -> bool:
        """Keep a frame when all that still train have come to the step; whether it was kept."""
        state, done = self._state, self.next_step
        if done is None or state.step.max() < done or (state.training & (state.step < done)).any():
            return False
        while self._due and self._due[0] == done:  # in a short training several fall together
            self._due.pop(0)
        members, parameters, buffers = self._sizes
        self._shots.append(
            (
                state.step[:members].copy(),
                state.parameters[:parameters].copy(),
                state.buffers[:buffers].copy(),
            )
        )
        return True

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What was kept: `step`, `parameters` and `buffers` of each frame, `[F, ...]`."""
        step, parameters, buffers = (
            np.array([shot[place] for shot in self._shots], dtype=dtype).reshape(len(self), size)
            for place, (size, dtype) in enumerate(
                zip(self._sizes, (np.int64, np.float32, np.float64), strict=True)
            )
        )
        return {"step": step, "parameters": parameters, "buffers": buffers}

    def restore(self, arrays: dict[str, NDArray[np.generic]]) -> None:
        """Take over what `arrays()` of a film of the same plan gave."""
        names = ("step", "parameters", "buffers")
        self._shots = list(zip(*(arrays[name].copy() for name in names), strict=True))
        self._due = sorted(set(self._due))[len(self._shots) :]

    def frames(self) -> tuple[Frame, ...]:
        """What the pictures show, computed from what was kept."""
        if self.probe is None or not self._shots:
            return ()
        shots = self.arrays()
        each = [self._member(k, shots) for k in range(self._members)]
        losses, scores, predictions = (
            np.stack(values, axis=1) for values in zip(*each, strict=True)
        )
        parts = zip(shots["step"], losses, scores, predictions, strict=True)
        return tuple(Frame(*moment) for moment in parts)

    def _member(
        self, k: int, shots: dict[str, NDArray[np.generic]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]:
        """Losses and metrics `[F]` of a member, and its predictions on the probe `[F, G, O]`."""
        assert self.probe is not None
        plan, data, layout = self._state.plan, self._state.dataset, self._state.layout
        member, net = plan.population[k], plan.population[k].net
        parameters = part(shots["parameters"].T, layout.parameters, k).T
        buffers = part(shots["buffers"].T, layout.buffers, k).T
        rows = data.folds[member.fold].train
        trained = net.forward(parameters, buffers, torch.from_numpy(data.X[rows]))
        probed = net.forward(parameters, buffers, torch.from_numpy(self.probe))
        found = [measured(plan.loss, data, rows, outputs) for outputs in trained]
        predictions = np.stack([plan.loss.predict(outputs).numpy() for outputs in probed])
        losses, scores = np.array(found).T
        return losses, scores, predictions


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
