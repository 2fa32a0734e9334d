"""`slalom lessons`: the list of lessons, their words, or all of them as pages."""

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
    glossary: Annotated[
        bool, typer.Option("--glossary", help="The words that the lessons explain.")
    ] = False,
) -> None:
    """List the lessons or their words, or write all lessons as pages with pictures."""
    from slalom import lessons

    if out is not None:
        from slalom.lessons.files import write_gallery

        say(f"Gallery  {write_gallery(out)}")
        return
    if glossary:
        _say_glossary(lang)
        return
    for place, name in enumerate(lessons.NAMES, start=1):
        say(f"{place:>2}  {name:<15} {lessons.title(name, lang)}")
    say("\nShow one: slalom lesson NAME")


def _say_glossary(lang: str) -> None:
    from slalom.core.language import check_language
    from slalom.lessons.glossary import alphabetical
    from slalom.lessons.glossary_page import lesson_of

    check_language(lang)
    for word in alphabetical():
        names = dict.fromkeys((word.name.in_(lang), word.name.en))  # one, where both are the same
        say("  ".join(names), "bold")
        say(f"{word.meaning.in_(lang)}\n{lesson_of(word, lang)}\n")
