"""Words on the terminal: taken literally, complete, and on the right stream."""

import warnings

import pandas as pd
import pytest

from slalom.core.errors import SlalomWarning
from slalom.core.terminal import complain, say, show_table, warn, warnings_as_notes


def test_tables_are_complete_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    name = "a name of a column that is longer than any terminal is wide " * 3
    show_table(pd.DataFrame({name: ["[red]x[/red] :smile:"], "loss": [0.123456]}), "Title")
    said = capsys.readouterr().out
    assert name.strip() in said and "[red]x[/red] :smile:" in said and "0.1235" in said
    assert "\x1b" not in said


def test_missing_cells_of_a_table_are_blank(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(pd.DataFrame({"a": [float("nan"), 1.0], "b": ["x", None]}), "Title")
    assert "nan" not in capsys.readouterr().out.lower()


def test_errors_and_notes_are_one_line_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    complain("two\nlines " + "and more " * 30)
    warn("[bold]take care[/bold]")
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 2
    assert err.startswith("Error: two lines and more")
    assert err.endswith("Note: [bold]take care[/bold]\n")


def test_our_warnings_become_notes_once_and_others_are_kept_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with warnings_as_notes():
        for _ in range(2):
            warnings.warn("mind this", SlalomWarning, stacklevel=1)
        warnings.warn("a library's", FutureWarning, stacklevel=1)
    say("done")
    assert capsys.readouterr() == ("done\n", "Note: mind this\n")
