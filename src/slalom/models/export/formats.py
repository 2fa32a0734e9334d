"""Writing a model so that it predicts without Slalom: for torch, for ONNX, or as a script."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from slalom.core.arrays import Float64Array
from slalom.core.errors import BadPlan, MissingExtra
from slalom.core.files import write_whole
from slalom.core.scripts import in_docstring, rendered
from slalom.data.target import ClassificationTarget, RegressionTarget
from slalom.models.export.graph import Graph, readings_of, widths
from slalom.models.export.readings import read_cells
from slalom.models.export.standalone import standalone
from slalom.models.predictor import Predictor


def export(model: Predictor | str | Path, path: str | Path, format: str | None = None) -> Path:
    """Write a model in a form that predicts without Slalom.

    - `torch`, a `.pt2` file: a program for `torch.export.load`.
    - `onnx`, a `.onnx` file: a graph for onnxruntime and others. Needs the extra `onnx`.
    - `csv-scores`, a `.py` file: a script that scores tables, and its program (`.pt2`) beside it.

    The first two take what was read of a table's cells, `readings` `[N, R]` in float64: numbers,
    1 and 0 for true and false, seconds since 1970, the place of a word among the levels of its
    column, NaN where a cell is missing. What is read for each is written inside (the extra file
    `model.json` of a program, the property `model` of a graph). Scaling, levels, cycles, the nets
    and their weights are inside. They give probabilities `[N, K]`, or values and standard
    deviations, `[N, T]` each, in the target's units.

    Args:
        model: a predictor, or its file.
        path: of the file to write.
        format: `torch`, `onnx` or `csv-scores`; as the path ends when not given.

    Returns:
        The path.

    Raises:
        BadPlan: for another format or ending, or a net that torch cannot export.
        BadFile: when a file cannot be read or written.
        MissingExtra: for `onnx` when it is not installed.

    Example:
        >>> import numpy as np, slalom
        >>> from tempfile import mkdtemp
        >>> X = np.linspace(-1, 1, 60)[:, None]
        >>> model = slalom.Regressor(epochs=2).fit(X, X[:, 0] ** 2).predictor_
        >>> path = export(model, Path(mkdtemp(), "square.pt2"))
        >>> values, stds = torch.export.load(path).module()(torch.zeros(5, 1).double())
        >>> values.shape
        torch.Size([5, 1])
    """
    path = Path(path)
    write = FORMATS[_format(path, format)][1]
    predictor = model if isinstance(model, Predictor) else Predictor.load(model)
    write(predictor, path)
    return path


def largest_difference(predictor: Predictor, path: str | Path, frame: pd.DataFrame) -> float:
    """How far predictions of an exported file are from ours, at most, on the rows of a table.

    In probabilities, or in units of the target's deviation on training rows.

    Args:
        predictor: what was exported.
        path: of the file, `.pt2` or `.onnx`, or of the script.
        frame: the table, from `read_table`.

    Raises:
        BadData: when a column that the schema needs is missing or cannot be read.
    """
    path = Path(path)
    ours, scale = [predictor.predict_features(predictor.schema.encode(frame))], np.ones(1)
    if isinstance(predictor.target, RegressionTarget):
        scale = np.array(predictor.target.scale)
        ours.append(predictor.predict_std(frame).reshape(len(frame), -1))
    readings = read_cells(frame, readings_of(predictor.schema))
    theirs = _run_onnx(path, readings) if path.suffix == ".onnx" else _run_torch(path, readings)
    return max(float(np.abs((a - b) / scale).max()) for a, b in zip(theirs, ours, strict=True))


def described(predictor: Predictor) -> dict[str, Any]:
    """What a program reads of a table and gives, JSON-ready."""
    target = predictor.target
    return {
        "task": predictor.task,
        "readings": readings_of(predictor.schema),
        "columns": list(predictor.column_names),
        "classes": list(target.classes) if isinstance(target, ClassificationTarget) else [],
    }


def _format(path: Path, format: str | None) -> str:
    known = {ending: name for name, (ending, _) in FORMATS.items()}
    name = format or known.get(path.suffix, "")
    if name not in FORMATS:
        raise BadPlan(
            f"A model is exported as one of {', '.join(FORMATS)}, to a file that ends in "
            f"{', '.join(known)}; but {format or path} was given."
        )
    if path.suffix != FORMATS[name][0]:
        raise BadPlan(f"The format {name} is written to a {FORMATS[name][0]} file, not to {path}.")
    return name


def _write_torch(predictor: Predictor, path: Path) -> None:
    file = io.BytesIO()
    extra = {"model.json": json.dumps(described(predictor), ensure_ascii=False)}
    torch.export.save(_program(predictor), file, extra_files=extra)
    write_whole(path, file.getvalue())


def _write_onnx(predictor: Predictor, path: Path) -> None:
    try:
        for needed in ("onnxscript", "onnxruntime"):  # which torch's exporter and we load later
            import_module(needed)
    except ImportError as error:
        raise MissingExtra("An ONNX graph", "onnx") from error
    outputs = ["probability"] if predictor.task == "classification" else ["value", "std"]
    with _quiet():
        exported = torch.onnx.export(
            _program(predictor),
            dynamo=True,
            verbose=False,
            input_names=["readings"],
            output_names=outputs,
        )
    assert exported is not None
    about = json.dumps(described(predictor), ensure_ascii=False)
    exported.model.metadata_props["model"] = about
    write_whole(path, exported.model_proto.SerializeToString())


def _write_script(predictor: Predictor, path: Path) -> None:
    program = path.with_suffix(".pt2")
    source = standalone(read_cells, given=frozenset({"BadData"}))
    imports, _, functions = source.partition("\n\n")
    text = rendered(
        "slalom.models",
        "scorer.py.jinja",
        title=in_docstring(f"Scores tables: {', '.join(predictor.target.columns)}."),
        script=in_docstring(path.name),
        program=in_docstring(program.name),
        program_name=repr(program.name),
        imports=imports,
        functions=functions,
    )
    _write_torch(predictor, program)
    write_whole(path, text.encode())


def _run_torch(path: Path, readings: Float64Array) -> list[Float64Array]:
    found = torch.export.load(path.with_suffix(".pt2")).module()(torch.from_numpy(readings))
    return [each.detach().numpy() for each in (found if isinstance(found, tuple) else (found,))]


def _run_onnx(path: Path, readings: Float64Array) -> list[Float64Array]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return [np.asarray(each) for each in session.run(None, {"readings": readings})]


FORMATS: Mapping[str, tuple[str, Callable[[Predictor, Path], None]]] = {
    "torch": (".pt2", _write_torch),
    "onnx": (".onnx", _write_onnx),
    "csv-scores": (".py", _write_script),
}


def _program(predictor: Predictor) -> torch.export.ExportedProgram:
    width = sum(widths(predictor.schema))
    example = torch.zeros(3, width, dtype=torch.float64)  # torch takes 1 row for a constant
    rows = {0: torch.export.Dim.DYNAMIC}
    try:
        with _quiet(), torch.no_grad():
            return torch.export.export(Graph(predictor), (example,), dynamic_shapes=(rows,))
    except Exception as error:  # whatever a module of the user's does that a graph cannot hold
        why = str(error).strip().partition("\n")[0]
        raise BadPlan(f"torch.export cannot take one of the nets of this model: {why}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch's exporters say of their own inside."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
