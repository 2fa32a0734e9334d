"""Keeping a training on the disk while it goes on, so that whatever ends it loses little."""

import threading
import time
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pandas as pd

from slalom.core.errors import BadFile, SlalomWarning
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
        clock: tells seconds.
    """

    def __init__(
        self,
        folder: RunFolder,
        training: Training,
        every: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder, self.training, self.every, self.clock = folder, training, every, clock
        self.machine = machine(training.engine)
        self.failed = False
        self._due = clock() + every
        folder.tell(self._status("running"))
        training.listeners.append(self._listen)

    def end(self, run: Run) -> None:
        """Write what the training came to: the last checkpoint, and what was recorded.

        Where somebody waits for the process to end, the checkpoint alone, which has it all.
        """
        self.keep("interrupted" if run.stopped_by else "done", run.stopped_by)
        if not self.failed and run.stopped_by in ("", "time limit"):
            for name, table in (("history", run.history), ("leaderboard", run.leaderboard())):
                write_parquet(self.folder.path / f"{name}.parquet", table)

    def keep(self, status: str, stopped_by: Stopper = "") -> None:
        """Write a checkpoint now, if that can be done."""
        try:
            with WRITING:
                self.folder.keep(self.training, self._status(status, stopped_by))
        except BadFile as error:
            if not self.failed:
                warnings.warn(
                    f"No checkpoint of the run {self.folder.name} could be written, so what is "
                    f"reached from here on is not kept yet. {error}",
                    SlalomWarning,
                    stacklevel=2,
                )
            self.failed = True
        else:
            self.failed = False
        self._due = self.clock() + self.every

    def _listen(self, happening: Happening) -> None:
        if isinstance(happening, Progress) and self.clock() >= self._due:
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
