"""What several commands share: their arguments, and the check of what they will write."""

from pathlib import Path
from typing import Annotated

import typer

from slalom.core.errors import BadFile

Table = Annotated[
    Path,
    typer.Argument(
        help="CSV, Parquet, Excel, JSON lines, SQLite (FILE::TABLE), or - for standard input.",
        metavar="TABLE",
    ),
]
Missing = Annotated[
    list[str] | None,
    typer.Option(
        help="Value that stands for a missing cell, such as -999, or COLUMN=-999; repeatable."
    ),
]
Threads = Annotated[
    int | None, typer.Option(help="Nets that train at once; all cores if not given.", min=1)
]
Device = Annotated[
    str | None,
    typer.Option(
        help="Where nets train: cpu, cuda, cuda:1 or auto; $SLALOM_DEVICE or cpu if not given."
    ),
]
Seed = Annotated[int, typer.Option(help="Of all that is drawn at random.", min=0, max=2**32 - 1)]
StorePath = Annotated[
    Path | None,
    typer.Option("--store", help="Folder of the runs; $SLALOM_HOME or slalom-runs if not given."),
]
Lang = Annotated[str, typer.Option(help="Language of the prose: en or zh.")]


def check_outputs(outputs: list[Path], inputs: list[Path]) -> None:
    """Refuse what cannot be written before anything is computed, and never write over an input."""
    for path in outputs:
        if path.is_dir():
            raise BadFile(f"{path} is a folder, so no file of that name can be written.")
        if not path.parent.is_dir():
            raise BadFile(f"There is no folder {path.parent} to write {path.name} to.")
        if path.exists() and not path.is_file():
            raise BadFile(f"{path} is not a file that can be replaced.")
        for source in inputs:
            if path.resolve() == source.resolve():
                raise BadFile(f"{path} would be written over its own input. Choose another name.")
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise BadFile(f"Model and report would both be written to {outputs[0]}. Name another one.")
