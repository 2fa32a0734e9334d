import signal

import pytest

from slalom import MLP, lessons, toys
from slalom.core.errors import BadPlan
from slalom.lessons.common import train
from slalom.lessons.lesson import (
    Choice,
    Lesson,
    Number,
    Parameter,
    Result,
    Whole,
    Words,
    commented,
    with_values,
)
from slalom.lessons.prose import Text
from slalom.training.progress import Progress

WHAT = Text("something", "某物")


def refuse_odd(text: str) -> None:
    if len(text) % 2:
        raise BadPlan(f"words must be even, but {text} was given.")


@pytest.mark.parametrize(
    ("parameter", "given", "value"),
    [
        (Number("lr", 0.1, WHAT, 0, 10), "1e-3", 0.001),
        (Number("lr", 0.1, WHAT, 0, 10), 3, 3.0),
        (Whole("width", 2, WHAT, 1, 9), "9", 9),
        (Whole("width", 2, WHAT, 1, 9), 2.0, 2),
        (Choice("shape", "moons", WHAT, ("moons", "spirals")), "spirals", "spirals"),
        (Words("words", "even", WHAT, check=refuse_odd), "ab", "ab"),
    ],
)
def test_a_parameter_takes_values_and_text(
    parameter: Parameter, given: object, value: object
) -> None:
    assert parameter.value(given) == value
    assert type(parameter.value(given)) is type(value)


@pytest.mark.parametrize(
    ("parameter", "given", "message"),
    [
        (Number("lr", 0.1, WHAT, 0, 10), "-1", "lr must be a number from 0 to 10, but -1 was"),
        (Number("lr", 0.1, WHAT, 0, 10), "nan", "lr must be a number from 0 to 10, but nan was"),
        (Number("lr", 0.1, WHAT, 0, 10), True, "lr must be a number from 0 to 10, but True was"),
        (Whole("width", 2, WHAT, 1, 9), 0, "width must be a whole number from 1 to 9, but 0 was"),
        (Whole("width", 2, WHAT, 1, 9), 2.5, "width must be a whole number from 1 to 9, but 2.5"),
        (Whole("width", 2, WHAT, 1, 9), float("inf"), "width must be a whole number"),
        (Choice("shape", "moons", WHAT, ("moons",)), "sun", "shape must be one of moons, but sun"),
        (Words("words", "even", WHAT), 7, "words must be text, but 7 was given"),
        (Words("words", "even", WHAT, check=refuse_odd), "abc", "words must be even, but abc"),
    ],
)
def test_a_parameter_refuses_what_it_cannot_be(
    parameter: Parameter, given: object, message: str
) -> None:
    with pytest.raises(BadPlan) as caught:
        parameter.value(given)
    assert str(caught.value).startswith(message)


def test_free_text_becomes_one_line() -> None:
    assert Words("words", "a", WHAT).value("a\n---\n b") == "a --- b"


def test_parameters_may_have_any_name_and_an_unknown_one_is_refused() -> None:
    lesson = lessons.get("regression")
    for name in ("self", "name", "lang"):
        with pytest.raises(BadPlan, match=f"has no parameter '{name}'"):
            lesson.make(**{name: 1})


def test_ctrl_c_in_a_training_ends_the_lesson() -> None:
    def interrupt(done: Progress) -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(MLP(1, 4, 1), toys.quadratic(20), steps=10_000, on_progress=interrupt)


def test_a_range_is_said_in_both_languages() -> None:
    assert Number("lr", 0.1, WHAT, 1e-5, 10).range == (
        "a number from 1e-05 to 10",
        "1e-05 到 10 的数",
    )
    assert Whole("width", 2, WHAT, 1, 9).range.zh == "1 到 9 的整数"
    assert Choice("shape", "a", WHAT, ("a", "b")).range.zh == "a, b 之一"


def test_a_script_takes_over_values_at_the_start_of_a_line_and_keeps_comments() -> None:
    source = 'lr = 0.2  # slow\nname = "a"\nfor lr in range(3):\n    lr = 1\nlr += 1\nother = 2\n'
    changed = with_values(source, {"lr": 0.5, "name": "b", "absent": 1})
    assert changed == (
        'lr = 0.5  # slow\nname = "b"\nfor lr in range(3):\n    lr = 1\nlr += 1\nother = 2\n'
    )


def test_text_in_a_script_stays_text_whatever_is_in_it() -> None:
    nasty = 'a"; import os  # \\'
    changed = with_values('name = "a"\n', {"name": nasty})
    namespace: dict[str, object] = {}
    exec(changed, namespace)
    assert namespace["name"] == nasty


def test_a_lesson_is_made_from_text_or_values_with_defaults_for_the_rest() -> None:
    lesson = Lesson(
        "regression",
        (Whole("a", 2, WHAT, 0, 9), Number("b", 0.5, WHAT, 0, 1)),
        lambda a, b: Result({"sum": a + b}, {}),
        (),
    )
    assert lesson.make(a="3").numbers == {"sum": 3.5}
    assert lesson.make().values == {"a": 2, "b": 0.5}
    with pytest.raises(BadPlan, match="regression has no parameter 'c'"):
        lesson.make(c=1)


def test_a_lesson_has_a_name_and_a_number() -> None:
    assert lessons.get("5") is lessons.get("regression")
    assert len(lessons.NAMES) == 14
    assert lessons.get(5) is lessons.get("regression")
    for unknown in ("0", "15", "9" * 5000, "", "../regression", "lesson"):
        with pytest.raises(BadPlan, match="There is no lesson"):
            lessons.get(unknown)
    with pytest.raises(BadPlan, match="Did you mean 'regression'"):
        lessons.get("regresion")


def test_the_code_of_a_lesson_has_its_values() -> None:
    made = lessons.get("regression").make(lr=0.25, steps=3, width=4, activation="tanh")
    code = made.code("en")["regression.py"]
    assert "\nlr = 0.25  # learning rate\nsteps = 3\n" in code
    assert '\nwidth = 4  # hidden neurons\nactivation = "tanh"\n' in code


@pytest.mark.parametrize(
    ("source", "english", "chinese"),
    [
        ("a = 1  # one ‖ 一", "a = 1  # one", "a = 1  # 一"),
        ("# one\n# ‖ 一\na = 1", "# one\na = 1", "# 一\na = 1"),
        ("    # one\n    # ‖ 一\n    f()", "    # one\n    f()", "    # 一\n    f()"),
        ('"""One. ‖ 一。"""\n', '"""One."""\n', '"""一。"""\n'),
        ('print("# 1 step")  # a, b ‖ 甲', 'print("# 1 step")  # a, b', 'print("# 1 step")  # 甲'),
        ("a = 1  # as it is", "a = 1  # as it is", "a = 1  # as it is"),
    ],
)
def test_a_script_has_its_comments_in_one_language(source: str, english: str, chinese: str) -> None:
    assert commented(source, "en") == english
    assert commented(source, "zh") == chinese


@pytest.mark.parametrize("name", lessons.NAMES)
def test_the_catalogue_says_of_each_lesson_what_one_sees_and_how_long_it_takes(name: str) -> None:
    assert lessons.sentence(name, "en").endswith(".")
    assert lessons.sentence(name, "zh").endswith("。")
    assert 5 <= lessons.minutes(name) <= 30
    with pytest.raises(BadPlan, match="There is no lesson"):
        lessons.sentence(name + "x")
