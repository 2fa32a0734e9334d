"""`slalom export`: a model in a form that predicts without Slalom."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from slalom.cli.common import check_outputs
from slalom.core.terminal import say


class Format(StrEnum):
    """What to write."""

    torch = "torch"
    onnx = "onnx"
    csv_scores = "csv-scores"


def export(
    model: Annotated[
        Path, typer.Argument(help="Model file that `slalom fit` wrote.", metavar="MODEL")
    ],
    format: Annotated[
        Format,
        typer.Option(
            help="A program for torch.export.load, an ONNX graph, or a script that scores tables."
        ),
    ] = Format.csv_scores,
    out: Annotated[
        Path | None, typer.Option(help="File to write; beside the model if not given.")
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(help="Table to predict in both ways, to see how far they are apart."),
    ] = None,
) -> None:
    """Write a model so that it predicts without Slalom."""
    from slalom.models import Predictor
    from slalom.models.export.formats import FORMATS, largest_difference
    from slalom.models.export.formats import export as export_model

    path = out or model.with_suffix(FORMATS[format][0])
    written = [path, path.with_suffix(".pt2")] if format == Format.csv_scores else [path]
    check_outputs(written, [model, *([check] if check else [])])
    predictor = Predictor.load(model)
    export_model(predictor, path, format)
    for each in written:
        say(f"{'Script ' if each.suffix == '.py' else 'Program'}  {each}")
    if check:
        from slalom.data.table import read_table

        frame = read_table(check)
        far = largest_difference(predictor, path, frame)
        say(f"Checked  {len(frame):,} rows: at most {far:.1e} from our own predictions")
