"""A lesson as HTML: for a notebook, for one page, for the gallery."""

from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from slalom import __version__
from slalom.lessons.lesson import Made
from slalom.lessons.prose import LANGUAGES, Text

Source = Callable[[str], str]

WORDS = {
    "parameters": Text("What can be changed", "可以改的量"),
    "name": Text("name", "名称"),
    "value": Text("value", "值"),
    "range": Text("may be", "取值范围"),
    "meaning": Text("what it is", "含义"),
    "code": Text("The same in plain PyTorch", "用纯 PyTorch 做同样的事"),
    "made_by": Text("Made by", "生成命令"),
    "lessons": Text("Lessons", "课程"),
    "intro": Text(
        "Fourteen ideas of neural networks: each with pictures from a real computation, and the "
        "PyTorch code that does the same.",
        "神经网络的十四个想法：每一个都配有真实计算得到的图，以及做同样事情的 PyTorch 代码。",
    ),
}


def words(lang: str) -> dict[str, str]:
    """The fixed words of a page, in one language."""
    return {name: text.in_(lang) for name, text in WORDS.items()}


def body(made: Made, lang: str, source: Source) -> Markup:
    """Everything that a lesson says: prose with pictures, parameters, code.

    Args:
        made: the lesson.
        lang: "en" or "zh".
        source: from the name of a figure to its address.
    """
    return Markup(
        _environment()
        .get_template("body.html.j2")
        .render(
            words=words(lang),
            lang=lang,
            prose=_html(made.text(lang), source),
            parameters=made.lesson.parameters,
            values=made.values,
            code={name: _highlighted(text) for name, text in made.code.items()},
            command=command(made, lang),
        )
    )


def page(title: str, lang: str, body: Markup, links: Sequence[tuple[str, str]] = ()) -> str:
    """A whole HTML document; `links` are (address, text) pairs that stand above the body."""
    return (
        _environment()
        .get_template("page.html.j2")
        .render(title=title, lang=_TAGS[lang], body=body, links=links, version=__version__)
    )


def index(lessons: Sequence[tuple[str, str]], lang: str, others: Sequence[tuple[str, str]]) -> str:
    """The first page of the gallery.

    Args:
        lessons: address and title of each.
        lang: of this page.
        others: address and name of the same page in other languages.
    """
    told = words(lang)
    listed = _environment().get_template("index.html.j2").render(words=told, lessons=lessons)
    return page(told["lessons"], lang, Markup(listed), others)


def command(made: Made, lang: str) -> str:
    """What makes this lesson on a command line."""
    parts = [f"slalom lesson {made.lesson.name}"]
    for parameter in made.lesson.parameters:
        value = made.values[parameter.name]
        if value != parameter.default:
            text = str(value).removesuffix(".0")
            quoted = text if text.replace(".", "").replace("-", "").isalnum() else f'"{text}"'
            parts.append(f"--{parameter.name.replace('_', '-')} {quoted}")
    if lang != next(iter(LANGUAGES)):
        parts.append(f"--lang {lang}")
    return " ".join(parts)


_TAGS = {"en": "en", "zh": "zh-Hans"}


def _html(prose: str, source: Source) -> Markup:
    markdown = MarkdownIt("commonmark").enable("table")

    def image(_: Any, tokens: Any, k: int, options: Any, environment: Any) -> str:
        caption, address = tokens[k].content, source(str(tokens[k].attrs["src"]))
        return Markup('<img src="{}" alt="{}"><span class="caption">{}</span>').format(
            address, caption, caption
        )

    markdown.add_render_rule("image", image)
    return Markup(markdown.render(prose))


def _highlighted(code: str) -> Markup:
    formatter = HtmlFormatter(noclasses=True, style="friendly", nobackground=True)
    return Markup(highlight(code, PythonLexer(), formatter))


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("slalom.lessons", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
