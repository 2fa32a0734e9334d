"""Pictures of transfer: two tasks on one image, three ways to learn, what the new layer sees."""

from typing import Any, TypeAlias

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from slalom.core.language import tr
from slalom.plots.toolkit import (
    BLUE,
    INK,
    QUIET,
    VERMILLION,
    class_color,
    end_labels,
    halo,
    look,
    picture,
    whole_ticks,
)

Float64Array: TypeAlias = NDArray[np.float64]

COLORS, LINES, MARKERS = (QUIET, BLUE, VERMILLION), (":", "--", "-"), ("s", "^", "o")
TITLE: dict[str, Any] = {"x": 0.01, "ha": "left", "fontsize": 12, "fontweight": "bold"}


@look()
def draw_tasks(images: NDArray[np.float32], digits: NDArray[np.int64], known: int) -> Figure:
    """An image of each digit, and what each task asks of it."""
    figure = picture(8, 1.45)
    for digit, axes in enumerate(figure.subplots(1, 10)):
        image = images[np.flatnonzero(digits == digit)[0]]
        axes.imshow(image.reshape(8, 8), cmap="gray_r")
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
        asked = digit if digit < known else "–"
        axes.set_xlabel(f"A: {asked}\nB: {digit // 2}", fontsize=10, color=INK)
    figure.suptitle(tr("Task A: which digit? Task B: which pair?"), **TITLE)
    return figure


@look()
def draw_rows(counts: list[int], accuracies: Float64Array, rows: int) -> Figure:
    """Accuracy against the number of rows, for `accuracies [ways, counts, repeats]`."""
    figure = picture(8, 4.8)
    axes = figure.add_subplot()
    axes.set_xscale("log")
    apart = [count for count in counts if count == rows or not 0.75 < count / rows < 1.34]
    axes.set_xticks(apart, [str(count) for count in apart])  # with room for each label
    axes.minorticks_off()
    _draw_ways(axes, np.array(counts), accuracies, marked=True)
    axes.set_xlabel(tr("rows of task B to train on"))
    nothing, _, frozen = accuracies.mean(axis=-1)
    axes.set_title(
        tr(
            "Frozen trunk and none: {frozen[0]:.0%} and {nothing[0]:.0%} with {rows[0]} rows, "
            "{frozen[1]:.0%} and {nothing[1]:.0%} with {rows[1]}",
            frozen=frozen[[0, -1]],
            nothing=nothing[[0, -1]],
            rows=(counts[0], counts[-1]),
        ),
        fontsize=11,
    )
    return figure


@look()
def draw_steps(accuracies: Float64Array, rows: int) -> Figure:
    """Accuracy after each step, for `accuracies [ways, repeats, steps]`."""
    figure = picture(8, 4.8)
    axes = figure.add_subplot()
    steps = accuracies.shape[-1]
    _draw_ways(axes, np.arange(1, steps + 1), accuracies.swapaxes(1, 2), marked=False)
    whole_ticks(axes)
    axes.set_xlabel(tr("step"))
    nothing, fine, frozen = accuracies[..., -1].mean(axis=1)
    axes.set_title(
        tr(
            "With {rows} rows: {frozen:.0%} behind a frozen trunk, {fine:.0%} fine-tuned, "
            "{nothing:.0%} from nothing",
            rows=rows,
            frozen=frozen,
            fine=fine,
            nothing=nothing,
        ),
        fontsize=11,
    )
    return figure


def _draw_ways(axes: Axes, x: NDArray[np.int64], accuracies: Float64Array, marked: bool) -> None:
    """A line and a band for each way, from `accuracies [ways, len(x), repeats]`."""
    means, spreads = accuracies.mean(axis=-1), accuracies.std(axis=-1)
    for mean, spread, color, line, marker in zip(
        means, spreads, COLORS, LINES, MARKERS, strict=True
    ):
        axes.fill_between(x, mean - spread, mean + spread, color=color, alpha=0.15, linewidth=0)
        axes.plot(
            x,
            mean,
            color=color,
            linestyle=line,
            linewidth=2.4,
            marker=marker if marked else None,
            path_effects=halo(),
        )
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.set_ylabel(tr("accuracy on unseen images"))
    ways = [tr("from nothing"), tr("fine-tuned"), tr("frozen trunk")]
    end_labels(axes, means[:, -1].tolist(), ways, list(COLORS))


@look()
def draw_seen(
    images: NDArray[np.float32],
    digits: NDArray[np.int64],
    trunk: torch.nn.Sequential,
    apart: tuple[float, float],
) -> Figure:
    """Images as the net gets them and as the trunk gives them on, flattened onto a plane.

    Of both it is said which share lies nearest to the middle of its own digit.
    """
    from sklearn.decomposition import PCA  # loaded here: half a second

    figure = picture(8, 4.4)
    with torch.no_grad():
        outputs = trunk(torch.from_numpy(images)).numpy()
    panels = figure.subplots(1, 2)
    names = (
        tr("64 pixels: {share:.0%} nearest to their own digit", share=apart[0]),
        tr("{count} outputs of the trunk: {share:.0%}", count=outputs.shape[1], share=apart[1]),
    )
    for axes, values, name in zip(panels, (images, outputs), names, strict=True):
        plane = PCA(2).fit_transform(values)
        for digit in range(10):
            x, y = plane[digits == digit].T
            color = class_color(digit // 2)
            axes.scatter(x, y, s=30, marker=f"${digit}$", color=color, linewidth=0.3)
        axes.set_title(name, fontsize=11)
        axes.tick_params(labelbottom=False, labelleft=False, length=0)
    figure.suptitle(
        tr(
            "{count} images, each drawn as its digit: what the new layer gets to see",
            count=len(images),
        ),
        **TITLE,
    )
    return figure
