"""The pages of the gallery in a browser: that of the system, without a window."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from slalom.lessons.files import write, write_gallery
from tests.lessons.galleries import NAMES, made, quick_lessons
from tests.windows import WINDOWS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

SIZES = {1280: 900, 390: 844}


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with quick_lessons():
        return write_gallery(tmp_path_factory.mktemp("gallery"), NAMES).parent


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """As of a reader who wants no motion, so that films wait."""
    with browser.new_context(reduced_motion="reduce") as context:
        yield context


def opened(context: BrowserContext, path: Path) -> tuple[Page, list[str]]:
    """A page of the disk, and what goes wrong: complaints, and requests that leave the disk."""
    page, wrong = context.new_page(), list[str]()
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(request.url[:200]))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith(("file:", "data:")) else wrong.append(request.url)
        ),
    )
    page.goto(path.as_uri())
    return page, wrong


def film(page: Page) -> Locator:
    """The film of the lesson on regression, which has a slider over learning rates."""
    return page.locator("figure:has(.controls):has([data-dial])")


def place(film: Locator) -> str:
    """Where a film is, as a reader sees it."""
    return film.locator(".controls output").inner_text()


@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
def test_every_page_opens_without_complaint_fits_its_window_and_can_be_read_by_all(
    browser: Browser, axe: Path, gallery: Path, width: int, scheme: Any
) -> None:
    pages = sorted(gallery.rglob("*.html"))
    assert len(pages) == 2 * len(NAMES) + 4
    with browser.new_context(
        viewport={"width": width, "height": SIZES[width]},
        color_scheme=scheme,
        reduced_motion="reduce",
    ) as context:
        for path in pages:
            page, wrong = opened(context, path)
            for question in page.locator("summary").all():
                question.click()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            for formula in page.locator("pre.formula").all():
                assert formula.evaluate("pre => pre.scrollWidth <= pre.clientWidth"), path
            page.add_script_tag(path=axe)
            found = page.evaluate("axe.run()")
            assert [
                (each["id"], each["help"], [node["html"] for node in each["nodes"]])
                for each in found["violations"]
            ] == [], path
            assert not wrong, path
            page.close()


def test_a_film_goes_on_and_back_by_buttons_slider_and_keys(
    context: BrowserContext, gallery: Path
) -> None:
    page, wrong = opened(context, gallery / "regression" / "en.html")
    shown = film(page)
    image, slider = shown.locator("img"), shown.locator(".controls input")
    count = int(slider.get_attribute("max") or 0) + 1
    assert place(shown) == f"{count} / {count}"
    shown.get_by_role("button", name="One moment back").click()
    assert place(shown) == f"{count - 1} / {count}"
    assert str(image.get_attribute("src")).endswith(f"{count - 2:03}.webp")
    slider.fill("3")
    assert place(shown) == f"4 / {count}"
    assert slider.get_attribute("aria-valuetext") == f"moment 4 of {count}"
    for key, moment in {"ArrowRight": 5, "ArrowLeft": 4, "Home": 1, "End": count}.items():
        slider.press(key)
        assert place(shown) == f"{moment} / {count}", key
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")
    assert not wrong


def test_a_film_plays_to_its_end_and_stops_there(context: BrowserContext, gallery: Path) -> None:
    page, wrong = opened(context, gallery / "regression" / "en.html")
    shown = film(page)
    shown.get_by_role("button", name="Play").press("Space")
    shown.get_by_role("button", name="Pause").wait_for()
    shown.locator(".controls input").press("Space")
    shown.get_by_role("button", name="Play").wait_for()
    between = place(shown)
    shown.get_by_role("button", name="Play").click()
    shown.get_by_role("button", name="Pause").wait_for()
    shown.get_by_role("button", name="Play").wait_for()
    first, last = place(shown).split(" / ")
    assert first == last
    assert between != place(shown)
    assert not wrong


def test_a_film_begins_by_itself_when_it_is_seen_unless_the_reader_wants_no_motion(
    browser: Browser, gallery: Path
) -> None:
    motions: dict[str, Any] = {"no-preference": True, "reduce": False}
    for motion, plays in motions.items():
        with browser.new_context(reduced_motion=motion) as context:
            page, _ = opened(context, gallery / "regression" / "en.html")
            page.evaluate("() => { Player.prototype.play = () => { window.began = true; }; }")
            film(page).locator("img").scroll_into_view_if_needed()
            if plays:
                page.wait_for_function("window.began")
            else:
                page.wait_for_timeout(500)
                assert not page.evaluate("window.began")


def test_a_slider_goes_through_the_runs_and_says_which(
    context: BrowserContext, gallery: Path
) -> None:
    page, wrong = opened(context, gallery / "regression" / "zh.html")
    shown = film(page)
    dial, image = shown.locator("[data-dial]"), shown.locator("img")
    assert str(image.get_attribute("src")).startswith("zh/film/lr-0.2/")
    dial.press("ArrowRight")
    assert str(image.get_attribute("src")).startswith("zh/film/lr-2.0/")
    assert dial.get_attribute("aria-valuetext") == "lr = 2.0"
    assert "学习率" in shown.locator(".dial").inner_text()
    assert "lr = 2.0" in shown.locator(".dial").inner_text()
    first, last = place(shown).split(" / ")
    assert first == last, "from the end of one film to the end of the other"
    still = page.locator("figure:not(:has(.controls)):has([data-dial])")
    still.locator("[data-dial]").press("End")
    assert still.locator("img").get_attribute("src") == "zh/losses/noise-1.0.webp"
    assert not wrong


def test_dark_or_light_is_remembered_from_page_to_page(
    context: BrowserContext, gallery: Path
) -> None:
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    page, _ = opened(context, gallery / "index.html")
    light = page.evaluate(paper)
    page.get_by_role("button", name="Dark or light").click()
    dark = page.evaluate(paper)
    assert dark != light
    page.goto((gallery / "regression" / "zh.html").as_uri())
    assert page.evaluate(paper) == dark
    page.get_by_role("button", name="深色或浅色").click()
    assert page.evaluate(paper) == light


def test_code_is_copied(browser: Browser, gallery: Path) -> None:
    with browser.new_context(permissions=["clipboard-read", "clipboard-write"]) as context:
        page, wrong = opened(context, gallery / "regression" / "en.html")
        block = page.locator(".code", has_text="regression.py").first
        block.get_by_role("button", name="Copy").click()
        block.get_by_role("button", name="Copied").wait_for()
        code = (gallery / "regression" / "en" / "regression.py").read_text(encoding="utf-8")
        assert page.evaluate("navigator.clipboard.readText()").strip() == code.strip()
        assert not wrong


def test_a_single_page_plays_when_it_is_all_that_was_sent(
    context: BrowserContext, tmp_path: Path
) -> None:
    page_of_lesson = write(made("regression"), tmp_path / "lesson", "en")[-1]
    alone = page_of_lesson.rename(tmp_path / "alone.html")
    shutil.rmtree(tmp_path / "lesson")
    page, wrong = opened(context, alone)
    shown = page.locator("figure:has(.controls)").first
    shown.locator(".controls input").press("Home")
    assert place(shown).startswith("1 / ")
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    assert not wrong
