"""Lessons as files: one in a folder, or all of them as a gallery."""

import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from slalom import lessons
from slalom.core.errors import BadFile
from slalom.core.files import write_whole
from slalom.lessons.lesson import Figure, Made
from slalom.lessons.page import body, index, page
from slalom.lessons.prose import LANGUAGES
from slalom.plots.toolkit import Movie, Track, look


def name_of(name: str, figure: Figure) -> str:
    """The file name of a figure."""
    return f"{name}.gif" if isinstance(figure, Movie) else f"{name}.png"


def content_of(figure: Figure, track: Track = iter) -> bytes:
    """A figure as the content of a file: GIF for a movie, else PNG."""
    if isinstance(figure, Movie):
        return figure.gif(track)
    stream = io.BytesIO()
    with look():
        figure.savefig(stream, format="png")
    return stream.getvalue()


def write(made: Made, folder: str | Path, languages: Iterable[str]) -> list[Path]:
    """Write a lesson: its pictures, its scripts, and a page in each language.

    Args:
        made: the lesson.
        folder: where; it is made if it is not there. Other files in it stay.
        languages: of "en" and "zh".

    Returns:
        The files, the pages last.

    Raises:
        BadFile: when one cannot be written.
    """
    return _write(made, make_folder(folder), dict.fromkeys(languages, ()))


def write_gallery(folder: str | Path) -> Path:
    """Write all lessons in all languages, and an index of them in each.

    Returns:
        The English index.

    Raises:
        BadFile: when a file cannot be written.
    """
    folder = make_folder(folder)
    first = next(iter(LANGUAGES))
    homes = {lang: "index.html" if lang == first else f"index.{lang}.html" for lang in LANGUAGES}
    for place, name in enumerate(lessons.NAMES):
        made = lessons.get(name).make()
        _write(made, make_folder(folder / name), _links(place, homes))
    for lang, home in homes.items():
        listed = [(f"{name}/{lang}.html", lessons.title(name, lang)) for name in lessons.NAMES]
        others = [(homes[other], LANGUAGES[other]) for other in LANGUAGES if other != lang]
        write_whole(folder / home, index(listed, lang, others).encode())
    return folder / homes[first]


def _links(place: int, homes: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    """What stands above a lesson of the gallery, for each language."""

    def neighbour(step: int, lang: str, arrow: str) -> list[tuple[str, str]]:
        if not 0 <= place + step < len(lessons.NAMES):
            return []
        name = lessons.NAMES[place + step]
        return [(f"../{name}/{lang}.html", arrow.format(lessons.title(name, lang)))]

    return {
        lang: [
            (f"../{homes[lang]}", "↑"),
            *neighbour(-1, lang, "← {}"),
            *neighbour(1, lang, "{} →"),
            *((f"{other}.html", LANGUAGES[other]) for other in LANGUAGES if other != lang),
        ]
        for lang in LANGUAGES
    }


def _write(made: Made, folder: Path, links: Mapping[str, Sequence[tuple[str, str]]]) -> list[Path]:
    written, addresses = [], {}
    for name, draw in made.figures.items():
        figure = draw()
        path = folder / name_of(name, figure)
        with counted(f"{made.lesson.name}: {path.name}") as track:
            write_whole(path, content_of(figure, track))
        addresses[name] = path.name
        written.append(path)
    for name, code in made.code.items():
        write_whole(folder / name, code.encode())
        written.append(folder / name)
    for lang, above in links.items():
        title = lessons.title(made.lesson.name, lang)
        text = page(title, lang, body(made, lang, addresses.__getitem__), above)
        write_whole(folder / f"{lang}.html", text.encode())
        written.append(folder / f"{lang}.html")
    return written


def make_folder(folder: str | Path) -> Path:
    """The folder, made if it is not there.

    Raises:
        BadFile: when it cannot be made.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadFile(
            f"The folder {folder} cannot be made: {error.strerror or error}. Choose another one."
        ) from error
    return folder


@contextmanager
def counted(what: str) -> Iterator[Track]:
    """A progress bar on standard error while moments are gone through; silent off a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        yield lambda moments: bar.track(list(moments), description=what)
