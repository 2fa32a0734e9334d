"""Members of a team in lockstep, from a state and back to it."""

from threading import Event
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.data.batches import Shuffle
from slalom.engine import rules
from slalom.engine.batched import following
from slalom.engine.batched.batches import StackedBatches
from slalom.engine.batched.capture import at_once
from slalom.engine.batched.dropout import keys_of
from slalom.engine.batched.optimizer import StackedOptimizer
from slalom.engine.batched.stacking import Stacked
from slalom.engine.batched.teams import Turn, half_have_ended, seated
from slalom.engine.measure import measured
from slalom.engine.state import NEVER, State, put_slices, slices_of

# Rows of validation that are looked at together, and numbers that these may be for all members.
ROWS_AT_ONCE, NUMBERS_AT_ONCE = 1024, 2**22


class Team(NamedTuple):
    """Members that train together, and what they have in common.

    Args:
        members: their numbers, `[P]`.
        net: of them all.
        X: what it sees of the rows of the dataset, `[N, ...]`, on its device.
        shuffles: of their batches by seed, which go on from stretch to stretch: one that is made
            anew draws all permutations since the first epoch again.
    """

    members: NDArray[np.int64]
    net: Stacked
    X: torch.Tensor
    shuffles: dict[int, Shuffle]


class Lockstep:
    """Members that take their steps together; their numbers lie in tensors with a row each.

    Args:
        state: of the population.
        team: to which they belong.
        turn: which of its members take steps, and how far.
    """

    def __init__(self, state: State, team: Team, turn: Turn) -> None:
        self._state, self._plan, self._dataset = state, state.plan, state.dataset
        self._team, self._net, self._X = team, team.net, team.X
        self._table = np.zeros(len(turn.members), dtype=following.MEMBER)
        self._table["number"] = turn.members
        rules.stand(self._table, state, turn.members, 0, None)
        self._table["end"] = turn.end
        self._records, self._written = following.room(self._table), 0
        self._sit()

    def _sit(self) -> None:
        """Give the members their rows, from the state."""
        state, layout, columns = self._state, self._state.layout, self._plan.population.columns()
        seats = seated(state, self._team.members, int(self._first.step))
        self._row = np.flatnonzero(np.isin(seats, self._table["number"]))
        self._parameters = self._put(slices_of(state.parameters, layout.parameters, seats))
        self._buffers = self._put(slices_of(state.buffers, layout.buffers, seats))
        self._seeds, self._folds = columns.seed[seats], columns.fold[seats]
        self._optimizer = StackedOptimizer(state, seats, self._net, self._X.device)
        self._gradients = at_once(self._net.program.gradients, self._X.device)
        self._batches = StackedBatches(
            self._dataset,
            self._X,
            self._seeds,
            self._folds,
            int(columns.batch_size[seats[0]]),
            self._team.shuffles,
        )

    @property
    def records(self) -> NDArray[Any]:
        """Those written so far."""
        return self._records[: self._written]

    @property
    def _first(self) -> Any:
        """One of the members, as the rules want it; what it is at is the same for all."""
        return self._table.view(np.recarray)[0]

    @torch.no_grad()
    def advance(self, stop: Event) -> None:
        """Take all steps of the turn, unless somebody wants it to stop."""
        if not np.isnan(self._first.pending):
            self._finish()
        while len(self._table) and rules.trains(self._first) and not stop.is_set():
            self._step()
            if half_have_ended(len(self._table), len(self._parameters)):
                self._leave(np.ones(len(self._table), dtype=bool))
                self._sit()
        self._leave(np.ones(len(self._table), dtype=bool))

    def _step(self) -> None:
        """One update of each member."""
        first = self._first
        step, total, place = int(first.step), int(first.total_steps), int(first.in_epoch)
        keys = self._put(keys_of(self._seeds, step, self._net.program.layers))
        batch = *self._batches.at(int(first.epoch), place), keys
        losses, gradient, buffers = self._gradients(self._parameters, self._buffers, *batch)
        values = losses.double().cpu().numpy()[self._row]
        self._written = following.take_losses(self._table, values, self._records, self._written)
        finite = np.isfinite(values)
        if not finite.all():  # their last step updates nothing
            self._drop(~finite)
        if not len(self._table):
            return
        self._optimizer.step(step, total, self._parameters, gradient)
        self._buffers = buffers
        self._keep_frames(step + 1)
        self._finish()

    def _keep_frames(self, step: int) -> None:
        layout = self._state.layout
        if step in layout.due:
            for row, number in zip(self._row, self._table["number"].tolist(), strict=True):
                if number < layout.framed:
                    own = self._parameters[row], self._buffers[row]
                    self._state.keep_frame(number, step, *(part.cpu().numpy() for part in own))

    def _finish(self) -> None:
        """After an update: validate where it is time to, and write down what the plan asks for."""
        plan, first, members = self._plan, self._first, len(self._table)
        held = len(self._dataset.folds[self._folds[0]].validation)
        due = bool(rules.is_validated(first, plan.validate_every, held))
        losses, scores = self._validated() if due else np.full((2, members), np.nan)
        broken, best = np.zeros((2, members), dtype=bool)
        if first.step == first.total_steps:
            broken = ~self._parameters.isfinite().all(dim=1).cpu().numpy()[self._row]
        self._written = following.finish(
            self._table,
            due,
            losses,
            scores,
            broken,
            float(plan.patience or np.inf),
            plan.record == "step",
            best,
            self._records,
            self._written,
        )
        self._save_best(best)
        ended = (self._table["stopped_at"] != NEVER) | (self._table["diverged_at"] != NEVER)
        if ended.any():
            self._drop(ended)

    def _validated(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Losses and metrics of the members on their validation rows, `[P]` each."""
        losses, scores = np.empty((2, len(self._parameters)))
        for fold in np.unique(self._folds):
            rows = self._dataset.folds[fold].validation
            of = np.flatnonzero(self._folds == fold)
            outputs = self._outputs(self._put(of), self._X[self._put(rows)])
            losses[of], scores[of] = measured(self._plan.loss, self._dataset, rows, outputs)
        return losses[self._row], scores[self._row]

    def _outputs(self, of: torch.Tensor, X: torch.Tensor) -> torch.Tensor:
        """Raw outputs of some of the rows on features `[B, ...]`: `[P, B, O]`, in the memory."""
        own = self._parameters[of], self._buffers[of]
        most = NUMBERS_AT_ONCE // (len(of) * X[0].numel())
        parts = torch.split(X, min(ROWS_AT_ONCE, max(1, most)))
        seen = (part.expand(len(of), *part.shape) for part in parts)
        return torch.cat([self._net.program.outputs(*own, part).cpu() for part in seen], dim=1)

    def _drop(self, which: NDArray[np.bool_]) -> None:
        """Give members that have ended back to the state; nobody looks at their rows any more."""
        self._leave(which)
        self._table, self._row = self._table[~which], self._row[~which]

    def _leave(self, which: NDArray[np.bool_]) -> None:
        """Give the state what these members are now."""
        state, layout = self._state, self._state.layout
        table, rows = self._table[which], self._row[which]
        if not len(table):
            return
        members = table["number"]
        rules.keep(table, state, members)
        parameters, buffers = self._taken(rows)
        put_slices(state.parameters, layout.parameters, members, parameters)
        put_slices(state.buffers, layout.buffers, members, buffers)
        self._optimizer.keep(state, rows, members)

    def _save_best(self, which: NDArray[np.bool_]) -> None:
        if not which.any():
            return
        state, layout, members = self._state, self._state.layout, self._table["number"][which]
        parameters, buffers = self._taken(self._row[which])
        put_slices(state.best_parameters, layout.parameters, members, parameters)
        put_slices(state.best_buffers, layout.buffers, members, buffers)

    def _taken(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The parameters `[P, D]` and buffers `[P, B]` of some of the rows."""
        of = self._put(rows)
        return self._parameters[of].cpu().numpy(), self._buffers[of].cpu().numpy()

    def _put(self, numbers: NDArray[Any]) -> torch.Tensor:
        """Numbers where those of the members lie."""
        return torch.from_numpy(numbers).to(self._X.device)
