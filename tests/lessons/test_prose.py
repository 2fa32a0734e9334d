import pytest
from jinja2 import UndefinedError

from slalom import lessons
from slalom.core.errors import BadPlan
from slalom.lessons.prose import (
    Box,
    boxes,
    claims,
    figures,
    filled,
    options,
    read,
    tries,
    with_boxes,
    with_figures,
)


def test_numbers_take_their_places_and_braces_of_python_stay() -> None:
    prose = '{"a": 1} = {loss:.3f}, {sizes[1]}, {n:,}'
    values = {"loss": 1 / 3, "sizes": [4, 5], "n": 1000}
    assert filled(prose, values) == '{"a": 1} = 0.333, 5, 1,000'


@pytest.mark.parametrize(
    ("fell", "rose", "said"),
    [
        (True, False, "First.\nIt fell.\nLast, low."),
        (False, True, "First.\nIt rose.\nLast."),
        (False, False, "First.\nNothing.\nLast."),
    ],
)
def test_a_condition_alone_on_its_line_leaves_no_line(fell: bool, rose: bool, said: str) -> None:
    prose = """First.
{% if fell %}
It fell.
{% elif rose %}
It rose.
{% else %}
Nothing.
{% endif %}
Last{% if fell %}, low{% endif %}."""
    assert claims(prose) == {"fell", "rose"}
    assert filled(prose, {"fell": fell, "rose": rose}) == said


def test_chinese_lines_are_joined_after_the_sentences_are_chosen() -> None:
    prose = "一句。\n{% if fell %}\n二句。\n{% endif %}\n三句。\n\n四句。"
    assert filled(prose, {"fell": True}) == "一句。二句。三句。\n\n四句。"
    assert filled(prose, {"fell": False}) == "一句。三句。\n\n四句。"


def test_an_unknown_claim_is_an_error_and_not_silence() -> None:
    with pytest.raises(UndefinedError, match="'fell' is undefined"):
        filled("{% if fell %}It fell.{% endif %}", {})


def test_numbers_count_their_nouns() -> None:
    prose = '{{ n | counted("net") }}, {{ n | counted("loss", "losses") }}'
    assert filled(prose, {"n": 1}) == "1 net, 1 loss"
    assert filled(prose, {"n": 2}) == "2 nets, 2 losses"


def test_boxes_are_found_and_replaced() -> None:
    prose = "a\n\n::: question Why?\nSo.\n\nThat is.\n:::\n\n::: then-and-now x\nOld.\n:::\nb"
    assert boxes(prose) == [
        Box("question", "Why?", "So.\n\nThat is.\n"),
        Box("then-and-now", "x", "Old.\n"),
    ]
    assert with_boxes(prose, lambda box: box.title) == "a\n\nWhy?\n\nx\nb"


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
    assert filled("只有\n五行", {}) == "只有五行"
    assert filled("只有\n五行\n代码", {}) == "只有五行代码"
    assert (
        filled("::: question 几行？\n五行\n代码\n:::", {}) == "::: question 几行？\n五行代码\n:::"
    )
    assert filled("in\nfive lines", {}) == "in\nfive lines"
    assert filled("## 试一试\n\n- `--lr 0.01`\n- 一", {}) == "## 试一试\n\n- `--lr 0.01`\n- 一"


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
