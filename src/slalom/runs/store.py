"""The store of runs: a folder with one folder a run."""

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import pandas as pd

from slalom.core.errors import BadRun, did_you_mean
from slalom.data.dataset import Dataset
from slalom.plan import Plan
from slalom.runs.folder import RunFolder
from slalom.runs.listing import COLUMNS, HIDDEN, place, rows, runs_in


class Store:
    """Runs on the disk.

    Several processes may write to one store at once.

    Args:
        path: of its folder, which is made with the first run. When not given, what the environment
            variable SLALOM_HOME says, or `slalom-runs` in the current folder.

    Example:
        >>> import slalom
        >>> from tempfile import mkdtemp
        >>> store = slalom.Store(mkdtemp())
        >>> run = slalom.train(slalom.MLP(1, 10, 1), slalom.toys.quadratic(100), steps=5,
        ...                    store=store, name="first")
        >>> store.table()[["name", "status", "members"]].values.tolist()
        [['first', 'done', 1]]
        >>> store.remove("first")
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = place(path)

    @classmethod
    def of(cls, store: "StoreLike") -> "Store":
        """The store itself, or that at a path."""
        return store if isinstance(store, Store) else cls(store)

    def new(
        self,
        plan: Plan,
        dataset: Dataset,
        name: str | None = None,
        about: dict[str, Any] | None = None,
        like: str = "run",
    ) -> RunFolder:
        """The folder of a run that has not begun; it is there as a whole or not at all.

        Args:
            plan, dataset: what is to be trained on what.
            name: what to call it.
            about: what else is to be known of it; JSON-ready.
            like: what to call it when no name is given, with a number if there are such runs.

        Raises:
            BadRun: when there is such a run already, or no folder can have that name.
            BadFile: when it cannot be written.
        """
        if name is not None:
            _check_name(name)
        fresh = self.path / f"{HIDDEN}new-{uuid4().hex}"
        try:
            fresh.mkdir(parents=True)
        except OSError as error:
            raise BadRun(
                f"The store {self.path} cannot be written to: {error.strerror or error}. Choose "
                f"another folder with the environment variable SLALOM_HOME, or an argument."
            ) from error
        try:
            RunFolder.write(fresh, plan, dataset, about or {})
            return RunFolder(self._move(fresh, name, like))
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise

    def _move(self, fresh: Path, name: str | None, like: str) -> Path:
        """Give a new folder its name, which nobody else can take at the same moment."""
        like = re.sub(r"[^\w.+-]", "_", like).lstrip("_.+-")[:80] or "run"
        names = [name] if name else chain([like], (f"{like}-{k}" for k in count(2)))
        for path in map(self.path.joinpath, names):
            if path.exists():  # for an empty folder would be replaced
                continue
            try:
                fresh.rename(path)
            except OSError:
                if path.exists():  # another process was quicker
                    continue
                raise
            return path
        raise BadRun(
            f"There is a run {name!r} already in {self.path}. Choose another name, or remove it: "
            f"slalom runs remove {name}"
        )

    def __iter__(self) -> Iterator[RunFolder]:
        """All runs, the oldest first; folders that are no runs are passed over."""
        for path, _ in runs_in(self.path):
            with suppress(BadRun):  # removed meanwhile
                yield RunFolder(path)

    def find(self, name: str | Path) -> RunFolder:
        """The run of that name, or in that folder.

        Raises:
            BadRun: when there is none.
        """
        for path in (self.path / name, Path(name)):
            if (path / "run.json").is_file():
                return RunFolder(path)
        known = [run.name for run in self]
        raise BadRun(
            f"There is no run {str(name)!r} in {self.path}. {did_you_mean(str(name), known)}"
        )

    def table(self) -> pd.DataFrame:
        """One row a run, the oldest first: name, kind, status, target, members, steps, best, score,
        seconds, created."""
        return pd.DataFrame(rows(self.path), columns=COLUMNS)

    def remove(self, name: str | Path) -> None:
        """Remove a run and all that it left, for good.

        Raises:
            BadRun: when there is none, or a process trains it.
        """
        run = self.find(name)
        with run.held():
            # First out of the way: who looks meanwhile sees the whole run or none.
            gone = run.path.with_name(f"{HIDDEN}removed-{uuid4().hex}")
            run.path.rename(gone)
        shutil.rmtree(gone)


# A store, or where it is.
StoreLike: TypeAlias = Store | str | Path


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[^\W_][\w.+-]{0,99}", name):
        raise BadRun(
            f"A run is called as its folder: letters, digits, and . _ + - after the first, 100 at "
            f"most, but {name!r} was given."
        )
