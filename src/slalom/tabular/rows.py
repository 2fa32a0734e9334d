"""The rows of a table: which are trained and selected on, which tested on, which set aside."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from slalom.core.errors import BadData, SlalomWarning, did_you_mean
from slalom.data.columns.cells import counted
from slalom.data.dataset import Rows, Task
from slalom.data.missing import MissingLike, mark_missing, without_markers
from slalom.data.schema import Schema
from slalom.data.table import read_table
from slalom.data.target import Target, fit_target, split_missing_target
from slalom.tabular.holdout import alike, groups, held_out, warn_if_rough

FEWEST_ROWS = 10  # 8 to train and select on, 2 to test on: fewer say nothing


@dataclass(frozen=True, eq=False)
class TableRows:
    """The rows to train and select on, and those to test on.

    Args:
        train, test: rows that have a target.
        target: fitted on all rows of the table.
        groups: of the test rows `[N]`, see `slalom.tabular.holdout`.
        set_aside, repeated: see `RowCounts`.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    target: Target
    groups: Rows
    set_aside: int
    repeated: int

    @classmethod
    def of(
        cls,
        table: Any,
        names: tuple[str, ...],
        test: Any,
        drop: tuple[str, ...],
        task: Task | None,
        seed: int,
        missing: MissingLike = (),
    ) -> "TableRows":
        whole, aside = with_target(table, names, drop, missing)
        if test is None:
            _check_enough(len(whole))
        target = fit_target(whole[list(names)], task)
        schema = Schema.fit(whole, exclude=names)  # of which columns a net can see
        if test is None:
            group, caution = groups(whole, schema.inputs, names)
            if caution:
                warnings.warn(caution, SlalomWarning, stacklevel=3)
            held = held_out(target, whole, group, seed)
            warn_if_rough(group[held])
            repeated = len(whole) - len(np.unique(alike(whole, schema.inputs)))
            return cls(whole[~held], whole[held], target, group[held], aside, repeated)
        scored, aside_test = with_target(test, names, ())
        scored = without_markers(scored, schema.missing)
        if len(scored) < 2:
            raise BadData(
                f"{name_of(test)} has 1 row with a target; at least 2 are needed to score."
            )
        schema.check_columns(scored.columns.tolist())
        target.values(scored)
        group, _ = groups(scored, schema.inputs, names)
        warn_if_rough(group)
        same = alike(pd.concat([whole, scored]), schema.inputs)
        if seen := int(np.isin(same[len(whole) :], same[: len(whole)]).sum()):
            warnings.warn(
                f"{seen} of {len(scored)} rows of {name_of(test)} have the features of a row "
                "trained on: their score may come from memory.",
                SlalomWarning,
                stacklevel=3,
            )
        repeated = len(same) - len(np.unique(same))
        return cls(whole, scored, target, group, aside + aside_test, repeated)


def with_target(
    table: Any, names: tuple[str, ...], drop: tuple[str, ...], missing: MissingLike = ()
) -> tuple[pd.DataFrame, int]:
    """The rows that have all targets, without the columns in `drop`, and how many have not."""
    frame, where = mark_missing(read_table(table), missing), name_of(table)
    columns = frame.columns.tolist()
    if not names:
        raise BadData(f"Name at least one target column of {where}.")
    for name in (*names, *drop):
        if name not in columns:
            raise BadData(f"{where} has no column {name!r}. {did_you_mean(name, columns)}")
    for name in set(names) & set(drop):
        raise BadData(f"Column {name!r} cannot be both the target and left out.")
    if not set(columns) - {*names, *drop}:
        raise BadData(f"{where} has no column besides the target and those left out.")
    present, missing = split_missing_target(frame.drop(columns=[*drop]), names)
    if len(missing):
        warnings.warn(
            f"{len(missing)} of {len(frame)} rows of {where} have no {' or '.join(names)}: they "
            "are set aside, neither trained on nor scored.",
            SlalomWarning,
            stacklevel=4,
        )
    return present, len(missing)


def _check_enough(rows: int) -> None:
    if rows < FEWEST_ROWS:
        raise BadData(
            f"{counted(rows, 'row')} with a target cannot be trained on, selected on and "
            f"tested on: at least {FEWEST_ROWS} are needed. Collect more rows."
        )


def name_of(table: Any) -> str:
    """What a table is called."""
    return Path(table).name if isinstance(table, str | Path) else "The table"
