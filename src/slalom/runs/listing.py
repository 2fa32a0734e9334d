"""What the files of a run say of it, read without anything heavy: a thousand runs in a second."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from slalom.core.errors import BadRun

HOME = "slalom-runs"
HIDDEN = "."  # begins the names of folders that are no run yet, or none any more
MOST_JSON = 2**26  # bytes; what a run says of itself is far smaller
COLUMNS = (
    *("name", "kind", "status", "target", "members", "steps", "best", "score"),
    *("seconds", "created"),
)


def place(store: str | Path | None = None) -> Path:
    """The folder of a store: that one, or what SLALOM_HOME says, or `slalom-runs` right here.

    >>> place("elsewhere").name
    'elsewhere'
    """
    return Path(store or os.environ.get("SLALOM_HOME") or HOME)


def rows(store: Path) -> list[dict[str, Any]]:
    """One row a run of a store, the oldest first; `COLUMNS` by name, None where nothing is known.

    Folders that are no runs are passed over, and damaged runs are called so.
    """
    return [_row(path, about) for path, about in runs_in(store)]


def runs_in(store: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The folders of all runs, with what `run.json` says, the oldest first."""
    found = []
    for path in store.iterdir() if store.is_dir() else ():
        if path.name.startswith(HIDDEN) or not path.name.isprintable():
            continue
        with suppress(BadRun):  # no run, removed meanwhile, or damaged
            found.append((path, read_json(path / "run.json")))
    yield from sorted(found, key=lambda run: (str(run[1].get("created")), run[0].name))


def status_of(run: Path) -> dict[str, Any]:
    """What `status.json` says; "killed" for one that was running when its process ended.

    Raises:
        BadRun: when it is not there, or damaged.
    """
    found = read_json(run / "status.json")
    if found.get("status") == "running" and not busy(run):
        found["status"] = "killed"
    return found


def lock_of(run: Path) -> FileLock:
    """What a process holds while it trains a run, or changes it. It does not wait."""
    return FileLock(run / "lock", timeout=0)


def busy(run: Path) -> bool:
    """Whether a process trains a run right now."""
    try:
        with lock_of(run):
            return False
    except Timeout:
        return True
    except OSError:  # a folder of somebody else's, where nothing can be locked
        return False


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a run. Raises `BadRun` when it is not there, or damaged."""
    try:
        if path.exists() and (not path.is_file() or path.stat().st_size > MOST_JSON):
            raise BadRun(f"{path} is damaged: it is no file of JSON.")
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise BadRun(f"There is no run in {path.parent}: it has no {path.name}.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadRun(f"{path} is damaged or cannot be read: {error}.") from error
    if not isinstance(value, dict):
        raise BadRun(f"{path} is damaged: it is no JSON object.")
    return value


def _row(path: Path, about: dict[str, Any]) -> dict[str, Any]:
    try:
        status = status_of(path)
    except BadRun:
        status = {"status": "damaged"}
    told = {name: status.get(name, about.get(name)) for name in COLUMNS}
    told |= {"name": path.name, "target": _target(about), "score": _score(status)}
    plain = {name: value for name, value in told.items() if isinstance(value, str | float | int)}
    return {name: plain.get(name) for name in COLUMNS}


def _target(about: dict[str, Any]) -> str | None:
    """What a fit predicts: a column, or several."""
    fit = about.get("fit")
    target = fit.get("target") if isinstance(fit, dict) else None
    return ", ".join(map(str, target)) if isinstance(target, list) else target


def _score(status: dict[str, Any]) -> str | None:
    """How a fit did on rows that neither training nor selection saw."""
    score = status.get("score")
    if not isinstance(score, dict):
        return None
    numbers = {k: v for k, v in score.items() if isinstance(v, float | int)}
    return ", ".join(f"{name} {value:.3f}" for name, value in numbers.items()) or None
