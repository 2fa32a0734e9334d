"""The filters of a convolutional net."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.core.language import tr
from slalom.nets.layers import modules_of
from slalom.plots.images import MOST, check_images, draw_filters
from slalom.plots.style import finish, look, picture
from slalom.training import Outcome


@dataclass(frozen=True, eq=False)
class Filters:
    """Filters of the first convolution of a member.

    Args:
        member: its number.
        before, after: training, float32 `[filters, channels, height, width]`.
    """

    member: int
    before: NDArray[np.float32]
    after: NDArray[np.float32]


def filter_numbers(run: Outcome, member: int | None = None) -> Filters:
    """The numbers of `filters`."""
    check_images(run.dataset, "A picture of filters")
    k = run.best() if member is None else member
    own = run.population[k]
    before, after = (_first_filters(module) for module in (own.net.build(own.seed), run.model(k)))
    if before is None or after is None:
        raise BadPlan(f"The net {own.net.label} has no filters, for it has no torch.nn.Conv2d.")
    return Filters(k, before, after)


def _first_filters(module: torch.nn.Module) -> NDArray[np.float32] | None:
    found = (m for m in modules_of(module) if isinstance(m, torch.nn.Conv2d))
    first = next(found, None)
    return None if first is None else first.weight.detach().numpy()


@look()
def filters(run: Outcome, member: int | None = None, path: str | Path | None = None) -> Figure:
    """Draw the filters of the first convolution, before training and after.

    Only there a filter can be read: it looks at the image itself, those behind it at what filters
    have found. Of more than 16 the first 16 are drawn.

    Args:
        run: a run on images, of nets with a `torch.nn.Conv2d`.
        member: its number; the best member when not given.
        path: where to write the picture (PNG, SVG, PDF); nowhere when not given.

    Raises:
        BadPlan: for rows that are no images, a net without convolutions, or a member that is not
            there.
        Diverged: when no member has finite weights.
        BadFile: when the picture cannot be written.

    Example:
        >>> import slalom
        >>> net = slalom.CNN((1, 8, 8), 10, filters=(4,))
        >>> run = slalom.train(net, slalom.toys.digits(), batch_size=64, steps=5)
        >>> len(filters(run).axes)  # four before, four after, and the scale
        9
    """
    numbers = filter_numbers(run, member)
    count, channels = numbers.after.shape[:2]
    least = 0.7 if channels == 1 else 0.5  # inches a row, which its name takes at least
    figure = picture(8, 0.9 + 2 * channels * np.clip(6.4 / min(MOST, count), least, 1.4))
    draw_filters(figure, numbers.before, numbers.after)
    title = tr("Filters of the first layer, before and after training")
    if count > MOST:
        title = tr(
            "{most} of {count} filters of the first layer, before and after training",
            most=MOST,
            count=count,
        )
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return finish(figure, path)
