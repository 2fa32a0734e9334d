"""Chinese is drawn, not boxes: every character has its glyph, in both weights."""

import io
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path

import matplotlib
import pytest
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

from slalom.core.language import language
from slalom.plots import style
from slalom.plots.animation import movie
from slalom.plots.curves import learning_curves
from slalom.plots.decision_regions import decision_regions
from slalom.plots.fitted_line import fitted_line
from slalom.plots.labels import wrapped
from slalom.plots.race import race
from slalom.runs import Run

SOURCE = Path(style.__file__).parents[1]
CATALOGUE = tomllib.loads((SOURCE / "core/words.zh.toml").read_text(encoding="utf-8"))
WEIGHTS = {
    "Regular": "DejaVuSans.ttf",
    "Bold": "DejaVuSans-Bold.ttf",
}


def glyphs(weight: str) -> set[str]:
    """The characters that the fonts of this weight can draw."""
    dejavu = Path(matplotlib.get_data_path(), "fonts/ttf", WEIGHTS[weight])
    ours = SOURCE / f"plots/fonts/SlalomSansSC-{weight}.ttf"
    return {chr(code) for font in (dejavu, ours) for code in FT2Font(str(font)).get_charmap()}


@pytest.mark.parametrize("weight", WEIGHTS)
def test_every_character_of_the_catalogue_has_a_glyph(weight: str) -> None:
    said = set("".join([*CATALOGUE, *CATALOGUE.values()])) - {"\n"}
    assert said - glyphs(weight) == set(), "run docs/make_font.py again"


@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_font_is_small_and_has_a_name_of_its_own(weight: str) -> None:
    path = SOURCE / f"plots/fonts/SlalomSansSC-{weight}.ttf"
    font = FT2Font(str(path))
    assert path.stat().st_size < 800_000
    assert (font.family_name, font.style_name) == (style.CHINESE, weight)
    names = b"".join(font.get_sfnt().values())
    assert "SIL Open Font License" in names.decode("utf-16-be", "ignore")


@pytest.mark.parametrize("picture", [learning_curves, race, fitted_line])
@pytest.mark.parametrize("format", ["png", "svg", "pdf"])
def test_a_chinese_picture_has_no_boxes(
    picture: Callable[[Run], style.Picture], format: str, line_run: Run
) -> None:
    stream = io.BytesIO()
    with language("zh"):
        figure = picture(line_run)
    with style.look():
        warnings.simplefilter("error")  # over the filter of look()
        figure.savefig(stream, format=format)
    assert stream.getvalue()
    assert any("损失" in text.get_text() for text in figure.findobj(Text))


def test_a_movie_speaks_the_language_in_which_it_is_rendered(region_run: Run) -> None:
    with language("zh"):
        shown = movie(region_run)
        shown.show(1)
    captions = [artist.get_text() for artist in shown.moving if isinstance(artist, Text)]
    assert len(captions) == 4
    assert all(caption.startswith("第") and "准确率" in caption for caption in captions)


def test_pictures_are_english_again_afterwards(region_run: Run) -> None:
    with language("zh"):
        assert "准确率" in decision_regions(region_run).axes[0].get_title(loc="left")
    assert "accuracy" in decision_regions(region_run).axes[0].get_title(loc="left")


def test_english_pictures_are_the_same_with_and_without_the_font(
    line_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def png() -> bytes:
        stream = io.BytesIO()
        with style.look():
            learning_curves(line_run).savefig(stream)
        return stream.getvalue()

    with_font = png()
    monkeypatch.delitem(style.STYLE, "font.family")
    assert png() == with_font


def test_a_font_is_registered_once() -> None:
    for _ in range(2):
        with style.look():
            pass
    fonts = matplotlib.font_manager.fontManager.ttflist
    assert sorted(font.weight for font in fonts if font.name == style.CHINESE) == [400, 700]


def test_no_line_of_wrapped_chinese_begins_with_a_closing_mark() -> None:
    text = "从第 141 轮起过拟合：验证损失在那里最低（0.119），后来升到 0.254，而训练损失还在下降。"
    for columns in range(8, 60):
        lines = wrapped(text, columns).split("\n")
        assert not any(line[0] in "，。：）" for line in lines)
        assert not any(line[-1] in "（" for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
