"""A checkpoint: all of a training at one moment, in one sealed file (see `slalom.core.sealed`)."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from slalom.core.errors import BadFile
from slalom.core.files import write_whole
from slalom.core.sealed import Header, opened, read_bytes, seal
from slalom.data.dataset import Dataset
from slalom.engine import RECORD
from slalom.plan import Plan
from slalom.training import Snapshot

FORMAT = "slalom-checkpoint-1"
RECORDS = "records."  # of which each column is an array of its own

Arrays = dict[str, NDArray[Any]]


def write_arrays(path: Path, header: Header, arrays: Arrays) -> None:
    """Write a sealed file of NumPy's arrays.

    Raises:
        BadFile: when it cannot be written; a file that was there is as it was.
    """
    whole = {name: np.asarray(values, order="C") for name, values in arrays.items()}
    write_whole(path, seal(header, lambda metadata: save(whole, metadata=metadata)))


def read_arrays(path: Path, what: str, format: str) -> tuple[Header, Arrays]:
    """What `write_arrays` wrote.

    Raises:
        BadFile: when there is no such file, it is damaged, or has another format.
    """
    data = read_bytes(path, what)
    header = opened(data, path, f"Slalom {what}")
    if header.get("format") != format:
        raise BadFile(
            f"The {what} {path} has the format {header.get('format')!r}, but this version of "
            f"Slalom reads {format!r}."
        )
    try:
        return header, load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise BadFile(f"The {what} {path} is damaged: {error}.") from error


def write_checkpoint(path: Path, snapshot: Snapshot) -> None:
    """Write a training as it stands. Raises as `write_arrays`."""
    arrays = dict(snapshot.arrays)
    records = arrays.pop("records")
    arrays |= {RECORDS + name: records[name] for name in RECORD.names or ()}
    write_arrays(path, {"format": FORMAT}, arrays)


def read_checkpoint(path: Path, plan: Plan, dataset: Dataset) -> Snapshot:
    """The training that `write_checkpoint` wrote.

    Args:
        path: of the file.
        plan, dataset: what is trained on what.

    Raises:
        BadFile: when there is no such file, or it is damaged.
    """
    _, arrays = read_arrays(path, "checkpoint", FORMAT)
    try:
        columns = {name: arrays.pop(RECORDS + name) for name in RECORD.names or ()}
        records = np.empty(len(columns["step"]), dtype=RECORD)
        for name, values in columns.items():
            records[name] = values
    except (KeyError, ValueError, TypeError) as error:
        raise BadFile(f"The checkpoint {path} has no records of a training: {error}.") from error
    return Snapshot(plan, dataset, arrays | {"records": records})
