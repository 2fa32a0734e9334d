"""The command line: what it prints, writes and returns, checked against the files themselves."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, r2_score
from typer.testing import CliRunner, Result

from slalom import __version__
from slalom.cli import app
from slalom.cli.fit import seconds
from slalom.core.errors import BadPlan

pytestmark = pytest.mark.slow  # whole programs
PROGRAM = [sys.executable, "-c", "from slalom.cli import main; main()"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def start(*arguments: object, **options: object) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment,
        **options,  # type: ignore[call-overload]
    )


def houses(rows: int = 160, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    area, town = rng.uniform(20, 200, rows).round(2), rng.choice(["Bern", "Zürich"], rows)
    price = (1000 * area + 20_000 * (town == "Bern") + 5000 * rng.normal(size=rows)).round(2)
    return pd.DataFrame(
        {"the [red]area[/] of a house in square metres": area, "town": town, "price": price}
    )


def animals(rows: int = 160, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    kind = rng.choice(["cat", "dog"], rows)
    weight = np.where(kind == "dog", 20.0, 5.0) + 4 * rng.normal(size=rows)
    return pd.DataFrame({"weight": weight.round(3), "kind": kind})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two tables and a model of each."""
    folder = tmp_path_factory.mktemp("work")
    houses().to_csv(folder / "houses.csv", index=False)
    animals().to_csv(folder / "animals.csv", index=False)
    before = Path.cwd()
    os.chdir(folder)
    try:
        for table, target in (("houses.csv", "price"), ("animals.csv", "kind")):
            result = run("fit", table, "--target", target, "--epochs", 3)
            assert result.exit_code == 0, result.output
            Path(f"{target}.txt").write_text(result.stdout, encoding="utf-8")
    finally:
        os.chdir(before)
    return folder


def test_fit_writes_model_and_report_beside_each_other_in_the_current_folder(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("houses.csv", "houses.slalom", "houses.html", "price.txt"),
        *("animals.csv", "animals.slalom", "animals.html", "kind.txt"),
    }


def test_fit_says_what_it_made_of_columns_who_was_best_and_how_good_it_is(folder: Path) -> None:
    said = (folder / "price.txt").read_text(encoding="utf-8")
    assert "the [red]area[/] of a house in square metres" in said  # neither cut nor coloured
    assert said.startswith("What is made of each column")  # before the training
    assert "…" not in said and "\x1b" not in said
    assert re.search(r"The best of \d+ candidates, of which the \d+ best of the first fold", said)
    assert "Score on 32 rows that neither training nor selection saw" in said
    assert re.search(r"slalom +-?\d\.\d+ ± \d", said)
    assert re.search(r"linear model +0\.9\d+ ± 0\.0", said)
    assert re.search(r"mean +-?0\.\d+ ± ", said)
    assert "Model   houses.slalom" in said and "Report  houses.html" in said


def test_predict_keeps_every_row_in_order_and_adds_values_and_their_deviation(
    folder: Path, tmp_path: Path
) -> None:
    result = run(
        "predict", folder / "houses.slalom", folder / "houses.csv", "--out", tmp_path / "p.csv"
    )
    assert result.exit_code == 0, result.output
    predicted, table = pd.read_csv(tmp_path / "p.csv"), houses()
    assert predicted.columns.tolist() == [*table.columns, "prediction", "prediction_std"]
    pd.testing.assert_frame_equal(predicted[table.columns.tolist()], table)
    assert (predicted["prediction_std"] > 0).all()


def test_the_printed_score_is_that_of_the_predictions_on_the_same_rows(tmp_path: Path) -> None:
    houses(160).to_csv(tmp_path / "train.csv", index=False)
    houses(90, seed=1).to_csv(tmp_path / "test.csv", index=False)
    model = tmp_path / "m.slalom"
    said = run(
        *("fit", tmp_path / "train.csv", "--target", "price", "--test", tmp_path / "test.csv"),
        *("--out", model, "--epochs", 3),
    ).stdout
    run("predict", model, tmp_path / "test.csv", "--out", tmp_path / "p.csv")
    predicted = pd.read_csv(tmp_path / "p.csv")
    found = re.search(r"slalom +(-?[\d.]+) ± ([\d.]+)", said)
    assert found is not None and "Score on 90 rows" in said
    digits = len(found[1].partition(".")[2])
    expected = r2_score(predicted["price"], predicted["prediction"])
    assert float(found[1]) == pytest.approx(expected, abs=0.51 * 10**-digits)


def test_predict_gives_a_class_and_a_probability_for_each(folder: Path) -> None:
    result = run("predict", folder / "animals.slalom", folder / "animals.csv")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "weight,kind,prediction,probability_cat,probability_dog"
    assert len(lines) == 161 and result.stderr == ""
    cells = pd.DataFrame([line.split(",") for line in lines[1:]], columns=lines[0].split(","))
    likelier = np.where(cells["probability_dog"].astype(float) > 0.5, "dog", "cat")
    assert cells["prediction"].tolist() == likelier.tolist()
    assert accuracy_score(cells["kind"], cells["prediction"]) > 0.8


