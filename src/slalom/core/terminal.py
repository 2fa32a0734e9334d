"""What commands say: words and tables on standard output, warnings and errors on standard error.

On a terminal there are colours and lines are wrapped to its width. Elsewhere the output is plain
and complete: nothing is wrapped or cut, so that it can be searched, compared and kept.
"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from slalom.core.errors import SlalomWarning

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

_UNLIMITED = 100_000  # columns: as wide as any table of ours gets
_WHOLE_WORDS = 20  # letters; longer words are broken when the terminal is narrow


def console(*, error: bool = False) -> "Console":
    """The console of standard output, or of standard error. It takes text literally."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    return Console(
        file=stream,
        width=None if stream.isatty() else _UNLIMITED,
        markup=False,
        emoji=False,
        highlight=False,
    )


def say(text: str = "", style: str = "") -> None:
    """A line or a paragraph on standard output."""
    console().print(text, style=style, soft_wrap=not sys.stdout.isatty())


def complain(text: str) -> None:
    """One red paragraph on standard error."""
    _remark(f"Error: {text}", "red")


def warn(text: str) -> None:
    """One yellow paragraph on standard error."""
    _remark(f"Note: {text}", "yellow")


def show_table(frame: "pd.DataFrame", title: str) -> None:
    """A frame as a table, numbers to the right. Long cells are folded, never cut.

    Example:
        >>> import pandas as pd
        >>> show_table(pd.DataFrame({"optimizer": ["SGD", "Adam"], "loss": [0.25, 0.125]}), "Race")
        Race
         optimizer    loss
        ───────────────────
         SGD          0.25
         Adam        0.125
    """
    from rich import box
    from rich.table import Table

    say(title, "bold")
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=True)
    for name in frame.columns:
        number = frame[name].dtype.kind in "iuf"
        cells = [_cell(value) for value in frame[name]]
        words = [word for cell in (str(name), *cells) for word in cell.split()]
        table.add_column(
            str(name),
            justify="right" if number else "left",
            overflow="fold",
            min_width=min(_WHOLE_WORDS, max(map(len, words), default=0)),
        )
    for row in frame.itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    console().print(table)
    say()


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Inside, our warnings are said once each, and those of libraries are not said at all."""
    said: set[str] = set()

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if str(message) not in said:
            said.add(str(message))
            warn(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", SlalomWarning)
        warnings.showwarning = show
        yield


def _remark(text: str, style: str) -> None:
    console(error=True).print(" ".join(text.split()), style=style, soft_wrap=True)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return "" if value is None else str(value)
