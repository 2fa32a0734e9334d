"""A run: what a training leaves, and what people do with it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slalom.runs.folder import RunFolder
from slalom.training import Outcome


@dataclass(eq=False)
class Run(Outcome):
    """What a training leaves: plan, history, models, frames; see `slalom.training.Outcome`.

    Args:
        folder: where it is kept on the disk, if it is.

    Example:
        >>> import slalom
        >>> run = slalom.train(slalom.MLP(1, 10, 1), slalom.toys.quadratic(100),
        ...                    optimizer=slalom.SGD(0.2), steps=5)
        >>> run.history.columns.tolist()
        ['member', 'step', 'epoch', 'train_loss', 'validation_loss', 'r2']
    """

    folder: RunFolder | None = None

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
