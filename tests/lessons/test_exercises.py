"""Exercises: every solution passes, no start does, and a script's mistakes are said."""

import re
from pathlib import Path

import pytest

from slalom.core.errors import BadFile, BadPlan
from slalom.lessons.exercise import Check, Exercise, check, exercise, exercises, near
from slalom.lessons.prose import Text
from tests.lessons.test_lessons import HAN, every_lesson

RIGHT, HINT = Text("It is three.", "是三。"), Text("Not three.", "不是三。")
THREE = Exercise(Text("", ""), "", (Check(("n",), near(3), RIGHT, HINT),), "")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "mine.py"


@pytest.mark.slow
@every_lesson
def test_every_solution_passes_and_no_start_does(name: str, script: Path) -> None:
    assert len(exercises(name)) == 3
    for each in exercises(name):
        script.write_text(each.solution, encoding="utf-8")
        verdict = check(each, script)
        assert verdict.passed, verdict.told("en")
        script.write_text(each.start, encoding="utf-8")
        verdict = check(each, script)
        assert not verdict.passed
        assert "stopped" not in verdict.told("en"), "a start runs to its end"


@every_lesson
def test_every_exercise_speaks_both_languages(name: str) -> None:
    for each in exercises(name):
        texts = [each.task, *(text for c in each.checks for text in (c.right, c.hint))]
        assert all(HAN.search(text.zh) and not HAN.search(text.en) for text in texts)
        comments = re.findall(r"(?:^|  )# (.*)", each.begun("zh"), re.MULTILINE)
        assert all(HAN.search(line) or len(line) == 1 for line in comments), comments


@pytest.mark.slow
def test_what_is_right_and_what_is_not_yet_is_said_in_both_languages(script: Path) -> None:
    script.write_text("import torch\nn = torch.tensor(3.0, requires_grad=True)")
    assert check(THREE, script).told("en") == "✓ It is three."
    script.write_text("n = 4")
    assert check(THREE, script).told("zh") == "✗ 不是三。"
    script.write_text("n = [3, 3]")
    assert check(THREE, script).told("en") == "✗ Not three."


@pytest.mark.parametrize("source", ["m = 3", "n = object()", "n = print"])
def test_a_variable_that_is_not_there_or_not_plain_is_named(source: str, script: Path) -> None:
    script.write_text(source)
    assert check(THREE, script).told("en") == (
        "✗ The script leaves no number, text, tensor or list of these called n."
    )


def test_an_error_is_told_with_its_line(script: Path) -> None:
    script.write_text("def f():\n    return 1 / 0\n\nn = f()\n")
    assert check(THREE, script).told("en") == (
        "✗ The script stopped in line 2 with: ZeroDivisionError: division by zero"
    )
    script.write_text("import warnings\n\nraise ValueError('one\\n\\ntwo')\n")
    assert check(THREE, script).told("en") == (
        "✗ The script stopped in line 3 with: ValueError: one two"
    )
    script.write_text("n = (3\n")
    assert "SyntaxError" in check(THREE, script).told("en")
    script.write_text("raise SystemExit(3)")
    assert check(THREE, script).told("en") == "✗ The script stopped with: exit code 3"


@pytest.mark.slow
def test_a_script_without_end_is_stopped(script: Path) -> None:
    script.write_text("while True: pass")
    assert check(THREE, script, seconds=1).told("en").startswith("✗ The script was stopped after 1")


def test_a_missing_script_or_exercise_is_refused(script: Path) -> None:
    with pytest.raises(BadFile, match=r"There is no file .*mine\.py"):
        check(THREE, script)
    for number in (0, 4):
        with pytest.raises(BadPlan, match="has exercises 1 to 3, but"):
            exercise("regression", number)


def test_a_script_finds_the_files_beside_it(script: Path) -> None:
    (script.parent / "three.txt").write_text("3")
    script.write_text("n = float(open('three.txt').read())")
    assert check(THREE, script).passed


@pytest.mark.slow
def test_what_a_check_looks_up_is_not_what_a_script_says_of_itself(script: Path) -> None:
    saving, classification = exercise("saving", 1), exercise("classification", 3)
    unsaved = saving.solution.partition("torch.save")[0]
    script.write_text(f"{unsaved}names, outputs = list(parameters), [2, 0, 3]\n", encoding="utf-8")
    assert not check(saving, script).passed
    script.write_text(f"{classification.start}accuracy, loss = 1.0, 0.01\n", encoding="utf-8")
    assert not check(classification, script).passed
    script.write_text(f"{classification.start}net_accuracy, net_loss = 1.0, 0.01\n")
    assert not check(classification, script).passed