def test_predictions_for_a_gz_name_are_compressed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.csv.gz"
    assert (
        run("predict", folder / "animals.slalom", folder / "animals.csv", "--out", out).exit_code
        == 0
    )
    assert len(pd.read_csv(out)) == 160


def test_columns_may_be_reordered_and_the_target_may_be_absent(
    folder: Path, tmp_path: Path
) -> None:
    table = houses().drop(columns="price").iloc[:, ::-1]
    table.to_csv(tmp_path / "new.csv", index=False)
    result = run("predict", folder / "houses.slalom", tmp_path / "new.csv")
    assert result.exit_code == 0
    first = result.stdout.splitlines()[0]
    assert first == "town,the [red]area[/] of a house in square metres,prediction,prediction_std"
    assert "Zürich" in result.stdout


def test_notes_are_one_line_each_on_standard_error(tmp_path: Path) -> None:
    table = animals()
    table.loc[:4, "kind"] = None
    table.to_csv(tmp_path / "t.csv", index=False)
    result = run(
        "fit", tmp_path / "t.csv", "--target", "kind", "--epochs", 1, "--out", tmp_path / "m.slalom"
    )
    assert result.exit_code == 0
    assert re.fullmatch(r"Note: 5 of 160 rows of t\.csv have no kind: .*\n", result.stderr)
    assert "5 set aside without a target" in result.stdout


def test_several_targets_and_dropped_columns(tmp_path: Path) -> None:
    houses().assign(tax=lambda t: t["price"] / 7).to_csv(tmp_path / "t.csv", index=False)
    result = run(
        *("fit", tmp_path / "t.csv", "--target", "price", "--target", "tax", "--drop", "town"),
        *("--epochs", 1, "--out", tmp_path / "m.slalom", "--report", tmp_path / "r.html"),
    )
    assert result.exit_code == 0, result.output
    assert "Left out on request: town" in result.stdout
    assert (tmp_path / "r.html").is_file()
    predicted = run("predict", tmp_path / "m.slalom", tmp_path / "t.csv").stdout
    assert predicted.splitlines()[0].endswith(
        "prediction_price,prediction_price_std,prediction_tax,prediction_tax_std"
    )


def test_race_is_run_on_the_quadratic_by_five_optimizers_and_drawn(tmp_path: Path) -> None:
    out = tmp_path / "race.png"
    result = run("race", "--epochs", 1, "--out", out)
    assert result.exit_code == 0, result.output
    assert (
        "quadratic: 1,000 rows, net 1-20-1 relu, batches of 32, 1 epochs, 1 seed" in result.stdout
    )
    racers = re.findall(r"^ (\w+\(.*\)) ", result.stdout, flags=re.MULTILINE)
    assert sorted(racers) == [
        "Adagrad(lr=0.01)",
        "Adam(lr=0.01, betas=(0.9, 0.99))",
        "RMSprop(lr=0.01, alpha=0.9)",
        "SGD(lr=0.01)",
        "SGD(lr=0.01, momentum=0.8)",
    ]
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_race_on_a_table_is_validated_and_several_seeds_have_a_spread(
    folder: Path, tmp_path: Path
) -> None:
    result = run(
        *("race", folder / "animals.csv", "--target", "kind", "--epochs", 1, "--seeds", 2),
        *("--out", tmp_path / "r.svg"),
    )
    assert result.exit_code == 0, result.output
    assert "128 rows" in result.stdout
    assert "validation loss" in result.stdout and "spread" in result.stdout


def test_inspect_counts_missing_cells_and_leaves_the_target_out(tmp_path: Path) -> None:
    table = houses(50)
    table.loc[[1, 2, 3], "town"] = None
    table.to_csv(tmp_path / "t.csv", index=False)
    result = run("inspect", tmp_path / "t.csv", "--target", "price")
    assert result.exit_code == 0
    assert "t.csv: 50 rows, 3 columns, 3 missing cells" in result.stdout
    assert "Target price: regression" in result.stdout
    assert re.search(r"town +Category +\d +3 ", result.stdout)
    assert not re.search(r"^ price", result.stdout, flags=re.MULTILINE)


def test_the_version_is_said() -> None:
    assert run("--version").stdout == f"slalom {__version__}\n"


def test_without_a_command_the_help_is_shown() -> None:
    assert run().stdout == run("--help").stdout
    assert "predict" in run().stdout


@pytest.mark.parametrize(
    ("text", "expected"), [("60", 60), ("60s", 60), ("2m", 120), ("1h", 3600), (" 1.5M ", 90)]
)
def test_times_are_understood(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0", "0s", "-5", "abc", "5 days", "1e9s", "nan", "inf"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadPlan, match="--time-limit must be a time such as 60s, 2m or 1h"):
        seconds(text)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['slalom', '--help']\nfrom slalom.cli import main\n"
        "try:\n    main()\nexcept SystemExit as e:\n    assert not e.code\n"
        "heavy = {'torch', 'pandas', 'numpy', 'matplotlib', 'sklearn', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_real_process_writes_clean_csv_and_utf8(folder: Path) -> None:
    process = start("predict", folder / "houses.slalom", folder / "houses.csv")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert len(out.splitlines()) == 161 and "Zürich" in out
