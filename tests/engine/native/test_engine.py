"""The native engine keeps the contract of every engine."""

from slalom.engine.native.engine import NativeEngine
from tests.engine.conformance import EngineConformance


class TestNativeEngine(EngineConformance):
    make = NativeEngine
    loss_rtol = 2e-5
    weight_tolerance = 2e-5
