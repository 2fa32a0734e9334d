"""Where tensors lie while a population trains: on the processor, or on a GPU."""

import os
import warnings
from typing import TypeAlias

import torch

from slalom.core.errors import BadPlan

DeviceLike: TypeAlias = str | torch.device
CPU = torch.device("cpu")
VARIABLE = "SLALOM_DEVICE"
KINDS = ("cpu", "cuda")


def wanted(device: DeviceLike | None) -> str:
    """The name of the device that was asked for: here, by the environment, or not at all.

    >>> wanted("auto")
    'auto'
    """
    return str(device or os.environ.get(VARIABLE) or CPU)


def device_of(name: DeviceLike) -> torch.device:
    """The device of a name.

    Args:
        name: "cpu"; "cuda" or "cuda:1" for a GPU of NVIDIA's; "auto" for a GPU where there is one
            that works, else the CPU.

    Raises:
        BadPlan: for a name that is not known, or a GPU that is not there or does not work.

    Example:
        >>> device_of("cpu")
        device(type='cpu')
    """
    if name == "auto":
        return CPU if why_no_gpu() else torch.device("cuda", 0)
    try:
        device = torch.device(name)
    except RuntimeError:  # no name of torch's
        device = torch.device("meta")
    if device.type not in KINDS:
        raise BadPlan(
            f"The device must be cpu, cuda, a GPU by its number such as cuda:1, or auto, but "
            f"{name!r} was given (as an argument, or by the environment variable {VARIABLE})."
        )
    if device.type != "cuda":
        return torch.device(device.type)
    number = device.index or 0
    if why := why_no_gpu(number):
        raise BadPlan(f"Nothing can train on {name}: {why} Take device='cpu', or 'auto'.")
    return torch.device("cuda", number)


def why_no_gpu(number: int = 0) -> str:
    """Why the GPU of this number cannot be used, as a sentence, or nothing."""
    if not torch.backends.cuda.is_built():  # type: ignore[no-untyped-call]
        return "this PyTorch was built without CUDA."
    with warnings.catch_warnings(record=True) as said:  # what CUDA says of its driver
        warnings.simplefilter("always")
        there = torch.cuda.is_available()
    if not there:
        reason = f" ({str(said[0].message).splitlines()[0]})" if said else ""
        return f"PyTorch finds no GPU of NVIDIA's with a driver{reason}."
    if number >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        return f"there is no GPU of the number {number}, for there is {count} (the first is 0)."
    try:
        torch.ones(1, device=torch.device("cuda", number)).sum().item()
    except RuntimeError as error:
        return f"the GPU fails ({str(error).strip().splitlines()[0]})."
    return ""
