"""What an earlier version wrote, this one reads: a file of each format, made when it was new.

`python -m tests.models.test_golden_models` makes the file of the format that is written now.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from slalom.core.errors import BadFile
from slalom.models import Predictor
from slalom.models.model_file import FORMAT
from tests.models.predictors import TABLE, regression
from tests.models.sealing import resealed

GOLDEN = Path(__file__).parent / "golden"
FORMATS = ("slalom-model-1", "slalom-model-2")


def test_there_is_a_file_of_the_format_that_is_written() -> None:
    assert FORMATS[-1] == FORMAT


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_each_format_predicts_what_it_did(name: str) -> None:
    model = Predictor.load(GOLDEN / f"{name}.slalom")
    known = json.loads((GOLDEN / f"{name}.json").read_text())
    np.testing.assert_allclose(model.predict(TABLE), known["predict"], rtol=1e-6)
    np.testing.assert_allclose(model.predict_std(TABLE), known["predict_std"], rtol=1e-6)
    assert model.about == known["about"]


def test_a_file_without_a_digest_is_read_only_if_it_is_of_the_format_that_had_none(
    tmp_path: Path,
) -> None:
    first, second = (GOLDEN / f"{name}.slalom" for name in FORMATS)
    with pytest.raises(BadFile, match="it has no SHA-256 of its contents"):
        Predictor.load(resealed(second, json.dumps({"format": FORMAT}), to=tmp_path / "a"))
    assert b"sha256" not in first.read_bytes()


def main() -> None:
    model = regression()
    model.save(GOLDEN / f"{FORMAT}.slalom")
    known = {
        "predict": model.predict(TABLE).tolist(),
        "predict_std": model.predict_std(TABLE).tolist(),
        "about": model.about,
    }
    (GOLDEN / f"{FORMAT}.json").write_text(json.dumps(known))


if __name__ == "__main__":
    main()
