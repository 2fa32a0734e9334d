"""How long does a large CSV take to read, and how much memory, beside pandas with pyarrow?

A million rows of ten columns: numbers, whole numbers, words, and points in time. Contestants take
turns in one run; memory is the peak of a process that does nothing else, less that of one that only
imports.

    python benchmarks/reading.py
    python benchmarks/reading.py --quick     a tenth of the rows
"""

import argparse
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from harness.results import FOLDER, markdown, write
from slalom import read_table

TURNS = 7
READERS = {
    "slalom.read_table": read_table,
    "pandas.read_csv, engine pyarrow": lambda path: pd.read_csv(path, engine="pyarrow"),
    "pandas.read_csv": pd.read_csv,
}


def table(rows: int) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    numbers = {f"x{k}": draw.normal(size=rows).round(4) for k in range(5)}
    towns = [f"town {k}" for k in range(500)]
    start, seconds = pd.Timestamp("2020-01-01"), draw.integers(0, 10**8, rows)
    return pd.DataFrame(
        numbers
        | {
            "few": draw.integers(0, 1000, rows),
            "many": draw.integers(0, 10**6, rows),
            "colour": draw.choice(["red", "green", "blue"], rows),
            "town": draw.choice(towns, rows),
            "at": start + pd.to_timedelta(seconds, "s"),
        }
    )


def peak(name: str, path: Path) -> tuple[float, float]:
    """Megabytes at the peak of a process that reads, and of the frame that comes of it."""
    command = [sys.executable, __file__, "--read", name, "--file", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    used, frame = map(float, done.stdout.split())
    return used, frame


def read(name: str, path: Path) -> None:
    READERS[name](StringIO("a,b\n1,2\n") if "pandas" in name else np.ones((2, 2)))  # imports
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = resident("VmRSS")
    frame = READERS[name](path)
    print(resident("VmHWM") - before, frame.memory_usage(deep=True).sum() / 1e6)


def resident(what: str) -> float:
    """Megabytes that this process has in memory (`VmRSS`), or had at most (`VmHWM`)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1e3 for line in lines if line.startswith(what))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--read", choices=list(READERS), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        read(arguments.read, arguments.file)
        return
    rows = 100_000 if arguments.quick else 1_000_000
    seconds: dict[str, list[float]] = {name: [] for name in READERS}
    with TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        table(rows).to_csv(path, index=False)
        size = path.stat().st_size / 1e6
        for _ in range(TURNS):
            for name, reader in READERS.items():
                began = time.perf_counter()
                reader(path)
                seconds[name].append(time.perf_counter() - began)
        memory = {name: peak(name, path) for name in READERS}
    results = pd.DataFrame(
        {
            "reader": name,
            "seconds": float(np.median(times)),
            "peak_mb": memory[name][0],
            "frame_mb": memory[name][1],
        }
        for name, times in seconds.items()
    )
    base = results["seconds"][1]
    lines = [
        [
            row["reader"],
            f"{row['seconds']:.2f}",
            f"{row['seconds'] / base:.2f}",
            f"{row['peak_mb']:.0f}",
            f"{row['frame_mb']:.0f}",
            f"{row['peak_mb'] / row['frame_mb']:.1f}",
        ]
        for _, row in results.iterrows()
    ]
    head = ["reader", "seconds", "to pyarrow's", "peak, MB", "frame, MB", "peak to frame"]
    work = f"{rows:,} rows of 10 columns, {size:.0f} MB of CSV; medians of {TURNS} turns."
    write("reading", results, work, markdown(head, lines), folder=arguments.out)


if __name__ == "__main__":
    main()
