"""The command line: `slalom fit`, `predict`, `race`, `inspect`, `lessons`, `lesson`.

Commands read arguments, call one function and say what came out. What is heavy (torch, pandas,
matplotlib) is imported inside the command that needs it, so that `slalom --help` answers at once.

Exit codes: 0 done; 2 something about the input, said in one paragraph; 130 stopped by Ctrl-C.
"""

import os
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from slalom import __version__
from slalom.core.errors import BadData, BadFile, BadPlan, SlalomError
from slalom.core.terminal import complain, say, show_table, warn, warnings_as_notes

if TYPE_CHECKING:
    import pandas as pd

    from slalom.data.dataset import Dataset
    from slalom.models import Predictor
    from slalom.tabular.fit import Fit

STOPPED = 130  # what a shell says of a program that Ctrl-C ended
LEADERS = 10
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Task(StrEnum):
    """What to make of the target."""

    regression = "regression"
    classification = "classification"


class _Commands(TyperGroup):
    """Turns errors into one paragraph and an exit code, for every command alike."""

    def main(self, *args: Any, **extra: Any) -> Any:
        # Errors and exit codes come here, and the name is the same however it was started.
        extra |= {"standalone_mode": False, "prog_name": "slalom"}
        for name in ("stdout", "stderr"):
            if getattr(sys, name) is None:  # closed by the shell
                setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # until the end
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter shows it as \xe9
                stream.reconfigure(errors="backslashreplace")
        try:
            with warnings_as_notes():
                code = super().main(*args, **extra)
        except (SlalomError, typer.TyperException) as error:
            complain(_message(error))
            sys.exit(2)
        except OSError as error:  # a full disk, a name that is too long, a file that is not ours
            complain(f"{error.strerror}: {error.filename}" if error.filename else str(error))
            sys.exit(2)
        sys.exit(code or 0)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            warn("Stopped.")
            raise typer.Exit(STOPPED) from None


def _message(error: Exception) -> str:
    """What went wrong; for arguments that cannot be understood, also where they are explained."""
    if isinstance(error, SlalomError):
        return str(error)
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "slalom"
    text = getattr(error, "format_message", error.__str__)()
    return f"{text}{'' if text.endswith(('.', '?')) else '.'} See: {command} --help"


app = typer.Typer(
    cls=_Commands,
    rich_markup_mode=None,  # plain help: quick, and the same wherever it is shown
    add_completion=False,
    pretty_exceptions_enable=False,
)

Table = Annotated[Path, typer.Argument(help="CSV (also gzipped), TSV or Parquet.", metavar="TABLE")]
Threads = Annotated[
    int | None, typer.Option(help="Nets that train at once; all cores if not given.", min=1)
]
Seed = Annotated[int, typer.Option(help="Of all that is drawn at random.", min=0, max=2**32 - 1)]


