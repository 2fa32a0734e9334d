import re

import pytest

from slalom import lessons
from slalom.core.errors import BadPlan
from slalom.lessons.prose import figures, filled, options, read, tries, with_figures


def test_numbers_take_their_places_and_doubled_braces_stay_braces() -> None:
    assert filled("{{a}} = {loss:.3f}", {"loss": 1 / 3}) == "{a} = 0.333"


def test_a_figure_is_an_image_alone_on_its_line() -> None:
    prose = "![First](a)\n\ntext ![within](b) a line\n\n![Second](c)"
    assert figures(prose) == ["a", "c"]
    assert with_figures(prose, lambda caption, name: f"<{name}|{caption}>").splitlines()[::2] == [
        "<a|First>",
        "text ![within](b) a line",
        "<c|Second>",
    ]


def test_what_to_try_is_code_that_starts_with_two_dashes() -> None:
    assert tries("`x = 1` and `--lr 0.5 --width 3` or `--seed 2`") == [
        "--lr 0.5 --width 3",
        "--seed 2",
    ]


def test_lines_of_chinese_are_joined_without_a_space_and_others_are_not() -> None:
    chinese, english = read("regression", "zh"), read("regression", "en")
    assert "网络只看得到这些点" in chinese
    assert re.search(r"\w\n\w", english)
    assert "\n\n## 试一试\n\n- `--lr 0.01`" in chinese


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadPlan, match=r"lang must be one of \['en', 'zh'\], but 'fr' was given"):
        read("regression", "fr")


def test_options_are_read_as_on_a_command_line() -> None:
    assert options(["--lr", "-1", "--batch-size=8"]) == {"lr": "-1", "batch_size": "8"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["0.5"], "given as --name value, but '0.5' was given"),
        (["--lr"], "--lr needs a value, but none was given"),
        (["--lr", "--width", "3"], "--lr needs a value, but none was given"),
        (["--lr", "1", "--lr=2"], "--lr is given twice"),
        (["-lr", "1"], "given as --name value, but '-lr' was given"),
    ],
)
def test_options_that_cannot_be_understood_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(BadPlan) as caught:
        options(words)
    assert message in str(caught.value)


def test_a_title_is_the_first_heading_in_each_language() -> None:
    assert lessons.title("regression") == "Regression"
    assert lessons.title("regression", "zh") == "回归"
