"""An engine whose sessions are held from stretch to stretch, as a training holds its own."""

from collections.abc import Callable
from threading import Event
from typing import Any
from weakref import WeakKeyDictionary

from slalom import Dataset, Plan
from slalom.engine import Engine, Session, State


class Held(Engine):
    """Another engine, each of whose states keeps the session that started it."""

    name = "held"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions: WeakKeyDictionary[State, Session] = WeakKeyDictionary()

    def refusal(self, plan: Plan, dataset: Dataset) -> str:
        return self._engine.refusal(plan, dataset)

    def prepare(self, plan: Plan, dataset: Dataset) -> Session:
        return self._engine.prepare(plan, dataset)

    def start(self, plan: Plan, dataset: Dataset) -> State:
        session = self.prepare(plan, dataset)
        state = session.start()
        self._sessions[state] = session
        return state

    def advance(
        self, state: State, steps: int, stop: Event | None = None, until: int | None = None
    ) -> Any:
        return self._sessions[state].advance(state, steps, stop, until)

    def read(self, state: State, *args: Any, **kwargs: Any) -> Any:
        return self._sessions[state].read(state, *args, **kwargs)


def held(make: Callable[[], Engine]) -> Callable[[], Engine]:
    """What makes such an engine around one of `make`."""
    return staticmethod(lambda: Held(make()))
