"""The program `slalom`: its verbs, each in a file of its own, and what becomes of their errors.

Commands read arguments, call one function and say what came out. What is heavy (torch, pandas,
matplotlib) is imported inside the command that needs it, so that `slalom --help` answers at once.

Exit codes: 0 done; 1 a script does not pass its exercise yet; 2 something about the input, said in
one paragraph; 130 stopped by Ctrl-C; 143 stopped by SIGTERM.
"""

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from slalom import __version__
from slalom.cli.export import export
from slalom.cli.fit import fit
from slalom.cli.inspect import inspect
from slalom.cli.leaving import CODES, code_of, hear_sigterm, leave
from slalom.cli.lesson import lesson
from slalom.cli.lessons import lessons
from slalom.cli.predict import predict
from slalom.cli.race import race
from slalom.cli.runs import runs
from slalom.cli.studio import studio
from slalom.core.errors import SlalomError
from slalom.core.terminal import complain, warn, warnings_as_notes


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
        hear_sigterm()
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
        except KeyboardInterrupt as stopped:
            warn("Stopped.")
            raise typer.Exit(code_of(stopped)) from None


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


def main() -> None:
    """What the program `slalom` runs."""
    try:
        app()
    except SystemExit as end:
        if end.code in CODES:  # taking libraries down would take longer than a person waits
            leave(end.code)
        raise


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


for verb in (fit, predict, export, race, inspect, lessons, studio):
    app.command()(verb)
app.add_typer(runs, name="runs")
# The parameters of a lesson are its own, read there, and listed by its own help.
any_option = {"allow_extra_args": True, "ignore_unknown_options": True}
app.command(context_settings=any_option, add_help_option=False)(lesson)
