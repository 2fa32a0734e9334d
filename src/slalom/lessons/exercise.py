"""Exercises: a task, a script to begin with, and what the finished script must have found.

task = exercises("regression")[0]
verdict = check(task, "mine.py")    # runs the script in a process of its own
verdict.passed, verdict.told("en")
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten
from typing import Any, TypeAlias

from slalom.core.errors import BadFile, BadPlan
from slalom.core.language import tr
from slalom.lessons.lesson import commented
from slalom.lessons.pitfalls import pitfall
from slalom.lessons.prose import Text

LONGEST_ERROR = 300  # letters: what torch says of files of nets fills a screen
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
SECONDS = 60  # that a script may run: the exercises take a few

# Runs a script as a program and writes what its variables hold, where these are numbers or text.
_RUN = """
import json, runpy, sys
def plain(value):
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    value = value.tolist() if hasattr(value, "tolist") else value
    json.dumps(value)  # an error for what is not plain
    return value
script, out, *names = sys.argv[1:]
sys.argv = [script]
found, variables = {}, runpy.run_path(script, run_name="__main__")
variables = {**variables, **look(variables)}
for name in names:
    try:
        found[name] = plain(variables[name])
    except (KeyError, TypeError, ValueError):
        pass
with open(out, "w") as file:
    json.dump(found, file)
"""

Rule: TypeAlias = Callable[..., bool]


@dataclass(frozen=True)
class Check:
    """Something that is so when a script does what the task asks for.

    Args:
        names: variables of the script.
        holds: from their values (numbers, text, lists of these) to whether it is so.
        right: what is right then.
        hint: what to look at when it is not.
    """

    names: tuple[str, ...]
    holds: Rule
    right: Text
    hint: Text


@dataclass(frozen=True)
class Exercise:
    """Something to do oneself.

    Args:
        task: what, in Markdown.
        start: a script to begin with, with comments in both languages; it runs, and does not pass
            yet.
        checks: what must hold in the end.
        solution: a script that passes; tests run it.
        look: source of a function `look(variables)` that is called after the script, in its process
            and folder, and gives further variables for the checks: what is in a file, or what a
            net that the script leaves really does.
    """

    task: Text
    start: str
    checks: tuple[Check, ...]
    solution: str
    look: str = "def look(variables):\n    return {}\n"

    def begun(self, lang: str) -> str:
        """The script to begin with, with comments in one language."""
        return commented(self.start, lang)


@dataclass(frozen=True)
class Verdict:
    """What came out of a script.

    Args:
        lines: what is right and what is not yet, each with whether it is right.
    """

    lines: tuple[tuple[bool, Text], ...]

    @property
    def passed(self) -> bool:
        """Whether all is right."""
        return all(right for right, _ in self.lines)

    def told(self, lang: str) -> str:
        """A line for each thing, in a language."""
        return "\n".join(f"{'✓' if right else '✗'} {text.in_(lang)}" for right, text in self.lines)


def near(truth: float | Sequence[Any], within: float = 1e-4) -> Rule:
    """Whether numbers are the true ones, up to a share `within` of the largest.

    >>> near([1.0, 2.0])([1.0, 2.00001]), near(1.0)("one"), near([1.0])([1.0, 2.0])
    (True, False, False)
    """
    import numpy as np

    right = np.asarray(truth, dtype=float)
    allowed = within * max(1.0, float(np.abs(right).max()))

    def holds(value: Any) -> bool:
        try:
            found = np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            return False
        return found.shape == right.shape and bool((np.abs(found - right) <= allowed).all())

    return holds


def exercises(name: str) -> tuple[Exercise, ...]:
    """The exercises of a lesson, in order.

    >>> len(exercises("regression"))
    3
    """
    found: tuple[Exercise, ...] = import_module(f"slalom.lessons.exercises.{name}").EXERCISES
    return found


def exercise(name: str, number: int) -> Exercise:
    """One exercise of a lesson, counted from 1.

    Raises:
        BadPlan: when there is none of this number.
    """
    every = exercises(name)
    if not 1 <= number <= len(every):
        raise BadPlan(
            tr(
                "The lesson {name} has exercises 1 to {most}, but {number} was asked for.",
                name=name,
                most=len(every),
                number=number,
            )
        )
    return every[number - 1]


def check(exercise: Exercise, script: str | Path, seconds: float = SECONDS) -> Verdict:
    """Run a script in a process of its own, in its own folder, and say what is right.

    Args:
        exercise: what it should do.
        script: a Python file.
        seconds: that it may take.

    Raises:
        BadFile: when there is no such file.
    """
    script = Path(script).resolve()
    if not script.is_file():
        raise BadFile(
            tr("There is no file {script}. Write your script there, then check it.", script=script)
        )
    names = list(dict.fromkeys(name for each in exercise.checks for name in each.names))
    with TemporaryDirectory() as folder:
        out = Path(folder, "found.json")
        try:
            done = subprocess.run(
                [sys.executable, "-c", f"{exercise.look}\n{_RUN}", str(script), str(out), *names],
                cwd=script.parent,
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return _failed(
                f"The script was stopped after {seconds:g} seconds. Is there a loop without end?",
                f"脚本运行 {seconds:g} 秒后被停止。是不是有一个停不下来的循环？",
            )
        if done.returncode or not out.is_file():
            line = _line_of(done.stderr, script)
            error = _error_of(done.stderr) or f"exit code {done.returncode}"
            means = pitfall(error)
            return _failed(
                f"The script stopped{line.en} with: {error}\n{means.en}".rstrip(),
                f"脚本{line.zh}出错而停止：{error}\n{means.zh}".rstrip(),
            )
        found = json.loads(out.read_text(encoding="utf-8"))
    return Verdict(tuple(_judged(each, found) for each in exercise.checks))


def _failed(en: str, zh: str) -> Verdict:
    return Verdict(((False, Text(en, zh)),))


def _error_of(trace: str) -> str:
    """The error itself, in one line: what stands behind the last place of the traceback."""
    lines = _COLOURS.sub("", trace).strip().splitlines()
    places = [k for k, line in enumerate(lines) if line.startswith("  ")]
    said = " ".join(lines[places[-1] + 1 if places else 0 :])
    return shorten(said, LONGEST_ERROR, placeholder=" …")  # which makes one space of many


def _line_of(trace: str, script: Path) -> Text:
    """Where in the script an error arose, from the traceback: the innermost of its lines."""
    lines = [line for line in trace.splitlines() if f'File "{script}", line ' in line]
    if not lines:
        return Text("", "")
    number = lines[-1].split(", line ")[1].split(",")[0]
    return Text(f" in line {number}", f"在第 {number} 行")


def _judged(check: Check, found: dict[str, Any]) -> tuple[bool, Text]:
    """Whether a check holds, and what to say."""
    missing = [name for name in check.names if name not in found]
    if missing:
        names = ", ".join(missing)
        return False, Text(
            f"The script leaves no number, text, tensor or list of these called {names}.",
            f"脚本里没有名为 {'、'.join(missing)} 的数、字符串、张量或由它们组成的列表。",
        )
    try:
        right = bool(check.holds(*(found[name] for name in check.names)))
    except (TypeError, ValueError, IndexError, KeyError):  # a list where a number was asked for
        right = False
    return right, check.right if right else check.hint
