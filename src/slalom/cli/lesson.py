"""`slalom lesson`: one lesson, with its parameters and its exercises."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slalom.cli.common import Lang
from slalom.core.errors import BadPlan
from slalom.core.language import language, tr
from slalom.core.terminal import say

if TYPE_CHECKING:
    from slalom.lessons import Lesson


def lesson(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(help="Its name or number; see `slalom lessons`.", metavar="NAME"),
    ] = None,
    lang: Lang = "en",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for its pictures, code and page; lessons/NAME without a screen."),
    ] = None,
    exercise: Annotated[
        int | None,
        typer.Option(help="Show this exercise instead (1 to 3), and a script to begin with."),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(help="Run this script and say what of the exercise is right.", metavar="FILE"),
    ] = None,
    help: Annotated[
        bool, typer.Option("--help", help="Show this, or with NAME what it can be given.")
    ] = False,
) -> None:
    """Show a lesson: text, pictures, and the PyTorch code behind it.

    Parameters of the lesson follow its name, such as `slalom lesson regression --lr 0.5`;
    `slalom lesson NAME --help` lists them.
    """
    from slalom import lessons
    from slalom.lessons.prose import options
    from slalom.lessons.showing import show

    with language(lang):
        if name is None:
            if help:
                typer.echo(context.get_help())
                return
            raise BadPlan(tr("Missing argument 'NAME'.") + " " + tr("`slalom lessons` lists them."))
        chosen = lessons.get(name)
        if help:
            _say_parameters(chosen, lang)
        elif exercise is not None:
            _exercise(chosen, exercise, check, lang, context.args)
        elif check is not None:
            raise BadPlan(
                tr("--check needs the number of the exercise: --exercise 1 --check FILE.")
            )
        else:
            show(chosen, lang, out, options(context.args))


def _say_parameters(lesson: "Lesson", lang: str) -> None:
    """What the lesson can be given: a line a parameter."""
    from slalom import lessons

    say(f"{lessons.title(lesson.name, lang)}: {lessons.sentence(lesson.name, lang)}\n")
    for parameter in lesson.parameters:
        option = f"--{parameter.name.replace('_', '-')} {parameter.default}"
        say(f"  {option:<24} {parameter.what.in_(lang)} ({parameter.range.in_(lang)})")
    say("\n  --lang en|zh    --out FOLDER    --exercise 1|2|3    --check FILE")


def _exercise(
    lesson: "Lesson", number: int, script: Path | None, lang: str, others: list[str]
) -> None:
    """The task and a script to begin with; or what is right in one's own script."""
    from slalom.lessons.exercise import check, exercise

    if others:
        raise BadPlan(
            tr("An exercise has no parameters, but {words!r} was given.", words=" ".join(others))
        )
    chosen = exercise(lesson.name, number)
    if script is None:
        say(f"{chosen.task.in_(lang)}\n\n{chosen.begun(lang)}")
        return
    verdict = check(chosen, script)
    say(verdict.told(lang))
    if not verdict.passed:
        raise typer.Exit(1)
