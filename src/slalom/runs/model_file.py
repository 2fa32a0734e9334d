"""One file that holds a predictor: safetensors, with everything else as JSON in its header.

Reading it runs no code: the tensors are raw numbers, the header is JSON, and a net that is not an
`MLP` is only built when its class has been made known with `slalom.trust`.
"""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from slalom.data.schema import Schema
from slalom.data.target import ClassificationTarget, RegressionTarget
from slalom.errors import BadFile, BadPlan
from slalom.losses import Loss
from slalom.nets import NetSpec
from slalom.runs.predictor import Predictor

FORMAT = "slalom-model-1"


def save_model(model: Predictor, path: str | Path) -> None:
    """Write a predictor. An existing file is replaced only once the new one is whole.

    Raises:
        BadFile: when the folder is missing or cannot be written to.
    """
    path = Path(path)
    header = {
        "format": FORMAT,
        "schema": model.schema.to_json(),
        "target": model.target.to_json(),
        "loss": model.loss.to_json(),
        "nets": [net.to_json() for net in model.nets],
        "weights": list(model.weights),
        "noise": list(model.noise),
        "about": model.about,
    }
    tensors = {
        f"{k}.{name}": tensor.detach().contiguous()
        for k, module in enumerate(model.modules)
        for name, tensor in module.state_dict().items()
    }
    data = save(tensors, metadata={"slalom": json.dumps(header, ensure_ascii=False)})
    half = path.with_name(path.name + ".part")
    try:
        half.write_bytes(data)
        os.replace(half, path)
    except OSError as error:
        raise BadFile(
            f"The model could not be written to {path}: {error.strerror}. "
            f"Choose a file name in a folder that exists and that you may write to."
        ) from error


def load_model(path: str | Path) -> Predictor:
    """Read a predictor.

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
        return _predictor(json.loads(metadata["slalom"]), tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, BadPlan):
            raise
        raise BadFile(f"The header of {path} is damaged: {error!r}.") from error


def _predictor(header: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Predictor:
    if header["format"] != FORMAT:
        raise BadFile(
            f"The model has the format {header['format']!r}, but this version of Slalom reads "
            f"{FORMAT!r}. Install the version that wrote it, or train it anew."
        )
    nets = tuple(NetSpec.from_json(net) for net in header["nets"])
    kind = {cls.kind: cls for cls in (RegressionTarget, ClassificationTarget)}
    return Predictor(
        schema=Schema.from_json(header["schema"]),
        target=kind[header["target"]["kind"]].from_json(header["target"]),
        loss=Loss.from_json(header["loss"]),
        nets=nets,
        modules=tuple(_module(net, k, tensors) for k, net in enumerate(nets)),
        weights=tuple(header["weights"]),
        noise=tuple(header["noise"]),
        about=header["about"],
    )


def _module(net: NetSpec, k: int, tensors: dict[str, torch.Tensor]) -> torch.nn.Module:
    prefix = f"{k}."
    own = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
    module = net.build(seed=0)
    module.load_state_dict(own)
    return module.eval()
