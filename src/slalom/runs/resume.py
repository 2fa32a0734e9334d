"""Going on with a run, and opening one without going on."""

import warnings
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from slalom.core.errors import BadPlan, BadRun, SlalomWarning
from slalom.engine import Engine, select
from slalom.engine.device import CPU, DeviceLike, device_of
from slalom.engine.registry import engine_of
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
    trained = _trained_by(folder)  # wherever that was: nothing trains here
    engine, _ = select(trained.engine, plan, data, trained.threads, CPU)
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
    device: DeviceLike | None = None,
    checkpoint_every: float = EVERY,
    **looks: Any,
) -> Run:
    """Go on with a training; see `slalom.resume`.

    Args:
        run: in the memory, or its folder.
        **looks: `time_limit`, `progress` and `on_progress`, as for `slalom.train`.
    """
    if isinstance(run, RunFolder):
        how = trained_by(run, engine, threads, device)
        return carry_out(
            run.plan(),
            run.dataset(),
            folder=run,
            **how._asdict(),
            checkpoint_every=checkpoint_every,
            **looks,
        )
    own: Engine | str = run.engine
    if threads or device:
        own, threads, device = _wanted(_by(run.engine), None, threads, device)
    how = How(engine or own, threads, device)
    return carry_out(run.plan, run.dataset, begin=run.snapshot(), **how._asdict(), **looks)


class How(NamedTuple):
    """What carries a run out, and where: arguments of `carry_out`."""

    engine: Engine | str
    threads: int | None
    device: DeviceLike | None


def trained_by(
    folder: RunFolder,
    engine: Engine | str | None = None,
    threads: int | None = None,
    device: DeviceLike | None = None,
) -> How:
    """What carries a run on: what trained it, unless something else is asked for.

    Warns with a `SlalomWarning` where it is not what trained it before.
    """
    how = _wanted(_trained_by(folder), engine, threads, device)
    if isinstance(how.engine, str) and how.engine != "auto":
        how = how._replace(engine=engine_of(how.engine, how.threads, how.device))
    before = folder.status.get("machine")  # none for one that has not begun
    if before and isinstance(how.engine, Engine):
        before = {"device": str(CPU)} | before  # runs from before there were others say nothing
        if other := differences(before, machine(how.engine)):
            warnings.warn(
                f"The run {folder.name} goes on, but maybe not to the same bits, for it ran on "
                f"something else before: {other}.",
                SlalomWarning,
                stacklevel=3,
            )
    return how


def _wanted(
    before: How, engine: Engine | str | None, threads: int | None, device: DeviceLike | None
) -> How:
    """What was asked for, else what there was before; on another device, whatever is best there."""
    if device is None and before.device is not None:
        device = before.device if _is_here(before.device) else CPU
        if device is CPU and str(before.device) != str(CPU):
            warnings.warn(
                f"The run goes on on the CPU, and so not to the same bits, for {before.device}, "
                f"where it was trained before, is not here.",
                SlalomWarning,
                stacklevel=4,
            )
    moved = device is not None and str(device) != str(before.device or CPU)
    return How(engine or ("auto" if moved else before.engine), threads or before.threads, device)


def _is_here(device: DeviceLike) -> bool:
    try:
        return bool(device_of(device))
    except BadPlan:
        return False


def _by(engine: Engine) -> How:
    told = machine(engine)
    return How(engine.name, told["threads"], told["device"])


def _trained_by(folder: RunFolder) -> How:
    """What trained a run, or was asked for."""
    told = folder.about | folder.status.get("machine", {})
    return How(told.get("engine", "auto"), told.get("threads"), told.get("device"))
