"""What a training leaves: plan, history, models, frames."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from slalom.data.dataset import Dataset
from slalom.engine import Engine, State
from slalom.errors import BadPlan, Diverged
from slalom.metrics import metric_name
from slalom.plan import Plan
from slalom.population import Member, Population

Stopper: TypeAlias = Literal["", "time limit", "interrupt"]


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


@dataclass(eq=False)
class Run:
    """A training that is over, or was interrupted.

    Args:
        plan, dataset: what was trained.
        state: where every member stands.
        engine: the engine that trained; `run.engine.name` says which.
        history: one row a record: member, step, epoch, train_loss, validation_loss and the metric
            of the task (`accuracy` or `r2`). Losses are NaN where they were not measured.
        seconds: wall time of the training.
        stopped_by: what ended the training before the plan was carried out: "time limit",
            "interrupt" (Ctrl-C), or "" for nothing.
        frames: moments kept for an animation; they cover the first members (see `slalom.train`).
        probe: the rows on which frames hold predictions, float32 `[G, I]`; for one feature a line,
            for two a square grid, row by row.

    Example:
        >>> import slalom
        >>> run = slalom.train(slalom.MLP(1, 10, 1), slalom.toys.quadratic(100),
        ...                    optimizer=slalom.SGD(0.2), steps=5)
        >>> run.history.columns.tolist()
        ['member', 'step', 'epoch', 'train_loss', 'validation_loss', 'r2']
    """

    plan: Plan
    dataset: Dataset
    state: State
    engine: Engine
    history: pd.DataFrame
    seconds: float
    stopped_by: Stopper = ""
    frames: tuple[Frame, ...] = ()
    probe: NDArray[np.float32] | None = None

    @property
    def interrupted(self) -> bool:
        """Whether the training was stopped before the plan was carried out."""
        return self.stopped_by != ""

    @property
    def population(self) -> Population:
        """The members, in order."""
        return self.plan.population

    @property
    def metric(self) -> str:
        """The name of the metric in history and leaderboard: `accuracy` or `r2`."""
        return metric_name(self.dataset.task)

    @property
    def validated(self) -> bool:
        """Whether members were looked at on rows that they did not train on."""
        return bool(np.isfinite(self.state.best_loss).any())

    def leaderboard(self) -> pd.DataFrame:
        """One row a member, the best first: by validation loss, or by training loss without one.

        `status` is `done`, `stopped early`, `interrupted`, or `diverged at step k`; diverged
        members come last unless a validation before that was better. The scores of a member are
        those at its best validation.
        """
        records = dict(list(self.history.groupby("member")))
        none = self.history.iloc[:0]
        rows = [self._row(k, records.get(k, none)) for k in range(len(self.population))]
        board = pd.DataFrame(rows).sort_values("_order", kind="stable").drop(columns="_order")
        board.insert(0, "rank", range(1, len(board) + 1))
        return board.reset_index(drop=True)

    def best(self) -> int:
        """The number of the best member.

        Losses on different folds do not compare. Where members were trained on several, those that
        differ by the fold alone stand together with their mean, and the best of the best is taken.

        Raises:
            Diverged: when no member has a finite loss.
        """
        records = dict(list(self.history.groupby("member")))
        none = self.history.iloc[:0]
        members = range(len(self.population))
        order = np.array([self._order(k, records.get(k, none)) for k in members])
        if not np.isfinite(order).any():
            raise Diverged(
                f"All {len(order)} members diverged (the first at step "
                f"{self.state.diverged_at.min()}), so there is no model. Lower the learning rates, "
                f"scale the features, or clip the gradient with clip_norm=1.0."
            )
        alike: dict[Member, list[int]] = {}
        for k, member in enumerate(self.population):
            alike.setdefault(replace(member, fold=0), []).append(k)
        group = min(
            alike.values(), key=lambda group: (sum(order[group] / len(group)), min(order[group]))
        )
        return min(group, key=lambda k: order[k])

    def model(self, member: int | None = None) -> torch.nn.Module:
        """A member's module, with the weights of its best validation (its last ones without).

        Args:
            member: its number; the best member when not given.

        Raises:
            Diverged: when that member diverged before its first validation.
        """
        k = self._with_weights(member)
        module = self.population[k].net.build(self.population[k].seed).float()
        self.state.fill(module, k, best=True)
        return module.eval()

    def predict(self, X: ArrayLike, member: int | None = None) -> NDArray[np.float32]:
        """A member's predictions on rows `X`: values `[B, T]`, or probabilities `[B, K]`."""
        k = self._with_weights(member)
        (output,) = self.engine.read(self.state, [k], np.asarray(X, dtype=np.float32), best=True)
        predictions: NDArray[np.float32] = self.plan.loss.predict(torch.from_numpy(output)).numpy()
        return predictions

    def plot(self, path: str | Path | None = None) -> Any:
        """Learning curves of the population; written to `path` (PNG, SVG, PDF) when it is given.

        Returns the matplotlib figure.
        """
        from slalom import plots

        return plots.learning_curves(self, path=path)

    def animate(self, path: str | Path, member: int | None = None) -> Path:
        """The training as a GIF: the fitted line (one feature) or the decision regions (two).

        Raises:
            BadPlan: when the run kept no frames.
        """
        from slalom import plots

        return plots.animate(self, path, member=member)

    def _with_weights(self, member: int | None) -> int:
        """That member, or the best one for None, if it has weights worth giving."""
        k = self.best() if member is None else member
        if not 0 <= k < len(self.population):
            raise BadPlan(f"There is no member {k}: this run has 0 to {len(self.population) - 1}.")
        if not np.isfinite(self._order(k, self._records(k))):
            raise Diverged(
                f"Member {k} diverged at step {self.state.diverged_at[k]}; it has no model."
            )
        return k

    def _order(self, k: int, records: pd.DataFrame) -> float:
        """What members are ranked by: the smaller, the better; infinite for a diverged one."""
        if np.isfinite(self.state.best_loss[k]):
            return float(self.state.best_loss[k])
        if self.state.diverged_at[k] >= 0:
            return float("inf")
        losses = records["train_loss"]
        unknown = self.validated or not len(losses)  # interrupted before anybody looked
        return sys.float_info.max if unknown else float(losses.iloc[-1])

    def _records(self, k: int) -> pd.DataFrame:
        return self.history[self.history["member"] == k]

    def _row(self, k: int, records: pd.DataFrame) -> dict[str, Any]:
        member = self.population[k]
        validated = np.isfinite(self.state.best_loss[k])
        step = int(self.state.best_step[k] if validated else self.state.step[k])
        at = records[records["step"] == step].tail(1)
        return {
            "member": k,
            "net": member.net.label,
            "optimizer": member.optimizer.label,
            "lr": member.optimizer.lr,
            "batch_size": member.batch_size,
            "seed": member.seed,
            "fold": member.fold,
            "train_loss": at["train_loss"].iloc[0] if len(at) else float("nan"),
            "validation_loss": float(self.state.best_loss[k]) if validated else float("nan"),
            self.metric: at[self.metric].iloc[0] if len(at) else float("nan"),
            "best_step": step,
            "status": self._status(k),
            "_order": self._order(k, records),
        }

    def _status(self, k: int) -> str:
        if self.state.diverged_at[k] >= 0:
            return f"diverged at step {self.state.diverged_at[k]}"
        if self.state.stopped_at[k] >= 0:
            return "stopped early"
        return "done" if self.state.step[k] == self.state.layout.total_steps[k] else "interrupted"
