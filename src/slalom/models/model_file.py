"""The file of a model: a sealed file (see `slalom.core.sealed`) of torch's tensors."""

from pathlib import Path
from typing import TypeAlias

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from slalom.core.errors import BadFile
from slalom.core.files import write_whole
from slalom.core.sealed import Header, opened, read_bytes, seal

Tensors: TypeAlias = dict[str, torch.Tensor]

FORMAT = "slalom-model-2"
FORMAT_1 = "slalom-model-1"  # the same without a digest


def write_model(path: str | Path, header: Header, tensors: Tensors) -> None:
    """Write a model. An existing file is replaced only once the new one is whole.

    Raises:
        BadFile: when the folder is missing or cannot be written to.
    """
    header = {"format": FORMAT, **header}
    write_whole(path, *seal(header, lambda metadata: save(tensors, metadata=metadata)))


def read_model(path: str | Path) -> tuple[Header, Tensors]:
    """The header and the tensors of a model.

    Raises:
        BadFile: when the file is missing, is not one of ours, or is damaged.
    """
    data = read_bytes(path, "model file")
    header = opened(data, path, "Slalom model", unsealed=FORMAT_1)
    if header.get("format") not in (FORMAT, FORMAT_1):
        raise BadFile(
            f"The model has the format {header.get('format')!r}, but this version of Slalom reads "
            f"{FORMAT!r}. Install the version that wrote it, or train it anew."
        )
    try:
        return header, load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise BadFile(
            f"{path} is not a Slalom model, or is damaged ({error}). "
            f"Expected a file that `slalom fit` or Predictor.save wrote."
        ) from error


def damaged(path: str | Path, error: Exception) -> str:
    """What to say of a header that makes no sense."""
    return f"The header of {path} is damaged: {error!r}."
