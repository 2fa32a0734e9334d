"""Files that are whole or not there."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from slalom.core.errors import BadFile

UNFINISHED = ".slalom-"  # begins the names of folders that hold what is not whole yet


def write_whole(path: str | Path, *parts: bytes | memoryview) -> None:
    """Write a file; an existing one is replaced only once the new one is whole and on the disk.

    Args:
        path: of the file.
        *parts: what it holds, one after another.

    Raises:
        BadFile: when the folder is missing or cannot be written to.

    Example:
        >>> write_whole("houses.html", b"<!doctype html>")  # doctest: +SKIP
    """
    path = Path(path)
    try:
        # Beside the target, for only within one disk is replacing a file all or nothing.
        with TemporaryDirectory(prefix=UNFINISHED, dir=path.parent) as folder:
            whole = Path(folder, "whole")
            with open(whole, "xb") as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
            os.replace(whole, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise BadFile(
            f"The file could not be written to {path}: {error.strerror or error}. "
            f"Choose a file name in a folder that exists and that you may write to."
        ) from error


def _sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk: else a new file may be gone after a power cut."""
    if os.name == "nt":  # where a folder cannot be opened, and need not be
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
