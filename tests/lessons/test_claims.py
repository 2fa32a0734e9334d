"""Every sentence of a lesson is true at every setting.

What the prose says only under a condition is a claim of the lesson; here each claim is worked out
anew from what the plain PyTorch scripts compute, at the defaults, at everything to try, at the
corners of the parameters and at random settings (500 a lesson, in `make soak`).
"""

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from functools import lru_cache
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from matplotlib import pyplot
from matplotlib.animation import Animation
from matplotlib.figure import Figure

from slalom import lessons
from slalom.core.language import LANGUAGES
from slalom.lessons.lesson import Choice, Lesson, Made, Number, Parameter, Whole
from slalom.lessons.prose import boxes, claims, options, read, tries
from tests.lessons.test_lessons import compare, every_lesson, made

Values = dict[str, Any]
MANY = int(os.environ.get("SLALOM_SETTINGS", "500"))  # settings of a lesson in the soak test
# "1 neurons", but neither "11 neurons" nor "0.1 neurons" nor "1-10-1 points".
SINGULAR = re.compile(
    r"(?<![\d.,−-])1 (?:\w+ )?(neuron|row|step|point|epoch|layer|block|image|parameter|batche|"
    r"classe|digit|net|byte|filter|number|time|run|piece|moment|evaluation|entrie)s\b"
)


def truth(name: str) -> Any:
    return import_module(f"tests.lessons.truth.{name}")


def settings_to_try(lesson: Lesson) -> list[Values]:
    return [options(shlex.split(words)) for words in tries(read(lesson.name, "en"))]


def corners(lesson: Lesson) -> Iterator[Values]:
    """Each parameter at each of its ends, all others at their defaults; then all at once."""
    ends = {p.name: ends_of(p) for p in lesson.parameters if ends_of(p)}
    for name, values in ends.items():
        yield from ({name: value} for value in values)
    for end in (0, -1):
        yield {name: values[end] for name, values in ends.items()}


def ends_of(parameter: Parameter) -> list[Any]:
    if isinstance(parameter, Number | Whole):
        return [parameter.low, parameter.high]
    return list(parameter.options) if isinstance(parameter, Choice) else []


def drawn(lesson: Lesson, generator: np.random.Generator) -> Values:
    """A random value for each parameter."""
    return {p.name: drawn_of(p, generator) for p in lesson.parameters if ends_of(p)}


def drawn_of(parameter: Parameter, generator: np.random.Generator) -> Any:
    if isinstance(parameter, Choice):
        return str(generator.choice(parameter.options))
    assert isinstance(parameter, Number | Whole)
    low, high = parameter.low, parameter.high
    if isinstance(parameter, Whole):
        return int(generator.integers(low, high, endpoint=True))
    if parameter.log:
        return float(np.exp(generator.uniform(np.log(low), np.log(high))))
    return float(generator.uniform(low, high))


def unseen(film: Animation, *_: object, **__: object) -> None:
    """In the place of `film.save`: nothing is drawn, and no warning says so."""
    film._draw_was_started = True  # type: ignore[attr-defined]  # untyped in matplotlib


def numbers_of_the_scripts(made: Made, folder: Path) -> dict[str, Any]:
    """What the scripts compute, without drawing their pictures."""
    found: dict[str, Any] = {}
    with chdir(folder):
        for name, source in made.code("en").items():
            found |= variables_of(name, source)
    return found


@lru_cache(maxsize=4)  # some scripts are the same at every setting
def variables_of(name: str, source: str) -> dict[str, Any]:
    """What the variables of a script hold in the end."""
    with (
        redirect_stdout(StringIO()),
        patch.object(pyplot, "savefig"),
        patch.object(Figure, "savefig"),
        patch.object(Animation, "save", unseen),
    ):
        exec(compile(source, name, "exec"), variables := {"__name__": "__main__"})
    pyplot.close("all")
    torch.set_default_dtype(torch.float32)  # one of the scripts takes another
    return {
        key: value.detach() if isinstance(value, torch.Tensor) else value
        for key, value in variables.items()
    }


