"""What holds for every lesson: prose in step, scripts that agree, pictures that are small."""

import ast
import io
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from slalom import lessons
from slalom.core.errors import BadPlan
from slalom.core.language import LANGUAGES
from slalom.lessons.files import content_of
from slalom.lessons.glossary import WORDS, Word
from slalom.lessons.lesson import Choice, Figure, Made, Number, Parameter, Whole
from slalom.lessons.prose import figures, options, read, tries
from slalom.plots.movie import MOST_BYTES, Movie

HAN = re.compile(r"[\u4e00-\u9fff]")
# What a script may import besides the standard library. The digits lie in scikit-learn.
LIBRARIES = {"torch", "numpy", "matplotlib", "sklearn.datasets"}
RUN = """
import json, runpy, sys
import numpy as np
found = runpy.run_path(sys.argv[1], run_name="__main__")
def plain(value):
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    return np.asarray(value).tolist()
print("NUMBERS" + json.dumps({k: plain(found[k]) for k in sys.argv[2:] if k in found}))
"""

# matplotlib says that finding a free place for a legend is slow when the machine is busy.
WARNINGS = ["-W", "error", "-W", "ignore:Creating legend with loc:UserWarning"]

# The tests of a lesson run in one process, which computes and draws it once.
every_lesson = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in lessons.NAMES]
)


@cache
def made(name: str) -> Made:
    """A lesson with its defaults."""
    return lessons.get(name).make()


@cache
def drawn(name: str) -> dict[str, tuple[Figure, bytes]]:
    """Its figures, and what their files hold."""
    figures = {key: draw() for key, draw in made(name).figures.items()}
    return {key: (figure, content_of(figure)) for key, figure in figures.items()}


def headings(prose: str) -> list[int]:
    """The level of each heading."""
    return [len(found) for found in re.findall(r"^(#+) ", prose, re.MULTILINE)]


def places(prose: str) -> set[str]:
    """The names of the numbers that the prose mentions."""
    return set(re.findall(r"(?<!\{)\{(\w+)[^{}]*\}", prose))


@every_lesson
def test_both_languages_say_the_same(name: str) -> None:
    english, chinese = (read(name, lang) for lang in LANGUAGES)
    assert headings(english) == headings(chinese)
    assert headings(english)[0] == 1
    assert figures(english) == figures(chinese)
    assert tries(english) == tries(chinese)
    assert places(english) == places(chinese)


@every_lesson
def test_chinese_prose_is_chinese(name: str) -> None:
    code = re.compile(r"^```.*?^```$|^:::$", re.MULTILINE | re.DOTALL)
    for paragraph in code.sub("", read(name, "zh")).split("\n\n"):
        if paragraph.strip() and not paragraph.startswith("    "):
            assert HAN.search(paragraph), paragraph
    assert not HAN.search(read(name, "en"))


@every_lesson
def test_a_lesson_proposes_two_or_more_things_to_try_with_values_that_it_takes(name: str) -> None:
    lesson = lessons.get(name)
    proposed = tries(read(name, "en"))
    assert len(proposed) >= 2
    for words in proposed:
        values = lesson.values(**options(shlex.split(words)))
        assert values != lesson.values(), f"{words} changes nothing"


@every_lesson
def test_a_parameter_refuses_what_is_out_of_its_range_in_one_paragraph(name: str) -> None:
    lesson = lessons.get(name)
    for parameter in lesson.parameters:
        for bad in wrong_values(parameter):
            with pytest.raises(BadPlan) as caught:
                lesson.values(**{parameter.name: bad})
            assert str(caught.value).startswith(f"{parameter.name} must be ")
            assert "\n" not in str(caught.value)
    with pytest.raises(BadPlan, match="has no parameter 'speed'"):
        lesson.values(speed=1)


def wrong_values(parameter: Parameter) -> list[object]:
    """Values that a parameter cannot have."""
    if isinstance(parameter, Number):
        return [parameter.low - 1, parameter.high * 2 + 1, "nan", "inf", "much", None, True]
    if isinstance(parameter, Whole):
        return [parameter.low - 1, parameter.high + 1, 1.5, "1.5", "many", None, True]
    return ["nothing of this name", None] if isinstance(parameter, Choice) else [1, None]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.name.en)
def test_a_word_is_explained_before_it_is_used(word: Word) -> None:
    at = lessons.NAMES.index(word.lesson)
    for lang in LANGUAGES:
        said = word.in_bold(lang)
        bold = re.compile(rf"\*\*[^*\n]*{re.escape(said)}[^*\n]*\*\*", re.IGNORECASE)
        assert bold.search(read(word.lesson, lang)), f"{said} is not in bold letters"
    form = re.compile("|".join(word.forms("en")), re.IGNORECASE)
    for name in lessons.NAMES[:at]:
        for line in read(name, "en").splitlines():
            assert not form.search(line), f"{word.name.en} is explained later: {name}, {line}"


@pytest.mark.slow
@every_lesson
def test_every_figure_of_the_prose_is_drawn_small_enough_and_large_enough(name: str) -> None:
    assert sorted(figures(read(name, "en"))) == sorted(drawn(name))
    for key, (figure, content) in drawn(name).items():
        with Image.open(io.BytesIO(content)) as image:
            moving = isinstance(figure, Movie)
            assert image.format == ("GIF" if moving else "PNG")
            assert image.width >= (600 if moving else 800), key
            if moving:
                assert len(content) < MOST_BYTES
                assert image.n_frames == figure.moments >= 8, "no moment was left out to save bytes"


@pytest.mark.slow
@every_lesson
def test_the_prose_has_a_number_in_each_of_its_places(name: str) -> None:
    for lang in LANGUAGES:
        text = made(name).text(lang)
        assert not re.search(r"\{\w+", text)
        assert "nan" not in text.split()


@pytest.mark.slow
@every_lesson
def test_the_scripts_run_alone_and_agree_with_the_lesson(name: str, tmp_path: Path) -> None:
    check_scripts(made(name), tmp_path)


def check_scripts(made: Made, folder: Path) -> None:
    """Run each script in an empty folder and compare what it computes with the lesson's numbers."""
    found: dict[str, object] = {}
    for name, source in made.code("en").items():
        (folder / name).write_text(source, encoding="utf-8")
        assert imported(source) <= LIBRARIES | sys.stdlib_module_names
        done = subprocess.run(
            [sys.executable, *WARNINGS, "-c", RUN, name, *made.numbers],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        printed, _, numbers = done.stdout.partition("NUMBERS")
        assert printed.strip(), f"{name} prints nothing"
        found |= json.loads(numbers)
    compare(made, found)


def compare(made: Made, found: Mapping[str, Any]) -> None:
    """The numbers of the scripts are those of the lesson, and none is missing."""
    assert set(found) == set(made.numbers) - made.lesson.only_here
    for name, value in found.items():
        own = np.asarray(made.numbers[name])
        if own.dtype.kind in "fiu":
            other = np.asarray(value, dtype=float)
            finite = np.isfinite(own)
            assert (np.isfinite(other) == finite).all(), name
            scale = max(1.0, float(np.max(np.abs(own[finite]), initial=0)))
            difference = np.abs(own[finite] - other[finite])
            assert np.max(difference, initial=0) <= 1e-5 * scale, name
        else:
            assert own.tolist() == np.asarray(value).tolist(), name


def imported(source: str) -> set[str]:
    """The libraries that a script imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = str(node.module)
            found.add(module if module == "sklearn.datasets" else module.split(".")[0])
    return found
