"""`slalom lessons` and `slalom lesson` as a person calls them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from slalom import lessons
from slalom.cli import app

runner = CliRunner()


def test_lessons_are_listed_in_both_languages() -> None:
    for lang in ("en", "zh"):
        done = runner.invoke(app, ["lessons", "--lang", lang])
        assert done.exit_code == 0
        for place, name in enumerate(lessons.NAMES, start=1):
            line = next(line for line in done.stdout.splitlines() if name in line.split())
            assert line.split()[0] == str(place)
            assert line.endswith(lessons.title(name, lang))


@pytest.mark.slow
def test_a_lesson_is_shown_by_name_or_number_with_its_parameters(tmp_path: Path) -> None:
    for name, value in (("regression", ["--lr", "0.5"]), ("5", ["--lr=0.5"])):
        done = runner.invoke(app, ["lesson", name, *value, "--steps", "4", "--out", str(tmp_path)])
        assert done.exit_code == 0, done.stderr
        assert "\nlr = 0.5  # learning rate\n" in done.stdout
        assert (tmp_path / "film.gif").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["regression", "--lr", "-1"], "lr must be a number from 1e-05 to 100, but -1 was given."),
        (["regression", "--width", "0"], "width must be a whole number from 1 to 200, but 0 was"),
        (["regression", "--lr"], "--lr needs a value, but none was given."),
        (["regression", "--rate", "1"], "The lesson regression has no parameter 'rate'."),
        (["regression", "--name", "x"], "The lesson regression has no parameter 'name'."),
        (["regression", "--", "--lang", "zh"], "The lesson regression has no parameter 'lang'."),
        (["regression", "more"], "A parameter is given as --name value, but 'more' was given."),
        (["regression", "--lang", "fr"], "lang must be one of ['en', 'zh'], but 'fr' was given."),
        (["regresion"], "There is no lesson 'regresion'. Did you mean 'regression'?"),
        (["99"], "There is no lesson '99'."),
        (["regression", "--check", "x.py"], "--check needs the number of the exercise"),
        (["regression", "--exercise", "4"], "The lesson regression has exercises 1 to 3, but 4"),
        (
            ["regression", "--exercise", "1", "--lr", "3"],
            "An exercise has no parameters, but '--lr 3'",
        ),
    ],
)
def test_a_mistake_is_answered_in_one_paragraph_and_nothing_is_written(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    done = runner.invoke(app, ["lesson", *arguments, "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"Error: {message}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_lesson_is_found_in_any_case_and_lists_what_it_can_be_given() -> None:
    for lang in ("en", "zh"):
        done = runner.invoke(app, ["lesson", "Regression", "--help", "--lang", lang])
        assert done.exit_code == 0
        for parameter in lessons.get("regression").parameters:
            option = f"--{parameter.name} {parameter.default}"
            line = next(line for line in done.stdout.splitlines() if option in line)
            assert parameter.what.in_(lang) in line and parameter.range.in_(lang) in line
    assert "NAME" in runner.invoke(app, ["lesson", "--help"]).stdout


def test_an_exercise_is_shown_and_a_script_is_checked(tmp_path: Path) -> None:
    shown = runner.invoke(app, ["lesson", "regression", "--exercise", "1"])
    assert shown.exit_code == 0
    assert shown.stdout.startswith("Write the five lines of a training step")
    script = tmp_path / "mine.py"
    asked = ["lesson", "regression", "--exercise", "1", "--lang", "zh", "--check", str(script)]
    script.write_text("b, w = 0.6, 0.1 * 26 / 3")
    right = runner.invoke(app, asked)
    assert (right.exit_code, right.stdout.count("✓"), right.stdout.count("✗")) == (0, 2, 0)
    script.write_text("b, w = 0.6, 0.0")
    wrong = runner.invoke(app, asked)
    assert (wrong.exit_code, wrong.stdout.count("✓"), wrong.stdout.count("✗")) == (1, 1, 1)


def test_a_lesson_with_no_name_is_a_usage_error() -> None:
    done = runner.invoke(app, ["lesson"])
    assert done.exit_code == 2
    assert "Missing argument 'NAME'" in done.stderr
