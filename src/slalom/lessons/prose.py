"""The words of a lesson: a Markdown file a language, with places for numbers and pictures.

`{final_loss:.4f}` stands for a number of the lesson, `![caption](line)` alone on a line for its
figure `line`, and code such as `--lr 0.5` for values of parameters to try.

What is not true at every setting stands in a condition of Jinja, `{% if falls %}…{% endif %}`; the
names in it are claims that the lesson computes. `::: question …` opens a question with its answer,
and `::: then-and-now …` what older tutorials do otherwise; `:::` closes both.
"""

import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined, nodes

from slalom.core.errors import BadPlan
from slalom.core.language import check_language, tr

_FIGURE = re.compile(r"^!\[(?P<caption>[^\]]*)\]\((?P<name>\w+)\)$", re.MULTILINE)
_BETWEEN_CHINESE = re.compile(  # but not behind the title of a box
    r"^(?!::: )(.*[\u3000-\u9fff\uff00-\uffef])\n(?=[\u3000-\u9fff])", re.MULTILINE
)
_TRY = re.compile(r"`(--[^`]+)`")
_PLACE = re.compile(r"\{[a-z_]\w*(?:\[\w+\])*(?::[^{}]*)?\}")
_ALONE = re.compile(r"^[ ]*(\{%[^%\n]*%\})\n", re.MULTILINE)
_BOX = re.compile(
    r"^::: (?P<kind>question|then-and-now) (?P<title>[^\n]*)\n(?P<inside>.*?)^:::$",
    re.MULTILINE | re.DOTALL,
)


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


class Box(NamedTuple):
    """A part of the prose that stands apart: of a kind, with a title and with what is inside."""

    kind: str
    title: str
    inside: str


def read(name: str, lang: str) -> str:
    """The prose of a lesson, as it is written.

    >>> read("regression", "en").splitlines()[0]
    '# Regression'
    """
    file = files("slalom.lessons") / "prose" / f"{name}.{check_language(lang)}.md"
    return file.read_text(encoding="utf-8")


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, in English.

    >>> counted(1, "neuron"), counted(10, "neuron"), counted(2, "loss", "losses")
    ('1 neuron', '10 neurons', '2 losses')
    """
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


_JINJA = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
_JINJA.filters["counted"] = counted


def filled(prose: str, values: Mapping[str, Any]) -> str:
    """The prose with the sentences that hold, and with numbers in their places.

    Chinese lines are joined, as Chinese has no spaces between words.

    >>> filled("{% if fell %}It fell to {loss:.2f}.{% endif %}", {"fell": True, "loss": 0.125})
    'It fell to 0.12.'
    """
    # A condition alone on its line leaves no empty line, which would end a paragraph.
    chosen = _JINJA.from_string(_ALONE.sub(r"\1", prose)).render(values)
    joined = _BETWEEN_CHINESE.sub(r"\1", chosen)
    return _PLACE.sub(lambda found: found[0].format_map(values), joined)


def claims(prose: str) -> set[str]:
    """The names in its conditions.

    >>> sorted(claims("{% if fell and not infinite %}It fell.{% endif %}"))
    ['fell', 'infinite']
    """
    tests = [choice.test for choice in _JINJA.parse(prose).find_all(nodes.If)]
    names = [*tests, *(name for test in tests for name in test.find_all(nodes.Name))]
    return {node.name for node in names if isinstance(node, nodes.Name)}


def boxes(prose: str) -> list[Box]:
    """Its questions, and what it says of then and now, in order.

    >>> boxes("::: question Why?\\nBecause.\\n:::")
    [Box(kind='question', title='Why?', inside='Because.\\n')]
    """
    return [Box(**found.groupdict()) for found in _BOX.finditer(prose)]


def with_boxes(prose: str, draw: Callable[[Box], str]) -> str:
    """The prose with something else in the place of each box."""
    return _BOX.sub(lambda found: draw(Box(**found.groupdict())), prose)


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
            raise BadPlan(
                tr("A parameter is given as --name value, but {word!r} was given.", word=word)
            )
        name, equals, value = word.removeprefix("--").partition("=")
        if not equals:
            if not words or words[0].startswith("--"):
                raise BadPlan(tr("{word} needs a value, but none was given.", word=word))
            value = words.pop(0)
        name = name.replace("-", "_")
        if name in found:
            raise BadPlan(tr("--{name} is given twice. Give it once.", name=name))
        found[name] = value
    return found
