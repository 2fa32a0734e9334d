"""Going on with a run, and opening one without going on."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from slalom.core.errors import BadRun, SlalomWarning
from slalom.engine import Engine
from slalom.engine.registry import load
from slalom.runs.folder import RunFolder
from slalom.runs.keeping import EVERY
from slalom.runs.machine import differences, machine
from slalom.runs.run import Run
from slalom.runs.store import Store, StoreLike
from slalom.runs.train import carry_out
from slalom.training import Progress, Stopper

RunLike: TypeAlias = Run | RunFolder | str | Path


def folder_of(run: RunFolder | str | Path, store: StoreLike | None = None) -> RunFolder:
    """The folder of a run, by its name in a store or its path.

    Raises:
        BadRun: when there is no such run.
    """
    if isinstance(run, RunFolder):
        return run
    return (Store() if store is None else Store.of(store)).find(run)


def open_run(run: RunFolder | str | Path, store: StoreLike | None = None) -> Run:
    """A run of a store as it was kept last: its history, its models, its frames.

    Args:
        run: its name, or its folder.
        store: where it is; see `Store`.

    Raises:
        BadRun: when there is no such run, or nothing has been kept of it yet.
        BadFile: when what was kept is damaged.
    """
    folder = folder_of(run, store)
    plan, data = folder.plan(), folder.dataset()
    snapshot = folder.latest(plan, data)
    if snapshot is None:
        raise BadRun(f"Nothing has been kept of the run {folder.name} yet: it is at its start.")
    status = folder.status
    stopped: Stopper = status.get("stopped_by") or (
        "terminate" if status["status"] == "killed" else ""
    )
    trained = load(status["machine"]["engine"]).of(status["machine"]["threads"])
    found = Run.of(snapshot, trained, stopped)
    found.folder = folder
    return found


def resume(
    run: RunLike,
    *,
    store: StoreLike | None = None,
    engine: Engine | str | None = None,
    threads: int | None = None,
    time_limit: float | None = None,
    progress: bool | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    checkpoint_every: float = EVERY,
) -> Run:
    """Go on with a run from where it was kept last; it ends as if nothing had stopped it.

    With the same engine, threads, versions and processor it ends with the same bits. Otherwise it
    goes on too, and a `SlalomWarning` says what differs.

    Args:
        run: its name in a store, its folder, or a run that ended early.
        store: where it is; see `Store`.
        engine, threads: as for `slalom.train`; those that trained it when not given.
        time_limit, progress, on_progress, checkpoint_every: as for `slalom.train`.

    Returns:
        The run, from its first step.

    Raises:
        BadRun: when there is no such run, another process trains it, or its data has changed.

    Example:
        >>> import slalom
        >>> half = slalom.train(slalom.MLP(1, 10, 1), slalom.toys.quadratic(100), steps=10**6,
        ...                     time_limit=0.05, record="epoch")
        >>> half.stopped_by
        'time limit'
        >>> slalom.resume(half, time_limit=0.05).state.step > half.state.step
        array([ True])
    """
    looks: dict[str, Any] = {"time_limit": time_limit, "progress": progress}
    looks["on_progress"] = on_progress
    if isinstance(run, Run) and run.folder is None:
        engine = run.engine if engine is None and threads is None else engine or "auto"
        begin = run.snapshot()
        return carry_out(
            run.plan, run.dataset, begin=begin, engine=engine, threads=threads, **looks
        )
    folder = run.folder if isinstance(run, Run) else folder_of(run, store)
    assert folder is not None  # else it was in the memory
    engine, threads = trained_by(folder, engine, threads)
    return carry_out(
        folder.plan(),
        folder.dataset(),
        folder=folder,
        engine=engine,
        threads=threads,
        checkpoint_every=checkpoint_every,
        **looks,
    )


def trained_by(
    folder: RunFolder, engine: Engine | str | None = None, threads: int | None = None
) -> tuple[Engine | str, int | None]:
    """What carries a run on, and threads: what trained it, unless something else is asked for.

    Warns with a `SlalomWarning` where it is not what trained it before.
    """
    before = folder.status.get("machine")
    if before is None:  # it has not begun
        asked = folder.about
        return engine or asked.get("engine", "auto"), threads or asked.get("threads")
    engine = engine or before["engine"]
    if isinstance(engine, str) and engine != "auto":
        engine = load(engine).of(threads or before["threads"])
    if isinstance(engine, Engine) and (other := differences(before, machine(engine))):
        warnings.warn(
            f"The run {folder.name} goes on, but maybe not to the same bits, for it ran on "
            f"something else before: {other}.",
            SlalomWarning,
            stacklevel=3,
        )
    return engine, threads
