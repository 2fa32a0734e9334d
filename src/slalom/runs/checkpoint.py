"""A checkpoint: all of a training at one moment, in one sealed file (see `slalom.core.sealed`)."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from slalom.core.errors import BadFile
from slalom.core.sealed import Header, Part, read_sealed, write_sealed
from slalom.data.dataset import Dataset
from slalom.engine import RECORD, Reference, State
from slalom.engine.state import Layout, layout_of
from slalom.plan import Plan
from slalom.training import Snapshot

FORMAT = "slalom-checkpoint-1"
RECORDS = "records."  # of which each column is an array of its own
# The flat vectors of a state, and by which offsets of its layout members lie in them.
OFFSETS = {
    "state.parameters": "parameters",
    "state.best_parameters": "parameters",
    "state.slots": "slots",
    "state.buffers": "buffers",
    "state.best_buffers": "buffers",
}

Arrays = dict[str, NDArray[Any]]


def write_arrays(path: Path, header: Header, arrays: Arrays) -> None:
    """Write a sealed file of NumPy's arrays. Raises as `write_sealed`."""
    write_sealed(path, header, partial(_in_parts, arrays))


def _in_parts(arrays: Arrays, metadata: dict[str, str]) -> list[Part]:
    """A safetensors file, without the copies of all arrays that safetensors' own `save` makes."""
    header: Header = {"__metadata__": metadata}
    end, parts = 0, []
    # The widest first, so that each array lies where its numbers may lie in memory.
    for name, values in sorted(arrays.items(), key=lambda item: -item[1].itemsize):
        flat = np.asarray(values, order="C").reshape(-1)
        start, end = end, end + flat.nbytes
        kind = "BOOL" if flat.dtype == bool else f"{flat.dtype.kind.upper()}{8 * flat.itemsize}"
        header[name] = {"dtype": kind, "shape": values.shape, "data_offsets": (start, end)}
        parts.append(flat.view(np.uint8).data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return [len(text).to_bytes(8, "little") + text, *parts]


def write_checkpoint(path: Path, snapshot: Snapshot) -> None:
    """Write a training as it stands; of members that have not begun nothing is written.

    Raises as `write_arrays`.

    Args:
        path: of the file.
        snapshot: the training.
    """
    arrays = dict(snapshot.arrays)
    records = arrays.pop("records")
    begun = arrays["state.step"] > 0
    if not begun.all():
        layout = layout_of(snapshot.plan, snapshot.dataset)
        for name in OFFSETS:
            arrays[name] = arrays[name][_places(begun, layout, name, len(arrays[name]))]
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
    _, arrays = read_sealed(path, "checkpoint", (FORMAT,), load)
    try:
        arrays["records"] = _together(arrays)
        begun = arrays["state.step"] > 0
        if not begun.all():
            _fill(arrays, begun, Reference().start(plan, dataset))
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise BadFile(f"The checkpoint {path} is not one of this training: {error}.") from error
    return Snapshot(plan, dataset, arrays)


def _together(arrays: Arrays) -> NDArray[Any]:
    """The records of a checkpoint, taken out of its arrays."""
    columns = {name: arrays.pop(RECORDS + name) for name in RECORD.names or ()}
    records = np.empty(len(columns["step"]), dtype=RECORD)
    for name, values in columns.items():
        records[name] = values
    return records


def _fill(arrays: Arrays, begun: NDArray[np.bool_], first: State) -> None:
    """Put the members that have begun among the others, which are as they were at first."""
    for name, values in first.arrays().items():
        if (own := f"state.{name}") in OFFSETS:
            values[_places(begun, first.layout, own, len(values))] = arrays[own]
            arrays[own] = values


def _places(
    members: NDArray[np.bool_], layout: Layout, name: str, size: int
) -> slice | NDArray[np.bool_]:
    """Where the numbers of these members lie in a flat vector of the state."""
    if not size:
        return slice(None)
    return np.repeat(members, np.diff(getattr(layout, OFFSETS[name])))
