"""Numbers that JSON does not have, as null."""

import math
from collections.abc import Mapping
from typing import Any


def finite(value: Any) -> Any:
    """The same with None for numbers that JSON does not have.

    >>> finite({"loss": float("inf"), "steps": [1, 2]})
    {'loss': None, 'steps': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
