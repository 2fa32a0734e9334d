"""The native engine keeps the contract of every engine."""

from slalom.engine import Native
from tests.engine.conformance import EngineConformance
from tests.engine.held import held


class TestNative(EngineConformance):
    make = Native
    loss_rtol = 2e-6  # its sums run in another order than torch's
    weight_tolerance = 2e-6
    # It looks every 10 ms, and takes about 1 us a step.
    long_steps, polls = 100_000, 3


class TestHeldSessions(TestNative):
    make = held(Native)
