"""A lesson before a person's eyes: in a notebook, in windows, or as files."""

import base64
import os
import sys
from importlib import import_module
from itertools import cycle
from pathlib import Path
from typing import Any

from rich.markdown import Markdown
from rich.syntax import Syntax

from slalom.core.language import check_language, language
from slalom.core.terminal import console, say
from slalom.lessons.files import content_of, make_folder, write
from slalom.lessons.lesson import Lesson, Made
from slalom.lessons.markup import WORDS as BOXES
from slalom.lessons.page import Shown, body, command, fragment, words
from slalom.lessons.prose import Box, with_boxes, with_figures
from slalom.plots.toolkit import LAST_MS, Movie

LATER = (  # a grey box, while a figure is being drawn
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='800' height='40'%3E"
    "%3Crect width='800' height='40' fill='%23eee'/%3E%3C/svg%3E"
)


def show(lesson: Lesson, lang: str, out: Any, values: dict[str, Any]) -> None:
    """See `slalom.lessons.show`."""
    check_language(lang)
    lesson.values(**values)  # before anything is made or computed
    if out is not None:
        make_folder(out)
    made = lesson.make(**values)
    with language(lang):  # of pictures, and of movies while they play
        if out is not None:
            _in_files(made, Path(out), lang)
        elif (display := _notebook()) is not None:
            _in_notebook(made, lang, display)
        elif (pyplot := _screen()) is not None:
            say_text(made, lang)
            _in_windows(made, pyplot)
        else:
            _in_files(made, Path("lessons", lesson.name), lang)


def _in_files(made: Made, folder: Path, lang: str) -> None:
    """The text on standard output, all else as files, and where they are."""
    say_text(made, lang)
    for path in write(made, folder, lang):
        say(f"{path}")


def say_text(made: Made, lang: str) -> None:
    """Prose, parameters and code on standard output; rendered on a terminal, plain elsewhere."""
    prose = with_figures(made.text(lang), lambda caption, name: f"*[{name}] {caption}*")
    prose = _with_answers_last(prose, lang)
    told = words(lang)
    lines = [
        f"- `{parameter.name} = {made.values[parameter.name]}`: {parameter.what.in_(lang)} "
        f"({parameter.range.in_(lang)})"
        for parameter in made.lesson.parameters
    ]
    if lines:
        prose = "\n".join([prose, f"## {told['parameters']}", "", *lines, ""])
    prose += f"\n{told['made_by']}: `{command(made, lang)}`\n\n## {told['code']}\n"
    terminal = console() if sys.stdout.isatty() else None
    say(prose) if terminal is None else terminal.print(Markdown(prose))
    for code in made.code(lang).values():
        if terminal is None:
            say(code)
            continue
        colored = Syntax(code, "python", theme="ansi_dark", background_color="default")
        terminal.print(colored.highlight(code), soft_wrap=True)  # so that copying keeps lines whole


def _with_answers_last(prose: str, lang: str) -> str:
    """The prose with numbered questions, whose answers stand at its end; boxes become sections."""
    told = {name: text.in_(lang) for name, text in BOXES.items()}
    answers: list[str] = []

    def plain(box: Box) -> str:
        if box.kind == "then-and-now":
            return f"### {told['then_and_now']}: {box.title}\n\n{box.inside}"
        answers.append(f"{len(answers) + 1}. {' '.join(box.inside.split())}")
        return f"**{told['question']} {len(answers)}.** {box.title}\n"

    prose = with_boxes(prose, plain)
    listed = "\n".join(answers)
    return f"{prose}\n## {told['answers']}\n\n{listed}\n" if answers else prose


def _notebook() -> Any:
    """`IPython.display` when a notebook is what runs us, else None."""
    if "IPython" not in sys.modules:  # a notebook has loaded it; we never do
        return None
    shell = sys.modules["IPython"].get_ipython()
    return import_module("IPython.display") if hasattr(shell, "kernel") else None


def _in_notebook(made: Made, lang: str, display: Any) -> None:
    """One output, in which each picture takes its place when it is ready."""
    shown = dict.fromkeys(made.figures, Shown([[LATER]]))

    def page() -> Any:
        return display.HTML(fragment(body(made, lang, shown.__getitem__)))

    output = display.display(page(), display_id=True)
    for name, draw in made.figures.items():
        figure = draw()
        kind = "gif" if isinstance(figure, Movie) else "png"
        content = base64.b64encode(content_of(figure)).decode()
        shown[name] = Shown([[f"data:image/{kind};base64,{content}"]])
        output.update(page())


def _screen() -> Any:
    """pyplot with a backend that opens windows, or None when there is no screen."""
    visible = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if not visible or not sys.stdout.isatty():
        return None
    from matplotlib import pyplot
    from matplotlib.backends.registry import BackendFilter, backend_registry

    # Resolves to agg, which opens no windows, where no toolkit is installed.
    name = pyplot.get_backend().lower()
    windows = backend_registry.list_builtin(BackendFilter.INTERACTIVE)  # type: ignore[no-untyped-call]
    return pyplot if name in windows else None


def _in_windows(made: Made, pyplot: Any) -> None:
    """A window a figure, until the reader has closed them all."""
    playing = []  # a timer that nobody holds stops
    with pyplot.rc_context({"figure.raise_window": False}):  # the reader may be typing elsewhere
        for name, draw in made.figures.items():
            drawn = draw()
            figure = drawn.figure if isinstance(drawn, Movie) else drawn
            pyplot.figure(figure).canvas.manager.set_window_title(f"{made.lesson.name}: {name}")
            if isinstance(drawn, Movie):
                playing.append(_play(drawn))
        pyplot.show()


def _play(movie: Movie) -> Any:
    """Show a movie again and again in its window; only what moves is redrawn, so nothing flickers.

    matplotlib's own animation refreshes the axes alone, and captions stand above them.
    """
    canvas: Any = movie.figure.canvas
    last = movie.moments - 1
    moments = cycle([*range(last), *[last] * (LAST_MS // movie.pace)])
    still: list[Any] = []

    def keep(event: Any) -> None:  # at first, and whenever the window changes its size
        still[:] = [canvas.copy_from_bbox(movie.figure.bbox)]

    def step() -> None:
        if still:
            movie.draw(canvas, still[0], next(moments))
            canvas.blit(movie.figure.bbox)

    movie.set_moving()
    canvas.mpl_connect("draw_event", keep)
    timer = canvas.new_timer(interval=movie.pace)
    timer.add_callback(step)
    timer.start()
    return timer
