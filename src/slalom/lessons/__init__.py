"""Lessons: each idea of neural networks as text, pictures, and the PyTorch code behind it.

    lesson = lessons.get("regression")
    made = lesson.make(lr=0.5)          # numbers and figures, from the lesson's parameters
    made.numbers["final_loss"], made.text("zh"), made.figures["line"]()
    lessons.show("regression", lr=0.5)  # in a window, a notebook, or as files

A lesson is data: prose in two languages (`prose/`), parameters with ranges, a function from
parameters to numbers and figures (one file or folder here), and complete scripts (`scripts/`).
"""

import tomllib
from functools import cache
from importlib import import_module, resources
from typing import TYPE_CHECKING, Any

from slalom.core.errors import BadPlan, did_you_mean
from slalom.core.language import tr

if TYPE_CHECKING:
    from slalom.lessons.lesson import Lesson as Lesson
    from slalom.lessons.lesson import Made as Made

# In the order in which they are read; each is a file or a folder here, with a `LESSON`.
NAMES = (
    "network",
    "tensors",
    "autograd",
    "activations",
    "regression",
    "classification",
    "building",
    "saving",
    "batches",
    "race",
    "transfer",
    "structures",
    "overfitting",
    "map",
)

__all__ = ["NAMES", "get", "minutes", "sentence", "show", "title"]


def get(name: str | int) -> "Lesson":
    """The lesson of this name, in any case, or of this number (from 1).

    Raises:
        BadPlan: when there is no such lesson.

    Example:
        >>> get("regression").name, get("5").name
        ('regression', 'regression')
    """
    lesson: Lesson = import_module(f"slalom.lessons.{_known(name)}").LESSON
    return lesson


def title(name: str, lang: str = "en") -> str:
    """What a lesson is called, in a language. Loads nothing heavy.

    >>> title("regression")
    'Regression'
    """
    from slalom.lessons.prose import read

    return read(_known(name), lang).splitlines()[0].removeprefix("# ")


def sentence(name: str, lang: str = "en") -> str:
    """What one sees in a lesson, in a sentence. Loads nothing heavy.

    >>> sentence("regression")
    'A line bends onto noisy points, one step of five lines at a time.'
    """
    return str(_catalogue()[_known(name)][lang])


def minutes(name: str) -> int:
    """What a lesson takes: to read it and play with it. Loads nothing heavy.

    >>> minutes("regression")
    15
    """
    return int(_catalogue()[_known(name)]["minutes"])


def show(name: str | int, /, *, lang: str = "en", out: Any = None, **parameters: Any) -> None:
    """Show a lesson: its text, its pictures, its code.

    In a notebook everything appears in one output. On a screen the text is printed and each
    picture has a window; movies play in it. Without a screen, or with `out`, pictures, code and a
    page are written as files, and it is said where.

    Args:
        name: of the lesson, or its number; see `NAMES`.
        lang: "en" or "zh".
        out: folder to write to; `lessons/<name>` when files are written and none is given.
        **parameters: those of the lesson; see `get(name).parameters`.

    Raises:
        BadPlan: for an unknown lesson, language or parameter, or a value out of its range.
        BadFile: when a file cannot be written.

    Example:
        >>> show("regression", out="regression", steps=20)  # doctest: +SKIP
    """
    from slalom.lessons.showing import show as shown

    shown(get(name), lang, out, parameters)


@cache
def _catalogue() -> dict[str, dict[str, Any]]:
    text = (resources.files("slalom.lessons") / "catalogue.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _known(name: str | int) -> str:
    """The name of a lesson that there is, from its name or number."""
    numbers = {str(number): known for number, known in enumerate(NAMES, start=1)}
    name = numbers.get(str(name), str(name).lower())
    if name not in NAMES:
        raise BadPlan(
            tr("There is no lesson {name!r}.", name=name)
            + f" {did_you_mean(name, list(NAMES))} "
            + tr("`slalom lessons` lists them.")
        )
    return name
