"""What other trackers are told of a run: read back with their own readers."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import slalom
from slalom.core.errors import BadRun, MissingExtra
from slalom.runs.folder import RunFolder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> slalom.Run:
    """Twelve members in batches of different sizes, one of which diverges."""
    moons = slalom.toys.moons(200, noise=0.2, seed=0).split(validation=0.25)
    population = slalom.grid(
        net=slalom.MLP(2, 8, 2), lr=[0.01, 0.1, 1e20], batch_size=[16, 50], seed=range(2)
    )
    return slalom.train(
        population,
        moons,
        optimizer=slalom.SGD(0.1),
        epochs=4,
        store=tmp_path_factory.mktemp("runs"),
        name="moons",
    )


def medians_of(run: slalom.Run, column: str) -> list[float]:
    """By hand: of each epoch the last record of each member, and the median of these."""
    records: dict[int, dict[int, float]] = {}
    for row in run.history.itertuples():
        epoch = int(np.ceil(row.epoch))
        value = getattr(row, column)
        if not np.isnan(value):
            records.setdefault(epoch, {})[row.member] = value
    return [float(np.median(list(records[k].values()))) for k in sorted(records)]


def test_tensorboard_reads_one_run_with_quartiles_and_a_table(
    run: slalom.Run, tmp_path: Path
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(slalom.to_tensorboard(run.folder, tmp_path / "events")))
    events.Reload()
    tags = events.Tags()
    assert "validation_loss/median" in tags["scalars"]
    assert "validation_loss/best member" in tags["scalars"]
    found = events.Scalars("validation_loss/median")
    assert [each.step for each in found] == [1, 2, 3, 4]
    expected = medians_of(run, "validation_loss")
    np.testing.assert_allclose([each.value for each in found], expected, rtol=1e-6)
    board = events.Tensors("members/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "12 of 12 members" in board and board.count("\n") == 2 + 1 + 12
    assert len(list((tmp_path / "events").iterdir())) == 1


def test_mlflow_reads_one_run_with_quartiles_and_a_table(
    run: slalom.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # no server, no database
    from mlflow import MlflowClient

    uri = (tmp_path / "store").as_uri()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)  # its own reader of tables asks for that
    own = slalom.to_mlflow(run, uri, experiment="moons")
    client = MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name("moons")
    (found,) = client.search_runs([experiment.experiment_id])
    assert found.info.run_id == own and found.info.status == "FINISHED"
    assert found.data.params["members"] == "12"
    history = client.get_metric_history(own, "validation_loss/median")
    expected = medians_of(run, "validation_loss")
    np.testing.assert_allclose([each.value for each in history], expected, rtol=1e-9)
    table = client.load_table(experiment.experiment_id, "members.json", [own])
    assert table["member"].tolist() == run.leaderboard()["member"].tolist()
    text = Path(client.download_artifacts(own, "plan.json", str(tmp_path))).read_text()
    assert slalom.Plan.loads(text) == run.plan


def test_a_run_in_the_memory_tells_the_same_as_its_folder(run: slalom.Run) -> None:
    from slalom.runs.tracking import _told

    assert run.folder is not None
    pd.testing.assert_frame_equal(_told(run).curves(), _told(run.folder).curves())


def test_a_run_that_has_not_ended_is_refused(tmp_path: Path) -> None:
    quadratic = slalom.toys.quadratic(50)
    plan = slalom.Plan(
        slalom.grid(net=slalom.MLP(1, 4, 1), optimizer=slalom.Adam()), slalom.losses.MSE(), steps=5
    )
    RunFolder.write(tmp_path, plan, quadratic, {})
    with pytest.raises(BadRun, match="has not ended"):
        slalom.to_tensorboard(RunFolder(tmp_path), tmp_path / "events")


def test_without_the_extra_it_says_how_to_get_it(
    run: slalom.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtra, match=r"slalom\[tensorboard\]"):
        slalom.to_tensorboard(run, tmp_path / "events")
    with pytest.raises(MissingExtra, match=r"slalom\[mlflow\]"):
        slalom.to_mlflow(run, tmp_path.as_uri())


@pytest.mark.slow
def test_the_verb_writes_for_both(
    run: slalom.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    assert run.folder is not None
    command = [sys.executable, "-m", "slalom", "runs", "track", str(run.folder.path)]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert refused.returncode == 2 and "--tensorboard FOLDER" in refused.stderr
    uri = (tmp_path / "store").as_uri()
    command += ["--tensorboard", str(tmp_path / "events"), "--mlflow", uri]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "TensorBoard" in done.stdout and "MLflow" in done.stdout and not done.stderr


def test_a_server_that_is_not_there_is_told_in_one_paragraph(
    run: slalom.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(BadRun, match="MLflow could not be told of the run moons") as caught:
        slalom.to_mlflow(run, "http://127.0.0.1:9")
    assert "\n" not in str(caught.value)
