"""The native engine: fully connected nets, compiled by Numba."""

from slalom.engine.native.engine import Native as Native
from slalom.engine.native.tables import refusal as refusal
