"""Facts of the machine that a result belongs to."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("torch", "numba", "jax", "scikit-learn", "numpy")
KEPT_FREE = 0.2  # share of the available memory that stays free


def available_memory() -> float:
    """Bytes that may be used, or infinity where that is not known."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float("inf")
    facts = dict(line.split(":") for line in lines)
    return int(facts["MemAvailable"].split()[0]) * 1024 * (1 - KEPT_FREE)


def description() -> str:
    """Processor, cores and versions in one line."""
    versions = ", ".join(filter(None, map(_version, LIBRARIES)))
    return f"{_processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}"


def _version(library: str) -> str:
    """Its name and version, or nothing where it is not installed."""
    try:
        return f"{library} {version(library).partition('+')[0]}"
    except PackageNotFoundError:  # a peer that this benchmark does without
        return ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "unknown")
