"""A process that ends at any system call of a checkpoint leaves a valid one; so does a bad disk."""

import io
import os
import shutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slalom import resume
from slalom.core import files
from slalom.engine import Native
from slalom.runs import Store
from slalom.runs.keeping import Keeper
from slalom.training import Training
from tests.runs.stored import PROCESSES, assert_same, long_plan, undisturbed

ENDED, WHOLE = 77, 78
EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}


class Disk:
    """Does something at one of the calls that change the disk.

    Args:
        fatal: at which call, from 1.
        act: what.
    """

    def __init__(self, fatal: int, act: Callable[[], None]) -> None:
        self.left, self.act = fatal, act

    def call(self, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            self.act()

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS:
            self.call()

    def file(self, path: Path, mode: str) -> io.FileIO:
        """A file of which a half is written when the call comes."""

        class Torn(io.FileIO):
            def writelines(torn, parts: Any) -> None:  # noqa: N805
                data = b"".join(parts)
                half = len(data) // 2
                super().write(data[:half])
                self.call()
                super().write(data[half:])

        return Torn(path, mode)


def before_a_checkpoint(store: Path, name: str) -> Keeper:
    """A run with two checkpoints on the disk, that of step 6 the newer one, which stands at 9."""
    plan, data = long_plan("native")
    training = Training(plan, data, Native(1))
    keeper = Keeper(Store(store).find(name), training, every=1e9)
    for _ in range(2):
        training.advance(steps=3)
        keeper.keep("running")
    training.advance(steps=3)
    return keeper


def keep_and_end(store: Path, name: str, fatal: int) -> None:
    """What a process does that ends at a call of a checkpoint."""
    keeper = before_a_checkpoint(store, name)
    disk = Disk(fatal, lambda: os._exit(ENDED))
    os.fsync, files.open = disk.call, disk.file  # type: ignore[attr-defined]
    sys.addaudithook(disk.hear)
    keeper.keep("running")
    os._exit(WHOLE)


@pytest.mark.slow
@pytest.mark.xdist_group("kills")
def test_whatever_system_call_is_the_last_one_the_run_can_go_on(tmp_path: Path) -> None:
    plan, data = long_plan("native")
    whole, store, fatal, code = undisturbed("native"), Store(tmp_path), 0, ENDED
    while code == ENDED:
        fatal += 1
        name = f"run-{fatal}"
        store.new(plan, data, name, {"engine": "native", "threads": 1})
        process = PROCESSES.Process(target=keep_and_end, args=(tmp_path, name, fatal))
        process.start()
        process.join(60)
        code, folder = process.exitcode, store.find(name)
        assert code in (ENDED, WHOLE)
        assert folder.status["status"] == "killed"
        snapshot = folder.latest(plan, data)
        assert snapshot is not None
        assert snapshot.state().step.max() in (6, 9)
        if fatal % 5 == 0:  # each of them takes the same time to the end
            assert_same(resume(name, store=store, progress=False), whole)
            assert not [path for path in folder.path.iterdir() if path.name[0] == "."]
        shutil.rmtree(folder.path)
    assert fatal > 15


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        OSError(5, "Input/output error"),
        OSError(30, "Read-only file system"),
    ],
)
def test_whatever_write_fails_what_was_kept_stays_and_it_is_tried_again(
    error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, data = long_plan("native")
    folder = Store(tmp_path).new(plan, data, "run", {"engine": "native"})

    def fail() -> None:
        raise error

    fatal, keeper = 0, before_a_checkpoint(tmp_path, "run")
    while True:
        fatal += 1
        disk = Disk(fatal, fail)
        with monkeypatch.context() as patch, warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            patch.setattr(os, "fsync", disk.call)
            patch.setattr(files, "open", disk.file, raising=False)
            keeper.keep("running")
        if disk.left > 0:
            break  # all calls went well, for there are no more
        (warning,) = told
        assert "No checkpoint of the run run could be written" in str(warning.message)
        assert error.strerror in str(warning.message)
        assert folder.latest(plan, data) is not None
        keeper.keep("running")
        assert not keeper.failed
    assert fatal > 5
