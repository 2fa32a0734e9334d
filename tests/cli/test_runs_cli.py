"""`slalom runs`, and what becomes of `slalom fit` when something ends it."""

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

import slalom
from slalom.core.errors import BadRun
from slalom.models import Predictor
from slalom.runs import Store
from slalom.runs.train import carry_out
from slalom.tabular.keeping import fit_in_store
from slalom.training import Happening, Training
from tests.cli.test_cli import houses, run, start

pytestmark = pytest.mark.slow  # whole programs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, and a store with two runs."""
    folder = tmp_path_factory.mktemp("runs")
    houses().to_csv(folder / "houses.csv", index=False)
    for seed in (0, 1):
        done = run(
            *("fit", folder / "houses.csv", "--target", "price", "--epochs", 2, "--seed", seed),
            *("--store", folder / "store", "--out", folder / f"{seed}.slalom"),
        )
        assert done.exit_code == 0, done.output
    return folder


def test_fit_keeps_a_run_with_its_model_and_its_report(folder: Path) -> None:
    kept = folder / "store" / "houses"
    assert {path.name for path in kept.iterdir()} >= {
        *("run.json", "plan.json", "status.json", "data.safetensors"),
        *("history.parquet", "leaderboard.parquet", "model.slalom", "report.html"),
    }
    table = slalom.read_table(folder / "houses.csv")
    one, other = (Predictor.load(p) for p in (kept / "model.slalom", folder / "0.slalom"))
    assert (one.predict(table) == other.predict(table)).all()
    status = json.loads((kept / "status.json").read_text())
    assert status["status"] == "done" and 0 < status["score"]["R2"] <= 1


def test_a_fit_that_is_done_takes_little_room(folder: Path) -> None:
    size = sum(path.stat().st_size for path in (folder / "store" / "houses").iterdir())
    model = (folder / "0.slalom").stat().st_size
    assert size < model + 2_000_000


def test_runs_are_listed(folder: Path) -> None:
    done = run("runs", "list", "--store", folder / "store")
    assert done.exit_code == 0
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[:3] for line in lines if line and line[0].startswith("houses")] == [
        ["houses", "fit", "done"],
        ["houses-2", "fit", "done"],
    ]
    assert "There are no runs in" in run("runs", "list", "--store", folder / "none").stdout


def test_a_run_is_shown_with_its_best_members(folder: Path) -> None:
    done = run("runs", "show", "houses", "--store", folder / "store")
    assert done.exit_code == 0
    for word in ("fit.target", "price", "fingerprint", "machine.torch", "The best of"):
        assert word in done.stdout


def test_runs_are_compared_by_what_differs(folder: Path) -> None:
    done = run("runs", "compare", "houses", "houses-2", "--store", folder / "store")
    assert done.exit_code == 0
    facts = [line.split()[0] for line in done.stdout.splitlines()[3:] if line.strip()]
    assert "fit.seed" in facts and "score.R2" in facts
    assert "fit.target" not in facts and "machine.torch" not in facts


def test_the_best_member_is_ejected_as_a_script_that_runs(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "best.py"
    done = run("runs", "eject", "houses", "--store", folder / "store", "--out", out)
    assert done.exit_code == 0 and f"python {out}" in done.stdout
    said = subprocess.run([sys.executable, out], capture_output=True, text=True, check=True)
    board = pd.read_parquet(folder / "store" / "houses" / "leaderboard.parquet")
    validation = pd.read_csv(io.StringIO(said.stdout))["validation_loss"].min()
    assert validation == pytest.approx(board["validation_loss"][0], rel=1e-4)
    assert run("runs", "eject", "houses", "--store", folder / "store", "--member", 10**6,
               "--out", out).exit_code == 2  # fmt: skip


def test_removing_asks_first(folder: Path) -> None:
    from typer.testing import CliRunner

    from slalom.cli import app

    store = folder / "store"
    run("fit", folder / "houses.csv", "--target", "price", "--epochs", 1, "--store", store,
        "--name", "gone", "--out", folder / "gone.slalom")  # fmt: skip
    command = ["runs", "remove", "gone", "--store", str(store)]
    asked = CliRunner().invoke(app, command, input="n\n")
    assert "for good?" in asked.output and (store / "gone").is_dir()
    assert run(*command, "--yes").exit_code == 0
    assert not (store / "gone").exists()


def test_a_run_that_is_not_there_is_one_paragraph(folder: Path) -> None:
    for verb in ("show", "resume", "remove", "compare"):
        done = run("runs", verb, "hauses", "--store", folder / "store")
        assert done.exit_code == 2
        assert "Did you mean 'houses'" in done.stderr


def test_a_damaged_leaderboard_is_one_paragraph(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "store" / "houses", tmp_path / "houses")
    (tmp_path / "houses" / "leaderboard.parquet").write_bytes(b"PAR1 and then nothing")
    for verb in ("show", "eject"):
        done = run("runs", verb, "houses", "--store", tmp_path)
        assert done.exit_code == 2
        assert "leaderboard.parquet is damaged" in done.stderr


def test_ctrl_c_while_a_training_goes_on_says_how_to_go_on_and_exits_with_130(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = slalom.toys.quadratic(30, seed=1)
    slalom.train(slalom.MLP(1, 4, 1), data, steps=10**8, record="epoch", record_every=10**6,
                 frames=0, time_limit=0.1, store=tmp_path, name="long", progress=False)  # fmt: skip
    press = partial(carry_out, on_progress=lambda _: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr("slalom.runs.resume.carry_out", press)
    done = run("runs", "resume", "long", "--store", tmp_path)
    assert done.exit_code == 130
    assert "slalom runs resume long" in done.stderr


def test_a_fit_that_does_not_say_what_it_was_is_one_paragraph(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "store" / "houses", tmp_path / "houses")
    path = tmp_path / "houses" / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"fit": None}))
    (tmp_path / "houses" / "status.json").write_text('{"status": "killed"}')
    done = run("runs", "resume", "houses", "--store", tmp_path)
    assert done.exit_code == 2
    assert "does not say which table was fitted to what" in done.stderr


