"""Two ways to save and restore a net: the entire net, or only its parameters. Neither runs code.

An entire net of standard `torch.nn` layers is described in JSON: which class each layer is and what
it was made with. Reading builds it again from this list of classes alone. A module of any other
class is restored from its parameters, into a net that the user builds.
"""

import inspect
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import nn

from slalom.core.errors import BadFile, BadPlan
from slalom.core.sealed import Header, read_bytes, read_sealed, write_sealed

FORMAT = "slalom-net-1"
PARAMETERS = "slalom-parameters-1"
ZIP = b"PK"  # with which files of torch.save begin
DEEPEST = 50  # layers inside layers

_NO_LAYERS = ("Module", "DataParallel", "Container")
STANDARD: dict[str, type[nn.Module]] = {
    name: cls
    for name, cls in vars(nn).items()
    if inspect.isclass(cls)
    and issubclass(cls, nn.Module)
    and not name.startswith("Lazy")
    and name not in _NO_LAYERS
}


def save_net(net: nn.Module, path: str | Path) -> None:
    """Write an entire net, structure and weights, in one safe file.

    Args:
        net: a composition of standard layers of `torch.nn`.
        path: of the file.

    Raises:
        BadPlan: when a layer is none of torch's, cannot be described, or is shared.
        BadFile: when the file cannot be written.

    Example:
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp(), "net.slalom")
        >>> save_net(nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1)), path)
        >>> load_net(path)
        Sequential(
          (0): Linear(in_features=1, out_features=10, bias=True)
          (1): ReLU()
          (2): Linear(in_features=10, out_features=1, bias=True)
        )
    """
    _refuse_shared(net)
    frozen = [name for name, p in net.named_parameters() if not p.requires_grad]
    header = {"format": FORMAT, "net": described(net), "frozen": frozen, "training": net.training}
    _check(net, header)
    _write(path, header, net)


def load_net(path: str | Path) -> nn.Module:
    """The net that `save_net` wrote.

    Raises:
        BadFile: when the file is missing, is damaged, or holds something else.
    """
    header, tensors = read_sealed(path, "net", (FORMAT,), load)
    try:
        return _rebuilt(header, tensors)
    except (LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise BadFile(f"The net in {path} cannot be built: {_line(error)}.") from error


def save_parameters(net: nn.Module, path: str | Path) -> None:
    """Write only the parameters (and buffers) of a net of any class, in one safe file.

    Raises:
        BadFile: when the file cannot be written.
    """
    _write(path, {"format": PARAMETERS}, net)


def load_parameters(net: nn.Module, path: str | Path) -> None:
    """Give a net its parameters back: from `save_parameters`, `save_net`, or a `state_dict` that
    `torch.save` wrote, which is read with `weights_only=True` alone.

    Args:
        net: of the same structure as the one that was saved; it is left alone when it is not.
        path: of the file.

    Raises:
        BadFile: when the file cannot be read.
        BadPlan: when names or shapes are not those of the net.

    Example:
        >>> from tempfile import mkdtemp
        >>> path, net, other = Path(mkdtemp(), "net.slalom"), nn.Linear(2, 1), nn.Linear(2, 1)
        >>> save_parameters(net, path)
        >>> load_parameters(other, path)
        >>> torch.equal(net.weight, other.weight)
        True
    """
    data = read_bytes(path, "file of parameters")
    if data.startswith(ZIP):
        tensors = _read_torch(data, path)
    else:
        formats = (PARAMETERS, FORMAT)
        _, tensors = read_sealed(path, "file of parameters", formats, load, data=data)
    _compare(net, tensors, path)
    net.load_state_dict(tensors)


def described(module: nn.Module, depth: int = 0) -> dict[str, Any]:
    """What a net is made of, JSON-ready.

    Raises:
        BadPlan: when a layer is none of torch's, or cannot be described.

    Example:
        >>> described(nn.Dropout(0.5))
        {'layer': 'Dropout', 'arguments': {'p': 0.5, 'inplace': False}}
    """
    name = type(module).__name__
    if STANDARD.get(name) is not type(module) or depth > DEEPEST:
        raise BadPlan(
            f"{name} is no standard layer of torch.nn, so it cannot be described. Save only the "
            f"parameters (save_parameters), and build the net yourself before you load them."
        )
    if isinstance(module, nn.Sequential | nn.ModuleList | nn.ModuleDict):
        inside = [[key, described(child, depth + 1)] for key, child in module.named_children()]
        return {"layer": name, "inside": inside}
    return {"layer": name, "arguments": dict(_arguments(module))}


def _arguments(module: nn.Module) -> Iterator[tuple[str, Any]]:
    """What a layer was made with, as far as it remembers."""
    for name, parameter in _parameters(type(module)).items():
        if name in ("device", "dtype") or name.startswith("_"):
            continue
        if not hasattr(module, name):
            if parameter.default is inspect.Parameter.empty:
                raise BadPlan(
                    f"{type(module).__name__} does not remember its argument {name}, so it cannot "
                    f"be described. Save only the parameters (save_parameters)."
                )
            continue
        value = getattr(module, name)
        if name == "bias":
            value = value is not None and value is not False
        if not _is_plain(value):
            raise BadPlan(
                f"The argument {name} of {type(module).__name__} is {type(value).__name__}, which "
                f"JSON has no word for. Save only the parameters (save_parameters)."
            )
        yield name, value


def _parameters(layer: type[nn.Module]) -> dict[str, inspect.Parameter]:
    """What a layer is made with, by name; recurrent ones hand it on to their base."""
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found = {n: p for n, p in inspect.signature(layer).parameters.items() if p.kind in by_name}
    if issubclass(layer, nn.RNNBase):
        found |= inspect.signature(nn.RNNBase).parameters
        found.pop("mode")  # the class itself
        if layer is nn.RNN:
            found["nonlinearity"] = inspect.Parameter("nonlinearity", by_name[0], default="tanh")
        if layer is not nn.LSTM:
            found.pop("proj_size")
    return found


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, int | float | str | bool)


