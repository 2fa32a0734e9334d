"""The engines there are, each loaded when it is wanted."""

from importlib import import_module

from slalom.core.errors import BadPlan, did_you_mean
from slalom.engine.contract import Engine

# By name, the fastest first: "auto" takes the first that does not refuse a plan.
ENGINES = {
    "native": "slalom.engine.native:Native",
    "batched": "slalom.engine.batched:Batched",
    "reference": "slalom.engine.reference:Reference",
}


class EngineMissing(BadPlan):
    """An engine that cannot be loaded on this machine."""


def load(name: str) -> type[Engine]:
    """The class of an engine by its name.

    Raises:
        BadPlan: for a name that is not known.
        EngineMissing: when the engine cannot be loaded: a broken library leaves the others working.

    Example:
        >>> load("reference").name
        'reference'
    """
    if name not in ENGINES:
        raise BadPlan(f"No engine is called {name!r}. {did_you_mean(name, ['auto', *ENGINES])}")
    module, _, attribute = ENGINES[name].partition(":")
    try:
        engine: type[Engine] = getattr(import_module(module), attribute)
    except Exception as error:  # whatever a library that does not fit the machine raises
        raise EngineMissing(
            f"The {name} engine cannot be loaded ({type(error).__name__}: {error}). Install "
            f"Slalom anew, with the versions of its constraints."
        ) from error
    return engine
