"""Files damaged by chance or made to harm: refused in a paragraph, soon, and never run."""

import json
import random
import struct
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from slalom.core.errors import BadFile, SlalomError
from slalom.models import Predictor
from slalom.runs.checkpoint import read_checkpoint, write_checkpoint
from slalom.runs.dataset_file import read_dataset, write_dataset
from slalom.training import Training
from tests.models.predictors import classification, regression
from tests.models.sealing import ZEROS, seal_bytes
from tests.runs.stored import ENGINES, long_plan

Load = Callable[[Path], Any]
FORBIDDEN = ("exec", "compile", "socket.connect", "subprocess.Popen", "os.system", "os.exec")
WATCHED: list[str] = []
_watching = False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event in FORBIDDEN:
        WATCHED.append(f"{event} {arguments}")


sys.addaudithook(_watch)


@contextmanager
def watched() -> Iterator[None]:
    """Nothing is run, imported or connected to inside."""
    global _watching
    known = set(sys.modules)
    WATCHED.clear()
    _watching = True
    try:
        yield
    finally:
        _watching = False
    assert not WATCHED
    assert set(sys.modules) == known


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Load]]:
    """A file of each kind, and what reads it."""
    folder = tmp_path_factory.mktemp("whole")
    plan, data = long_plan("reference")
    training = Training(plan, data, ENGINES["reference"]())
    training.advance(steps=2)
    regression().save(folder / "regression")
    classification().save(folder / "classification")
    write_checkpoint(folder / "checkpoint", training.snapshot())
    write_dataset(folder / "dataset", data)
    return {
        "regression": (folder / "regression", Predictor.load),
        "classification": (folder / "classification", Predictor.load),
        "checkpoint": (
            folder / "checkpoint",
            lambda path: read_checkpoint(path, plan, data).state(),
        ),
        "dataset": (folder / "dataset", read_dataset),
    }


def mutated(whole: bytes, draw: random.Random) -> bytes:
    """A file that is not as it was written."""
    data, kind = bytearray(whole), draw.randrange(6)
    (length,) = struct.unpack("<Q", whole[:8])
    if kind == 0:
        return bytes(data[: draw.randrange(len(data))])
    if kind == 1:
        for _ in range(draw.choice([1, 1, 2, 8, 64])):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        return bytes(data)
    if kind == 2:  # a header of noise
        data[8 : 8 + length] = draw.randbytes(length)
        return bytes(data)
    if kind == 3:  # sizes that are not there
        data[:8] = struct.pack("<Q", draw.choice([0, 1, 2**20, 2**40, 2**63, 2**64 - 1]))
        return bytes(data)
    if kind == 4:
        return bytes(data) + draw.randbytes(draw.randrange(1, 99))
    start = draw.randrange(len(data))
    return bytes(data[:start]) + draw.randbytes(draw.randrange(1, 99)) + bytes(data[start:])


def with_right_digest(whole: bytes, draw: random.Random) -> bytes:
    """A file whose digest is right, and whose header is not what anybody would write."""
    (length,) = struct.unpack("<Q", whole[:8])
    entries, numbers = json.loads(whole[8 : 8 + length]), whole[8 + length :]
    own = json.loads(entries["__metadata__"]["slalom"])
    nodes = list(_nodes(own)) if draw.random() < 0.5 else list(_nodes(entries))
    node, key = draw.choice(nodes)
    deep: Any = 0
    for _ in range(draw.choice([3, 2000])):
        deep = [deep]
    strange = [None, -1, 2**63, 1e308, "", "F64", [], {}, deep, [0, 2**60], {"kind": "MLP"}]
    node[key] = draw.choice(strange)
    if "__metadata__" not in entries or not isinstance(entries["__metadata__"], dict):
        return whole[:-1]
    own = {"sha256": ZEROS} | {k: v for k, v in own.items() if k != "sha256"}
    try:
        entries["__metadata__"]["slalom"] = json.dumps(own)
        text = json.dumps(entries, separators=(",", ":")).encode()
    except RecursionError:
        text = b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"
    return seal_bytes(struct.pack("<Q", len(text)) + text + numbers)


def _nodes(node: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], dict | list):
            yield from _nodes(node[key])


def refused_soon(load: Load, path: Path) -> bool:
    """Whether a file is refused; in a paragraph, within a second."""
    began = time.perf_counter()
    try:
        load(path)
        refused = False
    except SlalomError as error:
        assert "\n" not in str(error)
        refused = True
    assert time.perf_counter() - began < 1.0
    return refused


def check(files: dict[str, tuple[Path, Load]], times: int, folder: Path) -> int:
    draw, damaged, refused = random.Random(0), folder / "damaged", 0
    for path, load in files.values():
        whole = path.read_bytes()
        load(path)
        with watched(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for turn in range(times):
                data = (with_right_digest if turn % 4 == 0 else mutated)(whole, draw)
                damaged.write_bytes(data)
                said = refused_soon(load, damaged)
                assert said or turn % 4 == 0 or data == whole
                refused += said
    return refused


def test_damaged_files_are_refused_in_a_paragraph(
    files: dict[str, tuple[Path, Load]], tmp_path: Path
) -> None:
    assert check(files, 60, tmp_path) > 180


@pytest.mark.soak
def test_a_hundred_thousand_damaged_files_are_refused_in_a_paragraph(
    files: dict[str, tuple[Path, Load]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = check(files, 25_000, tmp_path)
    with capsys.disabled():
        print(f"\n100,000 damaged files, {refused:,} refused, the others harmless")


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["regression", "checkpoint"])
def test_ten_thousand_flipped_bits_are_noticed(
    kind: str, files: dict[str, tuple[Path, Load]], tmp_path: Path
) -> None:
    path, load = files[kind]
    whole, draw = bytearray(path.read_bytes()), random.Random(1)
    for _ in range(10_000):
        bit = draw.randrange(8 * len(whole))
        whole[bit // 8] ^= 1 << bit % 8
        (tmp_path / "flipped").write_bytes(whole)
        with pytest.raises(BadFile):
            load(tmp_path / "flipped")
        whole[bit // 8] ^= 1 << bit % 8


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory as Linux tells it")
def test_a_file_takes_no_more_memory_than_twice_its_size(
    files: dict[str, tuple[Path, Load]], tmp_path: Path
) -> None:
    path, _ = files["regression"]
    data = bytearray(path.read_bytes())
    size = 200_000_000
    data += bytes(size)  # more than its header tells of
    (tmp_path / "large").write_bytes(data)
    code = (
        "import resource, sys\n"
        "from slalom.models import Predictor\n"
        "from slalom.core.errors import BadFile\n"
        "Predictor.load(sys.argv[1])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    Predictor.load(sys.argv[2])\n"
        "except BadFile:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path, tmp_path / "large"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) * 1024 < 2 * size
