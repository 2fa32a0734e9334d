"""The words of a lesson: a Markdown file a language, with places for numbers and pictures.

`{final_loss:.4f}` stands for a number of the lesson, `![caption](line)` alone on a line for its
figure `line`, and code such as `--lr 0.5` for values of parameters to try.
"""

import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, NamedTuple

from slalom.core.errors import BadPlan

LANGUAGES = {"en": "English", "zh": "简体中文"}

_FIGURE = re.compile(r"^!\[(?P<caption>[^\]]*)\]\((?P<name>\w+)\)$", re.MULTILINE)
_BETWEEN_CHINESE = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])\n(?=[\u3000-\u9fff])")
_TRY = re.compile(r"`(--[^`]+)`")


class Text(NamedTuple):
    """A few words in every language."""

    en: str
    zh: str

    def in_(self, lang: str) -> str:
        """The words in one language.

        >>> Text("learning rate", "学习率").in_("zh")
        '学习率'
        """
        return str(getattr(self, lang))


def check_language(lang: str) -> str:
    """The language itself, if there are lessons in it.

    Raises:
        BadPlan: when there are none.
    """
    if lang not in LANGUAGES:
        known = list(LANGUAGES)
        raise BadPlan(f"lang must be one of {known}, but {lang!r} was given.")
    return lang


def read(name: str, lang: str) -> str:
    """The prose of a lesson; Chinese lines are joined, as Chinese has no spaces between words.

    >>> read("regression", "en").splitlines()[0]
    '# Regression'
    """
    file = files("slalom.lessons") / "prose" / f"{name}.{check_language(lang)}.md"
    return _BETWEEN_CHINESE.sub("", file.read_text(encoding="utf-8"))


def filled(prose: str, values: Mapping[str, Any]) -> str:
    """The prose with numbers in their places.

    >>> filled("The loss is {loss:.2f}.", {"loss": 0.125})
    'The loss is 0.12.'
    """
    return prose.format_map(values)


def with_figures(prose: str, draw: Callable[[str, str], str]) -> str:
    """The prose with something else in the place of each figure.

    Args:
        prose: Markdown.
        draw: from caption and name of a figure to what stands in its place.

    >>> with_figures("![A line](line)", lambda caption, name: f"[{name}: {caption}]")
    '[line: A line]'
    """
    return _FIGURE.sub(lambda found: draw(found["caption"], found["name"]), prose)


def figures(prose: str) -> list[str]:
    """The names of its figures, in order.

    >>> figures("![A line](line)")
    ['line']
    """
    return [found["name"] for found in _FIGURE.finditer(prose)]


def tries(prose: str) -> list[str]:
    """The values of parameters that it proposes, in order.

    >>> tries("Try `--lr 0.5 --width 3`, which is faster.")
    ['--lr 0.5 --width 3']
    """
    return _TRY.findall(prose)


def options(arguments: list[str]) -> dict[str, str]:
    """`--name value` and `--name=value`, as on a command line.

    Raises:
        BadPlan: when a word is no option, or an option has no value or two.

    >>> options(["--lr", "0.5", "--batch-size=8"])
    {'lr': '0.5', 'batch_size': '8'}
    """
    words, found = list(arguments), {}
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            raise BadPlan(f"A parameter is given as --name value, but {word!r} was given.")
        name, equals, value = word.removeprefix("--").partition("=")
        if not equals:
            if not words or words[0].startswith("--"):
                raise BadPlan(f"{word} needs a value, but none was given.")
            value = words.pop(0)
        name = name.replace("-", "_")
        if name in found:
            raise BadPlan(f"--{name} is given twice. Give it once.")
        found[name] = value
    return found