def main() -> None:
    """What the program `slalom` runs."""
    app()


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"slalom {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def slalom(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Say the version.", callback=_say_version, is_eager=True),
    ] = False,
) -> None:
    """Trains many neural networks at once and shows every one of them learning."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
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
    task: Annotated[Task | None, typer.Option(help="Override what the target looks like.")] = None,
    time: Annotated[
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
    limit = None if time is None else seconds(time)
    model = out or Path(f"{_stem(table)}.slalom")
    inputs = [table] if test is None else [table, test]
    _check_outputs([model], inputs)
    page = report or model.with_suffix(".html")
    _check_outputs([model, page], inputs)

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


@app.command()
def predict(
    model: Annotated[
        Path, typer.Argument(help="Model file that `slalom fit` wrote.", metavar="MODEL")
    ],
    table: Table,
    out: Annotated[
        Path | None, typer.Option(help="CSV to write (also .csv.gz); standard output if not given.")
    ] = None,
) -> None:
    """Predict every row of a table: its columns, and those of the prediction."""
    if out is not None:
        _check_outputs([out], [model, table])
        _check_csv(out)

    from slalom.data.table import read_table
    from slalom.models import Predictor

    predictor = Predictor.load(model)
    frame = read_table(table)
    text = _with_predictions(predictor, frame).to_csv(index=False, lineterminator="\n")
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        return
    _write(out, text.encode())
    say(f"{len(frame):,} predictions  {out}")


@app.command()
def race(
    data: Annotated[
        str, typer.Argument(help="A toy (quadratic, sine, step, moons, ...) or a table.")
    ] = "quadratic",
    target: Annotated[str | None, typer.Option(help="Column to predict, for a table.")] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the rows.", min=1)] = 12,
    seeds: Annotated[int, typer.Option(help="How many times the race is run.", min=1)] = 1,
    batch_size: Annotated[int, typer.Option(help="Rows a batch.", min=1)] = 32,
    out: Annotated[Path, typer.Option(help="Picture to write (PNG, SVG, PDF).")] = Path("race.png"),
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Race five optimizers on one net, from the same weights on the same batches."""
    _check_outputs([out], [Path(data)])
    if out.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise BadFile(f"A picture must end in .png, .svg or .pdf, but --out is {out}.")

    from slalom import plots
    from slalom.runs import train
    from slalom.tabular import racing

    dataset = _race_data(data, target, seed)
    net = racing.net(dataset)
    run = train.race(
        net,
        dataset,
        list(racing.RACERS),
        seeds=seeds,
        batch_size=batch_size,
        epochs=epochs,
        threads=threads,
        frames=0,
    )
    if run.history.empty:
        warn("Stopped before the first lap, so there is nothing to show.")
        raise typer.Exit(STOPPED)
    plots.race(run, out)
    rows = len(dataset.folds[0].train)
    show_table(
        racing.results(run),
        f"{Path(data).name}: {rows:,} rows, net {net.label}, batches of {batch_size}, "
        f"{epochs} epochs, {seeds} seed{'s' * (seeds > 1)}",
    )
    say("Losses above are those on all rows after the last step; the picture follows the batches.")
    say(f"Picture  {out}")
    if run.interrupted:
        warn("The race was stopped by Ctrl-C; what it had reached is shown.")
        raise typer.Exit(STOPPED)


@app.command()
def inspect(
    table: Table,
    target: Annotated[
        list[str] | None, typer.Option(help="Column to predict, which is then no feature.")
    ] = None,
) -> None:
    """Show what would be made of each column of a table."""
    from slalom.data.columns.cells import as_text
    from slalom.data.schema import Schema
    from slalom.data.table import read_table

    frame = read_table(table)
    missing = {name: int(as_text(frame[name]).isna().sum()) for name in frame.columns}
    rows, columns = frame.shape
    say(
        f"{table.name}: {rows:,} rows, {columns:,} columns, {sum(missing.values()):,} missing cells"
    )
    if target:
        say(_target_line(frame, target))
    say()
    summary = Schema.fit(frame, exclude=target or ()).summary()
    summary.insert(3, "missing", [missing.get(name, 0) for name in summary["column"]])
    show_table(summary, "What would be made of each column")


Lang = Annotated[str, typer.Option(help="Language of the prose: en or zh.")]


@app.command()
def lessons(
    lang: Lang = "en",
    out: Annotated[
        Path | None, typer.Option(help="Folder for a gallery of all lessons in both languages.")
    ] = None,
) -> None:
    """List the lessons, or write all of them as pages with pictures."""
    from slalom import lessons

    if out is not None:
        from slalom.lessons.files import write_gallery

        say(f"Gallery  {write_gallery(out)}")
        return
    for place, name in enumerate(lessons.NAMES, start=1):
        say(f"{place:>2}  {name:<15} {lessons.title(name, lang)}")
    say("\nShow one: slalom lesson NAME")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lesson(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="Its name or number; see `slalom lessons`.", metavar="NAME")
    ],
    lang: Lang = "en",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for its pictures, code and page; lessons/NAME without a screen."),
    ] = None,
) -> None:
    """Show a lesson: text, pictures, and the PyTorch code behind it.

    Parameters of the lesson follow its name, such as `slalom lesson regression --lr 0.5`; each
    lesson lists its own at the end of its text.
    """
    from slalom import lessons
    from slalom.lessons.prose import options
    from slalom.lessons.showing import show

    show(lessons.get(name), lang, out, options(context.args))


