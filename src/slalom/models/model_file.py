"""One file that holds a predictor: safetensors, with everything else as JSON in its header.

Reading it runs no code: the tensors are raw numbers, the header is JSON, and a net that is not an
`MLP` is only built when its class has been made known with `slalom.trust`.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from slalom.core.errors import BadFile, BadPlan
from slalom.core.files import write_whole
from slalom.data.schema import Schema
from slalom.data.target import ClassificationTarget, RegressionTarget
from slalom.losses import Loss
from slalom.models.predictor import Predictor
from slalom.nets import NetSpec

FORMAT = "slalom-model-1"


def save_model(model: Predictor, path: str | Path) -> None:
    """Write a predictor. An existing file is replaced only once the new one is whole.

    Raises:
        BadFile: when the folder is missing or cannot be written to.
    """
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
        f"{k}.{name}": tensor.detach().clone().contiguous()  # a copy each: modules may share
        for k, module in enumerate(model.modules)
        for name, tensor in module.state_dict().items()
    }
    write_whole(path, save(tensors, metadata={"slalom": json.dumps(header)}))


def load_model(path: str | Path) -> Predictor:
    """Read a predictor.

    Raises:
        BadFile: when the file is missing, is not one of ours, is damaged, or names a function that
            has not been made known with `slalom.trust`.
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
    except BadPlan as error:
        raise BadFile(f"The model {path} is damaged, or not for this process. {error}") from error
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        raise BadFile(f"The header of {path} is damaged: {error!r}.") from error


def _predictor(header: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Predictor:
    if header["format"] != FORMAT:
        raise BadFile(
            f"The model has the format {header['format']!r}, but this version of Slalom reads "
            f"{FORMAT!r}. Install the version that wrote it, or train it anew."
        )
    nets = tuple(NetSpec.from_json(net) for net in header["nets"])
    kinds = {cls.kind: cls for cls in (RegressionTarget, ClassificationTarget)}
    parts: list[dict[str, torch.Tensor]] = [{} for _ in nets]
    for name, tensor in tensors.items():
        k, _, own = name.partition(".")
        parts[int(k)][own] = tensor
    return Predictor(
        schema=Schema.from_json(header["schema"]),
        target=kinds[header["target"]["kind"]].from_json(header["target"]),
        loss=Loss.from_json(header["loss"]),
        nets=nets,
        modules=tuple(_module(net, part) for net, part in zip(nets, parts, strict=True)),
        weights=tuple(header["weights"]),
        noise=tuple(header["noise"]),
        about=header["about"],
    )


def _module(net: NetSpec, tensors: dict[str, torch.Tensor]) -> torch.nn.Module:
    """The net with these weights, built only if they are the ones that it needs."""
    for device in ("meta", "cpu"):  # the first knows shapes and takes no memory
        try:
            with torch.device(device):
                module = net.build(seed=0).float()
        except Exception as error:  # whatever a factory of the user's raises
            if device == "meta":  # where not everything can be computed
                continue
            why = str(error).partition("\n")[0]
            raise BadFile(f"The model is damaged: {net.label} cannot be built: {why}.") from error
        if _shapes(module.state_dict()) != _shapes(tensors):
            raise BadFile(f"The model is damaged: its weights are not those of {net.label}.")
    module.load_state_dict(tensors)
    return module.eval()


def _shapes(tensors: dict[str, torch.Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}
