"""What trainings leave behind. Each part is loaded when it is first used: a list needs no torch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slalom.runs.run import Run as Run
    from slalom.runs.store import Store as Store

_HOMES = {"Run": "slalom.runs.run", "Store": "slalom.runs.store"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'slalom.runs' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
