"""The native engine: fully connected nets, compiled by Numba."""

from slalom.engine.native.engine import NativeEngine as NativeEngine
from slalom.engine.native.tables import refusal as refusal
