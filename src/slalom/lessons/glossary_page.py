"""The glossary as the body of a page: each word, its meaning, and the lesson that explains it."""

from collections.abc import Callable

from markupsafe import Markup

from slalom.lessons import NAMES, title
from slalom.lessons.glossary import Word, alphabetical
from slalom.lessons.linking import cross_linked
from slalom.lessons.prose import Text

GLOSSARY = Text("Glossary", "术语表")
_INTRO = Text(
    "{count} words of the field, each with the lesson that explains it.",
    "这里有 {count} 个术语，每个都注明由哪一课讲解；按英文字母排序。",
)
_LESSON = Text("Lesson {number}: {title}", "第 {number} 课：{title}")
_OTHER = {"en": ("zh", "zh-Hans"), "zh": ("en", "en")}  # the other language, and its tag in HTML

_PAGE = Markup('<h1>{heading}</h1>\n<p>{intro}</p>\n<dl class="glossary">\n{entries}</dl>\n')
_ENTRY = Markup(
    '<dt id="{id}"><dfn>{name}</dfn>{other}</dt>\n'
    '<dd>{meaning} <a class="explained" href="{page}#{id}">{lesson}</a></dd>\n'
)
_NAME = Markup(' <span lang="{tag}">{name}</span>')


def glossary_body(lang: str, address: Callable[[str], str]) -> Markup:
    """The words by their English names, with links to each other and to the lessons.

    Args:
        lang: "en" or "zh".
        address: from the name of a lesson to its page in this language.

    >>> '<a class="explained" href="race.html#word-adam">' in glossary_body("en", "{}.html".format)
    True
    """
    words = alphabetical()
    return _PAGE.format(
        heading=GLOSSARY.in_(lang),
        intro=_INTRO.in_(lang).format(count=len(words)),
        entries=Markup("").join(_entry(word, lang, address(word.lesson)) for word in words),
    )


def lesson_of(word: Word, lang: str) -> str:
    """Number and title of the lesson that explains a word.

    >>> from slalom.lessons.glossary import WORDS
    >>> lesson_of(WORDS[0], "en")
    'Lesson 1: What a network does'
    """
    number = NAMES.index(word.lesson) + 1
    return _LESSON.in_(lang).format(number=number, title=title(word.lesson, lang))


def _entry(word: Word, lang: str, page: str) -> Markup:
    other, tag = _OTHER[lang]
    name, same = word.name.in_(lang), word.name.in_(other)
    return _ENTRY.format(
        id=word.id,
        name=name,
        other=_NAME.format(tag=tag, name=same) if same != name else "",
        meaning=Markup(cross_linked(word, lang)),
        page=page,
        lesson=lesson_of(word, lang),
    )
