"""A message can be read as wire.py says, by somebody who has read nothing else."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

from slalom.studio.wire import packed

ARRAYS = st.dictionaries(
    st.text("abcdefgh_", min_size=1, max_size=8),
    st.sampled_from(["uint8", "int32", "float32"]).flatmap(
        lambda kind: np_st.arrays(kind, np_st.array_shapes(min_dims=1, max_dims=3, min_side=0))
    ),
    max_size=4,
)


def unpacked(message: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    (length,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + length])
    arrays = {}
    for name, place in header.pop("arrays").items():
        size = int(np.prod(place["shape"]))
        at = 4 + length + place["at"]
        assert at % 8 == 0, "a browser lays a view over it"
        arrays[name] = np.frombuffer(message, place["type"], size, at).reshape(place["shape"])
    return header, arrays


@pytest.mark.slow
@given(ARRAYS)
def test_arrays_come_back_to_the_bit(arrays: dict[str, Any]) -> None:
    header, found = unpacked(packed({"step": 3, "text": "学习"}, arrays))
    assert header == {"step": 3, "text": "学习"}
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_numbers_that_json_does_not_have_become_null() -> None:
    header, _ = unpacked(packed({"loss": float("nan"), "all": [1.0, float("inf")]}, {}))
    assert header == {"loss": None, "all": [1.0, None]}
