"""The file of a model: safetensors, with everything else as JSON in its header.

Reading it runs no code: the tensors are raw numbers and the header is JSON.
"""

import json
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from slalom.core.errors import BadFile
from slalom.core.files import write_whole

Header: TypeAlias = dict[str, Any]
Tensors: TypeAlias = dict[str, torch.Tensor]


def write_model(path: str | Path, header: Header, tensors: Tensors) -> None:
    """Write a model. An existing file is replaced only once the new one is whole.

    Raises:
        BadFile: when the folder is missing or cannot be written to.
    """
    write_whole(path, save(tensors, metadata={"slalom": json.dumps(header)}))


def read_model(path: str | Path) -> tuple[Header, Tensors]:
    """The header and the tensors of a model.

    Raises:
        BadFile: when the file is missing, is not one of ours, or is damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise BadFile(
            f"There is no model file {path}" + (", that is a folder." if path.is_dir() else ".")
        )
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise BadFile(
            f"{path} is not a Slalom model, or is damaged ({error}). "
            f"Expected a file that `slalom fit` or Predictor.save wrote."
        ) from error
    if "slalom" not in metadata:
        raise BadFile(
            f"{path} holds tensors, but no Slalom model: its header has no 'slalom' entry."
        )
    try:
        return json.loads(metadata["slalom"]), tensors
    except (ValueError, RecursionError) as error:
        raise BadFile(damaged(path, error)) from error


def damaged(path: str | Path, error: Exception) -> str:
    """What to say of a header that makes no sense."""
    return f"The header of {path} is damaged: {error!r}."
