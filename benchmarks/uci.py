"""How far off are the default estimators on the standard splits of UCI's regression sets?

RMSE of `Regressor()` on the splits that the papers on uncertainty use (20 of each set, 90 % to
train on), beside the lowest that we found published on these splits.

    python benchmarks/uci.py --data ../shared/data
    python benchmarks/uci.py --only wine --splits 3
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import root_mean_squared_error

from harness.results import FOLDER, markdown, write
from slalom import Regressor


@dataclass(frozen=True)
class Set:
    """A folder of UCI's, and the lowest RMSE that we found published."""

    folder: str
    mark: float
    whose: str


SETS = {
    "concrete": Set("concrete", 4.50, "MC dropout, two layers"),
    "energy": Set("energy", 0.46, "NGBoost"),
    "wine": Set("wine-quality-red", 0.60, "MC dropout, two layers"),
    "yacht": Set("yacht", 0.50, "NGBoost"),
}


def measure(name: str, folder: Path, splits: int) -> list[dict]:
    """One row a split."""
    folder = folder / "uci" / SETS[name].folder
    table = pd.read_csv(folder / "data.csv.gz")
    parts = pd.read_csv(folder / "splits.csv.gz")
    X, y = table.iloc[:, :-1], table.iloc[:, -1]
    rows = []
    for split in sorted(parts["split"].unique())[:splits]:
        own = parts[parts["split"] == split].groupby("part")["row"]
        train, test = (own.get_group(part).to_numpy() for part in ("train", "test"))
        began = time.perf_counter()
        model = Regressor(progress=False).fit(X.iloc[train], y.iloc[train])
        rmse = root_mean_squared_error(y.iloc[test], model.predict(X.iloc[test]))
        seconds = time.perf_counter() - began
        rows.append({"set": name, "split": int(split), "rmse": rmse, "seconds": seconds})
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    if not (arguments.data / "uci").is_dir():
        print(
            f"There is no folder uci in {arguments.data}, so nothing is measured.", file=sys.stderr
        )
        return
    results = pd.DataFrame(
        row for name in arguments.only for row in measure(name, arguments.data, arguments.splits)
    )
    lines = []
    for name, own in results.groupby("set", sort=False):
        spread = own["rmse"].std() / np.sqrt(len(own))
        found = f"{own['rmse'].mean():.3f} ± {spread:.3f}"
        known = SETS[str(name)]
        lines.append(
            [name, found, f"{known.mark:.2f} ({known.whose})", f"{own['seconds'].mean():.1f}"]
        )
    text = markdown(["set", "RMSE, mean ± standard error", "lowest published", "seconds"], lines)
    write(
        "uci", results, f"{arguments.splits} standard splits of each.", text, folder=arguments.out
    )


if __name__ == "__main__":
    main()
