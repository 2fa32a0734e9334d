"""Lessons as files: one in a folder, or all of them as a gallery."""

import base64
import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from markupsafe import Markup
from PIL import Image
from rich.console import Console
from rich.progress import Progress

from slalom import lessons
from slalom.core.errors import BadFile
from slalom.core.files import write_whole
from slalom.core.language import LANGUAGES, TAGS, language, tr
from slalom.lessons.glossary_page import GLOSSARY, glossary_body
from slalom.lessons.lesson import Figure, Made, Sweep
from slalom.lessons.linking import linked
from slalom.lessons.page import Card, Dial, Link, Shown, body, index, page, words
from slalom.plots.toolkit import Movie, Track, look

Keep: TypeAlias = Callable[[str, bytes], str]  # from name and content of an image to its address
FIRST = next(iter(LANGUAGES))


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


def write(made: Made, folder: str | Path, lang: str) -> list[Path]:
    """Write a lesson: its pictures, its scripts, and a page that holds all of these in itself.

    Args:
        made: the lesson.
        folder: where; it is made if it is not there. Other files in it stay.
        lang: "en" or "zh".

    Returns:
        The files, the page last.

    Raises:
        BadFile: when one cannot be written.
    """
    folder = make_folder(folder)
    contents, shown = dict[str, bytes](), dict[str, Shown]()
    with language(lang):
        for name, draw in made.figures.items():
            figure = draw()
            with counted(f"{made.lesson.name}: {name}") as track:
                contents[name_of(name, figure)] = content_of(figure, track)
            shown[name] = _shown({name: figure}, _embedded)
    contents |= {name: code.encode() for name, code in made.code(lang).items()}
    title = lessons.title(made.lesson.name, lang)
    contents[f"{lang}.html"] = page(title, lang, body(made, lang, shown.__getitem__)).encode()
    for name, content in contents.items():
        write_whole(folder / name, content)
    return [folder / name for name in contents]


def write_gallery(folder: str | Path, names: Sequence[str] = lessons.NAMES) -> Path:
    """Write lessons in all languages with what moves in them, an index, and a glossary.

    Args:
        folder: where; it is made if it is not there. Other files in it stay.
        names: of the lessons, in their order.

    Returns:
        The English index.

    Raises:
        BadFile: when a file cannot be written.
    """
    folder = make_folder(folder)
    cards: dict[str, list[Card]] = {lang: [] for lang in LANGUAGES}
    for name in names:
        made = lessons.get(name).make()
        swept = {sweep.figure: (sweep, _swept(made, sweep)) for sweep in made.lesson.sweeps}
        for lang in LANGUAGES:
            with language(lang):
                shown = _kept(made, swept, folder / name, lang)
            _write_page(made, shown, folder, lang, names)
            cards[lang].append(_card(made, shown, lang))
    for lang in LANGUAGES:
        others = {other: _file("index", other) for other in LANGUAGES}
        text = index(cards[lang], lang, _links(lang, others))
        write_whole(folder / _file("index", lang), text.encode())
        others = {other: _file("glossary", other) for other in LANGUAGES}
        entries = glossary_body(lang, f"{{}}/{lang}.html".format)
        text = page(GLOSSARY.in_(lang), lang, entries, _links(lang, others))
        write_whole(folder / _file("glossary", lang), text.encode())
    return folder / _file("index", FIRST)


def _swept(made: Made, sweep: Sweep) -> dict[str, Made]:
    """The lesson with each value of a sweep, by the name of its file."""
    name = sweep.parameter
    return {
        f"{sweep.figure}/{name}-{value}": made
        if value == made.values[name]
        else made.lesson.make(**{name: value})
        for value in sweep.values
    }


def _kept(
    made: Made, swept: Mapping[str, tuple[Sweep, Mapping[str, Made]]], folder: Path, lang: str
) -> dict[str, Shown]:
    """All figures of a lesson, drawn and written below `folder`."""

    def keep(name: str, content: bytes) -> str:
        path = folder / lang / name
        write_whole(make_folder(path.parent) / path.name, content)
        return f"{lang}/{name}"

    shown = {}
    for name, draw in made.figures.items():
        if name in swept:
            sweep, runs = swept[name]
            figures = {file: run.figures[name]() for file, run in runs.items()}
            shown[name] = _shown(figures, keep, _dial(made, sweep))
        else:
            shown[name] = _shown({name: draw()}, keep)
    return shown


def _dial(made: Made, sweep: Sweep) -> Dial:
    parameters = {parameter.name: parameter for parameter in made.lesson.parameters}
    start = sweep.values.index(made.values[sweep.parameter])
    return Dial(parameters[sweep.parameter], sweep.values, start)


