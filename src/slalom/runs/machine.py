"""On what a training ran: versions, processor, threads. Bits are the same only where these are."""

import platform
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from slalom import __version__
from slalom.engine import Engine
from slalom.engine.device import CPU


def machine(engine: Engine) -> dict[str, Any]:
    """What an engine runs on here: JSON-ready words and numbers, by name."""
    return {
        "engine": engine.name,
        "device": str(getattr(engine, "device", CPU)),
        "threads": getattr(engine, "threads", torch.get_num_threads()),
        "processor": _processor(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "slalom": __version__,
        "torch": torch.__version__.partition("+")[0],
        "numpy": np.__version__,
        "numba": version("numba"),
    }


def differences(before: dict[str, Any], now: dict[str, Any]) -> str:
    """What is not as it was, in words; "" if all is.

    >>> differences({"engine": "native", "threads": 2}, {"engine": "native", "threads": 4})
    'threads 2 then and 4 now'
    """
    names = [name for name in now if before.get(name) != now[name]]
    return ", ".join(f"{name} {before.get(name)} then and {now[name]} now" for name in names)


@lru_cache
def _processor() -> str:
    """The name of the processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2] for line in file if line.startswith("model name")]
    except OSError:  # not on Linux
        names = []
    return (names[0] if names else platform.processor()).strip() or "unknown"
