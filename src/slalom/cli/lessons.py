"""`slalom lessons`: the list of lessons, or all of them as pages."""

from pathlib import Path
from typing import Annotated

import typer

from slalom.cli.common import Lang
from slalom.core.terminal import say


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
