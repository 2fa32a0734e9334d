"""The picture of listening: how wrong each net is by how much it has heard."""

import numpy as np

from slalom.core.language import tr
from slalom.lessons.structures.listen import LONGEST, Listened
from slalom.plots.toolkit import BLUE, PALE, QUIET, Picture, look, picture, whole_ticks


@look()
def listening(listened: Listened) -> Picture:
    """A line a net, and their median: the error against the moments heard."""
    figure = picture(8, 4.1)
    axes = figure.add_subplot()
    moments = np.arange(1, LONGEST + 1)
    one, *_ = axes.plot(moments, listened.errors.T, color=PALE, linewidth=1.4)
    one.set_label(tr("each net"))
    label = tr("their median")
    axes.plot(moments, listened.median, "o-", color=BLUE, linewidth=2.4, markersize=5, label=label)
    label = tr("without memory: 0.5")
    axes.axhline(0.5, color=QUIET, linestyle="--", linewidth=1.2, label=label)
    axes.set(ylim=(0, max(0.6, 1.05 * listened.errors.max())), xlim=(0.6, LONGEST + 0.4))
    axes.set(xlabel=tr("moments heard"), ylabel=tr("mean squared error"))
    whole_ticks(axes)
    axes.legend(loc="lower left", ncols=3, bbox_to_anchor=(0, 1), borderaxespad=0.2)
    title = tr(
        "After one moment {one:.2f}, after {most} {all:.3f}",
        one=listened.median[0],
        most=LONGEST,
        all=listened.median[-1],
    )
    axes.set_title(title, pad=26)
    return figure
