"""What does a step of the two first lessons cost, and what does it cost elsewhere?

    python benchmarks/regression_and_race.py           every contestant, a few minutes
    python benchmarks/regression_and_race.py --quick   fewer and shorter turns

(a) The regression: one net 1-10-1 on 100 points, full batch, SGD.
(b) The race: five optimizers, one net 1-20-1 each, on 1000 points in batches of 32.

Beside the peers of the grid there are the plain loop as most people write it (torch's default
optimizers, not its fused ones) and the same with a real DataLoader.
"""

import argparse
from pathlib import Path

import pandas as pd

from harness import charts
from harness.results import FOLDER, digits, markdown, write
from harness.timing import EARLY, MEASURED, clock, measure
from peers import Job, Pair
from peers.everyone import contestants
from peers.job import NO_END
from peers.loop import Loader, Unfused
from peers.slalom_engine import NAMES, Slalom, engine_of
from slalom import SGD, Adagrad, Adam, Plan, Population, RMSprop, toys
from slalom.losses import MSE
from slalom.optim import Optimizer
from slalom.plots import style

RACERS: list[Optimizer] = [
    SGD(0.01),
    SGD(0.01, momentum=0.8),
    Adagrad(0.01),
    RMSprop(0.01, alpha=0.9),
    Adam(0.01, betas=(0.9, 0.99)),
]
STEPS = {"regression": 480, "race": 480}  # of a stretch; whole epochs of the race
TOGETHER = "all five at once"


def jobs() -> dict[str, Job]:
    """The regression, and each racer alone."""
    few, many = toys.quadratic(100, noise=0.2, seed=1), toys.quadratic(1000, noise=0.1, seed=1)
    regression = Job(few.X, few.y, (1, 10, 1), "relu", SGD(0.2), (0.2,))
    racers = {
        f"race, {o.name}": Job(many.X, many.y, (1, 20, 1), "relu", o, (o.lr,), batch=32)
        for o in RACERS
    }
    return {"regression": regression} | racers


def all_at_once(race: list[Job], engine: str, seconds: float, turns: int) -> list[float]:
    """Seconds of one step of all five racers, which only Slalom trains together."""
    members = [m for job in race for m in job.population()]
    plan = Plan(Population(tuple(members)), MSE(), steps=NO_END, record="step")
    together = Slalom(race[0], STEPS["race"], engine_of(engine), plan)
    together.advance(1)
    stretches = max(1, round(seconds / (clock(together, 1) * together.steps)))
    return [clock(together, stretches) for _ in range(turns)]


def run(engine: str, seconds: float, turns: int) -> pd.DataFrame:
    """One row a job and contestant, and one for the whole race."""
    pair, rows, every = Pair(), [], jobs()
    for name, job in every.items():
        makers = contestants(job, pair, engine) | {"loop, unfused": Unfused}
        del makers["loop, two threads"]  # no operation here is large enough for two
        if job.batch is not None:
            makers["loop, DataLoader"] = Loader
        steps = STEPS[name.partition(",")[0]]
        # All that take part are measured, however slow: this is about ratios, not the best only.
        for result in measure(job, makers, steps, seconds=seconds, turns=turns, slow=float("inf")):
            rows.append({"job": name} | result.row())
            print(rows[-1], flush=True)
    race = [job for name, job in every.items() if name != "regression"]
    times = pd.Series(all_at_once(race, engine, seconds, turns)) * 1e6
    rows.append(
        {
            "job": TOGETHER,
            "contestant": "slalom",
            "status": MEASURED,
            "step_us": times.median(),
            "lowest_us": times.min(),
            "highest_us": times.max(),
            "turns": len(times),
        }
    )
    return pd.DataFrame(rows)


def race_sums(rows: pd.DataFrame) -> pd.Series:
    """Microseconds of one step of all five: peers as if they spread perfectly over two cores."""
    alone = rows[rows["job"].str.startswith("race")]
    peers = alone[alone["contestant"] != "slalom"].groupby("contestant", sort=False)["step_us"]
    complete = peers.sum()[peers.count() == len(RACERS)] / 2
    ours = rows.loc[rows["job"] == TOGETHER, "step_us"].item()
    return pd.concat([pd.Series({"slalom": ours}), complete])


def table(rows: pd.DataFrame) -> str:
    """Time, ratio and agreement of everybody on the regression."""
    ours = rows.loc[rows["contestant"] == "slalom", "step_us"].item()
    return markdown(
        ["contestant", "us a step", "lowest to highest", "times ours", "loss", "off the reference"],
        [
            [
                r.contestant,
                digits(r.step_us),
                f"{digits(r.lowest_us)} to {digits(r.highest_us)}",
                digits(r.step_us / ours),
                f"{r.loss_first:.6f}",
                "own weights" if pd.isna(r.difference) else f"{r.difference:.1e}",
            ]
            for r in rows.itertuples()
        ],
    )


def race_table(rows: pd.DataFrame) -> str:
    """Microseconds a step of each racer alone, and of all five."""
    alone = rows[rows["job"].str.startswith("race")]
    steps = alone.pivot_table("step_us", "contestant", "job", sort=False)
    sums = race_sums(rows)
    header = ["us a step", *(name.removeprefix("race, ") for name in steps.columns)]
    worst = alone.groupby("contestant")["difference"].max()
    return markdown(
        [*header, "all five", "times ours", "off the reference"],
        [
            [
                name,
                *(digits(v) for v in values),
                digits(sums.get(name, float("nan"))),
                digits(sums.get(name, float("nan")) / sums["slalom"]),
                "own weights" if pd.isna(worst[name]) else f"{worst[name]:.1e}",
            ]
            for name, values in zip(steps.index, steps.to_numpy(), strict=True)
        ],
    )


@style.look()
def draw(rows: pd.DataFrame, path: Path) -> None:
    """Both questions as bars."""
    figure = style.picture(8, 7)
    above, below = figure.subplots(2)
    regression = rows[rows["job"] == "regression"].set_index("contestant")["step_us"]
    for axes, times, title, note in (
        (above, regression, "Regression", "1-10-1, 100 points, full batch, SGD"),
        (below, race_sums(rows), "Race", "five optimizers, 1-20-1, batches of 32; all five a step"),
    ):
        texts = [
            f"{digits(t)} us" + (f", {digits(t / times['slalom'])}x" if name != "slalom" else "")
            for name, t in times.items()
        ]
        charts.bars(axes, list(times.index), list(times), texts)
        style.headline(axes, title, note)
        axes.set_xlabel("microseconds a step")
    charts.save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--engine", choices=NAMES, default="native")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter turns")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    seconds, turns = (0.05, 3) if arguments.quick else (0.2, 9)
    rows = run(arguments.engine, seconds, turns)
    write(
        "regression_and_race",
        rows,
        f"Engine: {arguments.engine}. Medians of {turns} turns.",
        "**The regression**: 1-10-1, 100 points, full batch, SGD. "
        f"The loss is that after {STEPS['regression']} steps; *off the reference* is the largest "
        f"relative difference of a loss in the first {EARLY} steps.",
        table(rows[rows["job"] == "regression"]),
        "**The race**: 1-20-1, 1000 points, batches of 32. *All five*: ours trains them at once on "
        "two threads; for the others it is the sum of their five times, halved as if they spread "
        "over two cores without loss.",
        race_table(rows),
        folder=arguments.out,
    )
    draw(rows, arguments.out / "regression_and_race.png")


if __name__ == "__main__":
    main()
