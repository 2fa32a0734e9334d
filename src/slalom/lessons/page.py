"""A lesson as HTML: for a notebook, for one page, for the gallery."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple

from markupsafe import Markup

from slalom import __version__
from slalom.core.language import LANGUAGES, TAGS
from slalom.lessons.exercise import exercises
from slalom.lessons.lesson import Made, Parameter
from slalom.lessons.markup import TEMPLATES, code, html
from slalom.lessons.prose import Text, with_figures

WORDS = {
    "parameters": Text("What can be changed", "可以改的量"),
    "name": Text("name", "名称"),
    "value": Text("value", "值"),
    "range": Text("may be", "取值范围"),
    "meaning": Text("what it is", "含义"),
    "code": Text("The same in plain PyTorch", "用纯 PyTorch 做同样的事"),
    "made_by": Text("Made by", "生成命令"),
    "exercises": Text("Exercises", "练习"),
    "how": Text(
        "Write each into a file of your own, here mine.py. The command runs it, and says what is "
        "right and what is not yet.",
        "每道题写在自己的一个文件里，这里叫 mine.py。"
        "下面的命令会运行它，告诉你哪些对了、哪些还不对。",
    ),
    "start": Text("A script to begin with", "可以从这个脚本开始"),
    "film": Text("Film", "动画"),
    "play": Text("Play", "播放"),
    "pause": Text("Pause", "暂停"),
    "back": Text("One moment back", "后退一格"),
    "forward": Text("One moment forward", "前进一格"),
    "scrub": Text("Place in the film", "播放位置"),
    "moment": Text("moment {at} of {count}", "第 {at} 格，共 {count} 格"),
    "lessons": Text("Lessons", "课程"),
    "gallery": Text("Gallery", "课程总览"),
    "intro": Text(
        "The ideas of neural networks, one by one: pictures from real computations that can be "
        "played with, and the PyTorch code that does the same.",
        "神经网络的一个个想法：可以动手玩的图，都来自真实的计算，还有做同样事情的 PyTorch 代码。",
    ),
    "minutes": Text("{} minutes", "{} 分钟"),
    "which": Text("Lesson {} · {} minutes", "第 {} 课 · {} 分钟"),
    "skip": Text("Skip to the text", "跳到正文"),
    "scheme": Text("Dark or light", "深色或浅色"),
    "around": Text("Lessons before and after", "前后的课程"),
    "before": Text("Before", "上一课"),
    "after": Text("Next", "下一课"),
}


@dataclass(frozen=True)
class Dial:
    """A slider over values of a parameter, which starts at number `start` of them."""

    parameter: Parameter
    values: Sequence[Any]
    start: int

    @property
    def labels(self) -> list[str]:
        """What stands beside the slider, for each value."""
        return [f"{self.parameter.name} = {value}" for value in self.values]


@dataclass(frozen=True)
class Shown:
    """A figure as a page shows it.

    Args:
        images: addresses, one for each moment, `[values][moments]`. A still picture has one.
        size: width and height that it is drawn for, in CSS pixels.
        pace: milliseconds a moment.
        dial: over the values, where there are several.
    """

    images: Sequence[Sequence[str]]
    size: tuple[int, int] | None = None
    pace: int = 0
    dial: Dial | None = None

    @property
    def run(self) -> Sequence[str]:
        """The images of the value that is shown first."""
        return self.images[self.dial.start if self.dial else 0]

    @property
    def still(self) -> str:
        """What is seen before anything plays: how it ends."""
        return self.run[-1]

    @property
    def moments(self) -> int:
        """How many it has, most of all values."""
        return max(len(run) for run in self.images)

    @property
    def moves(self) -> bool:
        """Whether there is more than one image."""
        return sum(len(run) for run in self.images) > 1


class Link(NamedTuple):
    """A way to another page; `tag` says in which language it is, where that is another one."""

    address: str
    title: str
    tag: str = ""


class Card(NamedTuple):
    """A lesson in the index of the gallery."""

    number: int
    address: str
    thumbnail: str
    title: str
    sentence: str
    minutes: int


Source = Callable[[str], Shown]
Linker = Callable[[Markup], Markup]


def words(lang: str) -> dict[str, str]:
    """The fixed words of a page, in one language."""
    return {name: text.in_(lang) for name, text in WORDS.items()}


def body(made: Made, lang: str, source: Source, linked: Linker = Markup) -> Markup:
    """Everything that a lesson says: prose with pictures, parameters, code, exercises.

    Args:
        made: the lesson.
        lang: "en" or "zh".
        source: from the name of a figure to its images.
        linked: puts links to a glossary into the prose.
    """
    parts: Any = TEMPLATES.get_template("parts.html.j2").module

    def picture(caption: str, name: str) -> str:
        return str(parts.picture(source(name), caption, words(lang), lang))

    prose = with_figures(made.text(lang), picture)
    return _rendered(
        "body",
        lang,
        prose=linked(html(prose, lang)),
        name=made.lesson.name,
        parameters=made.lesson.parameters,
        values=made.values,
        scripts=made.code(lang),
        command=command(made, lang),
        exercises=exercises(made.lesson.name),
        code=code,
        html=html,
    )


def fragment(body: Markup) -> Markup:
    """A body with its style, for a notebook."""
    return Markup('<div class="slalom"><style>{}</style>{}</div>').format(_own("gallery.css"), body)


def page(
    title: str,
    lang: str,
    body: Markup,
    links: Sequence[Link] = (),
    before: Link | None = None,
    after: Link | None = None,
    which: str = "",
) -> str:
    """A whole HTML document, which needs no other file but the images that it names.

    Args:
        title: of it.
        lang: "en" or "zh".
        body: what it says.
        links: what stands above.
        before, after: the pages around it, for its end.
        which: lesson it is, above its heading.
    """
    return _rendered(
        "page",
        lang,
        title=title,
        body=body,
        links=links,
        before=before,
        after=after,
        which=which,
        style=_own("gallery.css"),
        script=_own("player.js"),
        version=__version__,
    )


def index(cards: Sequence[Card], lang: str, links: Sequence[Link]) -> str:
    """The first page of the gallery; `links` stand above."""
    return page(words(lang)["lessons"], lang, _rendered("index", lang, cards=cards), links)


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


def _rendered(template: str, lang: str, **values: Any) -> Markup:
    told = {"lang": lang, "tag": TAGS[lang], "words": words(lang), **values}
    return Markup(TEMPLATES.get_template(f"{template}.html.j2").render(told))


def _own(name: str) -> Markup:
    """A file of ours that goes into a page as it is."""
    return Markup((files("slalom.lessons") / name).read_text(encoding="utf-8"))
