"""`slalom predict`: a table with the predictions of a model beside its columns."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from slalom.cli.common import Table, check_outputs
from slalom.core.errors import BadFile
from slalom.core.terminal import say


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
    from slalom.models.predicted import with_predictions

    predictor = Predictor.load(model)
    frame = read_table(table)
    text = with_predictions(predictor, frame).to_csv(index=False, lineterminator="\n")
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        return
    _write(out, text.encode())
    say(f"{len(frame):,} predictions  {out}")


def _check_csv(path: Path) -> None:
    if not path.name.lower().endswith((".csv", ".csv.gz", ".txt")):
        raise BadFile(f"Predictions are written as CSV: --out must end in .csv, but is {path}.")


def _write(path: Path, data: bytes) -> None:
    import gzip

    from slalom.core.files import write_whole

    write_whole(path, gzip.compress(data) if path.suffix == ".gz" else data)
