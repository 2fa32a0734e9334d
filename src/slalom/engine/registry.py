"""The engines there are, each loaded when it is wanted."""

from importlib import import_module

from slalom.core.errors import BadPlan, did_you_mean
from slalom.engine.contract import Engine
from slalom.engine.device import CPU, DeviceLike, device_of, wanted

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


def engine_of(name: str, threads: int | None = None, device: DeviceLike | None = None) -> Engine:
    """An engine by its name, for arguments of `slalom.train`.

    The device of the environment is for engines that can train there.

    Raises:
        BadPlan: as `load`, and when an argument makes no sense for it.

    Example:
        >>> engine_of("native", threads=2).threads
        2
    """
    kind = load(name)
    here = device is None and not kind.on_gpu
    return kind.of(threads, CPU if here else device_of(wanted(device)))
