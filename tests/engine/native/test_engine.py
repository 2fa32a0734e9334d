"""The native engine keeps the contract of every engine."""

from slalom.engine.native.engine import NativeEngine
from tests.engine.conformance import EngineConformance


class TestNativeEngine(EngineConformance):
    make = NativeEngine
    loss_rtol = 2e-6  # its sums run in another order than torch's
    weight_tolerance = 2e-6
    # It looks every 10 ms, and takes about 1 us a step.
    long_steps, polls = 100_000, 3
