"""Engines: what carries a plan out."""

from slalom.engine.contract import RECORD as RECORD
from slalom.engine.contract import Engine as Engine
from slalom.engine.native import NativeEngine as NativeEngine
from slalom.engine.reference import ReferenceEngine as ReferenceEngine
from slalom.engine.select import select as select
from slalom.engine.state import State as State
