"""Benchmarks that nobody can run on every machine are tried out on each."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, timeout=500)


@pytest.mark.slow
def test_that_of_a_gpu_runs_without_one(tmp_path: Path) -> None:
    done = run("gpu.py", "--device", "cpu", "--quick", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "gpu_on_cpu.csv")
    assert (table["nets_a_second"].dropna() > 0).sum() >= 3
    assert table["differs"].max() <= 2e-5
    assert table["nets"].max() > 0


@pytest.mark.slow
def test_that_of_a_gpu_says_when_there_is_none(tmp_path: Path) -> None:
    done = run("gpu.py", "--device", "cuda:77", "--out", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("Nothing can train on cuda:77: ")
