"""What reads tables and fits them, in a process of its own: `python -m slalom.studio.worker`.

It reads one JSON object from standard input, `do` and its arguments, and writes a JSON object a
line: what it has come to so far. The last one holds `done`, or `error`. A file that takes too much
memory or time ends this process and not the studio.
"""

import json
import os
import resource
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from slalom.core.errors import SlalomError
from slalom.core.files import write_whole
from slalom.core.finite import finite
from slalom.data.columns.cells import as_text
from slalom.data.schema import Schema
from slalom.data.table import read_table
from slalom.data.target import ClassificationTarget, fit_target, split_missing_target

READING_SECONDS = 120  # of processor time
_RAM = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
READING_BYTES, FITTING_BYTES = _RAM // 4, 3 * _RAM // 4  # that a process may take
EVERY = 0.4  # seconds between two words about a training
HEAD, COLUMNS, LEADERS, CURVE = 8, 200, 8, 120  # rows, columns, members, points that are shown
LONGEST = 60  # letters of a cell
PAIRS = 1000  # rows of a pair of columns: more than a plot can show apart

_OUT = sys.stdout
_TELLING = threading.Lock()


def tell(**said: Any) -> None:
    """One line for the studio. Nobody may listen any more: then the work goes on all the same."""
    line = json.dumps(finite(said), default=_plain, allow_nan=False)
    with _TELLING, suppress(BrokenPipeError):
        print(line, file=_OUT, flush=True)


def inspect(table: str, memory: int = READING_BYTES) -> dict[str, Any]:
    """What a table holds, what would be made of each column, and what each could be as a target."""
    _limit(memory)
    frame = read_table(table)
    schema = Schema.fit(frame)
    summary = schema.summary()
    names = list(frame.columns[:COLUMNS])
    return {
        "rows": len(frame),
        "columns": len(frame.columns),
        "notes": list(schema.notes),
        "summary": summary.head(COLUMNS).astype(str).to_dict("records"),
        "missing": {name: int(as_text(frame[name]).isna().sum()) for name in names},
        "names": names,
        "head": _head(frame[names]),
        "targets": {name: _target(frame, name) for name in names},
    }


def pair(table: str, x: str, y: str, color: str = "") -> dict[str, Any]:
    """Two columns of numbers, and a third one of classes: rows in which all are there."""
    _limit()
    frame = read_table(table)
    wanted = [name for name in (x, y, color) if name]
    for name in wanted:
        if name not in frame.columns:
            raise SlalomError(f"The table has no column {name!r}.")
    present, _ = split_missing_target(frame, wanted)
    numbers = np.column_stack(
        [fit_target(present[[name]], "regression").values(present) for name in (x, y)]
    )
    found: dict[str, Any] = {}
    if color:
        target = fit_target(present[[color]], "classification")
        assert isinstance(target, ClassificationTarget)
        found = {"classes": [str(c) for c in target.classes]}
        numbers = np.column_stack([numbers, target.encode(present)])
    kept = np.linspace(0, len(numbers) - 1, min(PAIRS, len(numbers))).astype(int)
    return found | {"points": numbers[kept].tolist()}


def fit(table: str, target: str, store: str, **arguments: Any) -> dict[str, Any]:
    """Fit a table, and keep the run with its model and its report."""
    _limit(FITTING_BYTES, None)
    from slalom.tabular.keeping import fit_in_store

    return _fitted(
        lambda hooks, on_run: fit_in_store(
            table, target, store, on_run=on_run, hooks=hooks, progress=False, **arguments
        )
    )


def resume(run: str) -> dict[str, Any]:
    """Go on with a run, to its end."""
    _limit(FITTING_BYTES, None)
    from slalom.runs.folder import RunFolder
    from slalom.runs.resume import resume_training
    from slalom.tabular.keeping import resume_fit

    folder = RunFolder(run)
    if folder.about.get("kind") != "fit":
        tell(run=folder.name)
        ended = resume_training(folder, progress=False, watch=watch)
        return {"run": folder.name, "stopped": ended.stopped_by}

    def go_on(hooks: dict[str, Any], on_run: Callable[[Any], None]) -> Any:
        on_run(folder)
        return resume_fit(folder, hooks=hooks, progress=False)

    return _fitted(go_on)


def predict(model: str, table: str, out: str) -> dict[str, Any]:
    """Predict each row of a table, into a file beside it."""
    from slalom.models import Predictor
    from slalom.models.predicted import with_predictions

    _limit()
    given = read_table(table)
    frame = with_predictions(Predictor.load(model), given)
    write_whole(Path(out), frame.to_csv(index=False, lineterminator="\n").encode())
    return {
        "rows": len(frame),
        "names": list(frame.columns),
        "added": list(frame.columns[given.shape[1] :]),
        "head": _head(frame),
    }


