"""Native against the best of its peers, over widths, batches, members, optimizers and activations.

    python benchmarks/grid.py                      all 216 cells, two hours
    python benchmarks/grid.py --resume             the cells that are not in the CSV yet
    python benchmarks/grid.py --quick              three cells, a minute or two
    python benchmarks/grid.py --cells w=10,16 P=32 opt=Adam     only these, merged into the CSV

Nets are 16-w-w-1 on 4096 rows. The CSV has one row a cell and contestant, written after each cell.
"""

import argparse
import warnings
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm

import peak
from harness import charts
from harness.results import FOLDER, digits, geometric_mean, markdown, write
from harness.timing import EARLY, MEASURED, measure
from peers import Job, Pair
from peers.everyone import contestants
from peers.job import surface
from peers.slalom_engine import NAMES
from slalom import SGD, Adam
from slalom.plots import style

KEYS = ["w", "B", "P", "opt", "act"]
WIDTHS, BATCHES, MEMBERS = (10, 16, 32, 64, 128, 256), (32, 128, 1024), (1, 32, 1000)
OPTIMIZERS = {"SGD": SGD(0.05), "Adam": Adam(1e-3)}
ACTIVATIONS = ("relu", "tanh")
FEATURES = 16
SLOWEST = 0.1  # the slowest member's learning rate, as a share of the fastest's
STRETCH_SECONDS, PACE = 0.05, 40e9  # how long a stretch should be, and the FLOP/s that we guess
FEWEST, MOST = 1, 512  # steps of a stretch


@dataclass(frozen=True)
class Cell:
    """A place in the grid: width, batch, members, optimizer, activation."""

    w: int
    B: int
    P: int
    opt: str
    act: str

    def job(self) -> Job:
        X, y = surface(features=FEATURES)
        optimizer = OPTIMIZERS[self.opt]
        rates = np.geomspace(1, SLOWEST, self.P) * optimizer.lr
        widths = (FEATURES, self.w, self.w, 1)
        return Job(X, y, widths, self.act, optimizer, tuple(map(float, rates)), self.B)


CELLS = [Cell(*c) for c in product(WIDTHS, BATCHES, MEMBERS, OPTIMIZERS, ACTIVATIONS)]
QUICK = [
    Cell(10, 32, 1, "SGD", "relu"),
    Cell(16, 32, 32, "Adam", "tanh"),
    Cell(64, 128, 32, "SGD", "relu"),
]


def chosen(filters: list[str]) -> list[Cell]:
    """The cells that pass filters such as `w=10,16`."""
    allowed = {
        name: set(values.split(",")) for name, _, values in (f.partition("=") for f in filters)
    }
    if unknown := set(allowed) - set(KEYS):
        raise SystemExit(f"Cells are filtered by {', '.join(KEYS)}, not by {', '.join(unknown)}.")
    return [c for c in CELLS if all(str(getattr(c, k)) in v for k, v in allowed.items())]


def steps_of(job: Job) -> int:
    """Steps of a stretch: as many as should take a twentieth of a second."""
    return int(np.clip(STRETCH_SECONDS * PACE / (job.flops * job.members), FEWEST, MOST))


def run(cell: Cell, pair: Pair, engine: str, seconds: float, turns: int) -> list[dict]:
    """One row a contestant."""
    job = cell.job()
    steps = steps_of(job)
    results = measure(job, contestants(job, pair, engine), steps, seconds=seconds, turns=turns)
    place = dict(zip(KEYS, astuple(cell), strict=True))
    rows = [place | {"engine": engine, "steps": steps} | r.row() for r in results]
    for row in rows:
        row["gflops"] = job.flops * job.members / row["step_us"] / 1e3
    return rows


