"""Going on with a run, and opening one without going on."""

import warnings
from pathlib import Path
from typing import Any, TypeAlias

from slalom.core.errors import BadRun, SlalomWarning
from slalom.engine import Engine, select
from slalom.engine.registry import load
from slalom.runs.folder import RunFolder
from slalom.runs.keeping import EVERY
from slalom.runs.machine import differences, machine
from slalom.runs.run import Run
from slalom.runs.store import Store, StoreLike
from slalom.runs.train import carry_out
from slalom.training import Stopper

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
    status = folder.status
    if snapshot is None:
        let_go = "Its members were let go when it was done; slalom.resume trains them again."
        raise BadRun(
            f"Nothing is kept of the members of the run {folder.name}. "
            + (let_go if status["status"] == "done" else "It is at its start.")
        )
    stopped: Stopper = status.get("stopped_by") or (
        "terminate" if status["status"] == "killed" else ""
    )
    name, threads = _engine_of(folder)
    engine, _ = select(name, plan, data, threads)
    found = Run.of(snapshot, engine, stopped)
    found.folder = folder
    return found


def go_back(folder: RunFolder, step: int) -> None:
    """Let a run stand at an earlier step, from which it goes on when it is resumed.

    Raises:
        BadPlan: when there is no such step.
        BadRun: for a run of `slalom fit`, which chooses on the way who goes on.
    """
    if folder.about.get("kind") == "fit":
        raise BadRun(
            f"The run {folder.name} is a fit, which chooses on the way who trains on, so it goes "
            f"back to no single step. Fit the table again: that gives the same."
        )
    with folder.held():
        moment = open_run(folder).at(step)
        folder.stand_at(moment.snapshot())
        state = moment.state
        left = (state.layout.total_steps - state.step)[state.training]
        steps, remaining = int(state.step.sum()), int(left.sum())
        stopped = {"status": "interrupted", "stopped_by": "interrupt"}
        folder.tell(folder.status | stopped | {"steps": steps, "remaining": remaining})


def resume_training(
    run: Run | RunFolder,
    *,
    engine: Engine | str | None = None,
    threads: int | None = None,
    checkpoint_every: float = EVERY,
    **looks: Any,
) -> Run:
    """Go on with a training; see `slalom.resume`.

    Args:
        run: in the memory, or its folder.
        **looks: `time_limit`, `progress` and `on_progress`, as for `slalom.train`.
    """
    if isinstance(run, RunFolder):
        engine, threads = trained_by(run, engine, threads)
        return carry_out(
            run.plan(),
            run.dataset(),
            folder=run,
            engine=engine,
            threads=threads,
            checkpoint_every=checkpoint_every,
            **looks,
        )
    if engine is None:
        engine = run.engine if threads is None else load(run.engine.name).of(threads)
    return carry_out(
        run.plan, run.dataset, begin=run.snapshot(), engine=engine, threads=threads, **looks
    )


def trained_by(
    folder: RunFolder, engine: Engine | str | None = None, threads: int | None = None
) -> tuple[Engine | str, int | None]:
    """What carries a run on, and threads: what trained it, unless something else is asked for.

    Warns with a `SlalomWarning` where it is not what trained it before.
    """
    name, as_before = _engine_of(folder)
    engine, threads = engine or name, threads or as_before
    if isinstance(engine, str) and engine != "auto":
        engine = load(engine).of(threads)
    before = folder.status.get("machine")  # none for one that has not begun
    if before and isinstance(engine, Engine) and (other := differences(before, machine(engine))):
        warnings.warn(
            f"The run {folder.name} goes on, but maybe not to the same bits, for it ran on "
            f"something else before: {other}.",
            SlalomWarning,
            stacklevel=3,
        )
    return engine, threads


def _engine_of(folder: RunFolder) -> tuple[str, int | None]:
    """The name of the engine that trained a run, or was asked for, and its threads."""
    told = folder.about | folder.status.get("machine", {})
    return told.get("engine", "auto"), told.get("threads")
