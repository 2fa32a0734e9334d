"""A dataset on the disk, and the fingerprint by which one knows it again."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from slalom.core.errors import BadFile
from slalom.core.sealed import read_sealed
from slalom.data.dataset import Dataset, Split
from slalom.data.schema import Schema
from slalom.runs.checkpoint import write_arrays

FORMAT = "slalom-dataset-1"


def write_dataset(path: Path, data: Dataset) -> None:
    """Write a dataset in one sealed file.

    Raises:
        BadFile: when it cannot be written.
    """
    header = {
        "format": FORMAT,
        "task": data.task,
        "folds": len(data.folds),
        "feature_names": list(data.feature_names),
        "target_names": list(data.target_names),
        "classes": [_plain(label) for label in data.classes],
        "schema": None if data.schema is None else data.schema.to_json(),
    }
    write_arrays(path, header, _arrays(data))


def read_dataset(path: Path) -> Dataset:
    """The dataset that `write_dataset` wrote.

    Raises:
        BadFile: when there is no such file, or it is damaged.
    """
    header, arrays = read_sealed(path, "dataset", (FORMAT,), load)
    try:
        folds = [
            Split(arrays[f"folds.{k}.train"], arrays[f"folds.{k}.validation"])
            for k in range(header["folds"])
        ]
        return Dataset(
            X=arrays["X"],
            y=arrays["y"],
            task=header["task"],
            folds=tuple(folds),
            test=arrays["test"],
            weight=arrays.get("weight"),
            feature_names=tuple(header["feature_names"]),
            target_names=tuple(header["target_names"]),
            classes=tuple(header["classes"]),
            schema=None if header["schema"] is None else Schema.from_json(header["schema"]),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise BadFile(f"The dataset {path} is damaged: {error!r}.") from error


def fingerprint(data: Dataset) -> str:
    """A SHA-256 of all that members see of a dataset: its numbers, its splits, what they mean.

    Example:
        >>> from slalom import toys
        >>> fingerprint(toys.sine(20, seed=0)) == fingerprint(toys.sine(20, seed=0))
        True
        >>> fingerprint(toys.sine(20, seed=0)) == fingerprint(toys.sine(20, seed=1))
        False
    """
    found = hashlib.sha256(data.task.encode())
    for name, values in sorted(_arrays(data).items()):
        found.update(f"{name} {values.dtype.str} {values.shape}".encode())
        found.update(np.ascontiguousarray(values).data)
    return found.hexdigest()


def _arrays(data: Dataset) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {"X": data.X, "y": data.y, "test": data.test}
    if data.weight is not None:
        arrays["weight"] = data.weight
    for k, fold in enumerate(data.folds):
        arrays |= {f"folds.{k}.train": fold.train, f"folds.{k}.validation": fold.validation}
    return arrays


def _plain(label: Any) -> Any:
    """A label as JSON has it; one that JSON has no word for, as its text."""
    value = label.item() if isinstance(label, np.generic) else label
    return value if isinstance(value, str | int | float | bool) else str(value)
