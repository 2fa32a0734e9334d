"""`slalom inspect`: what would be made of a table."""

from typing import TYPE_CHECKING, Annotated

import typer

from slalom.cli.common import Missing, Table
from slalom.core.terminal import say, show_table

if TYPE_CHECKING:
    import pandas as pd


def inspect(
    table: Table,
    target: Annotated[
        list[str] | None, typer.Option(help="Column to predict, which is then no feature.")
    ] = None,
    missing: Missing = None,
) -> None:
    """Show what would be made of each column of a table."""
    from slalom.data.columns.cells import as_text
    from slalom.data.missing import mark_missing
    from slalom.data.schema import Schema
    from slalom.data.table import read_table

    frame = mark_missing(read_table(table), missing or ())
    empty = {name: int(as_text(frame[name]).isna().sum()) for name in frame.columns}
    rows, columns = frame.shape
    say(f"{table.name}: {rows:,} rows, {columns:,} columns, {sum(empty.values()):,} missing cells")
    if target:
        say(_target_line(frame, target))
    schema = Schema.fit(frame, exclude=target or ())
    for note in schema.notes:
        say(f"Note: {note}")
    say()
    summary = schema.summary()
    summary.insert(3, "missing", [empty.get(name, 0) for name in summary["column"]])
    show_table(summary, "What would be made of each column")


def _target_line(frame: "pd.DataFrame", names: list[str]) -> str:
    from slalom.data.target import ClassificationTarget, fit_target, split_missing_target

    present, missing = split_missing_target(frame, names)
    target = fit_target(present[names])
    line = f"Target {', '.join(names)}: {target.task}"
    if isinstance(target, ClassificationTarget):
        line += f", {len(target.classes)} classes"
    return line + (f", {len(missing):,} rows without it" if len(missing) else "")
