"""`slalom lesson`: one lesson, with its parameters."""

from pathlib import Path
from typing import Annotated

import typer

from slalom.cli.common import Lang


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