def _shown(figures: Mapping[str, Figure], keep: Keep, dial: Dial | None = None) -> Shown:
    """A figure, drawn once or for each value of a parameter, as images that are kept.

    Args:
        figures: by the names of their files, without endings.
        keep: where the images go.
        dial: over the values.
    """
    images = []
    for name, figure in figures.items():
        with counted(name) as track:
            contents = images_of(figure, track)
        images.append([keep(name + ending, content) for ending, content in contents.items()])
    width, height = (figure.figure if isinstance(figure, Movie) else figure).get_size_inches()
    pace = figure.pace if isinstance(figure, Movie) else 0
    return Shown(images, (round(100 * width), round(100 * height)), pace, dial)


def images_of(figure: Figure, track: Track = iter, quick: bool = False) -> dict[str, bytes]:
    """What a page shows, by the ending of its name: an image a moment for a movie, else one.

    Args:
        track: goes through the moments and may count them.
        quick: whether somebody waits for them; then they are larger.
    """
    if isinstance(figure, Movie):
        frames = figure.frames(track)
        return {f"/{i:03}.webp": _webp(frame, quick) for i, frame in enumerate(frames)}
    with Image.open(io.BytesIO(content_of(figure))) as image:
        return {".webp": _webp(image, quick)}


def _webp(image: Image.Image, quick: bool) -> bytes:
    """Every pixel as it is, in less than half of the bytes of a PNG."""
    stream, effort = io.BytesIO(), {"quality": 0, "method": 0} if quick else {"quality": 50}
    image.convert("RGB").save(stream, format="WEBP", lossless=True, **effort)
    return stream.getvalue()


def _embedded(name: str, content: bytes) -> str:
    """An image as an address that holds all of it, so that a page needs no other file."""
    kind = name.rpartition(".")[2]
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _write_page(
    made: Made, shown: Mapping[str, Shown], folder: Path, lang: str, names: Sequence[str]
) -> None:
    """A lesson's page in the gallery of these lessons, and its scripts."""
    name = made.lesson.name
    place = names.index(name)
    for script, text in made.code(lang).items():
        write_whole(make_folder(folder / name / lang) / script, text.encode())

    def with_links(html: Markup) -> Markup:
        return Markup(linked(html, name, lang, f"../{_file('glossary', lang)}"))

    def neighbour(step: int) -> Link | None:
        if not 0 <= place + step < len(names):
            return None
        other = names[place + step]
        return Link(f"../{other}/{lang}.html", lessons.title(other, lang))

    text = page(
        lessons.title(name, lang),
        lang,
        body(made, lang, shown.__getitem__, with_links),
        _links(lang, {other: f"{other}.html" for other in LANGUAGES}, "../"),
        neighbour(-1),
        neighbour(1),
        words(lang)["which"].format(lessons.NAMES.index(name) + 1, lessons.minutes(name)),
    )
    write_whole(folder / name / f"{lang}.html", text.encode())


def _card(made: Made, shown: Mapping[str, Shown], lang: str) -> Card:
    """A lesson in the index; of a film the moment in the middle."""
    name = made.lesson.name
    run = shown[made.lesson.thumbnail or next(iter(shown))].run
    return Card(
        lessons.NAMES.index(name) + 1,
        f"{name}/{lang}.html",
        f"{name}/{run[len(run) // 2]}",
        lessons.title(name, lang),
        lessons.sentence(name, lang),
        lessons.minutes(name),
    )


def _links(lang: str, pages: Mapping[str, str], up: str = "") -> list[Link]:
    """What stands above a page of the gallery; `pages` has its address in each language."""
    return [
        Link(up + _file("index", lang), words(lang)["lessons"]),
        Link(up + _file("glossary", lang), GLOSSARY.in_(lang)),
        *(
            Link(pages[other], LANGUAGES[other], TAGS[other])
            for other in LANGUAGES
            if other != lang
        ),
    ]


def _file(name: str, lang: str) -> str:
    """The name of a page of the gallery that is no lesson."""
    return f"{name}.html" if lang == FIRST else f"{name}.{lang}.html"


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
            tr(
                "The folder {folder} cannot be made: {why}. Choose another one.",
                folder=folder,
                why=error.strerror or error,
            )
        ) from error
    return folder


@contextmanager
def counted(what: str) -> Iterator[Track]:
    """A progress bar on standard error while moments are gone through; silent off a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        yield lambda moments: bar.track(list(moments), description=what)