def check_setting(made: Made, folder: Path) -> SimpleNamespace:
    """Scripts agree, every claim is true, and the text says nothing that is no number."""
    found = numbers_of_the_scripts(made, folder)
    compare(made, {name: found[name] for name in made.numbers if name in found})
    n = SimpleNamespace(**{**made.numbers, **found, **made.values})
    expected = {name: bool(rule(n)) for name, rule in truth(made.lesson.name).CLAIMS.items()}
    assert made.claims == expected, made.values
    for lang in LANGUAGES:
        text = made.text(lang)
        prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)  # without code
        assert not re.search(r"\b(nan|inf)\b|\{\w+|\{%", prose), made.values
        assert not SINGULAR.search(prose), (made.values, SINGULAR.search(prose))
    return n


@every_lesson
def test_the_conditions_of_the_prose_are_the_claims_of_the_lesson_and_all_are_checked(
    name: str,
) -> None:
    checked = set(truth(name).CLAIMS)
    for lang in LANGUAGES:
        assert claims(read(name, lang)) == checked, lang
    assert set(truth(name).TRIES) == set(tries(read(name, "en")))


@pytest.mark.slow
@every_lesson
def test_a_lesson_is_true_at_its_defaults(name: str, tmp_path: Path) -> None:
    check_setting(made(name), tmp_path)


@pytest.mark.slow
@every_lesson
def test_what_is_said_of_things_to_try_is_so(name: str, tmp_path: Path) -> None:
    lesson = lessons.get(name)
    for words in tries(read(name, "en")):
        n = check_setting(lesson.make(**options(shlex.split(words))), tmp_path)
        assert truth(name).TRIES[words](n), words


@pytest.mark.soak
@every_lesson
def test_a_lesson_is_true_at_500_settings(name: str, tmp_path: Path) -> None:
    lesson, generator = lessons.get(name), np.random.default_rng(1)
    settings = list(corners(lesson))
    settings += [drawn(lesson, generator) for _ in range(MANY - len(settings))]
    settings = list({repr(values): values for values in settings}.values())
    for values in settings:  # an expression, as of autograd, has tests of its own
        check_setting(lesson.make(**values), tmp_path)
    print(f"{name}: {len(settings)} settings, no false claim")


@pytest.mark.slow
@every_lesson
def test_what_older_tutorials_do_ends_as_is_said_and_what_is_done_now_runs(
    name: str, tmp_path: Path
) -> None:
    english, chinese = (snippets(read(name, lang)) for lang in LANGUAGES)
    assert english == chinese
    for kind, source in english:
        with chdir(tmp_path):
            if kind in ("then works", "now"):
                run_snippet(source)
            else:
                with pytest.raises(Exception) as caught:  # named by the prose
                    run_snippet(source)
                assert type(caught.value).__name__ == kind.removeprefix("then ")


def snippets(prose: str) -> list[tuple[str, str]]:
    """Kind and source of each piece of code in the boxes of then and now."""
    inside = "\n".join(box.inside for box in boxes(prose) if box.kind == "then-and-now")
    return re.findall(r"^```python (then \w+|now)\n(.*?)^```$", inside, re.MULTILINE | re.DOTALL)


def run_snippet(source: str) -> None:
    with redirect_stdout(StringIO()):
        exec(compile(source, "snippet", "exec"), {"__name__": "__main__"})


@every_lesson
def test_a_lesson_asks_two_questions_and_ends_with_a_recap(name: str) -> None:
    for lang, recap in (("en", "## Recap"), ("zh", "## 小结")):
        prose = read(name, lang)
        assert sum(box.kind == "question" for box in boxes(prose)) >= 2
        assert prose.count(f"\n{recap}\n") == 1
