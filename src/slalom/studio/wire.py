"""What goes over the socket: a header of JSON, and arrays behind it as they lie in memory."""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slalom.core.finite import finite

ALIGNED = 8  # bytes: where a browser may lay a view over the numbers without copying them


def packed(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """A message; `static/live.js` reads it.

    Args:
        header: what JSON can say; numbers that are not finite become null.
        arrays: of uint8, int32 or float32, by name.

    The bytes are: the length of the JSON as a little-endian uint32; the JSON, which holds under
    `arrays` the type, the shape and the place of each; the arrays, counted from the end of the
    JSON, which is filled up to a multiple of 8.

    >>> packed({"step": 5}, {"loss": np.zeros(2, np.float32)})[4:16]
    b'{"step": 5, '
    """
    places, parts, at = {}, list[bytes](), 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array).tobytes()
        places[name] = {"type": array.dtype.name, "shape": array.shape, "at": at}
        parts.append(data + bytes(-len(data) % ALIGNED))
        at += len(parts[-1])
    text = json.dumps(finite({**header, "arrays": places}), allow_nan=False).encode()
    text += b" " * (-(len(text) + 4) % ALIGNED)
    return struct.pack("<I", len(text)) + text + b"".join(parts)
