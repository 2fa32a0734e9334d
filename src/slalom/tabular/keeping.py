"""Fits that are kept as runs on the disk, and going on with them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from slalom.core.errors import BadPlan, BadRun
from slalom.data.dataset import Dataset
from slalom.engine import Engine
from slalom.engine.device import DeviceLike
from slalom.plan import Plan
from slalom.runs import Run, Store
from slalom.runs.folder import RunFolder
from slalom.runs.resume import RunLike, folder_of, resume_training, trained_by
from slalom.runs.store import StoreLike
from slalom.tabular.fit import Fit, fit_table
from slalom.tabular.summary import summary


def fit_in_store(
    table: str | Path,
    target: str | Sequence[str],
    store: StoreLike,
    *,
    name: str | None = None,
    files: dict[str, str] | None = None,
    on_run: Callable[[RunFolder], None] | None = None,
    hooks: dict[str, Any] | None = None,
    **arguments: Any,
) -> Fit:
    """As `fit_table`, and kept in a store while it trains and afterwards.

    Args:
        table: a path, for it is read again when the run goes on.
        target: as for `fit_table`.
        store: where the run is kept.
        name: what it is called there; as the table when not given.
        files: what its model and its report are called beside the store, to be written anew when
            it has gone on; the store does not look at them.
        on_run: called with the folder of the run when there is one.
        hooks: `on_columns`, `on_model` and `watch` of `fit_table`.
        **arguments: as for `fit_table`; those that JSON can hold.

    Raises:
        BadPlan: when an argument cannot be kept.
        As `fit_table`.
    """
    asked = {"table": table, "target": target, **arguments}
    fit = {key: _plain(key, value) for key, value in asked.items() if value is not None}

    def keep(make: Callable[[], Plan], data: Dataset) -> RunFolder:
        about = {"kind": "fit", "fit": fit, "files": files or {}}
        about |= {key: fit[key] for key in ("engine", "threads", "device") if key in fit}
        like = Path(table).name.partition(".")[0]
        folder = Store.of(store).new(make(), data, name, about, like=like)
        if on_run is not None:
            on_run(folder)
        return folder

    return _finished(fit_table(table, target, keep=keep, **(hooks or {}), **arguments))


def resume_fit(
    folder: RunFolder,
    time_limit: float | None = None,
    hooks: dict[str, Any] | None = None,
    engine: Engine | str | None = None,
    threads: int | None = None,
    device: DeviceLike | None = None,
    progress: bool | None = None,
) -> Fit:
    """Go on with a fit, and score it.

    Args:
        folder: of the run.
        time_limit: seconds from now on; to the end when not given.
        hooks: `on_columns`, `on_model` and `watch` of `fit_table`.
        engine, threads, device, progress: as for `slalom.resume`.

    Raises:
        BadRun: when the table is not what it was, or `run.json` does not say what was asked for.
    """
    asked = folder.about.get("fit")
    if not isinstance(asked, dict) or not {"table", "target"} <= set(asked):
        raise BadRun(f"The run {folder.name} does not say which table was fitted to what.")
    how = trained_by(folder, engine, threads, device)._asdict()
    how |= {"progress": progress, "time_limit": time_limit}

    def keep(make: Callable[[], Plan], data: Dataset) -> RunFolder:
        folder.check(data)
        return folder

    return _finished(fit_table(**asked | how, keep=keep, **(hooks or {})))


def resume(run: RunLike, *, store: StoreLike | None = None, **how: Any) -> Run:
    """Go on with a run from where it was kept last; it ends as if nothing had stopped it.

    With the same engine, device, threads, versions and processor it ends with the same bits.
    Otherwise it goes on too, and a `SlalomWarning` says what differs.

    Args:
        run: its name in a store, its folder, or a run that ended early.
        store: where it is; see `Store`.
        **how: `engine`, `threads` and `device`, those that trained it when not given (the CPU where
            its GPU is not there); `time_limit` and `progress`, as for `slalom.train`; and for what
            `slalom.train` began, `on_progress` and `checkpoint_every`.

    Returns:
        The run, from its first step. One of `slalom fit` is scored again too; its model lies in
        its folder.

    Raises:
        BadRun: when there is no such run, another process trains it, or its data has changed.

    Example:
        >>> import slalom
        >>> half = slalom.train(slalom.MLP(1, 10, 1), slalom.toys.quadratic(100), steps=10**7,
        ...                     time_limit=0.05, record="epoch")
        >>> half.stopped_by
        'time limit'
        >>> slalom.resume(half, time_limit=0.05).state.step > half.state.step
        array([ True])
    """
    if isinstance(run, Run) and run.folder is None:
        return resume_training(run, **how)
    folder = run.folder if isinstance(run, Run) else folder_of(run, store)
    assert folder is not None  # else it was in the memory
    if folder.about.get("kind") == "fit":
        return resume_fit(folder, **how).run
    return resume_training(folder, **how)


def _finished(fit: Fit) -> Fit:
    """The fit, with its model and its score in the folder of its run.

    Checkpoints of hundreds of members take a hundred times the room of the model that they became,
    so those of one that is done are removed.
    """
    folder = fit.run.folder
    assert folder is not None  # it was kept
    fit.predictor.save(folder.path / "model.slalom")
    score = {fit.headline: fit.scores["slalom"][fit.headline].value}
    folder.tell(folder.status | {"score": score, "result": summary(fit)})
    if not fit.run.stopped_by:
        folder.let_go()
    return fit


def _plain(name: str, value: Any) -> Any:
    """An argument as JSON holds it: a path as text, wherever one stands."""
    if name in ("table", "test"):
        if not isinstance(value, str | Path):
            raise BadPlan(
                f"A run that is kept reads its table again when it goes on, so {name} must be a "
                f"path, but {type(value).__name__} was given. Write it to a file first."
            )
        return str(Path(value).resolve())
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        raise BadPlan(
            f"A run that is kept is begun again from what was asked for, so {name} must be plain "
            f"data, but {type(value).__name__} was given."
        ) from None
