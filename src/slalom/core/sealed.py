"""Sealed files: safetensors whose header holds JSON, and a digest of every byte of the file.

Reading one runs no code: tensors are raw numbers, and the rest is JSON. Not a byte of it is
understood before the digest has been found right, so no damaged file is taken for another one.

The digest stands in the file that it tells of: it is that of the file with 64 zeros in its place.
"""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from safetensors import SafetensorError

from slalom.core.errors import BadFile
from slalom.core.files import write_whole

T = TypeVar("T")
Header: TypeAlias = dict[str, Any]
Part: TypeAlias = bytes | memoryview
# From metadata to a safetensors file in parts that follow each other, its header in the first.
Save: TypeAlias = Callable[[dict[str, str]], list[Part]]

_EMPTY = "0" * 64
# The JSON of ours begins with it. Quotation marks in any string of a file's header are escaped, so
# this text stands in one place alone.
_DIGEST = re.compile(rb'"slalom":"\{\\"sha256\\": \\"([0-9a-f]{64})\\"')


def write_sealed(path: str | Path, header: Header, save: Save) -> None:
    """Write a sealed file. An existing file is replaced only once the new one is whole.

    Args:
        path: of the file.
        header, save: see `seal`.

    Raises:
        BadFile: when the folder is missing or cannot be written to.
    """
    write_whole(path, *seal(header, save))


def read_sealed(
    path: str | Path,
    what: str,
    formats: tuple[str, ...],
    load: Callable[[bytes], T],
    unsealed: str = "",
    data: bytes | None = None,
) -> tuple[Header, T]:
    """What `write_sealed` wrote: the header, and what `load` makes of the bytes.

    Args:
        path: of the file.
        what: is expected there, such as "model file".
        formats: that can be read; `format` of the header is one of them.
        load: gives the tensors of a safetensors file.
        unsealed: see `opened`.
        data: the bytes of the file, if they have been read already.

    Raises:
        BadFile: when there is no such file, it is damaged, or has another format.
    """
    data = read_bytes(path, what) if data is None else data
    header = opened(data, path, f"Slalom {what}", unsealed)
    if header.get("format") not in (*formats, unsealed):
        raise BadFile(
            f"The {what} {path} has the format {header.get('format')!r}, but "
            f"{' or '.join(map(repr, formats))} was expected. Install the version that wrote it, "
            f"or make it anew."
        )
    try:
        return header, load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise BadFile(f"{path} is not a Slalom {what}, or is damaged ({error}).") from error


def seal(header: Header, save: Save) -> tuple[Part, ...]:
    """The bytes of a sealed file, in parts that follow each other.

    Args:
        header: what the file says besides its tensors; JSON-ready.
        save: gives a safetensors file with such metadata.

    Example:
        >>> from safetensors.numpy import save
        >>> parts = seal({"step": 3}, lambda metadata: [save({}, metadata)])
        >>> opened(b"".join(parts), "steps", "record of steps")
        {'step': 3}
    """
    first, *others = save({"slalom": json.dumps({"sha256": _EMPTY} | header)})
    found = _place_of_digest(bytes(first))
    assert found is not None  # it was put there
    start, end = found.span(1)
    digest = hashlib.sha256(first)
    for part in others:
        digest.update(part)
    whole = memoryview(first)
    return whole[:start], digest.hexdigest().encode(), whole[end:], *others


def opened(data: bytes, name: str | Path, kind: str, unsealed: str = "") -> Header:
    """The header of a sealed file, if the digest is right.

    Args:
        data: the file.
        name: what it is called in messages.
        kind: what is expected, such as "Slalom model".
        unsealed: the `format` that may come without a digest, for files of before there was one.

    Raises:
        BadFile: when this is no sealed file, or a byte is not as it was written.
    """
    no = f"{name} is not a {kind}, or is damaged"
    found = _place_of_digest(data)
    if found is not None and _digest(data, found) != found[1].decode():
        raise BadFile(f"{no}: its contents do not have the SHA-256 that was written with them.")
    try:
        header = _header(data)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadFile(f"{no} ({str(error).partition(chr(10))[0][:200]}).") from error
    if header is None:
        raise BadFile(
            f"{name} holds tensors, but no {kind}: its header has no entry 'slalom' with one."
        )
    if found is None and not (unsealed and header.get("format") == unsealed):
        raise BadFile(f"{no}: it has no SHA-256 of its contents.")
    return {name: value for name, value in header.items() if name != "sha256"}


def read_bytes(path: str | Path, what: str) -> bytes:
    """The bytes of a file.

    Args:
        path: of the file.
        what: is expected there, such as "model file".

    Raises:
        BadFile: when there is no such file, or it cannot be read.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise BadFile(
                f"There is no {what} {path}" + (", that is a folder." if path.is_dir() else ".")
            )
        return path.read_bytes()
    except BadFile:
        raise
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, "strerror", None) or error
        raise BadFile(f"The {what} {path} cannot be read: {reason}.") from error


def _place_of_digest(data: bytes) -> "re.Match[bytes] | None":
    return _DIGEST.search(data, 8, 8 + _header_length(data))


def _digest(data: bytes, place: "re.Match[bytes]") -> str:
    start, end = place.span(1)
    view, found = memoryview(data), hashlib.sha256()
    for part in (view[:start], _EMPTY.encode(), view[end:]):
        found.update(part)
    return found.hexdigest()


def _header(data: bytes) -> Header | None:
    text = data[8 : 8 + _header_length(data)].decode()  # or json looks for other encodings
    metadata = json.loads(text).get("__metadata__") or {}
    if "slalom" not in metadata:
        return None
    header = json.loads(metadata["slalom"])
    if not isinstance(header, dict):
        raise ValueError("its header is no JSON object")
    return header


def _header_length(data: bytes) -> int:
    """Of the JSON with which a safetensors file begins, after eight bytes that say it."""
    return min(int.from_bytes(data[:8], "little"), max(0, len(data) - 8))
