"""Learning-rate schedules as pure functions of the step.

A schedule answers one question: which learning rate does step `step` (from 0) of `total` use? It
keeps nothing between steps, so an engine can start anywhere. All lengths count optimizer steps, the
one unit; where torch wants a length, `None` stands for the whole training. With these arguments the
rates are those of the `torch.optim.lr_scheduler` of the same name stepped after every update.
"""

from typing import Any, Literal

import numpy as np

from slalom.core.spec import Spec


class Schedule(Spec, abstract=True):
    """Base of the schedules."""

    def at(self, lr: float, step: Any, total: int) -> Any:
        """The learning rate of step `step` (from 0) of `total`, given the optimizer's `lr`.

        For an array of steps the rates of each. A rate is `a + b * lr` with a and b that do not
        depend on `lr`, as in torch, so that one table of a and b serves all members.
        """
        raise NotImplementedError


class Constant(Schedule):
    """The optimizer's learning rate throughout.

    >>> Constant().at(0.1, step=5, total=10)
    0.1
    """

    def at(self, lr: float, step: Any, total: int) -> Any:
        return lr + 0.0 * step


class StepLR(Schedule):
    """Times `gamma` after every `step_size` steps.

    >>> [StepLR(step_size=2, gamma=0.5).at(1.0, s, total=5) for s in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    step_size: int
    gamma: float = 0.1

    def at(self, lr: float, step: Any, total: int) -> Any:
        return lr * self.gamma ** (step // self.step_size)

    def check(self) -> None:
        self.require_whole("step_size", 1)
        self.require(self.gamma > 0, "gamma", "a number > 0")


class ExponentialLR(Schedule):
    """Times `gamma` after every step.

    >>> ExponentialLR(gamma=0.5).at(1.0, step=3, total=5)
    0.125
    """

    gamma: float

    def at(self, lr: float, step: Any, total: int) -> Any:
        return lr * self.gamma**step

    def check(self) -> None:
        self.require(self.gamma > 0, "gamma", "a number > 0")


class CosineAnnealingLR(Schedule):
    """Half a cosine from the learning rate down to `eta_min` (Loshchilov and Hutter 2017).

    Args:
        T_max: steps from top to bottom; None for the whole training.
        eta_min: the learning rate at the bottom.

    >>> CosineAnnealingLR().at(1.0, step=np.array([0, 5, 10]), total=10).tolist()
    [1.0, 0.5, 0.0]
    """

    T_max: int | None = None
    eta_min: float = 0.0

    def at(self, lr: float, step: Any, total: int) -> Any:
        turn = step / (self.T_max or total)
        return self.eta_min + (lr - self.eta_min) * (1 + np.cos(np.pi * turn)) / 2

    def check(self) -> None:
        self.require_whole("T_max", 1)
        self.require(self.eta_min >= 0, "eta_min", "a number >= 0")


class OneCycleLR(Schedule):
    """Up to the optimizer's learning rate, then down to almost nothing (Smith and Topin 2019).

    The optimizer's `lr` plays the part of torch's `max_lr`. Momentum is left alone, as with torch's
    `cycle_momentum=False`.

    Args:
        pct_start: share of the training that climbs.
        anneal_strategy: "cos" or "linear".
        div_factor: the first learning rate is `lr / div_factor`.
        final_div_factor: the last one is the first divided by this.

    >>> float(OneCycleLR().at(1.0, step=0, total=10).round(6))
    0.04
    """

    pct_start: float = 0.3
    anneal_strategy: Literal["cos", "linear"] = "cos"
    div_factor: float = 25.0
    final_div_factor: float = 1e4

    def at(self, lr: float, step: Any, total: int) -> Any:
        first, top = lr / self.div_factor, self.pct_start * total - 1
        last = first / self.final_div_factor
        up = self._between(first, lr, step / top if top else 1.0 + 0 * step)
        down = self._between(lr, last, (step - top) / (total - 1 - top))
        return np.where(step <= top, up, down)[()]

    def _between(self, start: float, end: float, share: Any) -> Any:
        if self.anneal_strategy == "linear":
            return start + (end - start) * share
        return end + (start - end) / 2 * (1 + np.cos(np.pi * share))

    def check(self) -> None:
        self.require(0 < self.pct_start < 1, "pct_start", "between 0 and 1")
        self.require(self.div_factor > 0, "div_factor", "a number > 0")
        self.require(self.final_div_factor > 0, "final_div_factor", "a number > 0")


class Warmup(Schedule):
    """A straight climb over the first `steps` steps, times the schedule `then`.

    As torch's `ChainedScheduler([LinearLR(start_factor, total_iters=steps), then])`.

    >>> Warmup(steps=4, start_factor=0.5).at(1.0, np.array([0, 2, 4, 8]), total=9).tolist()
    [0.5, 0.75, 1.0, 1.0]
    """

    steps: int
    start_factor: float = 1 / 3
    then: Schedule = Constant()  # specs are frozen

    def at(self, lr: float, step: Any, total: int) -> Any:
        climbed = np.minimum(step / self.steps, 1.0)
        return (self.start_factor + (1 - self.start_factor) * climbed) * self.then.at(
            lr, step, total
        )

    def check(self) -> None:
        self.require_whole("steps", 1)
        self.require(0 < self.start_factor <= 1, "start_factor", "in (0, 1]")


SCHEDULES = (Constant, StepLR, ExponentialLR, CosineAnnealingLR, OneCycleLR, Warmup)