def _built(description: dict[str, Any], most: int, depth: int = 0) -> nn.Module:
    """The layer of a description; `most` tensors are there, so no more layers can be."""
    if depth > DEEPEST:
        raise ValueError("layers are nested too deeply")
    layer = STANDARD[description["layer"]]
    if "inside" in description:
        inside = [(str(key), _built(part, most, depth + 1)) for key, part in description["inside"]]
        container = layer()
        for key, child in inside:
            container.add_module(key, child)
        return container
    arguments = {
        k: tuple(v) if isinstance(v, list) else v for k, v in description["arguments"].items()
    }
    for name, value in arguments.items():
        if name.startswith("num_") and isinstance(value, int) and "layers" in name and value > most:
            raise ValueError(f"{name} is {value}, but there are {most} tensors")
    return layer(**arguments)


def _rebuilt(header: Header, tensors: dict[str, torch.Tensor]) -> nn.Module:
    with torch.device("meta"):  # which takes no memory, whatever the sizes
        net = _built(header["net"], len(tensors))
    wanted = {name: tensor.shape for name, tensor in net.state_dict().items()}
    if wanted != {name: tensor.shape for name, tensor in tensors.items()}:
        raise ValueError("its weights are not those of its layers")
    net.load_state_dict(tensors, assign=True)
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name not in header["frozen"])
    return net.train(bool(header["training"]))


def _check(net: nn.Module, header: Header) -> None:
    """Refuse a net that its description does not give back."""
    try:
        same = repr(_rebuilt(header, dict(net.state_dict()))) == repr(net)
    except (TypeError, ValueError, RuntimeError):  # it was made with what it does not remember
        same = False
    if not same:
        raise BadPlan(
            f"The description of {type(net).__name__} does not give the same net back. Save only "
            f"the parameters (save_parameters)."
        )


def _refuse_shared(net: nn.Module) -> None:
    modules = [module for _, module in net.named_modules(remove_duplicate=False)]
    parameters = [p for _, p in net.named_parameters(remove_duplicate=False)]
    if len(set(modules)) < len(modules) or len({id(p) for p in parameters}) < len(parameters):
        raise BadPlan(
            "A layer or a weight stands twice in the net, which a description cannot say. Save "
            "only the parameters (save_parameters)."
        )


def _compare(net: nn.Module, tensors: dict[str, torch.Tensor], path: str | Path) -> None:
    own = net.state_dict()
    missing, extra = [n for n in own if n not in tensors], [n for n in tensors if n not in own]
    if missing or extra:
        said = [f"it lacks {missing[0]!r}"] * bool(missing) + [f"it has {extra[0]!r}"] * bool(extra)
        raise BadPlan(
            f"The parameters in {path} are not those of this {type(net).__name__}: "
            f"{' and '.join(said)} ({len(missing)} names missing, {len(extra)} too many). Build "
            f"the net as it was when they were saved."
        )
    for name, tensor in own.items():
        if tensors[name].shape != tensor.shape:
            raise BadPlan(
                f"{name} of this {type(net).__name__} has the shape {list(tensor.shape)}, but in "
                f"{path} it has {list(tensors[name].shape)}. Build the net with the same sizes."
            )


def _write(path: str | Path, header: Header, net: nn.Module) -> None:
    tensors = {n: t.detach().clone().contiguous() for n, t in net.state_dict().items()}
    write_sealed(path, header, lambda metadata: [save(tensors, metadata=metadata)])


def _read_torch(data: bytes, path: str | Path) -> dict[str, torch.Tensor]:
    """A `state_dict` that torch.save wrote; nothing else is unpickled."""
    try:
        found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for files that are not its own
        raise BadFile(
            f"{path} is no file of tensors alone ({_line(error)}). Save the state_dict of the net "
            f"and not the net: torch.save(net.state_dict(), path)."
        ) from error
    if not isinstance(found, dict) or not all(isinstance(t, torch.Tensor) for t in found.values()):
        raise BadFile(
            f"{path} holds {type(found).__name__}, but a state_dict was expected: tensors by name."
        )
    return dict(found)


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
