"""`slalom fit`: from a table to a model file and a report."""

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slalom.cli.common import STOPPED, Seed, Table, Threads, check_outputs
from slalom.core.errors import BadPlan
from slalom.core.terminal import say, show_table, warn

if TYPE_CHECKING:
    import pandas as pd

    from slalom.models import Predictor
    from slalom.tabular.fit import Fit

LEADERS = 10
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


class TaskChoice(StrEnum):
    """What to make of the target."""

    regression = "regression"
    classification = "classification"


def fit(
    table: Table,
    target: Annotated[
        list[str],
        typer.Option(help="Column to predict; repeat it for several columns of numbers."),
    ],
    test: Annotated[
        Path | None,
        typer.Option(help="Another table to score on; a fifth of the rows if not given."),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="Column to leave out; repeat it for several.")
    ] = None,
    task: Annotated[
        TaskChoice | None, typer.Option(help="Override what the target looks like.")
    ] = None,
    time_limit: Annotated[
        str | None, typer.Option(help="Time for the training, such as 60s, 2m or 1h.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the rows; by their number if not given.", min=1)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Model file; <table>.slalom if not given.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Report; beside the model, ending in .html, if not given.")
    ] = None,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Train on a table: a leaderboard, an honest score, a model file and a report."""
    limit = None if time_limit is None else seconds(time_limit)
    model = out or Path(f"{_stem(table)}.slalom")
    inputs = [table] if test is None else [table, test]
    check_outputs([model], inputs)
    page = report or model.with_suffix(".html")
    check_outputs([model, page], inputs)

    from slalom.tabular.fit import fit_table

    def show_columns(made: "pd.DataFrame") -> None:  # in time for a person to stop it
        show_table(made, "What is made of each column")
        if drop:
            say(f"Left out on request: {', '.join(drop)}\n")

    def keep(predictor: "Predictor") -> None:  # before it is scored: Ctrl-C cannot lose it any more
        predictor.save(model)

    fitted = fit_table(
        table,
        target,
        test=test,
        drop=drop or (),
        task=None if task is None else task.value,
        time_limit=limit,
        epochs=epochs,
        seed=seed,
        threads=threads,
        on_columns=show_columns,
        on_model=keep,
    )
    from slalom.tabular.report import write_report

    write_report(fitted, page, model)
    _show_fit(fitted)
    say(f"Model   {model}")
    say(f"Report  {page}")
    if fitted.stopped:
        warn(f"Training was ended by {fitted.stopped}; what it had reached was scored and saved.")
    if fitted.run.stopped_by == "interrupt":
        raise typer.Exit(STOPPED)


def seconds(text: str) -> float:
    """A time such as 60, 60s, 1.5m or 1h, in seconds.

    >>> seconds("2m"), seconds("60")
    (120.0, 60.0)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", text.lower())
    if found is None or not float(found[1]):
        raise BadPlan(f"--time-limit must be a time such as 60s, 2m or 1h, but {text!r} was given.")
    return float(found[1]) * SECONDS[found[2]]


def _show_fit(fitted: "Fit") -> None:
    board = fitted.leaderboard(LEADERS).drop(columns=["train loss", "best step"])
    show_table(board, f"The best of {fitted.field}")  # in 80 columns; the report has it all
    say(f"Rows: {fitted.rows}.\n")
    title = f"Score on {fitted.rows.test:,} rows that neither training nor selection saw"
    show_table(fitted.score_table, f"{title} (± one standard error)")
    say(f"{fitted.verdict}\n")


def _stem(table: Path) -> str:
    """The name of a table without its endings: houses.csv.gz is houses."""
    name = table.name.removesuffix(".gz")
    return Path(name).stem or "model"
