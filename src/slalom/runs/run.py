"""A run: what a training leaves, and what people do with it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slalom.core.errors import BadFile
from slalom.runs import rewind
from slalom.runs.checkpoint import read_checkpoint
from slalom.runs.folder import RunFolder
from slalom.training import Outcome, Snapshot


@dataclass(eq=False)
class Run(Outcome):
    """What a training leaves: plan, history, models, frames; see `slalom.training.Outcome`.

    Args:
        folder: where it is kept on the disk, if it is.
        moments: of it that were kept in the memory, the earliest first.
        origin: where it comes from, for a fork: the run and the step.

    Example:
        >>> import slalom
        >>> run = slalom.train(slalom.MLP(1, 10, 1), slalom.toys.quadratic(100),
        ...                    optimizer=slalom.SGD(0.2), steps=5)
        >>> run.history.columns.tolist()
        ['member', 'step', 'epoch', 'train_loss', 'validation_loss', 'r2']
    """

    folder: RunFolder | None = None
    moments: list[Snapshot] = field(default_factory=list)
    origin: str = ""

    def at(self, step: int) -> "Run":
        """The run as it stood at a step, to the bit: each member there, or where it ended before.

        It is trained forward to it, from the nearest moment that was kept.

        Args:
            step: updates of each member since its start.

        Raises:
            BadPlan: when the run has no such step.

        Example:
            >>> import slalom
            >>> run = slalom.train(slalom.MLP(1, 10, 1), slalom.toys.quadratic(100), steps=50)
            >>> run.at(20).state.step
            array([20])
        """
        return Run.of(rewind.at(self, step, self._moments()), self.engine)

    def _moments(self) -> Iterator[Snapshot]:
        """What is there to go forward from, the latest first."""
        yield from reversed(self.moments)
        for path in self.folder.checkpoints() if self.folder else ():
            with suppress(BadFile):
                yield read_checkpoint(path, self.plan, self.dataset)

    def plot(self, path: str | Path | None = None) -> Any:
        """Learning curves of the population; written to `path` (PNG, SVG, PDF) when it is given.

        Returns the matplotlib figure.
        """
        from slalom import plots  # loads matplotlib

        return plots.learning_curves(self, path=path)

    def animate(self, path: str | Path, member: int | None = None) -> Path:
        """The training as a GIF: the fitted line (one feature) or the decision regions (two).

        Raises:
            BadPlan: when the run kept no frames.
        """
        from slalom import plots

        return plots.animate(self, path, member=member)
