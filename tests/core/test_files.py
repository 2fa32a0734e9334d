"""Files are whole or not there."""

import os
from pathlib import Path
from typing import Any

import pytest

from slalom.core.errors import BadFile
from slalom.core.files import write_whole


def test_a_file_replaces_the_one_that_was_there_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    for data in (b"first", b"second"):
        write_whole(str(path), data)
        assert path.read_bytes() == data
    assert os.listdir(tmp_path) == ["a.html"]


def test_others_may_read_it_as_any_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "ours", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(b"before")

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises((BadFile, KeyboardInterrupt)) as caught:
        write_whole(path, b"after")
    assert isinstance(error, KeyboardInterrupt) or "No space left on device" in str(caught.value)
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["a.html"]


def test_a_place_that_cannot_hold_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "none" / "a", tmp_path / "folder"):
        with pytest.raises(BadFile, match=r"could not be written to .*: .* Choose a file name in"):
            write_whole(path, b"")
    assert os.listdir(tmp_path) == ["folder"]
