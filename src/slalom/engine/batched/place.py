"""What training on a device needs: the numbers that are promised, and room."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch

from slalom.core.errors import BadPlan

SHARE = 0.8  # of the memory that is free on a GPU; the rest is for what torch and CUDA keep
PROBED = 8  # members whose step says how much one takes
_ONE_AT_A_TIME = Lock()  # tensors of a graph are overwritten by its next step


@contextmanager
def working_on(device: torch.device) -> Iterator[None]:
    """One training at a time, with float32 as it is promised and the same bits each time.

    Products are rounded to TF32 only where somebody has asked torch for that
    (`torch.set_float32_matmul_precision`).

    Raises:
        BadPlan: when the device has too little memory.
    """
    if device.type != "cuda":
        yield
        return
    # Without it products differ from run to run where several streams work.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    asked = torch.get_float32_matmul_precision() != "highest"
    convolutions = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=asked
    )
    with _ONE_AT_A_TIME, torch.cuda.device(device), convolutions, _deterministic():
        try:
            yield
        except torch.OutOfMemoryError as error:
            raise BadPlan(
                f"The memory of {device} is too small for this step "
                f"({str(error).splitlines()[0]}) Take smaller batches or nets, or device='cpu'. "
                f"What was trained before is kept."
            ) from error


@contextmanager
def _deterministic() -> Iterator[None]:
    """Operations that give the same bits each time, where torch has them."""
    before = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    settings: Any = torch.utils.deterministic  # whose properties torch does not declare
    filled = settings.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Nothing here reads memory that nobody has written, and filling it is a kernel for each tensor.
    settings.fill_uninitialized_memory = False
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*does not have a deterministic implementation")
            yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=only_warned)
        settings.fill_uninitialized_memory = filled


def members_with_room(device: torch.device, step: Callable[[], object], own: int) -> int:
    """How many members a GPU has room for at a time, by what a step of a few takes.

    Args:
        device: a GPU.
        step: of `PROBED` members; called twice, for libraries take memory of their own at first.
        own: bytes that a member has besides: parameters, and what its optimizer remembers.
    """
    step()
    torch.accelerator.reset_peak_memory_stats(device)
    before = torch.accelerator.memory_allocated(device)
    step()
    most = torch.accelerator.max_memory_allocated(device) - before
    free, _ = torch.accelerator.get_memory_info(device)
    return max(1, int(SHARE * free / (most / PROBED + own)))
