"""Links from the text of a lesson to the words that earlier lessons explain."""

import re
from collections.abc import Collection
from functools import cache
from html import escape
from html.parser import HTMLParser
from itertools import accumulate

from slalom.lessons import NAMES
from slalom.lessons.glossary import WORDS, Word

# Where a word is not linked: it would disturb (headings, bold words), is no prose, or is a link.
QUIET = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "strong", "summary", "figure"),
    *("code", "pre", "script", "style", "svg", "math", "a", "button"),
}
Attributes = list[tuple[str, str | None]]


def linked(html: str, lesson: str, lang: str, address: str) -> str:
    """The text of a lesson with links to the glossary.

    The first mention of each word that an earlier lesson explains becomes a link, and the bold
    letters in which this lesson explains its own words get ids. Nothing else changes.

    Args:
        html: of the prose, well formed.
        lesson: its name.
        lang: "en" or "zh".
        address: of the page of the glossary in this language.

    >>> linked("<p>Two tensors.</p>", "autograd", "en", "glossary.html")[:57]
    '<p>Two <a class="term" href="glossary.html#word-tensor" t'
    """
    earlier = NAMES[: NAMES.index(lesson)]
    known = [word for word in WORDS if word.lesson in earlier and lesson not in word.elsewhere]
    own = [word for word in WORDS if word.lesson == lesson]
    return _Linking(html, lang, address, known, own).result()


def cross_linked(word: Word, lang: str) -> str:
    """The meaning of a word as HTML, with links to other words on the same page."""
    others = [other for other in WORDS if other != word and word.lesson not in other.elsewhere]
    return _Linking(escape(word.meaning.in_(lang)), lang, "", others, []).result()


class _Linking(HTMLParser):
    """Finds where links and ids go into a text, which is otherwise left as it is, byte by byte."""

    def __init__(
        self, html: str, lang: str, address: str, known: Collection[Word], own: Collection[Word]
    ) -> None:
        super().__init__(convert_charrefs=False)
        self._html, self._lang, self._address = html, lang, address
        self._known, self._own = set(known), list(own)
        self._pattern, self._words = _finder(lang)
        self._lines = [0, *accumulate(len(line) + 1 for line in html.split("\n"))]
        self._quiet: list[str] = []  # open elements from the one on that is quiet
        self._bold, self._bold_at = "", 0
        self._pieces, self._done = list[str](), 0

    def result(self) -> str:
        self.feed(self._html)
        self.close()
        return "".join([*self._pieces, self._html[self._done :]])

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        if tag == "strong":
            self._bold, self._bold_at = "", self._here() + len("<strong")
        if self._quiet or tag in QUIET:
            self._quiet.append(tag)

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        """Nothing is inside."""

    def handle_endtag(self, tag: str) -> None:
        if tag == "strong":
            self._explain()
        while tag in self._quiet and self._quiet.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self._bold += data
        if self._quiet:
            return
        start = self._here()
        for found in self._pattern.finditer(data):
            word = self._words[str(found.lastgroup)]
            if word in self._known:
                self._known.remove(word)
                title = escape(word.meaning.in_(self._lang))
                href = f"{escape(self._address)}#{word.id}"
                self._insert(
                    start + found.start(), f'<a class="term" href="{href}" title="{title}">'
                )
                self._insert(start + found.end(), "</a>")

    def _explain(self) -> None:
        """Give the bold letters that end here the id of the word that they explain, if any."""
        said = " ".join(self._bold.lower().split())
        found = [word for word in self._own if word.in_bold(self._lang) in said]
        if found:
            word = max(found, key=lambda word: len(word.in_bold(self._lang)))
            self._own.remove(word)
            self._insert(self._bold_at, f' id="{word.id}"')

    def _insert(self, place: int, text: str) -> None:
        self._pieces += [self._html[self._done : place], text]
        self._done = place

    def _here(self) -> int:
        line, offset = self.getpos()
        return self._lines[line - 1] + offset


@cache
def _finder(lang: str) -> tuple[re.Pattern[str], dict[str, Word]]:
    """What finds every word, the longest that begins at a place; and the words by group."""
    forms = [(form, word) for word in WORDS for form in word.forms(lang)]
    forms.sort(key=lambda pair: -len(pair[0]))
    groups = [f"(?P<form{number}>{form})" for number, (form, _) in enumerate(forms)]
    words = {f"form{number}": word for number, (_, word) in enumerate(forms)}
    return re.compile("|".join(groups), re.IGNORECASE | re.ASCII), words
