"""`slalom runs`: what the store holds, and going on with it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slalom.cli.common import Device, StorePath, Threads, check_outputs
from slalom.core.errors import BadPlan, BadRun
from slalom.core.terminal import say, show_table, warn

if TYPE_CHECKING:
    import pandas as pd

LEADERS = 10

runs = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List, show, compare, resume and remove the runs of a store.",
)
Name = Annotated[str, typer.Argument(help="Name of the run, or its folder.", metavar="RUN")]


@runs.command("list")
def list_(store: StorePath = None) -> None:
    """List all runs, the oldest first."""
    from slalom.runs.listing import COLUMNS, place, rows

    where = place(store)
    if not (found := rows(where)):
        say(f"There are no runs in {where} yet. `slalom fit` begins one.")
        return
    import pandas as pd

    show_table(pd.DataFrame(found, columns=COLUMNS), f"{len(found):,} runs in {where}")


@runs.command()
def show(run: Name, store: StorePath = None) -> None:
    """Show what a run is, how far it is, and its best members."""
    from slalom.runs.facts import facts
    from slalom.runs.resume import folder_of

    folder = folder_of(run, store)
    show_table(facts(folder), f"Run {folder.name}")
    if (board := folder.leaderboard()) is not None:
        _show_best(board)


@runs.command()
def compare(
    names: Annotated[list[str], typer.Argument(help="Names of the runs.", metavar="RUN...")],
    store: StorePath = None,
) -> None:
    """Show runs beside each other, and in what they differ."""
    from slalom.runs.facts import differences
    from slalom.runs.resume import folder_of

    found = differences([folder_of(name, store) for name in names])
    show_table(found, f"What differs between {len(names)} runs")


@runs.command()
def remove(
    names: Annotated[list[str], typer.Argument(help="Names of the runs.", metavar="RUN...")],
    store: StorePath = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove runs and all that they left, for good. Asks first."""
    from slalom.runs import Store

    kept = Store(store)
    found = [kept.find(name) for name in names]
    for folder in found:
        status = folder.status["status"]
        if yes or typer.confirm(f"Remove {folder.path} ({status}) for good?"):
            kept.remove(folder.path)
            say(f"Removed  {folder.path}")


@runs.command()
def resume(
    run: Name,
    store: StorePath = None,
    time_limit: Annotated[
        str | None, typer.Option(help="Time for going on, such as 60s, 2m or 1h.")
    ] = None,
    from_step: Annotated[
        int | None, typer.Option(help="Go back to this step first, and on from there.", min=0)
    ] = None,
    threads: Threads = None,
    device: Device = None,
) -> None:
    """Go on with a run from where it was kept last; it ends as if nothing had stopped it."""
    from slalom.cli.fit import carry_out, seconds
    from slalom.cli.leaving import INTERRUPTED, leaving_in_time
    from slalom.runs.resume import folder_of, go_back
    from slalom.tabular.keeping import resume, resume_fit

    folder = folder_of(run, store)
    if from_step is not None:
        go_back(folder, from_step)
    status, fits = folder.status, folder.about.get("kind") == "fit"
    if status["status"] == "done" and ("score" in status or not fits):
        say(f"The run {folder.name} is done. Show it: slalom runs show {run}")
        return
    limit = None if time_limit is None else seconds(time_limit)
    if not fits:
        with leaving_in_time():
            ended = resume(folder, time_limit=limit, threads=threads, device=device)
        _show_best(ended.leaderboard())
        if ended.stopped_by:
            warn(f"Stopped by {ended.stopped_by}. Go on: slalom runs resume {run}")
        if ended.stopped_by == "interrupt":
            raise typer.Exit(INTERRUPTED)
        return

    def fit_it(hooks: dict[str, Any], on_run: Any) -> Any:
        on_run(folder)
        return resume_fit(folder, limit, hooks, threads=threads, device=device)

    files = {"model": folder.path / "model.slalom", "report": folder.path / "report.html"}
    files |= folder.about.get("files", {})  # a fit from Python names none
    carry_out(fit_it, Path(files["model"]), Path(files["report"]), store)


@runs.command()
def eject(
    run: Name,
    store: StorePath = None,
    member: Annotated[
        int | None, typer.Option(help="Which one; the best one if not given.", min=0)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Script to write; RUN.py here if not given.")
    ] = None,
) -> None:
    """Write a plain PyTorch script that trains a member again, and needs no Slalom."""
    from slalom.runs.eject import eject_member
    from slalom.runs.resume import folder_of

    folder = folder_of(run, store)
    board = folder.leaderboard()
    if member is None:
        if board is None:
            raise BadRun(f"The run {folder.name} has not ended: say which member with --member.")
        member = int(board["member"][0])
    path = out or Path(f"{folder.name}.py")
    check_outputs([path, path.with_suffix(".npz")], [])
    eject_member(folder.plan(), folder.dataset(), member, path)
    say(f"Script  {path}\nData    {path.with_suffix('.npz')}\nRun it  python {path}")


@runs.command()
def track(
    run: Name,
    store: StorePath = None,
    tensorboard: Annotated[
        Path | None, typer.Option(help="Folder of events to write, for TensorBoard.")
    ] = None,
    mlflow: Annotated[
        str | None, typer.Option(help="Server or store of MLflow to write to, as a URI.")
    ] = None,
) -> None:
    """Tell TensorBoard or MLflow of a run: one run for all members, with a table of them."""
    from slalom.runs.resume import folder_of
    from slalom.runs.tracking import to_mlflow, to_tensorboard

    if not (tensorboard or mlflow):
        raise BadPlan("Say where to write: --tensorboard FOLDER or --mlflow URI.")
    folder = folder_of(run, store)
    if tensorboard:
        say(f"TensorBoard  {to_tensorboard(folder, tensorboard)}")
    if mlflow:
        say(f"MLflow  run {to_mlflow(folder, mlflow)}")


def _show_best(board: "pd.DataFrame") -> None:
    best = board.head(LEADERS).dropna(axis=1, how="all")
    show_table(best.drop(columns=["rank", "lr"]), f"The best of {len(board):,} members")
