"""Files of the kind in which MNIST and its relatives come (`train-images-idx3-ubyte.gz`).

An idx file is a header and numbers: two zero bytes, a byte for the kind of number, a byte for how
many sizes there are, the sizes as four bytes each with the largest first, and then the numbers.
Source: http://yann.lecun.com/exdb/mnist, "the IDX file format".
"""

import gzip
import zlib
from io import BufferedReader
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slalom.core.errors import BadFile
from slalom.data.dataset import Dataset

AT_ONCE = 2**20  # bytes
KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | Path) -> NDArray[Any]:
    """The numbers of an idx file, compressed by gzip or not, in the shape that its header says.

    Raises:
        BadFile: when it cannot be read, or does not hold what its header claims.

    Example:
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp(), "labels-idx1-ubyte")
        >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
        >>> read_idx(path).tolist()
        [7, 2, 1]
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if compressed else path.open("rb") as file:
            kind, sizes = _header(file.read(4), path), []
            for _ in range(kind[1]):
                sizes.append(int.from_bytes(_all(file.read(4), 4, path), "big"))
            length = prod(sizes) * kind[0].itemsize
            numbers = _read(file, length + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(f"{path} cannot be read: {error}. Fetch the file anew.") from error
    if len(numbers) != length:
        much = "more" if len(numbers) > length else f"only {len(numbers)}"
        raise BadFile(
            f"{path} says that it holds {' x '.join(map(str, sizes))} numbers, which are {length} "
            f"bytes, but it holds {much}. Fetch the file anew."
        )
    return np.frombuffer(numbers, dtype=kind[0]).reshape(sizes).astype(kind[0].newbyteorder("="))


def idx_images(images: str | Path, labels: str | Path) -> Dataset:
    """Images and their classes from two idx files: `[N, 1, height, width]` from 0 to 1.

    Args:
        images: of bytes, `[N, height, width]`.
        labels: the class of each, `[N]`.

    Raises:
        BadFile: when a file is not what it should be, or they do not belong together.
    """
    pixels, classes = read_idx(images), read_idx(labels)
    for path, values, sizes in ((images, pixels, 3), (labels, classes, 1)):
        if values.ndim != sizes or values.dtype != np.uint8:
            raise BadFile(
                f"{path} should hold bytes [{'N, height, width' if sizes > 1 else 'N'}], but holds "
                f"{values.dtype} {list(values.shape)}. Images come first, labels second."
            )
    if len(pixels) != len(classes):
        raise BadFile(
            f"{images} holds {len(pixels)} images, but {labels} {len(classes)} labels. Take two "
            f"files that belong together."
        )
    X = pixels[:, None].astype(np.float32) / np.float32(255)
    return Dataset(X, classes, task="classification")


def _read(file: BufferedReader | gzip.GzipFile, length: int) -> bytes:
    """So many bytes, or all that there are: a header may claim more than fits into any memory."""
    parts = []
    while length > 0 and (part := file.read(min(length, AT_ONCE))):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _header(start: bytes, path: Path) -> tuple[np.dtype[Any], int]:
    """The kind of number, and how many sizes there are."""
    zero, code, sizes = _all(start, 4, path)[:2], start[2], start[3]
    if zero != b"\0\0" or code not in KINDS or not 1 <= sizes <= 8:
        raise BadFile(
            f"{path} is no idx file: it should begin with two zero bytes, a kind of number and how "
            f"many sizes there are, but begins with {start.hex(' ')}."
        )
    return np.dtype(KINDS[code]), sizes


def _all(part: bytes, length: int, path: Path) -> bytes:
    if len(part) < length:
        raise BadFile(f"{path} is no idx file: it ends within its header. Fetch the file anew.")
    return part
