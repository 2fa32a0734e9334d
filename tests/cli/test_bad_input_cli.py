"""Bad input on the command line: one clear paragraph, exit code 2, and nothing is destroyed."""

import gzip
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner, Result

from slalom.cli import app

pytestmark = pytest.mark.slow

TABLE = pd.DataFrame(
    {
        "size": np.arange(40) * 1.5,
        "town": list("abcd") * 10,
        "price": np.arange(40) * 2.0 + 1,
    }
)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(result: Result) -> str:
    """The one paragraph that was said."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    *notes, last = result.stderr.splitlines()
    assert all(note.startswith("Note: ") for note in notes), result.stderr
    assert last.startswith("Error: ") and "Traceback" not in last
    return last


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    TABLE.to_csv(folder / "t.csv", index=False)
    path = folder / "t.slalom"
    result = run("fit", folder / "t.csv", "--target", "price", "--epochs", 1, "--out", path)
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


TABLES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "blank": (b"\n  \n\n", "is empty"),
    "header only": (b"size,town,price\n", "has a header (size, town, price) but no rows"),
    "one row": (b"size,price\n1,2\n", "1 row with a target cannot be trained on"),
    "ragged": (b"size,price\n1,2\n3,4,5\n6,7\n", "line 3: expected 2 fields"),
    "duplicate names": (b"price,price\n" + b"1,2\n" * 20, "more than one column called 'price'"),
    "binary": (bytes(range(256)) * 8, "is not a text file"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(64), "is a picture"),
    "a broken workbook": (b"PK\x03\x04" + bytes(64), "a zip archive, but cannot be read"),
    "cut gzip": (gzip.compress(b"size,price\n1,2\n")[:-9], "damaged or cut off"),
    "cut Parquet": (b"PAR1" + bytes(20), "begins like Parquet, but cannot be read"),
    "open quote": (b'size,price\n"1,2\n3,4\n', "quotation mark that is never closed"),
    "constant target": (b"size,price\n" + b"1,2\n3,2\n" * 20, "Target 'price' is constant"),
    "target always missing": (b"size,price\n" + b"1,\n3,NA\n" * 20, "missing in every one of 40"),
    "only the target": (b"price\n" + b"1\n2\n3\n" * 20, "no column besides the target"),
    "only constant columns": (
        b"size,price\n" + b"".join(b"7,%d\n" % i for i in range(40)),
        "No column is left to learn from",
    ),
    "a class with one row": (
        b"size,price\n" + b"1,x\n2,y\n" * 20 + b"3,z\n",
        "1 of its 3 classes have only one row each ('z')",
    ),
    "one class": (b"size,price\n" + b"1,x\n2,x\n" * 20, "has only one class"),
    "infinite target": (
        b"size,price\n" + b"".join(b"%d,%d\n" % (i, i) for i in range(40)) + b"40,inf\n",
        "must hold finite numbers",
    ),
    "a word among numbers": (
        b"size,price\n" + b"".join(b"%d,%d\n" % (i, i) for i in range(40)) + b"40,much\n",
        "holds numbers except in 1 row",
    ),
    "dates as target": (
        b"size,price\n" + b"".join(b"%d,2020-01-%02d\n" % (i, i) for i in range(1, 29)),
        "Target 'price'",
    ),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_bad_table_is_refused_and_earlier_results_stay(case: str, tmp_path: Path) -> None:
    content, message = TABLES[case]
    (tmp_path / "t.csv").write_bytes(content)
    kept = {name: tmp_path / name for name in ("m.slalom", "m.html")}
    for path in kept.values():
        path.write_text("an earlier result")
    said = refused(run("fit", tmp_path / "t.csv", "--target", "price", "--out", kept["m.slalom"]))
    assert message in said
    assert all(path.read_text() == "an earlier result" for path in kept.values())
    assert {path.name for path in tmp_path.iterdir()} == {"t.csv", *kept}


FIT: dict[str, tuple[list[str], str]] = {
    "no target": ([], "Missing option '--target'. See: slalom fit --help"),
    "a typo in the target": (["--target", "prise"], "no column 'prise'. Did you mean 'price'?"),
    "a typo in --drop": (
        ["--target", "price", "--drop", "twon"],
        "no column 'twon'. Did you mean 'town'?",
    ),
    "target dropped": (["--target", "price", "--drop", "price"], "both the target and left out"),
    "bad time": (
        ["--target", "price", "--time-limit", "soon"],
        "--time-limit must be a time such as 60s",
    ),
    "no time": (
        ["--target", "price", "--time-limit", "0"],
        "--time-limit must be a time such as 60s",
    ),
    "bad task": (["--target", "price", "--task", "guess"], "'--task'"),
    "words as numbers": (
        ["--target", "town", "--task", "regression"],
        "Target 'town' must hold finite numbers",
    ),
    "too many classes": (
        ["--target", "price", "--task", "classification"],
        "classes have only one row each",
    ),
    "no epochs": (["--target", "price", "--epochs", "0"], "'--epochs'"),
    "negative seed": (["--target", "price", "--seed", "-1"], "'--seed'"),
    "seed of words": (["--target", "price", "--seed", "x"], "'--seed'"),
    "unknown option": (["--target", "price", "--ephocs", "3"], "No such option: --ephocs"),
    "missing test table": (["--target", "price", "--test", "no.csv"], "There is no file no.csv"),
    "out in no folder": (["--target", "price", "--out", "no/m.slalom"], "There is no folder no"),
    "out is a folder": (["--target", "price", "--out", "."], ". is a folder"),
    "no name for out": (["--target", "price", "--out", ""], "is a folder"),
    "out over the table": (["--target", "price", "--out", "t.csv"], "written over its own input"),
    "report over the model": (
        ["--target", "price", "--out", "m", "--report", "m"],
        "Model and report would both be written to m",
    ),
    "report in no folder": (["--target", "price", "--report", "no/r.html"], "no folder no"),
    "a name that is too long": (["--target", "price", "--out", "m" * 300], "File name too long"),
}


@pytest.mark.parametrize("case", FIT)
def test_bad_arguments_of_fit_are_refused_before_anything_is_written(
    case: str, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(table.parent)
    arguments, message = FIT[case]
    assert message in refused(run("fit", "t.csv", *arguments))
    assert [path.name for path in table.parent.iterdir()] == ["t.csv"]
    pd.testing.assert_frame_equal(pd.read_csv(table), TABLE)


def test_a_missing_table_is_refused_with_what_lies_near(table: Path) -> None:
    said = refused(run("fit", table.with_name("tt.csv"), "--target", "price"))
    assert "Did you mean 't.csv'?" in said


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    assert "is a folder" in refused(run("inspect", tmp_path))


def test_a_test_table_without_the_target_is_named(table: Path) -> None:
    other = table.with_name("test.csv")
    TABLE.drop(columns="price").to_csv(other, index=False)
    said = refused(
        run("fit", table, "--target", "price", "--test", other, "--out", other.parent / "m")
    )
    assert "test.csv has no column 'price'" in said


def damaged(model: Path, kind: str) -> bytes:
    whole = model.read_bytes()
    return {
        "empty": b"",
        "text": b"size,price\n1,2\n",
        "a pickle": pickle.dumps({"weights": [1.0]}),
        "cut in the header": whole[:100],
        "cut in the tensors": whole[:-100],
        "another header": whole.replace(b"slalom-model-2", b"slalom-model-9"),
        "a broken header": whole.replace(b"columns", b"c\xfflumns", 1),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        *("empty", "text", "a pickle", "cut in the header", "cut in the tensors"),
        *("another header", "a broken header"),
    ],
)
def test_what_is_no_model_is_refused_and_never_run(
    kind: str, model: Path, table: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.slalom").write_bytes(damaged(model, kind))
    out = tmp_path / "p.csv"
    out.write_text("earlier predictions")
    said = refused(run("predict", tmp_path / "bad.slalom", table, "--out", out))
    assert "model" in said.lower()
    assert out.read_text() == "earlier predictions"


def test_tensors_of_another_program_are_no_model(table: Path, tmp_path: Path) -> None:
    save_file({"w": np.zeros(3)}, tmp_path / "w.safetensors")
    assert "no Slalom model" in refused(run("predict", tmp_path / "w.safetensors", table))


def test_a_missing_model_is_refused(table: Path) -> None:
    assert "There is no model file" in refused(run("predict", table.with_name("m.slalom"), table))


PREDICT: dict[str, tuple[pd.DataFrame, str]] = {
    "a column is missing": (TABLE.drop(columns="size"), "lacks 1 of the 2 columns"),
    "a column has another name": (TABLE.rename(columns={"size": "sise"}), "Did you mean 'sise'?"),
    "numbers became words": (TABLE.assign(size="large"), "size"),
    "the name is taken": (TABLE.assign(prediction=1), "already has a column 'prediction'"),
}


@pytest.mark.parametrize("case", PREDICT)
def test_a_table_that_does_not_fit_the_model_is_refused(
    case: str, model: Path, tmp_path: Path
) -> None:
    frame, message = PREDICT[case]
    frame.to_csv(tmp_path / "new.csv", index=False)
    assert message in refused(run("predict", model, tmp_path / "new.csv"))


def test_unseen_levels_and_missing_cells_are_predicted_row_by_row(
    model: Path, tmp_path: Path
) -> None:
    frame = TABLE.head(6).assign(town=["a", "z", None, "b", "ü", "c"])
    frame.loc[0, "size"] = None
    frame.to_csv(tmp_path / "new.csv", index=False)
    result = run("predict", model, tmp_path / "new.csv")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 7


OUTS: dict[str, tuple[str, str]] = {
    "not CSV": ("p.xlsx", "must end in .csv"),
    "no folder": ("no/p.csv", "There is no folder"),
    "over the table": ("t.csv", "written over its own input"),
    "a folder": (".", "is a folder"),
}


@pytest.mark.parametrize("case", OUTS)
def test_predictions_are_not_written_where_they_do_not_belong(
    case: str, model: Path, table: Path
) -> None:
    name, message = OUTS[case]
    assert message in refused(run("predict", model, table, "--out", table.parent / name))
    pd.testing.assert_frame_equal(pd.read_csv(table), TABLE)


RACE: dict[str, tuple[list[str], str]] = {
    "a typo in the toy": (["quadratik"], "There is no toy 'quadratik'. Did you mean 'quadratic'?"),
    "a table without a target": (["t.csv"], "name the column to predict with --target"),
    "a typo in the target": (["t.csv", "--target", "pric"], "Did you mean 'price'?"),
    "a missing table": (["no.csv", "--target", "y"], "There is no file no.csv"),
    "not a picture": (["--out", "race.txt"], "must end in .png, .svg or .pdf"),
    "no rows a batch": (["--batch-size", "0"], "'--batch-size'"),
    "no seeds": (["--seeds", "0"], "'--seeds'"),
}


@pytest.mark.parametrize("case", RACE)
def test_a_race_that_cannot_be_run_is_refused(
    case: str, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(table.parent)
    arguments, message = RACE[case]
    assert message in refused(run("race", *arguments))
    assert [path.name for path in table.parent.iterdir()] == ["t.csv"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fitt"], "No such command 'fitt'. Did you mean 'fit'? See: slalom --help"),
        (
            ["--verbose"],
            "No such option: --verbose (Possible options: --version). See: slalom --help",
        ),
        (["predict"], "Missing argument 'MODEL'"),
        (["inspect", "a.csv", "b.csv"], "unexpected extra argument(s) (b.csv)"),
    ],
)
def test_a_command_that_is_not_understood_is_one_paragraph(
    arguments: list[str], message: str
) -> None:
    assert message in refused(run(*arguments))
