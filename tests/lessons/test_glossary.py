"""The words of the lessons: their entries, their page, and the links that lead to them."""

import re
from collections import Counter
from functools import cache
from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from slalom import lessons
from slalom.cli import app
from slalom.core.language import LANGUAGES
from slalom.lessons.glossary import WORDS, Word, alphabetical
from slalom.lessons.glossary_page import glossary_body
from slalom.lessons.linking import QUIET, linked
from slalom.lessons.prose import read

HAN = re.compile(r"[\u4e00-\u9fff]")
BY_ID = {word.id: word for word in WORDS}
every_page = pytest.mark.parametrize(
    ("name", "lang"), [(name, lang) for name in lessons.NAMES for lang in LANGUAGES]
)


class Page(HTMLParser):
    """What an HTML text says, where its links lead, and in which elements they stand."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.ids, self.links = "", list[str](), list[str]()
        self.around, self._open = set[str](), list[str]()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("class") == "term":
            self.links.append(str(given["href"]))
            self.around |= set(self._open)
        if "id" in given:
            self.ids.append(str(given["id"]))
        if tag not in {"img", "br", "hr"}:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Nothing is inside."""

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@cache
def prose(name: str, lang: str) -> str:
    """The prose of a lesson as HTML, without its figures; every branch of a condition is there."""
    text = re.sub(r"\{%.*?%\}|^:::.*$|^!\[.*$", "", read(name, lang), flags=re.MULTILINE)
    return str(MarkdownIt("commonmark").enable("table").render(text))


@cache
def with_links(name: str, lang: str) -> Page:
    """The same with links to the glossary."""
    return Page(linked(prose(name, lang), name, lang, "glossary.html"))


def test_no_two_words_share_a_place_and_each_belongs_to_a_lesson() -> None:
    assert len(BY_ID) == len(WORDS)
    assert {word.lesson for word in WORDS} == set(lessons.NAMES)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.id)
def test_a_word_has_a_name_and_a_meaning_in_both_languages(word: Word) -> None:
    assert word.name.en and word.name.zh
    assert HAN.search(word.meaning.zh) and word.meaning.zh.endswith(("。", "？"))
    assert not HAN.search(word.name.en + word.meaning.en) and word.meaning.en.endswith((".", "?"))
    assert set(word.elsewhere) <= set(lessons.NAMES) - {word.lesson}


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.id)
def test_where_a_word_is_explained_its_bold_letters_have_its_id(word: Word) -> None:
    for lang in LANGUAGES:
        assert with_links(word.lesson, lang).ids.count(word.id) == 1


@every_page
def test_links_lead_once_to_each_word_of_an_earlier_lesson_and_change_no_text(
    name: str, lang: str
) -> None:
    page = with_links(name, lang)
    assert page.text == Page(prose(name, lang)).text
    assert not page.around & QUIET
    assert set(Counter(page.links).values()) <= {1}
    for link in page.links:
        address, _, anchor = link.partition("#")
        assert address == "glossary.html"
        assert lessons.NAMES.index(BY_ID[anchor].lesson) < lessons.NAMES.index(name)
    assert page.links or name == "network"


pieces = st.one_of(
    st.sampled_from([form for word in WORDS for form in word.name]).map(escape),
    st.text(max_size=5).map(escape),
    st.sampled_from([" ", "\n", "\r\n", "&amp;", "&#8722;", "<br>", "<br/>", "\u2028"]),
)
texts = st.lists(pieces, max_size=9).map("".join)
documents = st.recursive(
    texts,
    lambda inside: st.builds(
        lambda tag, parts: f'<{tag} title="tensors &gt; 2">' + "".join(parts) + f"</{tag}>",
        st.sampled_from(["p", "em", "strong", "code", "h2", "td", "summary"]),
        st.lists(inside | texts, max_size=4),
    ),
)


@pytest.mark.slow
@given(documents, st.sampled_from(lessons.NAMES), st.sampled_from(list(LANGUAGES)))
def test_without_its_links_and_ids_any_text_is_what_it_was(html: str, name: str, lang: str) -> None:
    added = r'<a class="term"[^>]*>|</a>| id="word-[^"]*"'
    done = linked(html, name, lang, "g.html")
    assert re.sub(added, "", done) == html
    assert not Page(done).around & QUIET


@pytest.mark.parametrize(
    ("lang", "html", "said"),
    [
        ("en", "Two epochs, one epoch.", ["epochs"]),
        ("en", "The learning\nrate of a step", ["learning\nrate", "step"]),
        (
            "en",
            "A classification, step-by-step, of stepping classes",
            ["classification", "classes"],
        ),
        ("en", "Mini-batches of a batch size", ["Mini-batches", "batch size"]),
        ("en", "leaky_relu is no RELU.", ["RELU"]),
        ("zh", "梯度下降用梯度，for 循环不是循环网络。", ["梯度下降", "梯度", "循环网络"]),
        ("zh", "用SGD进行训练", ["SGD", "训练"]),
    ],
)
def test_a_word_is_found_in_its_forms_but_not_within_other_words(
    lang: str, html: str, said: list[str]
) -> None:
    done = linked(html, "map", lang, "g.html")
    assert re.findall(r'<a class="term"[^>]*>([^<]*)</a>', done) == said


def test_a_meaning_is_the_title_of_its_link() -> None:
    done = linked("<p>One row.</p>", "tensors", "en", 'a"b.html')
    assert 'href="a&quot;b.html#word-row"' not in done, "rows of matrices are another thing"
    done = linked("<p>One loss.</p>", "tensors", "en", 'a"b.html')
    meaning = escape(BY_ID["word-loss"].meaning.en)
    link = f'<a class="term" href="a&quot;b.html#word-loss" title="{meaning}">loss</a>'
    assert done == f"<p>One {link}.</p>"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_has_every_word_in_alphabetical_order_with_links_that_lead_somewhere(
    lang: str,
) -> None:
    html = str(glossary_body(lang, "{}.html".format))
    page = Page(html)
    assert page.ids == [word.id for word in alphabetical()]
    assert [BY_ID[key].name.en.lower() for key in page.ids] == sorted(
        word.name.en.lower() for word in WORDS
    )
    assert page.links and {link.removeprefix("#") for link in page.links} <= set(page.ids)
    for word in WORDS:
        assert f'<dt id="{word.id}"><dfn>{word.name.in_(lang)}</dfn>' in html
        assert f'href="{word.lesson}.html#{word.id}"' in html
        assert word.meaning.in_(lang) in page.text


def test_the_terminal_lists_the_words_in_both_languages() -> None:
    for lang in LANGUAGES:
        done = CliRunner().invoke(app, ["lessons", "--glossary", "--lang", lang])
        assert done.exit_code == 0
        for word in WORDS:
            assert f"{word.name.in_(lang)}" in done.stdout
            assert f"\n{word.meaning.in_(lang)}\n" in done.stdout
    refused = CliRunner().invoke(app, ["lessons", "--glossary", "--lang", "fr"])
    assert refused.exit_code == 2 and "lang must be one of" in refused.stderr
