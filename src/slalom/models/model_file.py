"""The file of a model: a sealed file (see `slalom.core.sealed`) of torch's tensors."""

from pathlib import Path
from typing import TypeAlias

import torch
from safetensors.torch import load, save

from slalom.core.sealed import Header, read_sealed, write_sealed

Tensors: TypeAlias = dict[str, torch.Tensor]

FORMAT = "slalom-model-2"
FORMAT_1 = "slalom-model-1"  # the same without a digest


def write_model(path: str | Path, header: Header, tensors: Tensors) -> None:
    """Write a model. Raises as `write_sealed`."""
    header = {"format": FORMAT, **header}
    write_sealed(path, header, lambda metadata: [save(tensors, metadata=metadata)])


def read_model(path: str | Path) -> tuple[Header, Tensors]:
    """The header and the tensors of a model. Raises as `read_sealed`."""
    return read_sealed(path, "model file", (FORMAT,), load, unsealed=FORMAT_1)


def damaged(path: str | Path, error: Exception) -> str:
    """What to say of a header that makes no sense."""
    return f"The header of {path} is damaged: {error!r}."
