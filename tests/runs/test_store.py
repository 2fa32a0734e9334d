"""The store of runs: folders that anyone can read, whole at every moment."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

import slalom
from slalom import MLP, Adam, Store
from slalom.core.errors import BadFile, BadRun, SlalomWarning
from slalom.data.schema import Schema
from slalom.engine import Reference
from slalom.runs import Run, facts, keeping
from slalom.runs.dataset_file import fingerprint, read_dataset, write_dataset
from slalom.runs.machine import differences
from slalom.runs.resume import open_run
from slalom.training import Progress, training
from tests.runs.stored import assert_same

DATA = slalom.toys.moons(90, noise=0.2, seed=1).split(validation=0.3)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs")


@pytest.fixture
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at the training after every step."""
    monkeypatch.setattr(training, "FIRST_STRETCH", 1)
    monkeypatch.setattr(training, "STRETCH_SECONDS", 1e-9)


def stop_after(looks: int) -> Callable[[Progress], None]:
    """Ctrl-C after so many looks at a training."""
    left = iter(range(looks))
    return lambda _: None if next(left, None) is not None else signal.raise_signal(signal.SIGINT)


def trained(store: Store | None, name: str | None = None, **arguments: object) -> Run:
    settings = {"epochs": 20, "batch_size": 16, "progress": False} | arguments
    return slalom.train(
        MLP(2, 8, 2), DATA, optimizer=Adam(0.01), store=store, name=name, **settings
    )


# What is on the disk


def test_a_run_can_be_read_without_slalom(store: Store) -> None:
    run = trained(store, "first")
    folder = store.path / "first"
    about, status, plan = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("run", "status", "plan")
    )
    assert (about["kind"], about["members"], about["rows"], about["features"]) == (
        "train",
        1,
        90,
        2,
    )
    assert (status["status"], status["steps"], status["remaining"]) == ("done", 80, 0)
    assert status["best"] == float(run.state.best_loss[0])
    assert {"engine", "threads", "processor", "torch", "slalom"} <= set(status["machine"])
    assert plan["population"]["members"][0]["optimizer"]["lr"] == 0.01
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "history.parquet"), run.history)
    np.testing.assert_array_equal(load_file(folder / "data.safetensors")["X"], DATA.X)
    last = load_file(sorted(folder.glob("checkpoint-*"))[-1])
    np.testing.assert_array_equal(last["state.parameters"], run.state.parameters)


def test_a_run_is_opened_as_it_was_left(store: Store) -> None:
    run = trained(store, "first")
    again = open_run("first", store)
    assert_same(again, run)
    assert again.stopped_by == "" and again.engine.name == run.engine.name
    np.testing.assert_array_equal(again.predict(DATA.X), run.predict(DATA.X))


def test_the_last_two_checkpoints_are_kept_and_a_few_of_those_before(
    store: Store, short_stretches: None
) -> None:
    trained(store, "first", checkpoint_every=0.0)
    numbers = [int(path.stem[-8:]) for path in store.find("first").checkpoints()]
    assert numbers[:2] == [81, 80]  # one after each of 80 steps, and one at the end
    assert 1 <= len(numbers[2:]) <= 12
    gaps = -np.diff(numbers[2:])
    assert gaps.max() > gaps.min()  # the further apart, the longer ago


def test_checkpoints_of_before_take_no_more_room_than_they_may(
    store: Store, short_stretches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slalom.runs import folder

    monkeypatch.setattr(folder, "SPARSE_BYTES", 0)
    trained(store, "first", checkpoint_every=0.0)
    assert len(store.find("first").checkpoints()) == 2


def test_without_a_store_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trained(None)
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_where_it_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLALOM_HOME", raising=False)
    assert Store().path == Path("slalom-runs")
    monkeypatch.setenv("SLALOM_HOME", str(tmp_path / "home"))
    assert Store().path == tmp_path / "home"
    assert Store(tmp_path / "other").path == tmp_path / "other"


# Names


def test_runs_without_a_name_are_numbered(store: Store) -> None:
    for _ in range(3):
        trained(store, epochs=1)
    names = [run.name for run in store]
    assert names == ["run", "run-2", "run-3"]


def test_a_name_is_given_once(store: Store) -> None:
    trained(store, "first", epochs=1)
    with pytest.raises(BadRun, match=r"There is a run 'first' already in .*slalom runs remove"):
        trained(store, "first", epochs=1)
    assert [path.name for path in store.path.iterdir()] == ["first"]


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "-x", "a b", "ä" * 101])
def test_a_name_that_no_folder_should_have_is_refused(store: Store, name: str) -> None:
    with pytest.raises(BadRun, match="A run is called as its folder"):
        trained(store, name, epochs=1)


def test_a_run_that_is_not_there_is_answered_by_those_that_are(store: Store) -> None:
    trained(store, "houses", epochs=1)
    with pytest.raises(BadRun, match=r"There is no run 'house' in .*Did you mean 'houses'\?"):
        store.find("house")


