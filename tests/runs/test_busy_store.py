"""Many processes write runs into one store, some of them are killed: no run is damaged."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

import slalom
from slalom import MLP, Store
from slalom.core.errors import BadRun
from slalom.engine import Reference
from tests.runs.stored import PROCESSES


def write_runs(path: Path, number: int, seconds: float) -> None:
    """What each process does: one run after another."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        slalom.train(
            MLP(1, 4, 1),
            slalom.toys.quadratic(30, seed=number),
            steps=3,
            engine=Reference(),
            store=path,
            name=None,
            progress=False,
        )


def disturbed(path: Path, processes: int, seconds: float) -> tuple[int, int]:
    """How many runs there are after all that, and how many processes were killed."""
    warm = PROCESSES.Process(target=write_runs, args=(path, 0, 0.0))  # which takes some seconds
    warm.start()
    warm.join()
    draw, end, killed = random.Random(0), time.monotonic() + seconds, 0
    running = [
        PROCESSES.Process(target=write_runs, args=(path, number, seconds))
        for number in range(processes)
    ]
    for process in running:
        process.start()
    store = Store(path)
    while time.monotonic() < end:
        time.sleep(min(1.0, seconds / 5))
        k = draw.randrange(processes)
        if running[k].is_alive() and running[k].pid is not None:
            os.kill(running[k].pid, signal.SIGKILL)
            killed += 1
        left = max(0.0, end - time.monotonic())
        running[k] = PROCESSES.Process(target=write_runs, args=(path, 100 + killed, left))
        running[k].start()
        assert set(store.table()["status"]) <= {"done", "running", "killed", "not begun"}
    for process in running:
        process.join(60)
        assert process.exitcode in (0, -signal.SIGKILL)
    return len(store.table()), killed


def check(path: Path) -> None:
    """Every run can be gone on with, to the end that it would have had."""
    store = Store(path)
    for folder in store:
        assert slalom.resume(folder, progress=False).state.step.tolist() == [3]
    assert set(store.table()["status"]) == {"done"}
    with pytest.raises(BadRun):
        store.find("none")


@pytest.mark.slow
@pytest.mark.xdist_group("kills")
def test_processes_that_write_at_once_and_are_killed_damage_no_run(tmp_path: Path) -> None:
    runs, killed = disturbed(tmp_path, processes=3, seconds=3)
    assert runs > 3 and killed > 1
    check(tmp_path)


@pytest.mark.soak
def test_eight_processes_for_a_minute_with_one_killed_every_second_damage_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, killed = disturbed(tmp_path, processes=8, seconds=60)
    began = time.perf_counter()
    Store(tmp_path).table()
    took = time.perf_counter() - began
    check(tmp_path)
    with capsys.disabled():
        print(f"\n{runs:,} runs, {killed} processes killed, none damaged; listed in {took:.2f} s")
