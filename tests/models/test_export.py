"""A model that left predicts what it predicted here: as a program, a graph and a script."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import slalom
from slalom.core.errors import BadData, BadPlan, MissingExtra
from slalom.models import Predictor
from slalom.models.export.formats import _run_onnx, export, largest_difference
from slalom.models.export.graph import Graph, _features, readings_of, turns_of
from slalom.models.export.readings import read_cells
from slalom.tabular import default

pytestmark = pytest.mark.slow

# File and target of every table beside the repository.
TABLES = {
    "titanic.csv": "survived",
    "penguins.csv": "species",
    "penguins_raw.csv": "Species",
    "diamonds.csv.gz": "price",
    "mpg.csv": "mpg",
    "taxis.csv.gz": "fare",
    "tips.csv": "tip",
    "uci/concrete/data.csv.gz": "compressive_strength",
    "uci/energy/data.csv.gz": "heating_load",
    "uci/wine-quality-red/data.csv.gz": "quality",
    "uci/yacht/data.csv.gz": "residuary_resistance",
}
COMMON = ("titanic.csv", "taxis.csv.gz", "tips.csv")  # the others in `make soak`


def small_model(
    frame: pd.DataFrame, target: str, rows: int = 2000, missing: tuple[str, ...] = ()
) -> Predictor:
    """A few candidates of the default population, trained for two epochs."""
    with patch.multiple(default, MOST=5, FEWEST=5):
        return slalom.fit_table(frame.head(rows), target, epochs=2, missing=missing).predictor


@pytest.fixture(scope="module")
def mixed() -> pd.DataFrame:
    """A table with every kind of column, and cells missing in each."""
    draw = np.random.default_rng(0)
    n = 2000
    number = draw.normal(size=n) * 50
    when = pd.Timestamp("1959-12-20 05:30") + pd.to_timedelta(draw.integers(0, 3_000_000, n), "min")
    words = np.array(["red hat", "blue hat", "red sea", "old red boat", "blue sky over sea"])
    frame = pd.DataFrame(
        {
            "number": number,
            "heavy": np.where(draw.random(n) < 0.085, 1e3, 1) * draw.normal(size=n),
            "grade": draw.integers(1, 6, n).astype(float),
            "truth": draw.choice(["yes", "no"], n),
            "pair": draw.choice(["a", "b"], n),
            "level": draw.choice(
                [*"abcdefgh"], n, p=[0.3, 0.3, 0.2, 0.1, 0.096, 0.002, 0.001, 0.001]
            ),
            "start": when,
            "end": when + pd.to_timedelta(draw.integers(1, 90_000, n), "min"),
            "said": [" ".join(draw.permutation(words)[:2]) + f" {k}x" for k in range(n)],
            "only": draw.choice(["here", None], n),
            "town": [f"town {k}" for k in draw.integers(0, 400, n)],
            "useless": "same",
            "weight": [f"{x:.1f} kg" for x in draw.uniform(1, 90, n)],
            "posted": [f"{d:%d.%m.%Y}" if d.day % 2 else f"{d:%Y-%m-%d}" for d in when],
            "income": draw.choice(["1,200", "800", "-", "(30)", "-999"], n),
        }
    )
    frame["y"] = number + 10 * frame["grade"] + draw.normal(size=n)
    for name in frame.columns[:9]:
        frame.loc[draw.random(n) < 0.05, name] = None
    return frame


@pytest.fixture(scope="module")
def model(mixed: pd.DataFrame) -> Predictor:
    return small_model(mixed, "y", missing=("income=-999",))


def test_a_graph_says_what_the_predictor_says_on_every_kind_of_column(
    mixed: pd.DataFrame, model: Predictor
) -> None:
    kinds = {part.kind for part in (*model.schema.columns, *model.schema.means)}
    assert kinds >= {"Number", "Boolean", "Category", "Datetime", "Text", "Presence", "Dropped"}
    assert "TargetMeans" in kinds and model.schema.durations
    columns = {column.name: column for column in model.schema.columns}
    assert columns["weight"].unit == "kg" and len(columns["posted"].others) == 1
    assert columns["income"].words == ("-",) and model.schema.missing
    assert any(c.tail for c in model.schema.columns if c.kind == "Number")
    frame = slalom.read_table(mixed)
    frame.loc[:3, "level"] = "never seen"
    frame.loc[:3, "town"] = "never seen"
    with torch.no_grad():
        readings = torch.from_numpy(read_cells(frame, readings_of(model.schema)))
        values, stds = Graph(model)(readings)
    np.testing.assert_allclose(values[:, 0], model.predict(frame), rtol=1e-9)
    np.testing.assert_allclose(stds[:, 0], model.predict_std(frame), rtol=1e-9)


@given(st.lists(st.datetimes(datetime(1677, 10, 1), datetime(2262, 1, 1)), min_size=1))
def test_the_calendar_of_a_graph_is_that_of_pandas(moments: list[datetime]) -> None:
    stamps = pd.DatetimeIndex(moments)
    seconds = torch.tensor(
        [m.replace(tzinfo=UTC).timestamp() for m in moments], dtype=torch.float64
    )
    turns = turns_of(seconds)
    assert (turns["weekday"] * 7).round().tolist() == stamps.day_of_week.tolist()
    assert (turns["day"] * 31 + 1).round().tolist() == stamps.day.tolist()
    assert (turns["month"] * 12 + 1).round().tolist() == stamps.month.tolist()
    hours = stamps.hour + stamps.minute / 60 + stamps.second / 3600
    np.testing.assert_allclose(turns["hour"] * 24, hours, atol=1.1 / 3600)


@pytest.mark.parametrize("ending", [".pt2", ".onnx"])
def test_an_exported_file_predicts_every_kind_of_column(
    mixed: pd.DataFrame, model: Predictor, tmp_path: Path, ending: str
) -> None:
    path = export(model, tmp_path / f"mixed{ending}")
    assert largest_difference(model, path, slalom.read_table(mixed)) < 1e-5


def scores_of(script: Path, table: Path) -> pd.DataFrame:
    """What a script writes, in a process that cannot import Slalom."""
    blocked = script.parent / "blocked" / "slalom"
    blocked.mkdir(parents=True)
    (blocked / "__init__.py").write_text("raise ImportError('Slalom is not here')")
    environment = os.environ | {"PYTHONPATH": str(blocked.parent)}
    done = subprocess.run(
        [sys.executable, script, table],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return pd.read_csv(StringIO(done.stdout))


def test_a_script_scores_a_table_without_slalom(
    mixed: pd.DataFrame, model: Predictor, tmp_path: Path
) -> None:
    mixed.to_csv(tmp_path / "mixed.csv", index=False)
    script = export(model, tmp_path / "scores.py")
    assert "import slalom" not in script.read_text() and "from slalom" not in script.read_text()
    scored = scores_of(script, tmp_path / "mixed.csv")
    frame = slalom.read_table(tmp_path / "mixed.csv")
    np.testing.assert_allclose(scored["prediction"], model.predict(frame), rtol=1e-9)
    np.testing.assert_allclose(scored["prediction_std"], model.predict_std(frame), rtol=1e-9)


def test_a_script_writes_classes_and_their_probabilities(root: Path, tmp_path: Path) -> None:
    table = root / "examples" / "penguins.csv"
    model = small_model(pd.read_csv(table), "species")
    scored = scores_of(export(model, tmp_path / "scores.py"), table)
    frame = slalom.read_table(table)
    assert (scored["prediction"] == model.predict(frame)).all()
    shares = scored[[f"probability_{label}" for label in model.target.classes]]
    np.testing.assert_allclose(shares, model.predict_proba(frame), atol=1e-12)


def test_names_that_a_table_chose_are_text_in_a_script_and_no_code(tmp_path: Path) -> None:
    evil = '"""\nraise SystemExit("ran")\n"""\\'
    frame = pd.DataFrame({" size ": np.arange(400.0) ** 2, evil: np.arange(400.0)})
    model = small_model(frame, evil.strip())
    frame.to_csv(tmp_path / "t.csv", index=False)
    scored = scores_of(export(model, tmp_path / "scores.py"), tmp_path / "t.csv")
    np.testing.assert_allclose(scored["prediction"], model.predict(slalom.read_table(frame)))


def test_a_table_that_does_not_fit_an_exported_model_is_told_so(
    mixed: pd.DataFrame, model: Predictor, tmp_path: Path
) -> None:
    script = export(model, tmp_path / "scores.py")
    lacking = mixed.drop(columns="number")
    with pytest.raises(BadData, match="'number'"):
        largest_difference(model, script, slalom.read_table(lacking))
    for frame, words in (
        (lacking, "Error: the table lacks the column 'number'."),
        (mixed.assign(prediction=0), "Error: the table has a column 'prediction' already."),
    ):
        frame.to_csv(tmp_path / "t.csv", index=False)
        done = subprocess.run(
            [sys.executable, script, tmp_path / "t.csv"],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 1 and done.stderr.strip() == words and not done.stdout


def test_a_graph_tells_what_it_reads(model: Predictor, tmp_path: Path) -> None:
    import onnx

    graph = onnx.load(export(model, tmp_path / "mixed.onnx"))
    about = json.loads({p.key: p.value for p in graph.metadata_props}["model"])
    assert about["readings"] == readings_of(model.schema)
    assert about["columns"] == ["prediction", "prediction_std"]


def test_a_format_that_is_none_and_an_ending_of_another_are_refused(
    model: Predictor, tmp_path: Path
) -> None:
    with pytest.raises(BadPlan, match="torch, onnx, csv-scores"):
        export(model, tmp_path / "mixed.bin")
    with pytest.raises(BadPlan, match=r"is written to a \.onnx file"):
        export(model, tmp_path / "mixed.pt2", format="onnx")


def test_without_the_extra_an_export_says_how_to_get_it(
    model: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra, match=r"pip install 'slalom\[onnx\]'"):
        export(model, tmp_path / "mixed.onnx")


def test_an_onnx_graph_keeps_every_digit_of_a_date(tmp_path: Path) -> None:
    seconds = pd.to_timedelta(np.arange(600), "s")
    table = pd.DataFrame({"when": pd.Timestamp("2026-11-28 09:00") + seconds, "y": np.arange(600)})
    model = small_model(table, "y")

    def features_alone(graph: Graph, readings: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = _features(graph.predictor.schema, readings)
        return features, -features

    with patch.object(Graph, "forward", features_alone):
        path = export(model, tmp_path / "features.onnx")
    features, _ = _run_onnx(path, read_cells(table, readings_of(model.schema)))
    np.testing.assert_allclose(features, model.schema.encode(table), atol=3e-7)


@pytest.mark.parametrize(
    "file",
    [f if f in COMMON else pytest.param(f, marks=pytest.mark.soak) for f in TABLES],
)
@pytest.mark.filterwarnings("ignore:Column .* alone tells the target")
def test_every_real_table_is_predicted_the_same(
    file: str, shared_data: Path, tmp_path: Path
) -> None:
    frame = slalom.read_table(shared_data / file)
    model = small_model(frame.dropna(subset=[TABLES[file]]), TABLES[file])
    for ending in (".pt2", ".onnx"):
        path = export(model, tmp_path / f"model{ending}")
        assert largest_difference(model, path, frame) < 1e-5


@pytest.mark.parametrize("format", ["torch", "onnx", "csv-scores"])
def test_the_verb_writes_beside_the_model_and_checks_on_a_table(
    format: str, mixed: pd.DataFrame, model: Predictor, tmp_path: Path
) -> None:
    model.save(tmp_path / "mixed.slalom")
    mixed.to_csv(tmp_path / "mixed.csv", index=False)
    arguments = ["export", "mixed.slalom", "--format", format, "--check", "mixed.csv"]
    done = slalom_program(*arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    written = {"torch": [".pt2"], "onnx": [".onnx"], "csv-scores": [".py", ".pt2"]}[format]
    assert {path.suffix for path in tmp_path.iterdir()} == {".slalom", ".csv", *written}
    assert re.search(r"2,000 rows: at most \d\.\de-\d+ from our own", done.stdout)


def test_the_verb_refuses_what_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "mixed.slalom").write_bytes(b"no model")
    done = slalom_program("export", "mixed.slalom", folder=tmp_path)
    assert done.returncode == 2 and "mixed.slalom" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mixed.slalom"]


def slalom_program(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "slalom", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
