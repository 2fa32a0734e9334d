"""A run on the disk: one folder, which can be read without Slalom.

    run.json            what it is: when it was made, of what, the fingerprint of its data
    plan.json           the plan
    data.safetensors    what it is trained on
    status.json         how far it is, what it ran on, how long
    checkpoint-*        the training as it stood, the last two times, and some of those before
    history.parquet     what was recorded, once it ended or was stopped
    leaderboard.parquet where each member stands, then

Files are replaced as a whole, so at every moment each of them is one that was meant.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import Timeout

from slalom.core.errors import BadFile, BadRun
from slalom.core.files import UNFINISHED, write_whole
from slalom.core.sealed import read_bytes
from slalom.data.dataset import Dataset
from slalom.plan import Plan
from slalom.runs.checkpoint import read_checkpoint, write_checkpoint
from slalom.runs.dataset_file import fingerprint, read_dataset, write_dataset
from slalom.runs.listing import lock_of, read_json, status_of
from slalom.training import Snapshot, Training

FORMAT = "slalom-run-1"
CHECKPOINTS = 2  # kept of each run: the last one, and one more should that be damaged
# Of those before every second one is let go when there are more, or take more bytes: what is left
# lies the further apart the longer it is ago, and from it one can go back to any step.
SPARSE, SPARSE_BYTES = 12, 2**26


class RunFolder:
    """A run on the disk.

    Args:
        path: of the folder.

    Attributes:
        about: what `run.json` says.

    Raises:
        BadRun: when there is no run, or `run.json` is damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.about = read_json(self.path / "run.json")
        if self.about.get("format") != FORMAT:
            raise BadRun(
                f"The run {self.path} has the format {self.about.get('format')!r}, but this "
                f"version of Slalom reads {FORMAT!r}."
            )

    @classmethod
    def write(cls, path: Path, plan: Plan, dataset: Dataset, about: dict[str, Any]) -> None:
        """Fill an empty folder with a run that has not begun.

        Args:
            path: of the folder.
            plan, dataset: what is to be trained on what.
            about: what else `run.json` says; JSON-ready.
        """
        text = plan.dumps().encode()
        write_dataset(path / "data.safetensors", dataset)
        write_whole(path / "plan.json", text)
        _write_json(path / "status.json", {"status": "not begun"})
        known = {
            "format": FORMAT,
            "created": datetime.now().astimezone().isoformat(timespec="seconds"),
            "members": len(plan.population),
            "rows": dataset.rows,
            "features": len(dataset.feature_names),
            "fingerprint": fingerprint(dataset),
            "plan_sha256": sha256(text).hexdigest(),
        }
        _write_json(path / "run.json", known | about)

    @property
    def name(self) -> str:
        """What it is called: as its folder."""
        return self.path.name

    @property
    def status(self) -> dict[str, Any]:
        """How far it is, by name: status, stopped_by, steps, remaining, best, seconds, machine.

        `status` is "not begun", "running", "interrupted", "done", or "killed" for one that was
        running when its process ended.
        """
        return status_of(self.path)

    def plan(self) -> Plan:
        """The plan.

        Raises:
            BadFile: when it is not there.
            BadRun: when it is not as it was.
            BadPlan: when it names a function that has not been made known with `slalom.trust`.
        """
        path = self.path / "plan.json"
        text = read_bytes(path, "plan")
        if sha256(text).hexdigest() != self.about.get("plan_sha256"):
            raise BadRun(f"{path} is not the plan with which the run was begun, or is damaged.")
        return Plan.loads(text)

    def dataset(self) -> Dataset:
        """What it is trained on.

        Raises:
            BadFile: when the file is missing or damaged.
            BadRun: when it is not what the run was begun with.
        """
        data = read_dataset(self.path / "data.safetensors")
        self.check(data)
        return data

    def check(self, data: Dataset) -> None:
        """Raise `BadRun` unless this is what the run was begun with."""
        if fingerprint(data) != self.about.get("fingerprint"):
            raise BadRun(
                f"The data is not that with which the run {self.name} was begun (its fingerprint "
                f"is another one), so going on would mix two trainings. Train anew on this data, "
                f"or give back the table as it was."
            )

    def checkpoints(self) -> list[Path]:
        """The files of the training as it stood, the newest first."""
        return sorted(self.path.glob("checkpoint-*.safetensors"), reverse=True)

    def latest(self, plan: Plan, dataset: Dataset) -> Snapshot | None:
        """The training as it stood last, or None if it was never kept.

        Raises:
            BadFile: when all that was kept is damaged.
        """
        failures = []
        for path in self.checkpoints():
            try:
                return read_checkpoint(path, plan, dataset)
            except BadFile as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return None

    def keep(self, training: Training, status: dict[str, Any]) -> None:
        """Write a checkpoint and how far it is; some of those before are let go.

        Raises:
            BadFile: when it cannot be written; the checkpoints before are as they were.
        """
        self.stand_at(training.snapshot(copy=False))
        _write_json(self.path / "status.json", status)
        older = self.checkpoints()[CHECKPOINTS:]
        while len(older) > SPARSE or sum(path.stat().st_size for path in older) > SPARSE_BYTES:
            for path in older[::2]:
                path.unlink(missing_ok=True)
            older = older[1::2]

    def stand_at(self, snapshot: Snapshot) -> None:
        """Write a checkpoint, from which the run goes on. Raises as `keep`."""
        before = self.checkpoints()
        number = int(before[0].stem.rpartition("-")[2]) + 1 if before else 1
        write_checkpoint(self.path / f"checkpoint-{number:08d}.safetensors", snapshot)

    def let_go(self) -> None:
        """Remove all checkpoints, of a run that is done and whose members nobody needs."""
        for path in self.checkpoints():
            path.unlink(missing_ok=True)

    def leaderboard(self) -> pd.DataFrame | None:
        """Where each member stood when the run ended, the best first; None before.

        Raises:
            BadRun: when the file is damaged.
        """
        path = self.path / "leaderboard.parquet"
        if not path.is_file():
            return None
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise BadRun(f"The leaderboard {path} is damaged: {error}.") from error

    def tell(self, status: dict[str, Any]) -> None:
        """Write how far it is."""
        _write_json(self.path / "status.json", status)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from training it.

        Raises:
            BadRun: when one does already.
        """
        try:
            with lock_of(self.path):
                for rest in self.path.glob(f"{UNFINISHED}*"):  # of a process that was killed
                    shutil.rmtree(rest, ignore_errors=True)
                yield
        except Timeout:
            raise BadRun(
                f"Another process is training the run {self.name}. Wait for it, or stop it."
            ) from None


def _write_json(path: Path, value: dict[str, Any]) -> None:
    write_whole(path, (json.dumps(value, indent=1) + "\n").encode())
