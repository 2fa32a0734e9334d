"""What a training has come to: where each member stands, its history, its models, its frames."""

import sys
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal, Self, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from slalom.core.errors import BadPlan, Diverged
from slalom.data.dataset import Dataset
from slalom.engine import Engine, State
from slalom.metrics import metric_name
from slalom.plan import Plan
from slalom.population import Columns, Population, grouped, spread
from slalom.training.frames import Frame, frames, probe
from slalom.training.training import Snapshot

Stopper: TypeAlias = Literal["", "time limit", "interrupt", "terminate"]


@dataclass(eq=False)
class Outcome:
    """What a training has come to, as data: it is over, or was interrupted.

    `slalom.runs.Run` is one that draws itself.

    Args:
        plan, dataset: what was trained.
        state: where every member stands.
        engine: the engine that trained, a spec; `run.engine.name` says which.
        records: what was recorded (see `slalom.engine.contract`); `history` shows it.
        seconds: wall time of the training.
        stopped_by: what ended the training before the plan was carried out: "time limit",
            "interrupt" (Ctrl-C), "terminate" (SIGTERM), or "" for nothing.
        engine_note: why a slower engine than the native one trained, if it did.

    Example:
        >>> from slalom import MLP, SGD, Member, Plan, Population, toys
        >>> from slalom.engine import Reference
        >>> from slalom.losses import MSE
        >>> from slalom.training import Training
        >>> plan = Plan(Population([Member(MLP(1, 10, 1), SGD(0.2))]), MSE(), steps=5)
        >>> training = Training(plan, toys.quadratic(100), Reference())
        >>> training.advance()
        >>> Outcome.of(training.snapshot(), Reference()).history.columns.tolist()
        ['member', 'step', 'epoch', 'train_loss', 'validation_loss', 'r2']
    """

    plan: Plan
    dataset: Dataset
    state: State
    engine: Engine
    records: NDArray[Any]
    seconds: float
    stopped_by: Stopper = ""
    engine_note: str = ""

    @classmethod
    def of(
        cls, snapshot: Snapshot, engine: Engine, stopped_by: Stopper = "", engine_note: str = ""
    ) -> Self:
        """What a training leaves; no engine is needed for it.

        Args:
            snapshot: the training when it ended.
            engine, stopped_by, engine_note: see above.
        """
        return cls(
            plan=snapshot.plan,
            dataset=snapshot.dataset,
            state=snapshot.state(),
            engine=engine,
            records=snapshot.arrays["records"],
            seconds=float(snapshot.arrays["seconds"]),
            stopped_by=stopped_by,
            engine_note=engine_note,
        )

    def snapshot(self) -> Snapshot:
        """The training as it stands, to go on from; see `Training.resume`."""
        return Snapshot.of(self.plan, self.dataset, self.state, self.records, self.seconds)

    @cached_property
    def history(self) -> pd.DataFrame:
        """One row a record, sorted by member and step.

        Columns: member, step, epoch, train_loss, validation_loss and the metric of the task
        (`accuracy` or `r2`). Losses are NaN where they were not measured.
        """
        records = self.records
        key = records["member"] * (records["step"].max(initial=0) + 1) + records["step"]
        order = np.argsort(key, kind="stable")  # merges what is sorted already, as stretches are
        columns = {name: records[name][order] for name in records.dtype.names or ()}
        history = pd.DataFrame(columns, copy=False)
        per_epoch = self.state.layout.steps_per_epoch[columns["member"]]
        history.insert(2, "epoch", columns["step"] / per_epoch)
        return history.rename(columns={"metric": self.metric})

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """Moments kept for an animation; they cover the first members (see `slalom.train`)."""
        return frames(self.state)

    @cached_property
    def probe(self) -> NDArray[np.float32] | None:
        """The rows on which frames hold predictions, float32 `[G, I]`.

        For one feature a line, for two a square grid, row by row.
        """
        return probe(self.dataset) if self.plan.frames else None

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
    def notes(self) -> tuple[str, ...]:
        """What is worth knowing about how the training went, a sentence each."""
        notes = []
        if self.engine_note:
            notes.append(
                f"The {self.engine.name} engine trained, which is slower. {self.engine_note}"
            )
        if self.state.on_disk:
            notes.append(
                "The weights did not fit into the free memory, so they lay in a temporary file, "
                "and the training took longer."
            )
        return tuple(notes)

    @property
    def validated(self) -> bool:
        """Whether members were looked at on rows that they did not train on."""
        return bool(np.isfinite(self.state.best_loss).any())

    def leaderboard(self) -> pd.DataFrame:
        """One row a member, the best first: by validation loss, or by training loss without one.

        `status` is `done`, `stopped early`, `not begun`, `interrupted`, or `diverged at step k`;
        diverged members come last unless a validation before that was better. The scores of a
        member are those at its best validation.
        """
        state, columns = self.state, self.population.columns()
        validated = np.isfinite(state.best_loss)
        board = pd.DataFrame(
            {
                "member": np.arange(len(columns)),
                "net": np.array([net.label for net in columns.nets], dtype=object)[columns.net],
                "optimizer": _optimizer_labels(self.population, columns),
                "lr": columns.arguments["lr"],
                "batch_size": [int(size) or None for size in columns.batch_size],
                "seed": columns.seed,
                "fold": columns.fold,
                "train_loss": np.where(validated, state.best_train_loss, self._last_loss()),
                "validation_loss": np.where(validated, state.best_loss, np.nan),
                self.metric: state.best_metric,
                "best_step": np.where(validated, state.best_step, state.step),
                "status": self._status(),
            }
        )
        board = board.iloc[np.argsort(self._order(), kind="stable")].reset_index(drop=True)
        board.insert(0, "rank", np.arange(1, len(board) + 1))
        return board

    def best(self) -> int:
        """The number of the best member.

        Losses on different folds do not compare. Where members were trained on several, those that
        differ by the fold alone stand together with their mean, and the best of the best is taken.

        Raises:
            Diverged: when no member has a finite loss.
        """
        order = self._order()
        if not np.isfinite(order).any():
            raise Diverged(
                f"All {len(order)} members diverged (the first at step "
                f"{self.state.diverged_at.min()}), so there is no model. Lower the learning rates, "
                f"scale the features, or clip the gradient with clip_norm=1.0."
            )
        columns = self.population.columns()
        if (columns.fold == columns.fold[0]).all():
            return int(order.argmin())
        alike = columns.alike()
        mean = np.bincount(alike, order / np.bincount(alike)[alike])[alike]
        lowest = np.full(len(order), np.inf)
        np.minimum.at(lowest, alike, order)
        return int(np.lexsort((order, lowest[alike], mean))[0])

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
        output = torch.from_numpy(self.state.outputs(k, np.asarray(X), best=True))
        predictions: NDArray[np.float32] = self.plan.loss.predict(output).numpy()
        return predictions

    def _with_weights(self, member: int | None) -> int:
        """That member, or the best one for None, if it has weights worth giving."""
        k = self.best() if member is None else member
        if not 0 <= k < len(self.population):
            raise BadPlan(f"There is no member {k}: this run has 0 to {len(self.population) - 1}.")
        if not np.isfinite(self._order()[k]):
            raise Diverged(
                f"Member {k} diverged at step {self.state.diverged_at[k]}; it has no model."
            )
        return k

    def _order(self) -> NDArray[np.float64]:
        """What members are ranked by, `[P]`: less is better; infinite for diverged ones."""
        state = self.state
        unknown = np.isnan(state.train_loss) | self.validated  # interrupted before anybody looked
        order = np.where(unknown, sys.float_info.max, state.train_loss)
        order[state.diverged_at >= 0] = np.inf
        return np.where(np.isfinite(state.best_loss), state.best_loss, order)

    def _last_loss(self) -> NDArray[np.float64]:
        """The training loss at the last step, `[P]`; NaN in the middle of an epoch without one."""
        state = self.state
        recorded = state.step % state.layout.steps_per_epoch == 0
        recorded |= (state.step == state.layout.total_steps) | (self.plan.record == "step")
        return np.where(recorded, state.train_loss, np.nan)

    def _status(self) -> NDArray[np.object_]:
        state = self.state
        status = np.full(len(state.step), "interrupted", dtype=object)
        status[~state.training] = "done"
        status[state.stopped_at >= 0] = "stopped early"
        status[state.stopped_at == 0] = "not begun"
        for k in np.flatnonzero(state.diverged_at >= 0):
            status[k] = f"diverged at step {state.diverged_at[k]}"
        return status


def _optimizer_labels(population: Population, columns: Columns) -> NDArray[np.object_]:
    """The label of each member's optimizer, `[P]`; a value that many share is put to text once."""
    labels = np.empty(len(columns), dtype=object)
    for code, optimizer in enumerate(columns.optimizers):
        of = np.flatnonzero(columns.optimizer == code)
        shown = []
        for field in fields(optimizer):
            names = [name for name, _ in spread(field.name, np.array([field.default]))]
            first, which = grouped(*(columns.arguments[name][of] for name in names))
            some = [population[int(of[k])].optimizer.shown(field.name) for k in first]
            shown.append(np.array(some, dtype=object)[which])
        labels[of] = [
            f"{optimizer.kind}({', '.join(filter(None, t))})" for t in zip(*shown, strict=True)
        ]
    return labels
