"""Images from idx files, sequences of different lengths, and the digits."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.datasets import load_digits

import slalom
from slalom import toys
from slalom.core.errors import BadData, BadFile, SlalomError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(values: np.ndarray) -> bytes:
    """The bytes of an idx file, written as its description says."""
    code = CODES[values.dtype.str[1:]]
    header = struct.pack(f">HBB{values.ndim}I", 0, code, values.ndim, *values.shape)
    return header + values.astype(values.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Images and labels as MNIST has them."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, size=(20, 6, 5)).astype(np.uint8)
    labels = generator.integers(0, 3, size=20).astype(np.uint8)
    paths = tmp_path / "train-images-idx3-ubyte.gz", tmp_path / "train-labels-idx1-ubyte.gz"
    for path, values in zip(paths, (images, labels), strict=True):
        path.write_bytes(gzip.compress(idx(values)))
    return paths


@settings(deadline=None)
@given(
    st.sampled_from(list(CODES)).flatmap(
        lambda code: arrays.arrays(np.dtype(code), arrays.array_shapes(max_dims=4, max_side=4))
    ),
    st.booleans(),
)
def test_any_array_comes_back_from_an_idx_file(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray, compressed: bool
) -> None:
    path = tmp_path_factory.mktemp("idx") / "some"
    path.write_bytes(gzip.compress(idx(values)) if compressed else idx(values))
    found = slalom.read_idx(path)
    np.testing.assert_array_equal(found, values, strict=True)


def test_images_are_numbers_from_0_to_1_in_one_channel(files: tuple[Path, Path]) -> None:
    data = slalom.idx_images(*files)
    pixels = slalom.read_idx(files[0])
    assert data.X.shape == (20, 1, 6, 5)
    np.testing.assert_allclose(data.X[:, 0], pixels / 255, rtol=1e-6)
    np.testing.assert_array_equal(data.y, slalom.read_idx(files[1]))
    assert data.classes == (0, 1, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "ends within its header"),
        (b"\0\0\x08", "ends within its header"),
        (b"\0\0\x08\2\0\0\0\1", "ends within its header"),
        (b"name,age\nAda,36\n", "is no idx file: it should begin with two zero bytes"),
        (b"\0\0\x07\1\0\0\0\1\0", "is no idx file"),
        (b"\0\0\x08\0", "is no idx file"),
        (
            b"\0\0\x08\1\0\0\0\5\1\2\3",
            "says that it holds 5 numbers, which are 5 bytes, but it holds o",
        ),
        (b"\0\0\x08\1\0\0\0\1\1\2\3", "which are 1 bytes, but it holds more"),
        (gzip.compress(b"\0\0\x08\1\0\0\0\5\1\2\3\4\5", mtime=0)[:-6], "cannot be read"),
        (b"\x1f\x8b nothing that gzip wrote", "cannot be read"),
    ],
)
def test_a_file_that_is_not_what_it_claims_is_refused(
    content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "labels"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=message) as refused:
        slalom.read_idx(path)
    assert "\n" not in str(refused.value)


def test_a_header_that_claims_more_than_any_machine_has_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    path.write_bytes(b"\0\0\x0e\4" + b"\xff" * 16 + b"\1\2\3")
    with pytest.raises(BadFile, match="but it holds only 3"):
        slalom.read_idx(path)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    content = bytearray(gzip.compress(idx(np.arange(60, dtype=np.uint8).reshape(5, 12))))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("idx") / "damaged"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        slalom.read_idx(path)
    except SlalomError as error:
        assert "\n" not in str(error)


def test_files_that_do_not_belong_together_are_refused(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    images, labels = files
    with pytest.raises(BadFile, match="Images come first, labels second"):
        slalom.idx_images(labels, images)
    few = tmp_path / "few"
    few.write_bytes(idx(np.zeros(3, dtype=np.uint8)))
    with pytest.raises(BadFile, match=r"holds 20 images, but .* 3 labels"):
        slalom.idx_images(images, few)
    with pytest.raises(BadFile, match="cannot be read"):
        slalom.idx_images(tmp_path / "nowhere", labels)


def test_the_digits_are_those_of_scikit_learn() -> None:
    bunch = load_digits()
    data = toys.digits()
    np.testing.assert_array_equal(data.X[:, 0] * 16, bunch.images)
    np.testing.assert_array_equal(data.y, bunch.target)


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=8),
    st.integers(1, 3),
    st.integers(0, 2**32 - 1),
)
def test_sequences_are_filled_up_and_the_last_feature_says_what_is_there(
    lengths: list[int], features: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    each = [generator.normal(size=(n, features)).astype(np.float32) for n in lengths]
    data = slalom.sequences(each, np.arange(len(each)), task="regression")
    assert data.X.shape == (len(each), max(lengths), features + 1)
    for k, one in enumerate(each):
        np.testing.assert_array_equal(data.X[k, : len(one), :-1], one)
        np.testing.assert_array_equal(data.X[k, :, -1], np.arange(max(lengths)) < len(one))
        assert not data.X[k, len(one) :].any()


@pytest.mark.parametrize(
    ("each", "message"),
    [
        ([], "at least one sequence"),
        ([[1.0], []], r"Sequence 1 must be \[moments, features\] with one moment or more"),
        (
            [np.zeros((2, 2)), np.zeros((2, 3))],
            "Sequence 1 has 3 features a moment, but sequence 0",
        ),
        ([["a", "b"]], "Sequence 0 must hold numbers"),
        ([np.zeros((2, 2, 2))], r"its shape is \(2, 2, 2\)"),
        ([[1.0, float("nan")]], "X must hold finite numbers"),
    ],
)
def test_what_is_no_sequence_is_refused(each: Any, message: str) -> None:
    with pytest.raises(BadData, match=message):
        slalom.sequences(each, np.zeros(len(each)), task="regression")
