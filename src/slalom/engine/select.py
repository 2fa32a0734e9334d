"""Which engine carries a plan out."""

from slalom.engine.contract import Engine
from slalom.engine.reference import ReferenceEngine
from slalom.errors import BadPlan, did_you_mean

ENGINES: dict[str, type[ReferenceEngine]] = {"reference": ReferenceEngine}


def select(engine: Engine | str = "auto") -> Engine:
    """The engine itself, the one of that name, or for "auto" the fastest that can do the work.

    There is one so far, which can do all of it.

    Raises:
        BadPlan: for an unknown name.

    Example:
        >>> select("auto").name
        'reference'
    """
    if not isinstance(engine, str):
        return engine
    name = "reference" if engine == "auto" else engine
    if name not in ENGINES:
        known = ["auto", *ENGINES]
        raise BadPlan(f"No engine is called {engine!r}. {did_you_mean(engine, known)}")
    return ENGINES[name]()