def test_a_run_is_found_by_its_folder_too(store: Store) -> None:
    trained(store, "first", epochs=1)
    assert Store("elsewhere").find(store.path / "first").name == "first"


# The list


def test_the_table_has_a_row_a_run(store: Store) -> None:
    done = trained(store, "done")
    trained(store, "stopped", epochs=10**6, time_limit=0.2)
    table = store.table()
    assert table["name"].tolist() == ["done", "stopped"]
    assert table["status"].tolist() == ["done", "interrupted"]
    assert table["best"][0] == float(done.state.best_loss[0])


def test_facts_in_which_runs_differ_can_be_read(store: Store) -> None:
    names = ("short", "long")
    runs = [trained(store, name, epochs=epochs) for name, epochs in zip(names, (1, 3), strict=True)]
    table = facts.differences([store.find(name) for name in names]).set_index("what")
    for name, run in zip(names, runs, strict=True):
        plan = store.find(name).path / "plan.json"
        assert table.loc["plan_sha256", name] == sha256(plan.read_bytes()).hexdigest()[:12]
        assert table.loc["best", name] == f"{run.state.best_loss[0]:.6g}"


def test_an_empty_store_has_an_empty_table(store: Store) -> None:
    assert store.table().empty


def test_what_is_no_run_or_a_damaged_one_hinders_no_list(store: Store) -> None:
    trained(store, "good", epochs=1)
    trained(store, "status", epochs=1)
    (store.path / "status" / "status.json").write_text("{")
    (store.path / "other").mkdir()
    (store.path / "file").write_text("x")
    (store.path / ".new-half").mkdir()
    trained(store, "about", epochs=1)
    (store.path / "about" / "run.json").write_text("[]")
    assert store.table()[["name", "status"]].values.tolist() == [
        ["good", "done"],
        ["status", "damaged"],
    ]


def test_a_removed_run_is_gone(store: Store) -> None:
    trained(store, "first", epochs=1)
    store.remove("first")
    assert list(store.path.iterdir()) == []
    with pytest.raises(BadRun):
        store.remove("first")


def test_a_run_in_training_is_neither_removed_nor_trained_twice(store: Store) -> None:
    trained(store, "first", epochs=1)
    with store.find("first").held():
        for act in (lambda: store.remove("first"), lambda: slalom.resume("first", store=store)):
            with pytest.raises(BadRun, match="Another process is training the run first"):
                act()
    store.remove("first")


def _take(path: Path, number: int) -> None:
    for _ in range(10):
        try:
            trained(Store(path), "same", epochs=1, engine=Reference())
        except BadRun:
            continue
        (path / f"winner-{number}").touch()


@pytest.mark.slow
def test_of_two_processes_that_want_a_name_one_gets_it(tmp_path: Path) -> None:
    processes = [
        multiprocessing.get_context("forkserver").Process(target=_take, args=(tmp_path, number))
        for number in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert len(list(tmp_path.glob("winner-*"))) == 1
    assert Store(tmp_path).table()[["name", "status"]].values.tolist() == [["same", "done"]]


# Going on


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(
    store: Store, engine: str, short_stretches: None
) -> None:
    truth = trained(None, engine=engine, frames=5)
    run = trained(store, "first", engine=engine, frames=5, on_progress=stop_after(7))
    for _ in range(2):
        assert run.stopped_by == "interrupt"
        run = slalom.resume(run, on_progress=stop_after(9))
    assert int(run.state.step[0]) == 8 + 10 + 10
    run = slalom.resume("first", store=store)
    assert run.stopped_by == ""
    assert_same(run, truth)
    assert len(run.frames) == 5


def test_a_run_in_the_memory_goes_on_too(short_stretches: None) -> None:
    truth = trained(None)
    half = trained(None, on_progress=stop_after(30))
    assert half.interrupted
    assert_same(slalom.resume(half), truth)


def test_a_run_that_is_done_is_done(store: Store) -> None:
    run = trained(store, "first")
    again = slalom.resume("first", store=store)
    assert_same(again, run)


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    store: Store, short_stretches: None
) -> None:
    truth = trained(store, "first", checkpoint_every=0.0)
    newest, *_ = store.find("first").checkpoints()
    newest.write_bytes(newest.read_bytes()[:-1])
    assert_same(slalom.resume("first", store=store), truth)
    for path in store.find("first").checkpoints():
        path.write_bytes(b"nothing")
    with pytest.raises(BadFile, match="is not a Slalom checkpoint, or is damaged"):
        slalom.resume("first", store=store)


