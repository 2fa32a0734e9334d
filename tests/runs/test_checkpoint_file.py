"""Arrays are written without safetensors' own `save`, and safetensors reads what was written."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes
from safetensors.numpy import load_file

from slalom.runs.checkpoint import write_arrays

KINDS = scalar_dtypes().filter(lambda d: d.kind in "fiub" and d.itemsize <= 8 and d.isnative)
SHAPES = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
NAMES = st.text(min_size=1, max_size=8).filter(lambda name: name != "__metadata__")


@pytest.mark.slow
@given(st.dictionaries(NAMES, st.one_of(KINDS.flatmap(lambda d: arrays(d, SHAPES))), max_size=5))
def test_safetensors_reads_any_arrays_as_they_were(given_arrays: dict[str, np.ndarray]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "arrays.safetensors")
        write_arrays(path, {"format": "any", "text": 'a "quoted" \\ é'}, given_arrays)
        found = load_file(path)
    assert found.keys() == given_arrays.keys()
    for name, values in given_arrays.items():
        assert found[name].dtype == values.dtype and found[name].shape == values.shape
        assert found[name].tobytes() == values.tobytes()
