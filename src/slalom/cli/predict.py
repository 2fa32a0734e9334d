"""`slalom predict`: a table with the predictions of a model beside its columns."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slalom.cli.common import Table, check_outputs
from slalom.core.errors import BadData, BadFile
from slalom.core.terminal import say

if TYPE_CHECKING:
    import pandas as pd

    from slalom.models import Predictor


def predict(
    model: Annotated[
        Path, typer.Argument(help="Model file that `slalom fit` wrote.", metavar="MODEL")
    ],
    table: Table,
    out: Annotated[
        Path | None, typer.Option(help="CSV to write (also .csv.gz); standard output if not given.")
    ] = None,
) -> None:
    """Predict every row of a table: its columns, and those of the prediction."""
    if out is not None:
        check_outputs([out], [model, table])
        _check_csv(out)

    from slalom.data.table import read_table
    from slalom.models import Predictor

    predictor = Predictor.load(model)
    frame = read_table(table)
    text = _with_predictions(predictor, frame).to_csv(index=False, lineterminator="\n")
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        return
    _write(out, text.encode())
    say(f"{len(frame):,} predictions  {out}")


def _with_predictions(predictor: "Predictor", frame: "pd.DataFrame") -> "pd.DataFrame":
    """The table with the columns of the prediction behind its own."""
    import numpy as np

    from slalom.data.target import ClassificationTarget

    target = predictor.target
    added: dict[str, Any] = {}
    if isinstance(target, ClassificationTarget):
        probabilities = predictor.predict_proba(frame)
        added["prediction"] = target.decode(probabilities.argmax(axis=1))
        columns = probabilities.T
    else:
        both = [predictor.predict(frame), predictor.predict_std(frame)]
        columns = np.stack(both, axis=-1).reshape(len(frame), -1).T
    added |= dict(zip(predictor.column_names, columns, strict=True))
    _check_free(list(added), frame.columns.tolist())
    return frame.assign(**added)


def _check_free(added: list[str], present: list[str]) -> None:
    taken = [name for name in added if name in present]
    if taken:
        raise BadData(
            f"The table already has a column {taken[0]!r}, which the prediction would overwrite. "
            "Rename or remove it."
        )


def _check_csv(path: Path) -> None:
    if not path.name.lower().endswith((".csv", ".csv.gz", ".txt")):
        raise BadFile(f"Predictions are written as CSV: --out must end in .csv, but is {path}.")


def _write(path: Path, data: bytes) -> None:
    import gzip

    from slalom.core.files import write_whole

    write_whole(path, gzip.compress(data) if path.suffix == ".gz" else data)
