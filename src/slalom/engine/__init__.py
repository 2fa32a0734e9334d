"""Engines: what carries a plan out."""

from slalom.engine.contract import RECORD as RECORD
from slalom.engine.contract import Engine as Engine
from slalom.engine.contract import Session as Session
from slalom.engine.native import Native as Native
from slalom.engine.reference import Reference as Reference
from slalom.engine.select import select as select
from slalom.engine.state import State as State
