"""A run that was killed, however often, ends with the bits of one that never was."""

import random
import signal
from pathlib import Path

import pytest

from slalom import resume
from slalom.core.errors import BadRun
from slalom.runs import Store
from slalom.runs.resume import open_run
from tests.runs.stored import ENGINES, assert_same, kill_once, long_plan, undisturbed

by_engine = pytest.mark.parametrize("engine", ENGINES)


def killed_until_done(folder: Path, engine: str, kills: int, least: int = 3) -> tuple[int, int]:
    """Kill runs at random moments, each three times at most, until there are so many kills, and
    so many in training (on a busy machine most come before it); how many of each."""
    truth, draw = undisturbed(engine), random.Random(engine)
    store, done, in_training = Store(folder), 0, 0
    for number in range(10_000):
        if done >= kills and in_training >= least:
            break
        name = f"run-{number}"
        for _ in range(3):
            code = kill_once(folder, name, engine, draw)
            done += code == -signal.SIGKILL
            if code == 0:
                break
            in_training += bool((folder / name).is_dir() and store.find(name).checkpoints())
        if (folder / name).is_dir():
            assert_same(resume(name, store=store, progress=False), truth)
            assert store.find(name).status["status"] == "done"
            store.remove(name)
    return done, in_training


@pytest.mark.slow
@pytest.mark.xdist_group("kills")
@pytest.mark.parametrize(
    ("engine", "kills", "least"), [("native", 10, 3), ("reference", 5, 2), ("batched", 3, 1)]
)
def test_kills_at_random_moments_change_no_bit(
    engine: str, kills: int, least: int, tmp_path: Path
) -> None:
    done, in_training = killed_until_done(tmp_path, engine, kills, least)
    assert done >= kills and in_training >= least


@pytest.mark.soak
@by_engine
def test_many_kills_at_random_moments_change_no_bit(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done, in_training = killed_until_done(tmp_path, engine, 150)
    with capsys.disabled():
        print(f"\n{engine}: {done} kills, {in_training} of them with a checkpoint; all the same")


@by_engine
def test_a_run_killed_before_anything_was_kept_begins_again(engine: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.new(*long_plan(engine), "young", {"engine": engine})
    with pytest.raises(BadRun, match=r"members of the run young\. It is at its start"):
        open_run("young", store)
    assert_same(resume("young", store=store, progress=False), undisturbed(engine))
