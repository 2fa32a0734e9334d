"""Keeping a training on the disk while it goes on, so that whatever ends it loses little."""

import threading
import time
import warnings
from io import BytesIO
from pathlib import Path

import pandas as pd

from slalom.core.errors import SlalomWarning
from slalom.core.files import write_whole
from slalom.runs.folder import RunFolder
from slalom.runs.machine import machine
from slalom.runs.run import Run
from slalom.training import Happening, Progress, Stopper, Training

EVERY = 30.0  # seconds between two checkpoints
WRITING = threading.Lock()  # held while a checkpoint is written: whoever ends the process waits


class Keeper:
    """Writes checkpoints of a training into the folder of its run.

    A checkpoint that cannot be written is told of, once, and tried again when the next one is due:
    the training goes on, and what was kept before stays.

    Args:
        folder: of the run.
        training: what is kept.
        every: seconds between two checkpoints.
    """

    def __init__(self, folder: RunFolder, training: Training, every: float = EVERY) -> None:
        self.folder, self.training, self.every = folder, training, every
        self.machine = machine(training.engine)
        self.failed = False
        self._due = time.monotonic() + every
        folder.tell(self._status("running"))
        training.listeners.append(self._listen)

    def end(self, run: Run) -> None:
        """Write what the training came to: the last checkpoint, and what was recorded.

        Where somebody waits for the process to end, the checkpoint alone, which has it all.
        """
        self.keep("interrupted" if run.stopped_by else "done", run.stopped_by)
        if self.failed or run.stopped_by not in ("", "time limit"):
            return
        try:
            for name, table in (("history", run.history), ("leaderboard", run.leaderboard())):
                write_parquet(self.folder.path / f"{name}.parquet", table)
        except OSError as error:
            self._tell(error)

    def keep(self, status: str, stopped_by: Stopper = "") -> None:
        """Write a checkpoint now, if that can be done."""
        try:
            with WRITING:
                self.folder.keep(self.training, self._status(status, stopped_by))
        except OSError as error:  # BadFile is one
            self._tell(error)
        else:
            self.failed = False
        self._due = time.monotonic() + self.every

    def _tell(self, error: OSError) -> None:
        """Say, once until it goes well again, that something could not be written."""
        if not self.failed:
            warnings.warn(
                f"No checkpoint of the run {self.folder.name} could be written, so what is "
                f"reached from here on is not kept yet. {error}",
                SlalomWarning,
                stacklevel=3,
            )
        self.failed = True

    def _listen(self, happening: Happening) -> None:
        if isinstance(happening, Progress) and time.monotonic() >= self._due:
            self.keep("running")

    def _status(self, status: str, stopped_by: Stopper = "") -> dict[str, object]:
        progress = self.training.progress()
        known = progress.best != float("inf")
        return {
            "status": status,
            "stopped_by": stopped_by,
            "steps": progress.steps,
            "remaining": progress.remaining,
            "best": progress.best if known else None,
            "seconds": round(self.training.seconds, 3),
            "machine": self.machine,
        }


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet. Raises `BadFile` when it cannot be written."""
    data = BytesIO()
    table.to_parquet(data, index=False)
    write_whole(path, data.getvalue())
