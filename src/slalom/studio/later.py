"""What needs torch, pandas or matplotlib is loaded when a page asks for it, and not before.

They take two seconds, for which the first page should not wait. One thread at a time: of two that
import from different ends, one could get half a module.
"""

import threading
from functools import cache
from importlib import import_module
from typing import Any

from slalom.studio.memory import loading

# A training, with which Numba and the native engine are loaded.
FIRST = '{"do": "begin", "steps": 1, "settings": {"data": {"toy": "sine"}}}'

_LOADING = threading.Lock()


def load(module: str) -> Any:
    """A module of the studio by its name, once all that a training needs is there.

    >>> load("plane").PIXELS
    (8, 128)
    """
    with _LOADING:
        _first_training()
        return import_module(f"slalom.studio.{module}")


@cache
def _first_training() -> None:
    with loading():
        import_module("slalom.studio.desk").Desk().answer(FIRST)