def thumbnails(lang: str, first: str) -> dict[str, Any]:
    """Draw the pictures of lessons that are not there yet."""
    from slalom.studio.thumbnails import draw_thumbnails

    draw_thumbnails(lang, first)
    return {}


def watch(training: Any) -> None:
    """Tell of a training while it goes on."""
    next_time = 0.0

    def listen(happening: Any) -> None:
        nonlocal next_time
        now = time.monotonic()
        if now >= next_time or training.done:
            next_time = now + EVERY
            tell(**standing(training))

    training.listeners.append(listen)


def standing(training: Any) -> dict[str, Any]:
    """How far a training is, who leads, and the leaders' curves."""
    progress, state = training.progress(), training.state
    losses = np.where(np.isfinite(state.best_loss), state.best_loss, state.train_loss)
    losses = np.where(state.diverged_at >= 0, np.inf, losses)
    order = np.argsort(np.nan_to_num(losses, nan=np.inf), kind="stable")[:LEADERS]
    records = training.records
    leaders = []
    for k in order.tolist():
        rows = records[records["member"] == k]
        if not np.isfinite(losses[k]):
            continue
        kept = np.unique(np.linspace(0, len(rows) - 1, min(CURVE, len(rows))).astype(int))
        held = rows["validation_loss"][kept] if len(rows) else np.empty(0)
        leaders.append(
            {
                "member": k,
                "label": training.plan.population[k].label,
                "loss": float(losses[k]),
                "step": rows["step"][kept].tolist() if len(rows) else [],
                "curve": [None if not np.isfinite(v) else round(float(v), 6) for v in held],
            }
        )
    return {
        "progress": {
            "share": progress.share,
            "members": progress.members,
            "training": progress.training,
            "steps": progress.steps,
            "seconds": round(progress.seconds, 2),
        },
        "leaders": leaders,
    }


def _fitted(fit_it: Callable[[dict[str, Any], Callable[[Any], None]], Any]) -> dict[str, Any]:
    """Fit, and leave model and report in the folder of the run."""
    from slalom.tabular.report import write_report

    runs: list[Any] = []

    def begun(folder: Any) -> None:
        runs.append(folder)
        tell(run=folder.name)

    hooks = {
        "on_columns": lambda made: tell(made=made.astype(str).to_dict("records")),
        "on_model": lambda _: tell(phase="scoring"),
        "watch": watch,
    }
    fitted = fit_it(hooks, begun)
    (folder,) = runs
    tell(phase="report")
    write_report(fitted, folder.path / "report.html", folder.path / "model.slalom")
    return {"run": folder.name, "result": folder.status["result"]}


def _target(frame: pd.DataFrame, name: str) -> str:
    """What would be predicted, were this column the target; or why it cannot be."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            present, _ = split_missing_target(frame[[name]], [name])
            target = fit_target(present)
    except SlalomError as error:
        return f"! {error}"
    if isinstance(target, ClassificationTarget):
        return f"classification:{len(target.classes)}"
    return "regression"


def _head(frame: pd.DataFrame) -> list[list[str]]:
    """The first rows as text."""
    cells = frame.head(HEAD).map(lambda cell: "" if pd.isna(cell) else str(cell)[:LONGEST])
    rows: list[list[str]] = cells.to_dict("split")["data"]
    return rows


def _limit(memory: int = READING_BYTES, seconds: int | None = READING_SECONDS) -> None:
    """A file cannot take more than this of the machine."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    if seconds is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's."""
    return value.item() if hasattr(value, "item") else str(value)


VERBS: dict[str, Callable[..., dict[str, Any]]] = {
    "inspect": inspect,
    "pair": pair,
    "fit": fit,
    "resume": resume,
    "predict": predict,
    "thumbnails": thumbnails,
}


def main() -> None:
    """Do what standard input asks for."""
    # A shell ignores Ctrl-C for what it starts in the background, and that is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asked = json.loads(sys.stdin.readline())
    verb = VERBS[asked.pop("do")]
    sys.stdout = sys.stderr  # what a library prints is no answer
    try:
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            tell(done=verb(**asked))
    except (SlalomError, OSError) as error:
        tell(error=str(error))
    except MemoryError:
        tell(error="The file takes more memory than the studio gives to reading one.")
    except KeyboardInterrupt:
        tell(stopped=True)


if __name__ == "__main__":
    main()
