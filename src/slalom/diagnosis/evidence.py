"""What a run tells about one member: its curves, its losses, the outputs of its hidden layers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.core.arrays import Float64Array
from slalom.data.dataset import Rows
from slalom.engine.measure import measure
from slalom.losses import Loss
from slalom.nets.layers import LayerOutput, layer_outputs
from slalom.population import Member
from slalom.runs import Run

# Training rows to look at, and their features: a unit that is dead on these is dead on about all.
ROWS, NUMBERS = 4096, 2**20


@dataclass(frozen=True, eq=False)
class Curve:
    """Finite losses of a member, in order.

    Args:
        step: updates done, int64 `[n]`.
        loss: float64 `[n]`.
    """

    step: NDArray[np.int64]
    loss: Float64Array

    def __len__(self) -> int:
        return len(self.step)

    @property
    def end(self) -> float:
        """The mean of the last tenth, which noise moves less than the last value."""
        return float(self.loss[-max(1, len(self) // 10) :].mean())

    def until(self, step: int) -> "Curve":
        """The part up to a step."""
        return Curve(self.step[self.step <= step], self.loss[self.step <= step])

    def after(self, step: int) -> "Curve":
        """The part behind a step."""
        return Curve(self.step[self.step > step], self.loss[self.step > step])

    def means(self, steps: int) -> "Curve":
        """The mean of each stretch of so many steps that ends with a value."""
        stretch = -(-self.step // steps)
        ends = np.flatnonzero(np.diff(stretch, append=-1))
        sums = np.add.reduceat(self.loss, np.append(0, ends[:-1] + 1)) if len(self) else self.loss
        return Curve(self.step[ends], sums / np.diff(ends, prepend=-1))

    @property
    def noise(self) -> float:
        """The standard deviation of what is not smooth, from second differences."""
        return float(np.sqrt(np.mean(np.diff(self.loss, 2) ** 2) / 6)) if len(self) > 2 else 0.0

    @property
    def swing(self) -> float:
        """How far the loss jumps up and down: half of its typical second difference.

        That is the height of a zigzag, and 0 on a slope; single spikes do not count.
        """
        return float(np.median(np.abs(np.diff(self.loss, 2)))) / 2 if len(self) > 2 else 0.0


@dataclass(frozen=True, eq=False)
class Evidence:
    """A member of a run, and what is asked about it more than once.

    Args:
        run: the training.
        k: the member's number.
        training, validation: its curves, as far as the history tells.
    """

    run: Run
    k: int
    training: Curve
    validation: Curve

    @classmethod
    def of(cls, run: Run, k: int) -> Self:
        history = run.history[run.history["member"].to_numpy() == k]
        step = history["step"].to_numpy()
        train, held = (history[f"{name}_loss"].to_numpy() for name in ("train", "validation"))
        finite, seen = np.isfinite(train), np.isfinite(held)
        return cls(run, k, Curve(step[finite], train[finite]), Curve(step[seen], held[seen]))

    @cached_property
    def member(self) -> Member:
        return self.run.population[self.k]

    @property
    def lr(self) -> float:
        return float(self.run.population.columns().arguments["lr"][self.k])

    @property
    def step(self) -> int:
        """Updates that it has done."""
        return int(self.run.state.step[self.k])

    @property
    def total(self) -> int:
        """Updates that it was to do."""
        return int(self.run.state.layout.total_steps[self.k])

    @property
    def per_epoch(self) -> int:
        """Steps an epoch."""
        return int(self.run.state.layout.steps_per_epoch[self.k])

    @property
    def unit(self) -> Literal["epoch", "step"]:
        """What to count its training in, as on its learning curve."""
        return "step" if self.run.plan.steps or self.total < 2 * self.per_epoch else "epoch"

    def counted(self, step: int) -> float:
        """A step in that unit; whole where it is."""
        if self.unit == "step" or step % self.per_epoch == 0:
            return step if self.unit == "step" else step // self.per_epoch
        return round(step / self.per_epoch, 2)

    @property
    def best_step(self) -> int | None:
        """The step of its best validation, if there was one."""
        state = self.run.state
        return int(state.best_step[self.k]) if np.isfinite(state.best_loss[self.k]) else None

    @cached_property
    def rows(self) -> Rows:
        """Its training rows; a random part of very many."""
        data = self.run.dataset
        rows = data.folds[self.member.fold].train
        most = max(1, min(ROWS, NUMBERS // data.X[0].size))
        if len(rows) <= most:
            return rows
        return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))

    @cached_property
    def loss(self) -> float:
        """Its loss on these rows, with the weights that `Run.model` gives."""
        return measure(self.run.state, self.k, self.rows, best=True)[0]

    @cached_property
    def constant(self) -> float:
        """The loss of the best constant answer on these rows."""
        data, loss = self.run.dataset, self.run.plan.loss
        weight = None if data.weight is None else torch.from_numpy(data.weight[self.rows])
        return constant_loss(loss, torch.from_numpy(data.y[self.rows]), weight, data.targets)

    def layers(self, trained: bool = True) -> list[LayerOutput]:
        """What its layers make of these rows, with the weights of `Run.model` or the first ones."""
        member = self.member
        module = self.run.model(self.k) if trained else member.net.build(member.seed)
        return layer_outputs(module, torch.from_numpy(self.run.dataset.X[self.rows]))

    def peers(self) -> NDArray[np.int64]:
        """The members that differ from it by learning rate, seed and fold at most."""
        columns, k = self.run.population.columns(), self.k
        same = columns.clip_norm == columns.clip_norm[k]
        for codes in (columns.net, columns.optimizer, columns.schedule, columns.batch_size):
            same &= codes == codes[k]
        for name, values in columns.arguments.items():
            if name != "lr":
                same &= (values == values[k]) | np.isnan(values)
        return np.flatnonzero(same)


def constant_loss(
    loss: Loss, target: torch.Tensor, weight: torch.Tensor | None, targets: int
) -> float:
    """The lowest loss that one answer for all rows can have; any loss, by L-BFGS.

    Args:
        loss: what is lowered.
        target: float `[B, T]` or int64 `[B]`.
        weight: of the rows `[B]`, or None.
        targets: T, or the number of classes.

    >>> from slalom.losses import MSE
    >>> round(constant_loss(MSE(), torch.tensor([[0.0], [2.0]]), None, 1), 6)
    1.0
    """
    from scipy.optimize import minimize  # loaded here: a third of a second

    first = np.zeros(loss.outputs(targets))
    weight = None if weight is None else weight.double()
    if target.is_floating_point():  # from the mean, however far from 0 it lies
        target = target.double()
        first[: target.shape[1]] = target.mean(dim=0).numpy()

    def value_and_slope(numbers: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        answer = torch.tensor(numbers, requires_grad=True)
        value = loss(answer.expand(len(target), -1), target, weight)
        (slope,) = torch.autograd.grad(value, answer)
        return value.item(), slope.numpy()

    # Not torch.optim.LBFGS, which imports torch's compiler: two seconds for one number.
    return float(minimize(value_and_slope, first, jac=True, method="L-BFGS-B").fun)
