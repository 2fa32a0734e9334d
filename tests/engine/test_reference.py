"""The reference engine keeps the contract of every engine."""

import pytest

from slalom.engine import Reference
from tests.engine.conformance import AnyModuleConformance, EngineConformance
from tests.engine.held import held

pytestmark = pytest.mark.slow


class TestReference(EngineConformance):
    make = Reference


class TestReferenceOnModules(AnyModuleConformance):
    make = Reference


class TestHeldSessions(AnyModuleConformance):
    make = held(Reference)
