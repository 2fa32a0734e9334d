"""Where the vectors of a state lie: in memory, or in a file where they are larger than that."""

import os
import re
import tempfile
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slalom.core.errors import BadPlan

SMALL = 2**20  # bytes that are there without asking, which takes as long as a small training
SHARE = 0.75  # of the free memory; the rest is for the dataset, the history and the leaderboard


def fits(size: int) -> bool:
    """Whether arrays of `size` bytes together fit into the memory that is free."""
    return size <= SMALL or size <= SHARE * free_memory()


def free_memory() -> float:
    """Bytes of memory that can be taken without swapping; infinite where the system hides it."""
    try:
        facts = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:  # not Linux
        return inf
    found = re.search(r"MemAvailable:\s+(\d+) kB", facts)
    return int(found[1]) * 1024 if found else inf


def zeros(size: int, dtype: type[np.floating[Any]], on_disk: bool) -> NDArray[Any]:
    """Zeros `[size]`; with `on_disk` in a temporary file that goes when the array does.

    Raises:
        BadPlan: when the disk has no room for them either.
    """
    if not on_disk or not size:
        return np.zeros(size, dtype=dtype)
    length = size * np.dtype(dtype).itemsize
    with tempfile.TemporaryFile() as file:
        try:
            os.posix_fallocate(file.fileno(), 0, length)  # a disk full later would end the process
        except OSError as error:
            raise BadPlan(
                f"The population is larger than the free memory, and its {length / 1e9:.1f} GB do "
                f"not fit into the temporary folder {tempfile.gettempdir()} either: "
                f"{error.strerror}. Train fewer members, or set TMPDIR to a folder with more room."
            ) from error
        return np.asarray(np.memmap(file, dtype=dtype, mode="r+", shape=size))
