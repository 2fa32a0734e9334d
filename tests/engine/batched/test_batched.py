"""The batched engine keeps the contract of every engine."""

import pytest

from slalom.engine import Batched
from tests.engine.conformance import AnyModuleConformance, EngineConformance
from tests.engine.held import held

pytestmark = pytest.mark.slow


class TestBatched(EngineConformance):
    make = Batched
    # Stacked products are summed in another order than single ones.
    loss_rtol = 2e-6
    weight_tolerance = 2e-6


class TestBatchedOnModules(AnyModuleConformance):
    make = Batched


class TestHeldSessions(AnyModuleConformance):
    make = held(Batched)
