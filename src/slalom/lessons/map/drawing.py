"""Pictures of a plane of nets: its map, a zoom into its border, and the boxes that cover it."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import NDArray

from slalom.core.language import tr
from slalom.lessons.map.pixels import WHOLE, Plane, box_counts, dimension
from slalom.plots.toolkit import BLUE, INK, QUIET, VERMILLION, Movie, halo, headline, look, picture

Colors: TypeAlias = NDArray[np.uint8]

MOMENTS = 4  # of the movie for each doubling

# Dark nets learned and light ones diverged, in grey too. Both ramps end at their extremes towards
# the border, where the contrast so is strongest.
LEARNED = LinearSegmentedColormap.from_list("learned", ["#5aa9d6", "#1f66a8", "#0b3a73", "#03102b"])
DIVERGED = LinearSegmentedColormap.from_list(
    "diverged", ["#c25e0c", "#e5851b", "#f7b94d", "#fff6d2"]
)
MOVIE_SHADES = 20  # of each ramp: fewer make a smaller file


class Shades:
    """From how nets fared to colours, the same for all planes of a zoom.

    Args:
        plane: the whole one, whose fastest and slowest nets have the ends of the ramps.
        steps: of each net.
        shades: of each ramp.
    """

    def __init__(self, plane: Plane, steps: int, shades: int = 256) -> None:
        self.learned, self.diverged = LEARNED.resampled(shades), DIVERGED.resampled(shades)
        gone = plane.diverged_at >= 0
        learned = plane.log_loss[~gone]
        low, high = np.quantile(learned, [0.01, 0.99]) if learned.size else (-1.0, 0.0)
        # A loss above 1 is worse than that of the first weights: nothing was learned.
        self.loss = Normalize(low, max(min(high, 0.0), low + 1e-3), clip=True)
        first = int(plane.diverged_at[gone].min(initial=steps - 1))
        self.steps = [n for n in (1, 2, 5, 10, 20, 50, 100) if first <= n <= steps]
        self.step = LogNorm(first, steps, clip=True)

    def of(self, plane: Plane) -> Colors:
        """The colours of a plane, `[n, n, 4]`."""
        gone = plane.diverged_at >= 0
        light = self.diverged(self.step(np.where(gone, plane.diverged_at, 1)), bytes=True)
        dark = self.learned(self.loss(plane.log_loss), bytes=True)
        colors: Colors = np.where(gone[..., None], light, dark)
        return colors

    def explain(self, figure: Figure, left: float, bottom: float, width: float) -> None:
        """Draw both ramps into the figure, at this place in shares of its sides."""
        ramps: tuple[tuple[Any, Any, str], ...] = (
            (self.step, self.diverged, tr("Diverged, at step")),
            (self.loss, self.learned, tr("Learned: mean log10(loss)")),
        )
        for row, (norm, colors, title) in enumerate(ramps):
            axes = figure.add_axes((left, bottom + 0.155 * row, width, 0.035))
            bar = figure.colorbar(ScalarMappable(norm, colors), axes, orientation="horizontal")
            bar.outline.set_linewidth(0)
            axes.set_title(title, fontsize=9.5, fontweight="normal", pad=5)
            axes.xaxis.set_minor_locator(NullLocator())
        axes = figure.axes[-2]
        axes.xaxis.set_major_locator(FixedLocator(self.steps))
        axes.xaxis.set_major_formatter("{x:.0f}")


@look()
def map_picture(plane: Plane, steps: int) -> Figure:
    """The whole plane."""
    figure = picture(8.0, 5.4)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.085, 0.1, 0.62, 0.77))
    shades = Shades(plane, steps)
    axes.imshow(
        shades.of(plane), origin="lower", extent=plane.window, aspect="auto", interpolation="none"
    )
    axes.grid(visible=False)
    axes.set_xlabel(tr("learning rate"))
    axes.set_ylabel(tr("momentum"))
    note = tr("every pixel is a net of {steps} steps", steps=steps)
    headline(axes, tr("Nets that learn, nets that diverge"), note)
    shades.explain(figure, 0.75, 0.14, 0.22)
    return figure


@look()
def zoom_movie(planes: Sequence[Plane], place: tuple[float, float], steps: int) -> Movie:
    """From the whole plane straight to a point at its border, twice as near with each plane.

    Args:
        planes: the whole, and each next one half as wide.
        place: of the point, in shares of the sides of all planes.
        steps: of each net.
    """
    shades = Shades(planes[0], steps, MOVIE_SHADES)
    colors = [shades.of(plane) for plane in planes]
    figure = picture(8.0, 5.4)
    figure.set_layout_engine("none")
    overview = figure.add_axes((0.73, 0.5, 0.235, 0.348))
    overview.imshow(colors[0], origin="lower", extent=(0, 1, 0, 1), interpolation="antialiased")
    shades.explain(figure, 0.73, 0.12, 0.235)
    axes = figure.add_axes((0.075, 0.085, 0.58, 0.859 * 0.93))
    for each in (axes, overview):
        each.grid(visible=False)
        each.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
        each.spines[:].set_visible(False)
    overview.set_title(tr("the whole plane"), fontsize=9.5, fontweight="normal", pad=5)
    frame = Rectangle((0, 0), 1, 1, fill=False, edgecolor=INK, linewidth=1.5)
    frame.set_path_effects(halo(3.5))
    overview.add_patch(frame)
    coarse, fine = (
        axes.imshow(colors[0], origin="lower", interpolation="nearest", zorder=layer)
        for layer in (1, 2)
    )
    ends = _ends(axes)
    title = headline(axes, tr("Into the border"), " ")

    def show(i: int) -> None:
        near = i / MOMENTS
        level = min(int(near), len(planes) - 2)
        window = WHOLE.around(place, 0.5**near)
        for image, k in ((coarse, level), (fine, level + 1)):
            image.set_data(colors[k])
            image.set_extent(_seen(place, 2.0 ** (near - k)))
        x, y = place
        share = max(0.5**near, 0.03)  # no smaller, so that it can be seen
        frame.set_bounds(x * (1 - share), y * (1 - share), share, share)
        digits = 2 + int(np.ceil(near * np.log10(2)))
        for end, value in zip(ends, window, strict=True):
            end.set_text(f"{value:.{digits}f}")
        title.set_text(
            tr("enlarged {times:,.0f} times; every pixel is a trained net", times=2**near)
        )

    return Movie(
        figure,
        MOMENTS * (len(planes) - 1) + 1,
        show,
        [coarse, fine, frame, *ends, title],
        pace=120,
    )


def _seen(place: tuple[float, float], size: float) -> tuple[float, float, float, float]:
    """Where a plane lies in a view with sides of 1, `size` times as large around the point."""
    x, y = place
    return x - x * size, x + (1 - x) * size, y - y * size, y + (1 - y) * size


def _ends(axes: Axes) -> list[Text]:
    """Texts at both ends of both axes, in the order of a window, for a view that moves."""

    def text(x: float, y: float, words: str, **places: Any) -> Text:
        return axes.text(x, y, words, transform=axes.transAxes, fontsize=9, **places)

    below: dict[str, Any] = {"va": "top"}
    beside: dict[str, Any] = {"ha": "right", "rotation": 90}
    text(0.5, -0.015, tr("learning rate"), ha="center", **below)
    text(-0.015, 0.5, tr("momentum"), va="center", **beside)
    return [
        text(0, -0.015, "", ha="left", **below),
        text(1, -0.015, "", ha="right", **below),
        text(-0.015, 0, "", va="bottom", **beside),
        text(-0.015, 1, "", va="top", **beside),
    ]


@look()
def boxes_picture(planes: Sequence[Plane]) -> Figure:
    """The border in the whole plane, and how many boxes it takes to cover it, there and far in."""
    figure = picture(8.0, 4.3)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.35])
    left.imshow(
        planes[0].border,
        origin="lower",
        cmap="Greys",
        aspect="auto",
        interpolation="antialiased",
    )
    left.set(xticks=[], yticks=[], xlabel=tr("learning rate"), ylabel=tr("momentum"))
    left.grid(visible=False)
    headline(left, tr("The border alone"), tr("black where a neighbour fares otherwise"))
    lines = (
        (planes[0], tr("the whole plane"), BLUE, "o-"),
        (planes[-1], tr("far in"), VERMILLION, "s--"),
    )
    for plane, name, color, style in lines:
        sides, counts = box_counts(plane.border)
        label = tr("{name}: dimension {value:.2f}", name=name, value=dimension(sides, counts))
        right.plot(sides, counts, style, color=color, label=label)
    sides, counts = box_counts(planes[0].border)
    for power, name, style in ((1, tr("a smooth line: 1"), "-."), (2, tr("a filled area: 2"), ":")):
        guide = max(counts[0], 1) / (sides / sides[0]) ** power
        right.plot(sides, guide, color=QUIET, linestyle=style, linewidth=1.2, label=name)
    right.set_xscale("log", base=2)
    right.xaxis.set_major_formatter("{x:.0f}")
    right.set_yscale("log")
    right.set_xlabel(tr("side of a box (pixels)"))
    right.set_ylabel(tr("boxes that hold a piece of the border"))
    right.legend(loc="lower left")
    headline(right, tr("Boxes that cover it"), tr("dimension: how steep the line is"))
    return figure
