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


@pytest.fixture
def small_teams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Populations of any size train in two threads."""
    monkeypatch.setattr("slalom.engine.batched.teams.ENOUGH", 64)


@pytest.mark.usefixtures("small_teams")
class TestHeldSessions(AnyModuleConformance):
    make = held(Batched)
