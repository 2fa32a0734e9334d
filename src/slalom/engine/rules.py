"""The rules of training, written once: when members are validated, recorded, best, stopped, lost.

Each is a small function of a member `m`: a row of a table of `MEMBER` numbers, which it reads and
changes. The reference engine calls them as they stand here, and the native program compiles them,
so they hold arithmetic alone and call each other nowhere. A step goes through them in this order:

    trains -> (the loss of a batch) -> diverges, or (the update) -> counts -> is_validated ->
    (the validation) -> sums_up -> judges -> is_recorded -> goes_on
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from slalom.engine.state import FIELDS, NEVER, State
from slalom.plan import Plan

# What the rules read and change of a member, besides `FIELDS` of the state: where its stretch ends,
# whole epochs done and steps since then, how often a record is kept, and the next step with one.
MEMBER: list[tuple[str, Any]] = [
    ("steps_per_epoch", np.int64),
    ("total_steps", np.int64),
    ("end", np.int64),
    ("epoch", np.int64),
    ("in_epoch", np.int64),
    ("record_every", np.int64),
    ("next_record", np.int64),
    *((name, value.dtype) for name, value in FIELDS.items()),
]


def stand(
    table: NDArray[Any],
    state: State,
    members: slice | NDArray[np.int64],
    steps: int,
    until: int | None,
) -> None:
    """Fill a table of members with where they stand, before a stretch of so many steps.

    Args:
        table: `[P]`, with the fields of `MEMBER` among its own.
        state: of the population.
        members: which ones.
        steps, until: see `slalom.engine.contract.Session.advance`.
    """
    layout = state.layout
    for name in ("steps_per_epoch", "total_steps"):
        table[name] = getattr(layout, name)[members]
    for name in FIELDS:
        table[name] = getattr(state, name)[members]
    pending = ~np.isnan(table["pending"])
    done = table["step"] - pending  # a pending step still belongs to its epoch
    table["epoch"], table["in_epoch"] = np.divmod(done, table["steps_per_epoch"])
    table["in_epoch"] += pending
    table["end"] = ends(state, steps, until)[members]
    every = record_every(state.plan, table["steps_per_epoch"])
    table["record_every"], table["next_record"] = every, (done // every + 1) * every


def ends(state: State, steps: int, until: int | None) -> NDArray[np.int64]:
    """The step at which a stretch of so many steps ends for each member, `[P]`."""
    end = np.minimum(state.step + steps, state.layout.total_steps)
    if until is not None:  # those that are there already stay
        end = np.maximum(np.minimum(end, until), state.step)
    return np.where(state.training, end, state.step)


def keep(table: NDArray[Any], state: State, members: slice | NDArray[np.int64]) -> None:
    """Give the state what has changed in the table."""
    for name in FIELDS:
        getattr(state, name)[members] = table[name]


def record_every(plan: Plan, steps_per_epoch: Any) -> Any:
    """Steps from one record to the next."""
    return plan.record_every * (1 if plan.record == "step" else steps_per_epoch)


def trains(m: Any) -> bool:
    """Whether a member goes on in this stretch."""
    return m.step < m.end and m.stopped_at == NEVER and m.diverged_at == NEVER  # type: ignore[no-any-return]


def diverges(m: Any) -> None:
    """The loss of its next step is not finite: that step updates nothing."""
    m.diverged_at = m.step + 1


def counts(m: Any, loss: float) -> None:
    """After an update, which looked at this loss: validation and record are due."""
    m.step += 1
    m.in_epoch += 1
    m.epoch_loss += loss
    m.pending = loss


def is_validated(m: Any, validate_every: int, rows: int) -> bool:
    """Whether it is time to look at its validation rows, of which there are so many."""
    last, epoch_end = m.step == m.total_steps, m.in_epoch == m.steps_per_epoch
    return rows > 0 and (last or (epoch_end and (m.epoch + 1) % validate_every == 0))


def sums_up(m: Any, record_steps: bool) -> None:
    """The training loss that is told: of the step, or the mean of an epoch that is over."""
    if record_steps:
        m.train_loss = m.pending
    elif m.in_epoch == m.steps_per_epoch or m.step == m.total_steps:
        m.train_loss = m.epoch_loss / m.in_epoch
    m.pending = np.nan


def judges(m: Any, loss: float, score: float, patience: float) -> bool:
    """What a validation means for the member; whether its parameters are the best so far."""
    if not np.isfinite(loss):
        m.diverged_at = m.step
        return False
    if loss < m.best_loss:
        m.best_loss, m.best_step, m.best_metric = loss, m.step, score
        m.best_train_loss = m.train_loss
        return True
    if (m.step - m.best_step) / m.steps_per_epoch >= patience:
        m.stopped_at = m.step
    return False


def is_recorded(m: Any) -> bool:
    """Whether a record of this step is kept: when it is its turn, and of what ends the training."""
    ended = m.step == m.total_steps or m.stopped_at != NEVER or m.diverged_at != NEVER
    return ended or m.step == m.next_record  # type: ignore[no-any-return]


def goes_on(m: Any) -> None:
    """Everything that was due after the step is done."""
    if m.step == m.next_record:
        m.next_record += m.record_every
    if m.in_epoch == m.steps_per_epoch:
        m.epoch, m.in_epoch, m.epoch_loss = m.epoch + 1, 0, 0.0
