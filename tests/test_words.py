"""One meaning a word: names that were given up do not come back, and no name stands for two things.

Names are read from the source: classes, functions, arguments, variables. A word of a name is what
stands between its underscores and capitals.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "slalom"
FILES = sorted(
    path for path in SOURCE.rglob("*.py") if "scripts" not in path.relative_to(SOURCE).parts
)

# What is not said, where (a folder, or everywhere), and what is said in its place.
INSTEAD = {
    "trial": ("", "member"),
    "cohort": ("", "population"),
    "experiment": ("", "run"),
    "iteration": ("", "step, or epoch"),
    "job": ("", "plan, or what all members have in common"),
    "floats": ("", "Float64Array, or Float32Array"),
    "crew": ("engine/", "shared"),
    "desk": ("engine/", "counters"),
    "rooms": ("engine/", "workspaces"),
    "told": ("optim/", "shown"),
}

# Words of other programs, in the files that speak to them.
BORROWED = {("experiment", "runs/tracking.py")}  # MLflow's


def names_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def words_of(name: str) -> set[str]:
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return {word.lower().removesuffix("s") for word in words} | {word.lower() for word in words}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_a_word_that_was_given_up_does_not_come_back(path: Path) -> None:
    file = path.relative_to(SOURCE).as_posix()
    for name in names_in(path):
        for word in words_of(name) & set(INSTEAD):
            where, instead = INSTEAD[word]
            if (word, file) in BORROWED:
                continue
            assert not file.startswith(where), f"{file}: {name}: say {instead}."


def defined() -> dict[str, list[str]]:
    """Public classes and type aliases, with the files that define one of that name."""
    found: dict[str, list[str]] = {}
    for path in FILES:
        file = path.relative_to(SOURCE).as_posix()
        if file.startswith("lessons/"):  # each shows something else, by the name that it has there
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            name = ""
            if isinstance(node, ast.ClassDef):
                name = node.name
            elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
                name = ast.unparse(node.target)
            if name and not name.startswith("_"):
                found.setdefault(name, []).append(file)
    return found


def test_no_class_shares_its_name_with_another() -> None:
    twice = {name: files for name, files in defined().items() if len(files) > 1}
    assert not twice
