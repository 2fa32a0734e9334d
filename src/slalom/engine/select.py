"""Which engine carries a plan out."""

from slalom.core.errors import BadPlan, did_you_mean
from slalom.data.dataset import Dataset
from slalom.engine.contract import Engine
from slalom.engine.native import Native
from slalom.engine.reference import Reference
from slalom.plan import Plan

NAMES = ("auto", "native", "reference")


def select(
    engine: Engine | str, plan: Plan, dataset: Dataset, threads: int | None = None
) -> tuple[Engine, str]:
    """The engine that carries a plan out, and, where "auto" takes the reference engine, why.

    Args:
        engine: an engine; or the name of one; or "auto" for the native engine where it can do the
            work, else the reference engine, which can do all of it. Width does not matter: up to
            4096 units a layer the native engine is the faster one (benchmarks/crossover.py).
        plan, dataset: the work.
        threads: of the native engine; all cores when not given.

    Raises:
        BadPlan: for an unknown name.

    Example:
        >>> from slalom import MLP, SGD, Member, Plan, Population, toys
        >>> from slalom.losses import MSE
        >>> member = Member(MLP(1, 10, 1, activation=abs), SGD(0.2))
        >>> plan = Plan(Population([member]), MSE(), steps=1)
        >>> engine, note = select("auto", plan, toys.quadratic(100))
        >>> engine.name, note
        ('reference', 'The activation of 1-10-1 abs is a function of your own.')
    """
    if not isinstance(engine, str):
        return engine, ""
    if engine not in NAMES:
        raise BadPlan(f"No engine is called {engine!r}. {did_you_mean(engine, list(NAMES))}")
    native = Native(threads)  # refuses a number of threads that makes no sense
    reason = native.refusal(plan, dataset) if engine == "auto" else ""
    if engine == "reference" or reason:
        return Reference(), reason
    return native, ""
