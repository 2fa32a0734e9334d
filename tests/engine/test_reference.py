"""The reference engine keeps the contract of every engine."""

from slalom.engine import ReferenceEngine
from tests.engine.conformance import AnyModuleConformance, EngineConformance


class TestReferenceEngine(EngineConformance):
    make = ReferenceEngine


class TestReferenceEngineOnModules(AnyModuleConformance):
    make = ReferenceEngine
