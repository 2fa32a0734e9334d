"""`slalom fit`: from a table to a model file and a report."""

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slalom.cli.common import Device, Missing, Seed, StorePath, Table, Threads, check_outputs
from slalom.cli.leaving import code_of, leaving_in_time
from slalom.core.errors import BadFile, BadPlan
from slalom.core.terminal import say, show_table, warn

if TYPE_CHECKING:
    import pandas as pd

    from slalom.models import Predictor
    from slalom.runs.folder import RunFolder
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
    missing: Missing = None,
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
    device: Device = None,
    store: StorePath = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the run in the store; as the table if not given.")
    ] = None,
) -> None:
    """Train on a table: a leaderboard, an honest score, a model file and a report.

    The run is kept while it trains, and `slalom runs resume` goes on with it, whatever ended it.
    """
    limit = None if time_limit is None else seconds(time_limit)
    if str(table) == "-":
        raise BadFile(
            "A fit reads its table again when it goes on, so it takes none from standard input. "
            "Write it to a file first: ... > table.csv"
        )
    model = out or Path(f"{_stem(table)}.slalom")
    inputs = [table] if test is None else [table, test]
    check_outputs([model], inputs)
    page = report or model.with_suffix(".html")
    check_outputs([model, page], inputs)

    from slalom.runs import Store
    from slalom.tabular.keeping import fit_in_store

    def fit_it(hooks: dict[str, Any], on_run: Callable[["RunFolder"], None]) -> "Fit":
        return fit_in_store(
            table,
            target,
            Store(store),
            name=name,
            files={"model": str(model.resolve()), "report": str(page.resolve())},
            on_run=on_run,
            hooks=hooks,
            test=test,
            drop=drop or (),
            missing=missing or (),
            task=None if task is None else task.value,
            time_limit=limit,
            epochs=epochs,
            seed=seed,
            threads=threads,
            device=device,
        )

    carry_out(fit_it, model, page, store, drop)


def carry_out(
    fit_it: Callable[[dict[str, Any], Callable[["RunFolder"], None]], "Fit"],
    model: Path,
    page: Path,
    store: Path | None,
    drop: list[str] | None = None,
) -> None:
    """Fit, write model and report, and show what came out; or say how to go on with it.

    Args:
        fit_it: fits, with hooks of `fit_table`, and calls the second argument with the run.
        model, page: where the model and the report go.
        store: as it was given.
        drop: columns that were left out on request.
    """
    runs: list[RunFolder] = []

    def show_columns(made: "pd.DataFrame") -> None:  # in time for a person to stop it
        show_table(made, "What is made of each column")
        if drop:
            say(f"Left out on request: {', '.join(drop)}\n")

    def keep(predictor: "Predictor") -> None:  # before it is scored: Ctrl-C cannot lose it any more
        predictor.save(model)

    try:
        with leaving_in_time():
            fitted = fit_it({"on_columns": show_columns, "on_model": keep}, runs.append)
    except KeyboardInterrupt as stopped:
        if not runs:  # it had not begun to train
            raise
        warn(f"Stopped. What it had reached is kept: {_going_on(runs[0], store)}")
        raise typer.Exit(code_of(stopped)) from None
    from slalom.tabular.report import write_report

    (run,) = runs
    write_report(fitted, page, model)
    write_report(fitted, run.path / "report.html", model)
    _show_fit(fitted)
    say(f"Model   {model}")
    say(f"Report  {page}")
    say(f"Run     {run.path}")
    if fitted.stopped:
        warn(
            f"Training was ended by {fitted.stopped}; what it had reached was scored and saved. "
            f"Go on with it: {_going_on(run, store)}"
        )


def _going_on(run: "RunFolder", store: Path | None) -> str:
    """The command that goes on with a run."""
    return f"slalom runs resume {run.name}" + ("" if store is None else f" --store {store}")


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
