"""How far a training is, as data and as a bar on the terminal."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Args:
        members: in the population.
        training: of these, how many still train.
        steps: updates done, over all members.
        remaining: updates still to do if nobody stops early.
        best: lowest validation loss so far; infinite before the first.
        seconds: since the start.
    """

    members: int
    training: int
    steps: int
    remaining: int
    best: float
    seconds: float

    @property
    def share(self) -> float:
        """Done, from 0 to 1.

        >>> Progress(members=2, training=1, steps=30, remaining=10, best=0.1, seconds=1.0).share
        0.75
        """
        return self.steps / max(self.steps + self.remaining, 1)

    @property
    def steps_per_second(self) -> float:
        """Over all members."""
        return self.steps / max(self.seconds, 1e-9)


def announce(text: str, show: bool | None) -> None:
    """Say what will take a while, where `progress_bar` would draw a bar."""
    if show or (show is None and sys.stderr.isatty()):
        print(text, file=sys.stderr, flush=True)


@contextmanager
def progress_bar(show: bool | None) -> Iterator[Callable[[Progress], None]]:
    """A bar to be called with every `Progress`; on standard error, and silent off a terminal.

    Args:
        show: whether to draw; None for only on a terminal.
    """
    if show is False or (show is None and not sys.stderr.isatty()):
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TextColumn("{task.fields[facts]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=sys.stderr.isatty(),  # elsewhere one line stays, or nothing would be seen
    )
    with bar:
        task = bar.add_task("training", total=1.0, facts="")

        def update(progress: Progress) -> None:
            bar.update(task, completed=progress.share, facts=_facts(progress))

        yield update


def _facts(progress: Progress) -> str:
    best = f", best loss {progress.best:.4g}" if math.isfinite(progress.best) else ""
    busy = f"{progress.training} of " if progress.training else ""
    return f"{busy}{progress.members} members, {progress.steps_per_second:,.0f} steps/s{best}"
