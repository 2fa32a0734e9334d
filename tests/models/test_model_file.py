"""The file that holds a predictor: safe, whole, and the same to the bit."""

import errno
import json
import os
import pickle
import resource
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

import slalom
from slalom import MLP, Classifier, Regressor
from slalom.core.errors import BadFile, BadPlan, SlalomError
from slalom.models import Predictor
from slalom.nets import Net
from tests.estimators.small import mixed_table
from tests.models.predictors import INPUTS, TABLE, Tied, classification, regression, same, tied
from tests.models.sealing import resealed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A model on disk."""
    path = tmp_path / "houses.slalom"
    regression().save(path)
    return path


def parts(path: Path) -> tuple[dict[str, Any], bytes]:
    """A safetensors file by its definition: eight bytes of length, JSON, and raw numbers."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def header_of(path: Path) -> dict[str, Any]:
    return json.loads(parts(path)[0]["__metadata__"]["slalom"])  # type: ignore[no-any-return]


def refused(path: Any) -> str:
    """The message, one paragraph, with which loading a file is refused."""
    with pytest.raises(BadFile) as caught:
        Predictor.load(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


# There and back


@pytest.mark.parametrize(
    "model",
    [
        regression(),
        classification(),
        classification((1, 2, 2**62)),
        classification((0.5, 1.5, 2.0)),
        classification((False, True)),
    ],
    ids=["regression", "words", "whole numbers", "floats", "truths"],
)
def test_a_model_comes_back_the_same_to_the_bit(model: Predictor, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    again = Predictor.load(tmp_path / "model")
    same(model, again)
    assert again.predict(TABLE).dtype == model.predict(TABLE).dtype
    for name in ("schema", "target", "loss", "nets", "weights", "noise", "about"):
        assert getattr(again, name) == getattr(model, name)
    assert not any(module.training for module in again.modules)


@pytest.mark.slow
def test_a_trained_ensemble_comes_back_the_same_to_the_bit(tmp_path: Path) -> None:
    frame, number, word = mixed_table(40)
    for estimator, y in ((Regressor(epochs=1), number), (Classifier(epochs=1), word)):
        model = estimator.fit(frame, y).predictor_
        model.save(str(tmp_path / "model"))
        same(model, Predictor.load(str(tmp_path / "model")), frame)


def test_a_second_save_writes_the_same_bytes(file: Path, tmp_path: Path) -> None:
    Predictor.load(file).save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == file.read_bytes()


def test_names_of_any_script_survive(tmp_path: Path) -> None:
    odd = ("größe", "大小", "😀", "\udc80", 'quote" \\ and\nline')
    model = classification(odd)
    model.save(tmp_path / "model")
    assert Predictor.load(tmp_path / "model").target == model.target


# What is in it


def test_the_file_holds_json_and_raw_numbers_and_not_a_byte_more(file: Path) -> None:
    entries, numbers = parts(file)
    metadata = entries.pop("__metadata__")
    assert set(metadata) == {"slalom"}
    assert {entry["dtype"] for entry in entries.values()} == {"F32"}
    sizes = [4 * int(np.prod(entry["shape"])) for entry in entries.values()]
    assert sum(sizes) == len(numbers)
    ends = sorted(tuple(entry["data_offsets"]) for entry in entries.values())
    assert [start for start, _ in ends] == [0, *(end for _, end in ends[:-1])]  # no gaps
    weights = torch.from_numpy(np.frombuffer(numbers, dtype=np.float32).copy())
    own = torch.cat([p.flatten() for m in regression().modules for p in m.parameters()])
    assert torch.equal(weights.sort().values, own.detach().sort().values)


def test_the_header_says_all_that_is_needed_to_predict(file: Path) -> None:
    header = header_of(file)
    assert header["format"] == "slalom-model-2"
    assert [c["name"] for c in header["schema"]["columns"]] == TABLE.columns.tolist()
    assert header["target"]["names"] == ["price"]
    assert header["loss"]["kind"] == "Huber"
    assert [net["widths"][-1] for net in header["nets"]] == [1, 1]
    assert (header["weights"], header["noise"]) == ([0.25, 0.75], [50.0])
    assert header["about"]["from"] == "a test"


def test_there_is_no_pickle_and_no_archive(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not zipfile.is_zipfile(file)
    with pytest.raises((pickle.UnpicklingError, ValueError, EOFError, KeyError)):
        pickle.loads(file.read_bytes())

    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("unpickled")

    for module, name in ((pickle, "load"), (pickle, "loads"), (torch, "load")):
        monkeypatch.setattr(module, name, forbidden)
    same(Predictor.load(file), regression())


# Modules of users


def test_a_module_of_the_user_comes_back_once_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, model = tmp_path / "model", tied()
    monkeypatch.setattr("slalom.core.spec._TRUSTED", {})  # as in another process
    model.save(path)
    message = refused(path)
    assert "'tests.models.predictors:Tied', which this process does not know" in message
    assert "slalom.trust" in message
    slalom.trust(Tied)
    again = Predictor.load(path)
    same(model, again)
    assert again.modules[0].norm.num_batches_tracked.dtype == torch.int64


@pytest.mark.parametrize("path", ["os:system", "builtins:eval", "subprocess:run", "tests:Tied"])
def test_a_header_cannot_name_a_function_of_its_choice(file: Path, path: str) -> None:
    header = header_of(file)
    header["nets"][0] = {
        "kind": "Net",
        "factory": {"import": path},
        "arguments": [["command", "touch /tmp/owned"]],
    }
    assert f"uses the function {path!r}" in refused(resealed(file, header))


def test_a_module_without_an_import_path_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "model"
    with pytest.raises(BadPlan, match="Define it with def, or as a class, at the top"):
        regression(Net(lambda: torch.nn.Linear(INPUTS, 1))).save(path)
    assert list(tmp_path.iterdir()) == []


# Files that are no models


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "none") == f"There is no model file {tmp_path / 'none'}."
    assert refused(tmp_path) == f"There is no model file {tmp_path}, that is a folder."


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"\x00" * 8,
        b"\xff" * 64,
        b"\x08" + b"\x00" * 7 + b"not json",
        b"size,colour\n1,red\n",
        pickle.dumps({"a": [1, 2]}),
        np.random.default_rng(0).bytes(5000),
    ],
    ids=["empty", "one byte", "zeros", "ones", "no json", "csv", "pickle", "random"],
)
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model"
    path.write_bytes(content)
    assert "is not a Slalom model file, or is damaged" in refused(path)