def compare(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a cell: ours, the best peer, and how many times as long that takes.

    The limit is the ratio that a program would have which did nothing but the useful products, at
    the peak of both cores: the roofline of arithmetic.
    """
    measured = rows[rows["status"] == MEASURED]
    ours = measured[measured["contestant"] == "slalom"].set_index(KEYS)
    peers = measured[measured["contestant"] != "slalom"]
    best = peers.loc[peers.groupby(KEYS)["step_us"].idxmin()].set_index(KEYS)
    cells = ours[["step_us", "lowest_us", "highest_us", "gflops", "peak_gflops"]].copy()
    cells["share"] = cells["gflops"] / cells["peak_gflops"]
    cells["best"], cells["best_us"] = best["contestant"], best["step_us"]
    cells["ratio"] = cells["best_us"] / cells["step_us"]
    cells["limit"] = cells["ratio"] / cells["share"]
    cells["difference"] = rows.groupby(KEYS)["difference"].max()
    return cells.reset_index().sort_values(KEYS)


def summary(cells: pd.DataFrame) -> str:
    """The few numbers that one would quote."""
    small = cells[(cells["w"] <= 32) & (cells["P"] >= 32)]
    least = cells.loc[cells["ratio"].idxmin()]
    lost, off = (cells["ratio"] < 1).sum(), cells["difference"].max()
    lines = [
        f"- {len(cells)} of {len(CELLS)} cells; lost (ratio below 1): {lost}.",
        f"- Ratio to the best peer, geometric mean: {_mean(cells['ratio'])}; at the peak of both "
        f"cores, where nobody gets, it would be {_mean(cells['limit'])}.",
        f"- Smallest: {digits(least['ratio'])}, at {', '.join(f'{k}={least[k]}' for k in KEYS)} "
        f"({least['best']}).",
        f"- Largest difference of anybody's loss from the reference, to step {EARLY}: {off:.1e}.",
    ]
    if len(small):
        lines.insert(
            2,
            f"- The same for widths to 32 and 32 members or more: {_mean(small['ratio'])} of at "
            f"most {_mean(small['limit'])}; the peak itself would be below 8 in "
            f"{(small['limit'] < 8).sum()} of these {len(small)} cells.",
        )
    return "\n".join(lines)


def by_width(cells: pd.DataFrame) -> str:
    """Ratios, shares of the peak, and what tanh and Adam cost, for every width."""
    heavy = cells[(cells["opt"] == "SGD") & (cells["act"] == "relu")]
    heavy = heavy[(heavy["B"] >= 128) & (heavy["P"] >= 32)]
    even = cells[cells["B"] == 128]
    return markdown(
        ["width", "ratio", "at the peak", "lowest share of the peak", "tanh / ReLU", "Adam / SGD"],
        [
            [
                str(w),
                _mean(own["ratio"]),
                _mean(own["limit"]),
                f"{heavy.loc[heavy['w'] == w, 'share'].min():.0%}",
                _times(even[even["w"] == w], "act", "tanh", "relu"),
                _times(even[even["w"] == w], "opt", "Adam", "SGD"),
            ]
            for w, own in cells.groupby("w")
        ],
    )


def _mean(ratios: pd.Series) -> str:
    return digits(geometric_mean(ratios))


def _times(cells: pd.DataFrame, key: str, one: str, other: str) -> str:
    """Our times with one value of a key over those with another: the mean, and the largest."""
    times = cells.set_index([k for k in KEYS if k != key])[[key, "step_us"]]
    times = times.pivot(columns=key, values="step_us").reindex(columns=[one, other])
    ratios = (times[one] / times[other]).dropna()
    return f"{_mean(ratios)} (to {digits(ratios.max())})" if len(ratios) else "-"


def table(cells: pd.DataFrame) -> str:
    """Every cell."""
    header = ["cell", "us a step", "lowest to highest", "best peer", "its us", "ratio"]
    header.append("at the peak")
    return markdown(
        [*header, "GFLOP/s", "of the peak", "off the reference"],
        [
            [
                f"{c.w} x {c.B} x {c.P} {c.opt} {c.act}",
                digits(c.step_us),
                f"{digits(c.lowest_us)} to {digits(c.highest_us)}",
                c.best,
                digits(c.best_us),
                digits(c.ratio),
                digits(c.limit),
                digits(c.gflops),
                f"{c.share:.1%}",
                f"{c.difference:.1e}",
            ]
            for c in cells.itertuples()
        ],
    )


@style.look()
def draw(cells: pd.DataFrame, path: Path) -> None:
    """The ratio of every cell as a map: blue where we win, orange where we lose."""
    figure = style.picture(8, 8.4)
    reach = max(4.0, cells["ratio"].max(), 1 / cells["ratio"].min())
    colors = LinearSegmentedColormap.from_list("ratio", [style.ORANGE, "white", style.BLUE])
    scale = LogNorm(1 / reach, reach)
    panels = product(OPTIMIZERS, ACTIVATIONS)
    for axes, (optimizer, activation) in zip(figure.subplots(2, 2).flat, panels, strict=True):
        part = cells[(cells["opt"] == optimizer) & (cells["act"] == activation)]
        _map(axes, part.set_index(["P", "B", "w"])["ratio"], colors, scale)
        axes.set_title(f"{optimizer}, {activation}", fontsize=10)
    figure.suptitle(
        "Time of the best peer / time of Slalom, a step of the population (nets 16-w-w-1)",
        fontsize=11,
    )
    charts.save(figure, path)


def _map(axes: Axes, ratios: pd.Series, colors: LinearSegmentedColormap, scale: LogNorm) -> None:
    lines = list(product(MEMBERS, BATCHES))
    values = np.array([[ratios.get((P, B, w), np.nan) for w in WIDTHS] for P, B in lines])
    axes.imshow(values, cmap=colors, norm=scale, aspect="auto")
    axes.set_xticks(range(len(WIDTHS)), [str(w) for w in WIDTHS])
    axes.set_yticks(range(len(lines)), [f"{P} x {B}" for P, B in lines])
    axes.set_xlabel("width w")
    axes.set_ylabel("members x batch")
    axes.grid(visible=False)
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            dark = abs(np.log(value)) > 0.75 * np.log(scale.vmax)
            text = f"{value:.2g}" if value < 10 else f"{value:.0f}"
            axes.text(
                j, i, text, ha="center", va="center", size=8, color="white" if dark else style.INK
            )


def publish(rows: pd.DataFrame, folder: Path) -> None:
    """All three files."""
    cells = compare(rows)
    legend = (
        "Cells are width x batch x members; ratio is the time of the best peer over ours, *at the "
        "peak* what it would be at the peak of both cores. The lowest share is that of SGD with "
        "ReLU, batches of 128 or more and 32 members or more; what tanh and Adam cost is measured "
        "at a batch of 128: mean (and largest)."
    )
    engines = f"Engine: {', '.join(sorted(rows['engine'].unique()))}."
    parts = [summary(cells), by_width(cells), legend, table(cells)]
    write("grid", rows, engines, *parts, folder=folder)
    draw(cells, folder / "grid.png")


def earlier(path: Path, cells: Iterable[Cell], keep: bool) -> pd.DataFrame:
    """Rows of the CSV, without those of these cells unless they are to be kept."""
    if not path.exists():
        return pd.DataFrame(columns=KEYS)
    rows = pd.read_csv(path)
    again = set() if keep else {astuple(c) for c in cells}
    places = list(rows[KEYS].itertuples(index=False, name=None))
    return rows[[place not in again for place in places]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--engine", choices=NAMES, default="native")
    parser.add_argument("--quick", action="store_true", help="three cells, short turns")
    parser.add_argument("--cells", nargs="*", default=[], metavar="KEY=VALUES")
    parser.add_argument("--resume", action="store_true", help="keep the cells in the CSV")
    parser.add_argument("--seconds", type=float, default=0.1, help="of one measurement")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    turns = 3 if arguments.quick else arguments.turns
    cells = QUICK if arguments.quick else chosen(arguments.cells)
    path = arguments.out / "grid.csv"
    arguments.out.mkdir(parents=True, exist_ok=True)
    whole = not (arguments.quick or arguments.cells or arguments.resume)
    rows = earlier(path, CELLS if whole else cells, arguments.resume)
    done = set(rows[KEYS].itertuples(index=False, name=None))
    cells = [c for c in cells if astuple(c) not in done]
    most = max(peak.gflops(2, turns=15))
    pair = Pair()
    for number, cell in enumerate(cells, 1):
        print(f"{number}/{len(cells)} {cell}", flush=True)
        new = pd.DataFrame(run(cell, pair, arguments.engine, arguments.seconds, turns))
        new["peak_gflops"] = most
        rows = pd.concat([rows, new], ignore_index=True) if len(rows) else new
        rows.to_csv(path, index=False)
        shown = new[["contestant", "status", "step_us", "difference"]]
        print(shown.to_string(index=False), flush=True)
    publish(rows, arguments.out)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=FutureWarning)
    main()