def test_data_that_has_changed_are_refused(store: Store) -> None:
    trained(store, "first", epochs=5)
    path = store.path / "first" / "data.safetensors"
    X = DATA.X.copy()
    X[3, 1] += 1e-6
    write_dataset(path, slalom.Dataset(X, DATA.y, "classification", folds=DATA.folds))
    with pytest.raises(BadRun, match="The data is not that with which the run first was begun"):
        slalom.resume("first", store=store)


def test_another_machine_is_told_of(store: Store) -> None:
    trained(store, "first", threads=1)
    path = store.path / "first" / "status.json"
    status = json.loads(path.read_text())
    status["machine"]["processor"] = "Abacus 3000"
    path.write_text(json.dumps(status))
    with pytest.warns(SlalomWarning, match="maybe not to the same bits.*Abacus 3000 then"):
        slalom.resume("first", store=store)
    with pytest.warns(SlalomWarning, match="threads 1 then and 2 now"):
        slalom.resume("first", store=store, threads=2)
    assert differences({"a": 1, "b": 2}, {"a": 1, "b": 2}) == ""


def test_a_name_that_is_no_run_is_answered(store: Store) -> None:
    for act in (slalom.resume, slalom.open_run):
        with pytest.raises(BadRun, match="There is no run 'none'"):
            act("none", store=store)


# The data


@pytest.mark.parametrize(
    "data",
    [
        DATA,
        slalom.toys.quadratic(50, noise=0.1, seed=2).cross_validation(3),
        slalom.Dataset(
            np.arange(12.0).reshape(6, 2),
            np.array([0, 1, 2, 0, 1, 2]),
            "classification",
            weight=np.arange(1.0, 7.0),
            classes=("a", "b", "大"),
            feature_names=("size", "weight"),
            schema=Schema.fit(pd.DataFrame({"size": [1.0, 2, 3, 4], "weight": [1.0, 5, 3, 1]})),
        ).split(validation=0.5, seed=1),
        slalom.Dataset(np.zeros((4, 1, 3, 3)), np.zeros(4), "regression"),
    ],
)
def test_a_dataset_comes_back_from_the_disk(data: slalom.Dataset, tmp_path: Path) -> None:
    write_dataset(tmp_path / "data", data)
    again = read_dataset(tmp_path / "data")
    assert fingerprint(again) == fingerprint(data)
    for name in ("task", "feature_names", "target_names", "classes", "schema"):
        assert getattr(again, name) == getattr(data, name)
    for name in ("X", "y", "test"):
        np.testing.assert_array_equal(getattr(again, name), getattr(data, name))


def test_the_fingerprint_tells_of_every_part() -> None:
    plain = slalom.toys.quadratic(50, seed=1)
    others = [
        slalom.Dataset(plain.X + 1e-6, plain.y, "regression"),
        slalom.Dataset(plain.X, plain.y * 1.0001, "regression"),
        slalom.Dataset(plain.X, plain.y, "regression", weight=np.full(50, 2.0)),
        plain.split(validation=0.2),
        plain.split(validation=0.2, seed=1),
        plain.split(validation=0.2, test=0.1),
    ]
    assert len({fingerprint(data) for data in [plain, *others]}) == 7


# A disk that fails


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), OSError(5, "I/O error")])
def test_a_disk_that_fails_for_a_while_is_told_of_and_loses_nothing(
    store: Store, error: OSError, short_stretches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = trained(None)
    sync, calls = os.fsync, 0

    def fails_for_a_while(handle: int) -> None:
        nonlocal calls
        calls += 1
        if 15 <= calls < 25:
            raise error
        sync(handle)

    monkeypatch.setattr(os, "fsync", fails_for_a_while)
    with pytest.warns(SlalomWarning, match=f"No checkpoint .* could be written.*{error.strerror}"):
        run = trained(store, "first", checkpoint_every=0.0)
    assert calls > 25  # it was tried again, and there was space
    assert_same(run, truth)
    assert store.find("first").status["status"] == "done"
    assert_same(open_run("first", store), truth)
    leftovers = [path.name for path in (store.path / "first").iterdir() if path.name[0] == "."]
    assert leftovers == []


def test_a_disk_that_stays_full_leaves_what_was_kept_before(
    store: Store, short_stretches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = trained(None)
    trained(store, "first", on_progress=stop_after(20))
    before = store.find("first").checkpoints()

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(BadFile, match="No space left on device"):
            slalom.resume("first", store=store)
    assert store.find("first").checkpoints() == before
    assert_same(slalom.resume("first", store=store), truth)


def test_a_run_is_given_back_though_its_history_cannot_be_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise BadFile("No space left on device")

    monkeypatch.setattr(keeping, "write_parquet", full)
    with pytest.warns(SlalomWarning, match="No space left on device"):
        run = trained(store, "first", epochs=2)
    assert_same(open_run("first", store), run)


def test_a_store_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        BadRun, match=r"The store .*file/runs cannot be written to: Not a directory"
    ):
        trained(Store(tmp_path / "file" / "runs"), epochs=1)
