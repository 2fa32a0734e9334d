"""The rules of training, compiled over a table of members that take their steps together."""

from typing import Any

import numpy as np

from slalom.engine import rules
from slalom.engine.contract import RECORD
from slalom.engine.native.compile import inlined, program

# A member of the table: its number in the population, and what the rules read and change.
MEMBER = np.dtype([("number", np.int64), *rules.MEMBER])

diverges, counts, sums_up = (
    inlined(rules.diverges),
    inlined(rules.counts),
    inlined(rules.sums_up),
)
judges, is_recorded, goes_on = (
    inlined(rules.judges),
    inlined(rules.is_recorded),
    inlined(rules.goes_on),
)
NAN = np.nan


def room(table: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Room for all records that the members of a table can write before their stretch ends."""
    steps = table["end"] - table["step"]
    return np.empty(int((steps // table["record_every"] + 3).sum()), dtype=RECORD)


@program
def take_losses(table, losses, records, written):
    """After an update, which looked at these losses `[P]`; how many records there are then."""
    for k in range(table.size):
        m = table[k]
        if np.isfinite(losses[k]):
            counts(m, losses[k])
        else:
            diverges(m)
            written = _write(records, written, m.number, m.step + 1, losses[k], NAN, NAN)
    return written


@program
def finish(table, due, losses, scores, broken, patience, record_steps, best, records, written):
    """What is due after the update; how many records there are then.

    Args:
        table: members whose step is pending.
        due: whether they were validated.
        losses, scores: of that `[P]`.
        broken: whether the last step left parameters that are not finite `[P]`.
        patience: infinite for none.
        record_steps: whether losses of steps are told, not means of epochs.
        best: becomes whether the parameters are the best so far `[P]`.
        records, written: where records go, and how many there are.
    """
    for k in range(table.size):
        m, loss, score = table[k], NAN, NAN
        if due:
            loss, score = losses[k], scores[k]
        sums_up(m, record_steps)
        best[k] = due and judges(m, loss, score, patience)
        if broken[k]:
            m.diverged_at = m.step
        if is_recorded(m):
            written = _write(records, written, m.number, m.step, m.train_loss, loss, score)
        goes_on(m)
    return written


@inlined
def _write(records, written, member, step, train_loss, validation_loss, metric):
    record = records[written]
    record.member, record.step, record.train_loss = member, step, train_loss
    record.validation_loss, record.metric = validation_loss, metric
    return written + 1
