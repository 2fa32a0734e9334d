"""A model file whose header was damaged or edited is refused in a paragraph, or predicts."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from slalom.core.errors import BadData, BadFile
from slalom.losses import MSE, CrossEntropy
from slalom.models import Predictor
from slalom.nets import MLP
from tests.models.predictors import INPUTS, TABLE, classification, regression, same
from tests.models.sealing import resealed, sealed_file

Header = dict[str, Any]


def header_of(model: Predictor, path: Path) -> Header:
    model.save(path)
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["slalom"])  # type: ignore[no-any-return]


def loaded(path: Path, header: Header) -> Predictor:
    """The model that the tensors in the file and this header make."""
    return Predictor.load(resealed(path, header, to=path.with_name("changed")))


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a JSON value, with each of its keys."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], dict | list):
            yield from places(node[key])


STRANGE = [None, True, -1, 0, 3, 10**30, 0.5, float("nan"), 1e308, "", "x", "%", [], [1], {}]
STRANGE += [{"float": "inf"}, {"kind": "MSE"}, {"kind": "SGD"}, {"import": "os:system"}, ["a", {}]]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::slalom.core.errors.SlalomWarning")
@pytest.mark.parametrize("make", [regression, classification])
def test_a_header_changed_at_random_is_refused_or_predicts(
    make: Callable[[], Predictor], tmp_path: Path
) -> None:
    path, draw = tmp_path / "model", random.Random(0)
    whole = header_of(make(), path)
    refused = 0
    for _ in range(250):
        header = copy.deepcopy(whole)
        for _ in range(draw.choice([1, 1, 2])):
            node, key = draw.choice(list(places(header)))
            other, name = draw.choice(list(places(header)))
            kind = draw.choice(["replace", "replace", "remove", "copy", "add"])
            if kind == "replace":
                node[key] = draw.choice(STRANGE)
            elif kind == "copy":
                node[key] = copy.deepcopy(other[name])
            elif kind == "remove":
                del node[key]
            elif isinstance(node, list):
                node.insert(key, draw.choice(STRANGE))
            else:
                node["more"] = draw.choice(STRANGE)
        try:
            predicted = loaded(path, header).predict(TABLE)
        except (BadFile, BadData) as error:
            refused += 1
            assert "\n" not in str(error)
        else:
            assert len(predicted) == len(TABLE)
    assert 100 < refused < 250


def change(header: Header, *keys: Any, to: Any) -> None:
    for key in keys[:-1]:
        header = header[key]
    header[keys[-1]] = to


EDITS: dict[str, tuple[Callable[[Header], Any], str]] = {
    "weights": (lambda h: change(h, "weights", to=[1.0]), "must be equally many"),
    "text for weights": (lambda h: change(h, "weights", to=["0.5", "0.5"]), "each entry a number"),
    "NaN weights": (lambda h: change(h, "weights", to=[float("nan"), 1.0]), "each entry a number"),
    "heavy weights": (lambda h: change(h, "weights", to=[1.0, 1.0]), "and sum to 1"),
    "negative weights": (lambda h: change(h, "weights", to=[-1.0, 2.0]), "must be 0 or more"),
    "noise": (lambda h: change(h, "noise", to=[1.0, 2.0]), "noise must be 1 numbers >= 0"),
    "about": (lambda h: change(h, "about", to=3), "about must be a dict"),
    "scale": (lambda h: change(h, "target", "scale", to=3), "scale must be a tuple, each entry a"),
    "two scales": (lambda h: change(h, "target", "scale", to=[1, 2]), "scale must be one a target"),
    "loss": (lambda h: change(h, "loss", to=CrossEntropy().to_json()), "does not fit a regression"),
    "no loss": (lambda h: change(h, "loss", to={"kind": "Loss"}), "No such kind: 'Loss'"),
    "column": (
        lambda h: change(h, "schema", "columns", 0, to=MSE().to_json()),
        "Schema: columns must",
    ),
    "fewer columns": (lambda h: h["schema"]["columns"].pop(0), "features of the schema"),
    "fewer nets": (lambda h: h["nets"].pop(), "is damaged"),
    "another net": (
        lambda h: change(h, "nets", 0, to=MLP(INPUTS, 9, 1).to_json()),
        "its weights are not those of",
    ),
    "a huge net": (
        lambda h: change(h, "nets", 0, to=MLP(INPUTS, 10**7, 10**7, 1).to_json()),
        "its weights are not those of",
    ),
    "an impossible net": (
        lambda h: change(h, "nets", 0, to=MLP(10**30, 1).to_json()),
        "cannot be built",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_header_is_refused_with_the_reason(edit: str, tmp_path: Path) -> None:
    header = header_of(regression(), tmp_path / "model")
    function, message = EDITS[edit]
    function(header)
    with pytest.raises(BadFile) as refused:
        loaded(tmp_path / "model", header)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    header = header_of(regression(), path := tmp_path / "model")
    tensors = load_file(path)
    tensors["1.0.bias"][0] = torch.nan
    sealed_file(path, tensors, header)
    with pytest.raises(BadFile, match="net 1 must predict finite numbers"):
        Predictor.load(path)


def test_an_untouched_header_gives_the_same_model(tmp_path: Path) -> None:
    header = header_of(regression(), path := tmp_path / "model")
    same(loaded(path, header), regression())
    assert np.isfinite(loaded(path, header).predict(TABLE)).all()
