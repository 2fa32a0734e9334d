"""`slalom race`: five optimizers on one net."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slalom.cli.common import Device, Seed, Threads, check_outputs
from slalom.cli.leaving import INTERRUPTED
from slalom.core.errors import BadData, BadFile
from slalom.core.terminal import say, show_table, warn

if TYPE_CHECKING:
    from slalom.data.dataset import Dataset


def race(
    data: Annotated[
        str, typer.Argument(help="A toy (quadratic, sine, step, moons, ...) or a table.")
    ] = "quadratic",
    target: Annotated[str | None, typer.Option(help="Column to predict, for a table.")] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the rows.", min=1)] = 12,
    seeds: Annotated[int, typer.Option(help="How many times the race is run.", min=1)] = 1,
    batch_size: Annotated[int, typer.Option(help="Rows a batch.", min=1)] = 32,
    out: Annotated[Path, typer.Option(help="Picture to write (PNG, SVG, PDF).")] = Path("race.png"),
    seed: Seed = 0,
    threads: Threads = None,
    device: Device = None,
) -> None:
    """Race five optimizers on one net, from the same weights on the same batches."""
    check_outputs([out], [Path(data)])
    if out.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise BadFile(f"A picture must end in .png, .svg or .pdf, but --out is {out}.")

    from slalom import plots
    from slalom.runs import train
    from slalom.tabular import racing

    dataset = _race_data(data, target, seed)
    net = racing.net(dataset)
    run = train.race(
        net,
        dataset,
        list(racing.RACERS),
        seeds=seeds,
        batch_size=batch_size,
        epochs=epochs,
        threads=threads,
        device=device,
        frames=0,
    )
    if run.history.empty:
        warn("Stopped before the first lap, so there is nothing to show.")
        raise typer.Exit(INTERRUPTED)
    plots.race(run, out)
    rows = len(dataset.folds[0].train)
    show_table(
        racing.results(run),
        f"{Path(data).name}: {rows:,} rows, net {net.label}, batches of {batch_size}, "
        f"{epochs} epochs, {seeds} seed{'s' * (seeds > 1)}",
    )
    say("Losses above are those on all rows after the last step; the picture follows the batches.")
    say(f"Picture  {out}")
    if run.interrupted:
        warn("The race was stopped by Ctrl-C; what it had reached is shown.")
        raise typer.Exit(INTERRUPTED)


def _race_data(data: str, target: str | None, seed: int) -> "Dataset":
    from slalom.tabular import racing

    if target is not None:
        return racing.table(Path(data), target, seed)
    if Path(data).is_file():
        raise BadData(f"{data} is a table: name the column to predict with --target.")
    return racing.toy(data, seed)
