"""How a lesson reaches a person: files, a terminal, windows, a notebook."""

import io
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from slalom import lessons
from slalom.core.errors import BadFile, BadPlan
from slalom.lessons import showing
from slalom.lessons.prose import boxes
from slalom.lessons.showing import say_text
from slalom.plots.movie import LAST_MS, Movie

QUICK = {"steps": 5}  # for the lesson `regression`


class Display:
    """Stands in for `IPython.display` and keeps every state of every output."""

    def __init__(self) -> None:
        self.outputs: list[list[str]] = []

    def HTML(self, text: str) -> str:  # noqa: N802  # IPython's name
        return str(text)

    def display(self, text: str, display_id: bool) -> Any:
        assert display_id
        states = [text]
        self.outputs.append(states)
        return SimpleNamespace(update=states.append)


def pretend(monkeypatch: pytest.MonkeyPatch, shell: object, display: Display) -> None:
    """Have IPython loaded, with this shell."""
    package = ModuleType("IPython")
    package.version_info = (9, 0, 0)  # type: ignore[attr-defined]  # which matplotlib looks at
    package.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", display)  # type: ignore[arg-type]


@pytest.fixture
def no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.slow
def test_without_a_screen_files_are_written_and_it_is_said_where(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    no_screen: None,
) -> None:
    monkeypatch.chdir(tmp_path)
    lessons.show("regression", **QUICK)
    folder = Path("lessons/regression")
    written = sorted(folder.iterdir())
    told = capsys.readouterr().out.splitlines()[-len(written) :]
    assert sorted(told) == [str(path) for path in written]
    assert told[-1] == str(folder / "en.html")
    assert {"film.gif", "losses.png", "regression.py"} <= {path.name for path in written}
    page = (folder / "en.html").read_text(encoding="utf-8")
    assert 'alt="The line of the net, from its first weights on"' in page and "data-film" in page
    assert "slalom lesson regression --steps 5" in page
    assert "http" not in page.replace("http://www.w3.org", ""), "a page loads nothing"


@pytest.mark.slow
def test_off_a_terminal_the_text_is_plain_and_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lessons.show("regression", lang="zh", out=tmp_path, **QUICK)
    said = capsys.readouterr().out
    assert said.startswith("# 回归\n")
    assert "- `steps = 5`: 步数 (2 到 3000 的整数)" in said
    assert "\nsteps = 5\n" in said
    assert "\x1b" not in said


@pytest.mark.slow
def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    lessons.show("regression", out=tmp_path, **QUICK)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_a_bad_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadFile, match="cannot be made"):
        lessons.show("regression", out=tmp_path / "file", **QUICK)


def test_nothing_is_computed_for_a_language_that_is_not_there() -> None:
    with pytest.raises(BadPlan, match="lang must be one of"):
        lessons.show("regression", lang="de", steps=5000)


def test_a_notebook_has_one_output_in_which_each_picture_takes_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    display = Display()
    pretend(monkeypatch, SimpleNamespace(kernel=object()), display)
    lessons.show("regression", **QUICK)
    (states,) = display.outputs
    assert [state.count("base64,") for state in states] == [0, 1, 2, 3]
    assert not list(tmp_path.iterdir()), "a notebook writes no files"


def test_in_plain_ipython_without_a_notebook_nothing_is_displayed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pretend(monkeypatch, SimpleNamespace(), Display())
    assert showing._notebook() is None


def test_on_a_screen_every_figure_has_a_window_that_takes_no_focus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from matplotlib import pyplot

    monkeypatch.chdir(tmp_path)
    seen: list[tuple[list[str], bool]] = []

    def look() -> None:
        figures = [pyplot.figure(number) for number in pyplot.get_fignums()]
        names = [figure.get_label() or str(figure.axes[0].get_xlabel()) for figure in figures]
        seen.append((names, bool(pyplot.rcParams["figure.raise_window"])))

    monkeypatch.setattr(showing, "_screen", lambda: pyplot)
    monkeypatch.setattr(pyplot, "show", look)
    lessons.show("regression", **QUICK)
    pyplot.close("all")
    assert seen == [(["x", "step", "step"], False)]
    assert not list(tmp_path.iterdir()), "windows write no files"


def test_a_movie_in_a_window_goes_through_its_moments_rests_at_the_last_and_begins_again() -> None:
    movie = lessons.get("regression").make(**QUICK).figures["film"]()
    assert isinstance(movie, Movie)
    images = movie.images()
    timer = showing._play(movie)
    ((step, _, _),) = timer.callbacks
    canvas: Any = movie.figure.canvas
    canvas.blit = lambda box: None  # which only a window has
    step()  # before the window was drawn there is nothing to draw over
    canvas.draw()
    seen = []
    for _ in range(movie.moments + LAST_MS // movie.pace):
        step()
        seen.append(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    rest = LAST_MS // movie.pace
    order = [*range(movie.moments - 1), *[movie.moments - 1] * rest, 0]
    for image, i in zip(seen, order, strict=True):
        np.testing.assert_array_equal(image, images[i])


def test_there_is_no_screen_off_a_terminal_or_without_a_display(
    monkeypatch: pytest.MonkeyPatch, no_screen: None
) -> None:
    assert showing._screen() is None
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert showing._screen() is None


@pytest.mark.parametrize(("lang", "answers"), [("en", "## Answers"), ("zh", "## 答案")])
def test_questions_are_answered_at_the_end_of_the_text(
    lang: str, answers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = lessons.get("regression").make(steps=5)
    say_text(made, lang)
    told = capsys.readouterr().out
    assert ":::" not in told
    prose, _, after = told.partition(f"{answers}\n\n")
    questions = [box for box in boxes(made.text(lang)) if box.kind == "question"]
    assert len(questions) >= 2
    for place, question in enumerate(questions, start=1):
        assert f"{place}.** {question.title}" in prose
        assert question.inside.strip() not in prose
        assert f"{place}. {question.inside.split()[0]}" in after