def test_a_checkpoint_of_torch_is_refused_and_not_opened(tmp_path: Path) -> None:
    torch.save(regression().modules[0].state_dict(), tmp_path / "model.pt")
    assert "is not a Slalom model" in refused(tmp_path / "model.pt")


def test_tensors_of_somebody_else_are_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(3)}, tmp_path / "model")
    assert "holds tensors, but no Slalom model file: its header" in refused(tmp_path / "model")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_that_was_cut_off_is_refused(file: Path, share: float) -> None:
    whole, short = file.read_bytes(), file.with_name("short")
    short.write_bytes(whole[: int(share * len(whole))])
    assert "is not a Slalom model file, or is damaged" in refused(short)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(data=st.data())
def test_a_file_with_a_wrong_byte_is_refused(file: Path, data: st.DataObject) -> None:
    whole, broken = bytearray(file.read_bytes()), file.with_name("broken")
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    broken.write_bytes(whole)
    assert "Slalom model" in refused(broken)


@pytest.mark.slow
def test_every_single_flipped_bit_is_noticed(file: Path) -> None:
    whole, broken = bytearray(file.read_bytes()), file.with_name("broken")
    for bit in range(0, 8 * len(whole), 13):  # all of them in turn, over the runs of eight
        whole[bit // 8] ^= 1 << bit % 8
        broken.write_bytes(whole)
        assert "Slalom model" in refused(broken)
        whole[bit // 8] ^= 1 << bit % 8


# Headers that do not fit


def test_a_format_of_another_version_is_named(file: Path) -> None:
    message = refused(resealed(file, header_of(file) | {"format": "slalom-model-9"}))
    assert "has the format 'slalom-model-9', but 'slalom-model-2' was expected" in message


@pytest.mark.parametrize("name", ["schema", "target", "loss", "nets", "weights", "noise", "about"])
def test_a_header_without_an_entry_is_refused(file: Path, name: str) -> None:
    header = header_of(file)
    del header[name]
    message = refused(resealed(file, header))
    assert f"The header of {file} is damaged" in message
    assert repr(name) in message


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"slalom"', "[" * 100_000])
def test_a_header_that_is_no_json_object_is_refused(file: Path, text: str) -> None:
    assert "is damaged" in refused(resealed(file, text))


def test_nets_of_other_shapes_are_refused(file: Path) -> None:
    for net in (MLP(INPUTS, 9, 1), MLP(INPUTS, 8, 8, 1), MLP(INPUTS + 1, 8, 1)):
        header = header_of(file)
        header["nets"][0] = net.to_json()
        assert "is damaged" in refused(resealed(file, header))


@pytest.mark.parametrize("weights", [[], [1.0], [0.2, 0.3, 0.5], "ab", [None, 1.0], ["a", "b"]])
def test_weights_are_one_number_a_net(file: Path, weights: Any) -> None:
    assert "is damaged" in refused(resealed(file, header_of(file) | {"weights": weights}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(data=st.data())
def test_whatever_a_header_says_loading_gives_a_model_or_one_paragraph(
    file: Path, data: st.DataObject
) -> None:
    """Follow the header down a random path and replace or remove what is there."""
    header = header_of(file)
    node: Any = header
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans()):
            node = node[key]
            continue
        if data.draw(st.booleans()):
            del node[key]
        else:
            node[key] = data.draw(JSON)
        break
    broken = resealed(file, header, to=file.with_name("broken"))
    try:
        assert isinstance(Predictor.load(broken), Predictor)
    except SlalomError as error:
        assert "\n" not in str(error)


# Writing


def test_a_model_replaces_the_file_that_was_there(file: Path) -> None:
    classification().save(file)
    assert Predictor.load(file).task == "classification"
    assert os.listdir(file.parent) == [file.name]


def test_the_file_that_was_there_survives_a_full_disk(file: Path) -> None:
    before = file.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(BadFile, match=r"could not be written to .*: File too large\. Choose"):
            classification().save(file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_bytes() == before
    assert os.listdir(file.parent) == [file.name]  # no half of a file stays behind


def test_the_file_that_was_there_survives_a_failed_replacement(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    before = file.read_bytes()
    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(BadFile, match=r"could not be written to .*: Permission denied"):
        classification().save(file)
    assert file.read_bytes() == before
    assert os.listdir(file.parent) == [file.name]


def test_a_place_that_cannot_be_written_to_is_named(file: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "none" / "model", file / "model", tmp_path / "folder"):
        with pytest.raises(BadFile, match="Choose a file name in a folder that exists") as caught:
            regression().save(place)
        assert str(place) in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == ["folder", file.name]