def seconds(text: str) -> float:
    """A time such as 60, 60s, 1.5m or 1h, in seconds.

    >>> seconds("2m"), seconds("60")
    (120.0, 60.0)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", text.lower())
    if found is None or not float(found[1]):
        raise BadPlan(f"--time must be a time such as 60s, 2m or 1h, but {text!r} was given.")
    return float(found[1]) * _SECONDS[found[2]]


def _show_fit(fitted: "Fit") -> None:
    board = fitted.leaderboard(LEADERS).drop(columns=["train loss", "best step"])
    show_table(board, f"The best of {fitted.field}")  # in 80 columns; the report has it all
    say(f"Rows: {fitted.rows}.\n")
    title = f"Score on {fitted.rows.test:,} rows that neither training nor selection saw"
    show_table(fitted.score_table, f"{title} (± one standard error)")
    say(f"{fitted.verdict}\n")


def _target_line(frame: "pd.DataFrame", names: list[str]) -> str:
    from slalom.data.target import ClassificationTarget, fit_target, split_missing_target

    present, missing = split_missing_target(frame, names)
    target = fit_target(present[names])
    line = f"Target {', '.join(names)}: {target.task}"
    if isinstance(target, ClassificationTarget):
        line += f", {len(target.classes)} classes"
    return line + (f", {len(missing):,} rows without it" if len(missing) else "")


def _race_data(data: str, target: str | None, seed: int) -> "Dataset":
    from slalom.tabular import racing

    if target is not None:
        return racing.table(Path(data), target, seed)
    if Path(data).is_file():
        raise BadData(f"{data} is a table: name the column to predict with --target.")
    return racing.toy(data, seed)


def _with_predictions(predictor: "Predictor", frame: "pd.DataFrame") -> "pd.DataFrame":
    """The table with the columns of the prediction behind its own."""
    from slalom.data.target import ClassificationTarget

    target = predictor.target
    added: dict[str, Any] = {}
    if isinstance(target, ClassificationTarget):
        probabilities = predictor.predict_proba(frame)
        added["prediction"] = target.decode(probabilities.argmax(axis=1))
        for name, column in zip(target.classes, probabilities.T, strict=True):
            added[f"probability_{name}"] = column
    else:
        values, stds = (
            found.reshape(len(frame), -1)
            for found in (predictor.predict(frame), predictor.predict_std(frame))
        )
        for k, name in enumerate(target.names):
            label = "prediction" if len(target.names) == 1 else f"prediction_{name}"
            added |= {label: values[:, k], f"{label}_std": stds[:, k]}
    _check_free(list(added), frame.columns.tolist())
    return frame.assign(**added)


def _check_free(added: list[str], present: list[str]) -> None:
    taken = [name for name in added if name in present]
    if taken:
        raise BadData(
            f"The table already has a column {taken[0]!r}, which the prediction would overwrite. "
            "Rename or remove it."
        )


def _stem(table: Path) -> str:
    """The name of a table without its endings: houses.csv.gz is houses."""
    name = table.name.removesuffix(".gz")
    return Path(name).stem or "model"


def _check_outputs(outputs: list[Path], inputs: list[Path]) -> None:
    """Refuse what cannot be written before anything is computed, and never write over an input."""
    for path in outputs:
        if path.is_dir():
            raise BadFile(f"{path} is a folder, so no file of that name can be written.")
        if not path.parent.is_dir():
            raise BadFile(f"There is no folder {path.parent} to write {path.name} to.")
        if path.exists() and not path.is_file():
            raise BadFile(f"{path} is not a file that can be replaced.")
        for source in inputs:
            if path.resolve() == source.resolve():
                raise BadFile(f"{path} would be written over its own input. Choose another name.")
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise BadFile(f"Model and report would both be written to {outputs[0]}. Name another one.")


def _check_csv(path: Path) -> None:
    if not path.name.lower().endswith((".csv", ".csv.gz", ".txt")):
        raise BadFile(f"Predictions are written as CSV: --out must end in .csv, but is {path}.")


def _write(path: Path, data: bytes) -> None:
    import gzip

    from slalom.core.files import write_whole

    write_whole(path, gzip.compress(data) if path.suffix == ".gz" else data)
