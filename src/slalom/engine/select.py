"""Which engine carries a plan out."""

from slalom.core.errors import BadPlan
from slalom.data.dataset import Dataset
from slalom.engine.contract import Engine
from slalom.engine.device import CPU, DeviceLike, device_of, wanted, why_no_gpu
from slalom.engine.registry import ENGINES, EngineMissing, engine_of, load
from slalom.plan import Plan


def select(
    engine: Engine | str,
    plan: Plan,
    dataset: Dataset,
    threads: int | None = None,
    device: DeviceLike | None = None,
) -> tuple[Engine, str]:
    """The engine that carries a plan out, and, where "auto" does not take the fastest, why.

    Args:
        engine: an engine; or the name of one; or "auto" for the fastest that can do the work: the
            native engine, else the batched one where members share a net, else the reference
            engine, which can do all of it. Width does not matter: up to 4096 units a layer the
            native engine is the faster one (benchmarks/crossover.py).
        plan, dataset: the work.
        threads: of the native and the batched engine; all cores when not given.
        device: where to train, for an engine that is not made yet; see `slalom.engine.device`.

    Raises:
        BadPlan: for an unknown name, an engine that cannot be loaded, a device that is not there,
            or a plan that no engine can carry out on it.

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
    if engine != "auto":
        return engine_of(engine, threads, device), ""
    asked, notes = wanted(device), []
    where = device_of(asked)
    if where != CPU:
        spec = load("batched").of(threads, where)
        if not (reason := spec.refusal(plan, dataset)):
            return spec, ""
        if device not in (None, "auto"):  # the environment says it for whatever can train there
            raise BadPlan(
                f"The plan cannot be carried out on {where}. {reason} Take device='cpu', or 'auto'."
            )
        notes.append(reason)
    elif asked == "auto":
        notes.append(f"On the CPU, for {why_no_gpu()}")
    for name in ENGINES:
        try:
            spec = load(name).of(threads)
        except EngineMissing as missing:
            notes.append(str(missing))
            continue
        if not spec.pays(plan, dataset):
            continue
        reason = spec.refusal(plan, dataset)
        if not reason:
            return spec, " ".join(notes)
        notes.append(reason)
    raise BadPlan(f"No engine can carry this plan out. {' '.join(notes)}")