def test_going_on_with_a_run_that_is_done_says_so(folder: Path) -> None:
    done = run("runs", "resume", "houses", "--store", folder / "store")
    assert done.exit_code == 0
    assert "The run houses is done" in done.stdout


def test_a_table_that_has_changed_is_refused(folder: Path, tmp_path: Path) -> None:
    table, store = tmp_path / "t.csv", tmp_path / "store"
    houses().to_csv(table, index=False)
    with pytest.raises(KeyboardInterrupt):
        fit_in_store(
            table, "price", store, epochs=200, progress=False, hooks={"watch": ctrl_c_once}
        )
    houses(seed=1).to_csv(table, index=False)
    with pytest.raises(BadRun, match="The data is not that with which the run t was begun"):
        slalom.resume("t", store=store)
    houses().to_csv(table, index=False)
    again = slalom.resume("t", store=store, progress=False)
    assert again.stopped_by == ""


def ctrl_c_once(training: Training) -> None:
    """Ctrl-C, as soon as something has been trained."""

    def press(happening: Happening) -> None:
        training.listeners.remove(press)
        signal.raise_signal(signal.SIGINT)

    training.listeners.append(press)


def wait_until_it_trains(store: Path, process: "subprocess.Popen[str]") -> None:
    while process.poll() is None and "running" not in [
        run.status["status"] for run in Store(store)
    ]:
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_fit_that_a_signal_ended_goes_on_to_the_same_model(
    number: int, code: int, tmp_path: Path
) -> None:
    table, store = tmp_path / "t.csv", tmp_path / "store"
    houses(400).to_csv(table, index=False)
    command = ("fit", "t.csv", "--target", "price", "--epochs", 60, "--store", store)
    process = start(*command, cwd=tmp_path)
    wait_until_it_trains(store, process)
    time.sleep(0.5)
    process.send_signal(number)
    sent = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - sent < 2.5  # and what the machine takes to end a process
    assert process.returncode == code, err
    # On a busy machine it may have had to end before the last checkpoint was written.
    assert "slalom runs resume t" in err or "What was kept last: slalom runs list" in err
    assert Store(store).find("t").status["status"] in ("interrupted", "killed")
    assert not (tmp_path / "t.slalom").exists()
    going_on = start("runs", "resume", "t", "--store", store, cwd=tmp_path)
    out, err = going_on.communicate(timeout=120)
    assert going_on.returncode == 0, err
    assert "Score on 80 rows" in out
    whole = start(*command, "--out", "whole.slalom", cwd=tmp_path)
    whole.communicate(timeout=120)
    frame = slalom.read_table(table)
    one, other = (Predictor.load(tmp_path / f"{n}.slalom") for n in ("t", "whole"))
    pd.testing.assert_series_equal(
        pd.Series(one.predict(frame)), pd.Series(other.predict(frame)), check_exact=True
    )
    assert one.weights == other.weights


@pytest.mark.soak
def test_a_hundred_signals_at_random_moments_end_the_program_in_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    houses(400).to_csv(tmp_path / "t.csv", index=False)
    draw, slowest, kept = random.Random(0), 0.0, 0
    for turn in range(100):
        number = draw.choice([signal.SIGINT, signal.SIGTERM])
        process = start(
            *("fit", "t.csv", "--target", "price", "--epochs", 200, "--name", f"r{turn}"),
            *("--store", tmp_path / "slalom-runs"),
            cwd=tmp_path,
            start_new_session=True,
        )
        time.sleep(draw.uniform(0.0, 12.0))
        process.send_signal(number)
        sent = time.monotonic()
        _, err = process.communicate(timeout=60)
        took = time.monotonic() - sent
        ended = (-number, 128 + number)  # before there is a handler, a shell says the same
        assert process.returncode in ended or process.returncode == 0, (turn, err)
        assert took < 2.0 or process.returncode == 0, (turn, took)
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)  # nobody of its group is left
        if (tmp_path / "slalom-runs" / f"r{turn}").is_dir():
            kept += 1
            slalom.resume(f"r{turn}", store=tmp_path / "slalom-runs", time_limit=0.2)
        slowest = max(slowest, took)
    with capsys.disabled():
        print(f"\n100 signals: at most {slowest:.2f} s to the end; {kept} runs to go on with")
