import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from slalom import lessons
from slalom.core.errors import BadFile
from slalom.core.language import LANGUAGES
from slalom.lessons.files import make_folder, write, write_gallery
from slalom.lessons.prose import figures, read
from tests.lessons.galleries import NAMES, made, quick_lessons


class Addresses(HTMLParser):
    """Every address that a page names, and every place in it that has a name."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.places: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [str(value) for name, value in attributes if name in ("src", "href")]
        for name, value in attributes:
            if name == "data-film":
                self.found += re.findall(r'"([^"]+)"', str(value))
            if name == "id":
                self.places.add(str(value))


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with quick_lessons():
        return write_gallery(tmp_path_factory.mktemp("gallery"), NAMES).parent


@pytest.mark.slow
def test_a_gallery_has_every_lesson_in_both_languages_and_no_dead_link(gallery: Path) -> None:
    pages = sorted(path.relative_to(gallery).as_posix() for path in gallery.rglob("*.html"))
    fixed = ["index.html", "index.zh.html", "glossary.html", "glossary.zh.html"]
    assert pages == sorted(
        [*(f"{name}/{lang}.html" for name in NAMES for lang in LANGUAGES), *fixed]
    )
    missing = set(lessons.NAMES) - set(NAMES)  # to which the glossary leads all the same
    for page in gallery.rglob("*.html"):
        for address in Addresses(page).found:
            file, _, place = address.partition("#")
            if file.partition("/")[0] in missing:
                continue
            target = page.parent / file if file else page
            assert target.is_file(), f"{page} names {address}"
            assert not place or place in Addresses(target).places, f"{page} names {address}"


@pytest.mark.slow
def test_a_page_leads_to_its_neighbours_its_translation_the_index_and_the_glossary(
    gallery: Path,
) -> None:
    middle = set(Addresses(gallery / NAMES[1] / "zh.html").found)
    around = {f"../{NAMES[0]}/zh.html", f"../{NAMES[2]}/zh.html"}
    assert around | {"../index.zh.html", "../glossary.zh.html", "en.html"} <= middle


@pytest.mark.slow
def test_pictures_and_code_are_those_of_the_language_of_the_page(gallery: Path) -> None:
    for name in ("regression/{}/film/lr-0.2/000.webp", "regression/{}/losses/noise-1.0.webp"):
        english, chinese = (
            Image.open(gallery / name.format(lang)).convert("RGB") for lang in LANGUAGES
        )
        assert english.size == chinese.size
        assert english.tobytes() != chinese.tobytes()
    regression = made("regression")
    for lang in LANGUAGES:
        code = (gallery / "regression" / lang / "regression.py").read_text(encoding="utf-8")
        assert code == regression.code(lang)["regression.py"]


@pytest.mark.slow
def test_a_slider_has_a_film_for_each_value_and_the_default_is_the_lesson_itself(
    gallery: Path,
) -> None:
    film = gallery / "regression" / "en" / "film"
    assert sorted(path.name for path in film.iterdir()) == ["lr-0.2", "lr-2.0"]
    movie = made("regression").figures["film"]()
    for i, frame in enumerate(movie.frames()):
        with Image.open(film / "lr-0.2" / f"{i:03}.webp") as written:
            assert written.convert("RGB").tobytes() == frame.convert("RGB").tobytes()


@pytest.mark.parametrize("name", lessons.NAMES)
def test_sliders_move_over_values_that_a_lesson_takes_and_figures_that_it_has(name: str) -> None:
    lesson, drawn = lessons.get(name), figures(read(name, "en"))
    assert lesson.thumbnail in [None, *drawn]
    swept = [sweep.figure for sweep in lesson.sweeps]
    assert len(set(swept)) == len(swept), "a figure has one slider"
    for sweep in lesson.sweeps:
        assert sweep.figure in drawn
        assert lesson.values()[sweep.parameter] in sweep.values
        taken = [lesson.values(**{sweep.parameter: value}) for value in sweep.values]
        assert [values[sweep.parameter] for values in taken] == list(sweep.values)


@pytest.mark.slow
def test_the_index_has_a_card_for_each_lesson(gallery: Path) -> None:
    for lang, file in (("en", "index.html"), ("zh", "index.zh.html")):
        page = (gallery / file).read_text(encoding="utf-8")
        for name in NAMES:
            lesson = lessons.get(name)
            assert f"{lessons.NAMES.index(name) + 1}. {lessons.title(name, lang)}</a>" in page
            assert lessons.sentence(lesson.name, lang) in page
            assert f"{lessons.minutes(lesson.name)} {'minutes' if lang == 'en' else '分钟'}" in page
        assert 'src="regression/' in page


@pytest.mark.slow
def test_what_is_written_is_pictures_code_and_a_page_that_holds_all_of_it(tmp_path: Path) -> None:
    regression = made("regression")
    for lang in LANGUAGES:
        folder = tmp_path / "a" / lang
        paths = write(regression, folder, lang)
        scripts = regression.code(lang)
        names = [path.name for path in paths]
        assert names[:1] == ["film.gif"]
        assert names[-1] == f"{lang}.html"
        assert set(names) >= {"losses.png", *scripts}
        assert (folder / "regression.py").read_text(encoding="utf-8") == scripts["regression.py"]
        needed = [address for address in Addresses(paths[-1]).found if not address.startswith("#")]
        assert needed
        assert all(address.startswith("data:image/") for address in needed)


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadFile, match=r"cannot be made: .*Choose another one"):
        make_folder(tmp_path / "file" / "within")
