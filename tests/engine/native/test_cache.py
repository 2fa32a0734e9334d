"""Where the compiled program is kept, and what becomes of it when that place is bad.

What holds for any program is tried with a small one, which compiles in no time; to make a program
of the same function again is what another process would do.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from slalom.engine.native.compile import program


def add(a: int, b: int) -> int:
    return a + b


def taken(cache: Path) -> bool:
    """Whether a program that is new here, and works, came from the cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLALOM_CACHE_DIR", str(cache))
        small: Any = program(add)
        assert small(1, 2) == 3
    hits = sum(small.stats.cache_hits.values())
    assert hits + sum(small.stats.cache_misses.values()) == 1
    return bool(hits)


RUN_ENGINE = """
import json
import slalom
from slalom.engine.native.training import work
run = slalom.train(slalom.MLP(1, 10, 1), slalom.toys.quadratic(100), steps=50, engine="native")
print(json.dumps([run.history["train_loss"].iloc[-1], sum(work.stats.cache_hits.values())]))
"""


def trained(cache: Path) -> tuple[float, int]:
    """The last loss in a new process, and how many programs it took from the cache."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN_ENGINE],
        env=os.environ | {"SLALOM_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    value, hits = json.loads(run.stdout)
    return value, hits


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_a_second_process_takes_the_program_from_a_folder_that_the_first_one_made(
    tmp_path: Path,
) -> None:
    cache = tmp_path / "new" / "folder"
    first, hits = trained(cache)
    assert hits == 0
    stored = files(cache)
    assert {Path(name).suffix for name in stored} == {".nbi", ".nbc"}
    assert trained(cache) == (first, 1)
    assert files(cache) == stored


def test_a_program_is_compiled_once(tmp_path: Path) -> None:
    cache = tmp_path / "new" / "folder"
    assert not taken(cache)
    assert taken(cache)
    assert not taken(tmp_path / "other")


@pytest.mark.parametrize("damage", [b"", b"nonsense", None], ids=["empty", "nonsense", "cut"])
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_a_damaged_file_is_compiled_anew_and_put_right(
    tmp_path: Path, suffix: str, damage: bytes | None
) -> None:
    taken(tmp_path)
    (file,) = tmp_path.glob(f"*{suffix}")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert not taken(tmp_path)
    assert taken(tmp_path)


def test_a_lost_program_is_compiled_anew_and_put_back(tmp_path: Path) -> None:
    taken(tmp_path)
    (file,) = tmp_path.glob("*.nbc")
    file.unlink()
    assert not taken(tmp_path)
    assert taken(tmp_path)


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for cache in (file, file / "below", Path("/dev/null/cache")):
        assert not taken(cache)
        assert not taken(cache)


def test_a_folder_that_cannot_be_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    taken(cache)
    stored = files(cache)

    def refused(*_: Any, **__: Any) -> Any:  # a mode would not stop the superuser
        raise PermissionError("read-only")

    with monkeypatch.context() as patch:
        patch.setattr("tempfile.TemporaryFile", refused)
        patch.setattr("numba.core.caching.IndexDataCacheFile._open_for_write", refused)
        assert taken(cache)
        assert not taken(tmp_path / "empty")
    assert files(cache) == stored


def test_other_sources_make_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken(tmp_path)
    folder = "slalom.engine.native.cache._Folder"
    monkeypatch.setattr(f"{folder}.get_source_stamp", lambda self: "0123456789")
    assert not taken(tmp_path)
    assert taken(tmp_path)
