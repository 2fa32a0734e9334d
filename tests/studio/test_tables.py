"""A table goes to the studio, is fitted in a process of its own, and comes back as a model."""

import ast
import gzip
import io
import json
import os
import signal
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import slalom
from slalom.studio.app import studio
from slalom.studio.uploads import MOST_BYTES
from slalom.studio.workers import Worker
from tests.studio.asgi import COOKIE, HOST, OWN, TOKEN, Answer, ask

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
SMALL = b"x,y,kind\n" + b"".join(b"%d,%d,%s\n" % (k, 2 * k, b"ab"[k % 2 :][:1]) for k in range(60))


class Client:
    """A page that has the cookie."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.app: Any = studio([HOST], TOKEN, store)
        self.office = self.app.app.state.office

    def get(self, path: str, query: str = "") -> Answer:
        return ask(self.app, path, [("host", HOST), COOKIE], query=query)

    def post(self, path: str, value: Any = None, method: str = "POST", query: str = "") -> Any:
        body = value if isinstance(value, bytes) else json.dumps(value or {}).encode()
        headers = [("host", HOST), COOKIE, OWN, ("content-length", str(len(body)))]
        return json.loads(ask(self.app, path, headers, method, query, body).body)

    def send(self, name: str, body: bytes) -> Any:
        return self.post("/tables", body, "PUT", f"name={name}")

    def told(self, worker: str, subject: str, seconds: float = 60) -> None:
        """Wait until a worker has said something of this."""
        end = time.monotonic() + seconds
        while subject not in self.office.workers.find(worker).said:
            assert time.monotonic() < end and not self.office.workers.find(worker).over.is_set()
            time.sleep(0.02)

    def over(self, worker: str, seconds: float = 120) -> Any:
        self.office.workers.find(worker).over.wait(seconds)
        return json.loads(self.get(f"/workers/{worker}").body)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    found = Client(tmp_path / "store")
    yield found
    found.office.workers.stop()


@pytest.mark.slow
def test_a_table_becomes_a_model_that_predicts_as_it_does_in_python(client: Client) -> None:
    table = client.send("penguins.csv", PENGUINS.read_bytes())["table"]
    known = json.loads(client.get(f"/tables/{table}").body)
    frame = pd.read_csv(PENGUINS)
    assert (known["rows"], known["names"]) == (len(frame), list(frame.columns))
    assert known["missing"] == frame.isna().sum().to_dict()
    assert known["targets"]["species"] == "classification:3"
    assert known["targets"]["body_mass_g"] == "regression"
    begun = client.post("/fits", {"table": table, "target": "species", "time_limit": 2})
    said = client.over(begun["worker"])
    assert said["over"] and "error" not in said, said
    assert said["progress"]["members"] > 10 and said["leaders"]
    run = said["done"]["run"]
    assert said["done"]["result"]["scores"][0]["model"] == "slalom"
    model = client.get(f"/runs/{run}/files/model")
    assert "attachment" in model.headers["content-disposition"]
    path = client.store / "fetched.slalom"
    path.write_bytes(model.body)
    other = client.send("more.csv", PENGUINS.read_bytes())["table"]
    made = client.post(f"/runs/{run}/predict", {"table": other})
    assert (made["rows"], made["names"][-4]) == (len(frame), "prediction")
    predicted = pd.read_csv(io.BytesIO(client.get(f"/tables/{other}/predictions").body))
    expected = slalom.Predictor.load(path).predict_proba(frame)
    pd.testing.assert_frame_equal(
        predicted.iloc[:, -3:], pd.DataFrame(expected, columns=predicted.columns[-3:]), rtol=1e-5
    )
    report = client.get(f"/runs/{run}/files/report")
    assert "sandbox" in report.headers["content-security-policy"]
    assert b"<script" not in report.body
    with zipfile.ZipFile(io.BytesIO(client.get(f"/runs/{run}/script").body)) as whole:
        assert sorted(whole.namelist()) == ["train.npz", "train.py"]
        ast.parse(whole.read("train.py"))
        assert b"slalom" not in whole.read("train.py")
    (row,) = json.loads(client.get("/runs.json").body)
    accuracy = said["done"]["result"]["scores"][0]["accuracy"].split()[0]
    assert (row["target"], row["score"]) == ("species", f"accuracy {accuracy}")


@pytest.mark.slow
def test_a_fit_that_is_stopped_is_kept_and_goes_on(client: Client) -> None:
    table = client.send("penguins.csv", PENGUINS.read_bytes())["table"]
    worker = client.post("/fits", {"table": table, "target": "body_mass_g"})["worker"]
    client.told(worker, "progress")
    client.post(f"/workers/{worker}/stop")
    said = client.over(worker, 30)
    assert said.get("stopped") and "done" not in said
    (row,) = json.loads(client.get("/runs.json").body)
    assert row["status"] == "interrupted"
    again = client.post(f"/runs/{row['name']}/resume")["worker"]
    done = client.over(again)
    assert done["done"]["result"]["scores"]
    (row,) = json.loads(client.get("/runs.json").body)
    assert row["status"] == "done"


@pytest.mark.slow
def test_a_killed_worker_leaves_a_run_that_another_studio_sees_and_resumes(client: Client) -> None:
    net, data = slalom.MLP(1, 64, 64, 1), slalom.toys.sine(2000)
    slalom.train(
        net, data, steps=4000, time_limit=0.1, record="epoch", store=client.store, name="half"
    )
    worker = client.post("/runs/half/resume")["worker"]
    client.told(worker, "progress")
    os.kill(client.office.workers.find(worker).process.pid, signal.SIGKILL)
    assert "error" in client.over(worker, 10)
    other = Client(client.store)
    (row,) = json.loads(other.get("/runs.json").body)
    assert (row["name"], row["status"]) == ("half", "killed")
    again = other.post("/runs/half/resume")["worker"]
    assert other.over(again)["done"] == {"run": "half", "stopped": ""}
    whole = slalom.open_run("half", client.store)
    assert int(whole.state.step[0]) == 4000


def test_a_run_is_listed_told_compared_and_removed(client: Client) -> None:
    for name, lr in (("one", 0.1), ("two", 0.2)):
        slalom.train(
            slalom.MLP(1, 4, 1), slalom.toys.sine(30), optimizer=slalom.SGD(lr), steps=20,
            store=client.store, name=name,
        )  # fmt: skip
    listed = json.loads(client.get("/runs.json").body)
    assert sorted(row["name"] for row in listed) == ["one", "two"]
    told = json.loads(client.get("/runs/one/told").body)
    history = slalom.open_run("one", client.store).history
    assert told["curves"][0]["loss"] == pytest.approx(history["train_loss"].tolist())
    assert client.get("/runs/one").status == 200
    found = json.loads(client.get("/differences", "run=one&run=two").body)
    assert found["columns"] == ["what", "one", "two"]
    assert "error" in client.post("/runs/three/remove")
    assert client.post("/runs/one/remove") == {}
    assert [row["name"] for row in json.loads(client.get("/runs.json").body)] == ["two"]


def test_a_store_with_hostile_folders_is_listed_all_the_same(client: Client) -> None:
    net, data = slalom.MLP(1, 4, 1), slalom.toys.sine(30)
    slalom.train(net, data, steps=5, store=client.store, name="good")
    os.mkdir(os.fsencode(client.store) + b"/bad\xff")
    Path(os.fsdecode(os.fsencode(client.store) + b"/bad\xff"), "run.json").write_text("{}")
    hostile = {"deep": '{"kind": ' + "[" * 900 + "]" * 900 + "}", "list": "[]", "text": "x"}
    for name, text in hostile.items():
        (client.store / name).mkdir()
        (client.store / name / "run.json").write_text(text)
    (client.store / "pipe").mkdir()
    os.mkfifo(client.store / "pipe" / "run.json")
    listed = json.loads(client.get("/runs.json").body)
    assert "good" in [row["name"] for row in listed]
    for name in ("deep", "list", "text", "pipe"):
        assert client.get(f"/runs/{name}/told").status == 400
    (client.store / "good" / "report.html").symlink_to("/etc/passwd")
    assert client.get("/runs/good/files/report").status == 404


@pytest.mark.parametrize("name", ["..", "%2e%2e", ".tables", "../store", "/etc", "one/../two", ""])
def test_a_run_is_a_name_that_is_looked_up_and_never_a_path(client: Client, name: str) -> None:
    (client.store / ".tables").mkdir(parents=True)
    for kind in ("told", "files/model", "files/report"):
        assert client.get(f"/runs/{name}/{kind}").status in (400, 404)
    answer = ask(
        client.app, f"/runs/{name}/remove", [("host", HOST), COOKIE, OWN], "POST", body=b"{}"
    )
    assert answer.status in (307, 400, 404, 405)
    assert (client.store / ".tables").is_dir()


@pytest.mark.parametrize(
    "name", ["", "x", ".csv", "..", "../../evil.py", "a.exe", "a.csv\x00.py", "x" * 400, "a.html"]
)
def test_what_is_no_table_by_its_name_is_refused(client: Client, name: str) -> None:
    said = client.post("/tables", b"x", "PUT", f"name={name}")
    assert "no table by its name" in said["error"]
    assert not list(client.store.rglob("*"))


@pytest.mark.parametrize("name", ["../../../tmp/evil.csv", "..\\evil.csv", "/etc/evil.csv"])
def test_a_table_is_written_where_tables_lie_whatever_it_is_called(
    client: Client, name: str
) -> None:
    found = client.send(name, SMALL)
    assert found["name"] == "evil.csv"
    (path,) = client.store.rglob("evil.csv")
    assert path.parent.parent == client.store / ".tables"


def test_more_than_the_limit_is_refused_before_it_is_read_and_while_it_is(client: Client) -> None:
    headers = [("host", HOST), COOKIE, OWN]
    too_long = [*headers, ("content-length", str(MOST_BYTES + 1))]
    assert ask(client.app, "/tables", too_long, "PUT", "name=a.csv", b"x").status == 413
    asked = [*headers, ("content-length", str(2**20))]
    for path in ("/fits", "/runs/one/resume", "/runs/one/remove", "/runs/one/predict"):
        assert ask(client.app, path, asked, "POST", "", b"{}").status == 413, path
    body = b"x" * 2**17  # which does not say how long it is
    assert ask(client.app, "/fits", headers, "POST", "", body).status == 413
    assert not list(client.store.rglob("*.csv"))


def test_old_tables_go_unless_a_run_was_made_of_them(client: Client) -> None:
    names = ("new", "old", "used")
    new, old, used = (client.send(f"{name}.csv", SMALL)["table"] for name in names)
    uploads = client.office.uploads
    for table in (old, used):
        os.utime(uploads.find(table).parent, (0, 0))
    run = client.store / "run"
    run.mkdir()
    before = Path("/where/the/store/was", used, "used.csv")  # it was moved since
    about = {"created": "2026", "fit": {"table": str(before), "target": ["y"]}}
    (run / "run.json").write_text(json.dumps(about))
    client.office.tidy()
    assert sorted(path.name for path in uploads.folder.iterdir()) == sorted([new, used])


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 1000, b"PAR1" + b"\xff" * 100, b"a,b\n1,2,3\n4", b"\x1f\x8b\x08" + b"z" * 50],
)
@pytest.mark.parametrize("ending", ["csv", "parquet", "csv.gz", "xlsx", "db"])
def test_a_damaged_table_gets_a_sentence(client: Client, content: bytes, ending: str) -> None:
    table = client.send(f"a.{ending}", content)["table"]
    said = json.loads(client.get(f"/tables/{table}").body)
    assert "error" in said or said["rows"] >= 1
    assert "Traceback" not in str(said)


@pytest.mark.slow
def test_a_file_that_unpacks_to_more_than_the_memory_ends_its_process_and_not_the_studio(
    tmp_path: Path,
) -> None:
    bomb = tmp_path / "bomb.csv.gz"
    with gzip.open(bomb, "wb", compresslevel=9) as file:
        file.write(b"a,b\n")
        for _ in range(300):
            file.write(b"1,2\n" * 250_000)
    worker = Worker({"do": "inspect", "table": str(bomb), "memory": 2**30})
    assert worker.over.wait(120)
    assert "memory" in worker.said["error"]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("/fits", {"table": "0" * 32, "target": "y"}, "no such table"),
        ("/fits", [1], "JSON object"),
        ("/fits", {"table": "../../etc/passwd", "target": "y"}, "no such table"),
        ("/runs/none/resume", {}, "no run 'none'"),
        ("/workers/none/stop", {}, "Nothing of that name"),
    ],
)
def test_what_is_not_there_is_said(client: Client, path: str, value: Any, said: str) -> None:
    assert said in client.post(path, value)["error"]


@pytest.mark.slow
def test_a_pair_of_columns_becomes_a_curve_and_with_a_third_one_regions(client: Client) -> None:
    table = client.send("small.csv", SMALL)["table"]
    line = client.office.desk().tables(table, "x", "y", "")
    assert (line.task, line.rows) == ("regression", 60)
    assert line.X[:, 0] == pytest.approx(line.y[:, 0])  # y is twice x, and both are standardised
    assert line.X.std() == pytest.approx(1, rel=1e-6)
    regions = client.office.desk().tables(table, "x", "y", "kind")
    assert regions.classes == ("a", "b")
    assert regions.y.tolist() == [k % 2 for k in range(60)]
    with pytest.raises(slalom.SlalomError, match="no column 'z'"):
        client.office.desk().tables(table, "x", "z", "")
