from html.parser import HTMLParser
from pathlib import Path

import pytest

from slalom import lessons
from slalom.core.errors import BadFile
from slalom.lessons.files import make_folder, write, write_gallery
from slalom.lessons.prose import LANGUAGES

QUICK = ("regression", "building", "saving")  # lessons that are made in seconds


class Addresses(HTMLParser):
    """Every address that a page names."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [str(value) for name, value in attributes if name in ("src", "href")]


@pytest.fixture
def gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lessons, "NAMES", QUICK)
    return write_gallery(tmp_path / "gallery").parent


@pytest.mark.slow
def test_a_gallery_has_every_lesson_in_both_languages_and_no_dead_link(gallery: Path) -> None:
    pages = sorted(path.relative_to(gallery).as_posix() for path in gallery.rglob("*.html"))
    of_lessons = [f"{name}/{lang}.html" for name in QUICK for lang in LANGUAGES]
    assert pages == sorted([*of_lessons, "index.html", "index.zh.html"])
    for page in gallery.rglob("*.html"):
        for address in Addresses(page).found:
            assert (page.parent / address).is_file(), f"{page} names {address}"
    middle = Addresses(gallery / "building" / "zh.html").found
    assert {"../regression/zh.html", "../saving/zh.html", "../index.zh.html", "en.html"} <= set(
        middle
    )


@pytest.mark.slow
def test_a_page_says_its_language_and_runs_no_script(gallery: Path) -> None:
    for lang, tag in (("en", "en"), ("zh", "zh-Hans")):
        page = (gallery / "regression" / f"{lang}.html").read_text(encoding="utf-8")
        assert f'<html lang="{tag}">' in page
        assert "<script" not in page
        assert lessons.title("regression", lang) in page


def test_what_is_written_is_pictures_code_and_a_page_a_language(tmp_path: Path) -> None:
    made = lessons.get("regression").make(steps=5)
    paths = write(made, tmp_path / "a" / "b", LANGUAGES)
    assert [path.name for path in paths] == [
        "film.gif",
        "losses.png",
        "regression.py",
        "en.html",
        "zh.html",
    ]
    assert (tmp_path / "a" / "b" / "regression.py").read_text() == made.code["regression.py"]


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadFile, match=r"cannot be made: .*Choose another one"):
        make_folder(tmp_path / "file" / "within")
