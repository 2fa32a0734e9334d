"""Pages as text; `test_browser.py` opens them."""

from html.parser import HTMLParser

from markupsafe import Markup

from slalom import lessons
from slalom.lessons.lesson import Made, Number
from slalom.lessons.page import Dial, Link, Shown, body, fragment, page
from slalom.lessons.prose import Text

RATE = Number("lr", 0.1, Text("learning rate", "学习率"), 0, 1)


class Elements(HTMLParser):
    """Every element of a page, as its name and its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def made() -> Made:
    return lessons.get("regression").make(steps=5)


def shown_as(shown: Shown, lang: str = "en") -> Elements:
    return Elements(body(made(), lang, lambda name: shown))


def test_a_still_picture_has_nothing_to_play() -> None:
    elements = shown_as(Shown([["a.png"]], (800, 500)))
    image = elements.of("img")[0]
    assert (image["src"], image["width"], image["height"]) == ("a.png", "800", "500")
    assert image["alt"]
    assert not elements.of("input")


def test_a_film_is_a_still_picture_of_its_end_until_it_plays() -> None:
    elements = shown_as(Shown([["0.webp", "1.webp", "2.webp"]], pace=50))
    figure = elements.of("figure")[0]
    assert figure["data-film"] == '[["0.webp", "1.webp", "2.webp"]]'
    assert figure["data-pace"] == "50"
    assert elements.of("img")[0]["src"] == "2.webp"
    slider = elements.of("input")[0]
    assert (slider["min"], slider["max"], slider["value"]) == ("0", "2", "2")
    labels = [button["aria-label"] for button in elements.of("button") if "data-do" in button]
    assert labels[:3] == ["Play", "One moment back", "One moment forward"]


def test_a_dial_starts_at_the_default_and_says_what_it_turns_in_the_language_of_the_page() -> None:
    dial = Dial(RATE, (0.01, 0.1, 1.0), start=1)
    shown = Shown([["a.png"], ["b.png"], ["c.png"]], dial=dial)
    elements = shown_as(shown)
    assert elements.of("img")[0]["src"] == "b.png"
    slider = elements.of("input")[0]
    assert (slider["value"], slider["max"]) == ("1", "2")
    assert slider["aria-valuetext"] == "lr = 0.1"
    assert "学习率: <output>lr = 0.1</output>" in body(made(), "zh", lambda name: shown)


def test_a_lesson_ends_with_its_exercises_and_how_they_are_checked() -> None:
    text = body(made(), "en", lambda name: Shown([["a.png"]]))
    last = text.rpartition("<h2>")[2]
    assert last.startswith("Exercises</h2>")
    assert last.count("<details>") == 3
    for number in (1, 2, 3):
        assert f"slalom lesson regression --exercise {number} --check mine.py" in last


def test_a_notebook_gets_the_style_but_no_script() -> None:
    text = fragment(Markup("<p>text</p>"))
    assert text.startswith('<div class="slalom"><style>')
    assert "<script" not in text


def test_a_page_has_one_heading_of_the_first_rank_and_runs_nothing_that_stands_in_its_text() -> (
    None
):
    around = {"before": Link("a.html", "A"), "after": Link("b.html", "B")}
    links = [Link("index.html", "Lessons"), Link("zh.html", "简体中文", "zh-Hans")]
    text = body(made(), "en", lambda name: Shown([["a.png"]]))
    elements = Elements(page("Regression", "en", text, links, **around))
    assert len(elements.of("h1")) == 1
    assert elements.of("html")[0]["lang"] == "en"
    assert [a["rel"] for a in elements.of("a") if "rel" in a] == ["prev", "next"]
    assert {"href": "zh.html", "lang": "zh-Hans", "hreflang": "zh-Hans"} in elements.of("a")
    for tag, attributes in elements.found:
        assert not [name for name in attributes if name.startswith("on")], tag
