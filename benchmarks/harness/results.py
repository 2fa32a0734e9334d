"""Results as files: a CSV with every number, a Markdown table to read, a picture."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.machine import description

FOLDER = Path(__file__).parents[1] / "results"


def write(name: str, rows: pd.DataFrame, *paragraphs: str, folder: Path = FOLDER) -> None:
    """Write `<name>.csv` and `<name>.md`, and print the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_csv(folder / f"{name}.csv", index=False)
    text = "\n\n".join([*paragraphs, f"Measured on {description()}."]) + "\n"
    (folder / f"{name}.md").write_text(text)
    print(text)


def markdown(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table; the first column is text, the others are numbers."""
    header = list(header)
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def digits(value: float) -> str:
    """Three significant digits, without exponents in the range of times and ratios.

    >>> [digits(v) for v in (0.3071, 12.34, 5678.9, float("nan"))]
    ['0.307', '12.3', '5,680', '']
    """
    if not np.isfinite(value):
        return ""
    if value == 0:
        return "0"
    decimals = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    return f"{round(value, 2 - int(np.floor(np.log10(abs(value))))):,.{decimals}f}"


def geometric_mean(values: pd.Series) -> float:
    return float(np.exp(np.log(values).mean()))
