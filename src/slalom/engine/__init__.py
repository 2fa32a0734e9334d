"""Engines: what carries a plan out. Each is loaded when it is first used."""

from typing import TYPE_CHECKING, Any

from slalom.engine.contract import RECORD as RECORD
from slalom.engine.contract import Engine as Engine
from slalom.engine.contract import Session as Session
from slalom.engine.registry import ENGINES, load
from slalom.engine.select import select as select
from slalom.engine.state import State as State

if TYPE_CHECKING:
    from slalom.engine.batched import Batched as Batched
    from slalom.engine.native import Native as Native
    from slalom.engine.reference import Reference as Reference


_CLASSES = {path.partition(":")[2]: name for name, path in ENGINES.items()}


def __getattr__(name: str) -> Any:
    if name not in _CLASSES:
        raise AttributeError(f"module 'slalom.engine' has no attribute {name!r}")
    return load(_CLASSES[name])
