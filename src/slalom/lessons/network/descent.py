"""Gradient descent as a ball on the error curve of one weight, and on the surface of two."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from slalom.core.language import tr
from slalom.plots.toolkit import (
    BLUE,
    INK,
    ORANGE,
    QUIET,
    VERMILLION,
    Movie,
    Picture,
    headline,
    look,
    number,
    picture,
)

Float64Array: TypeAlias = NDArray[np.float64]

# How far from the lowest point a picture of one weight, or of two, goes: in distances of the start.
# There must be room to diverge.
REACH = {1: 2.2, 2: 1.3}
PACE = 200  # milliseconds a step
ELEVATION, ASKEW = 42, 20  # degrees, of the view of the surface
STYLES: tuple[tuple[str, str, Any, float], ...] = (  # colour, marker, line, size of the marker
    (ORANGE, "s", (0, (1.2, 1.2)), 3.0),
    (BLUE, "o", "-", 6.0),
    (VERMILLION, "^", (0, (5, 1.5)), 6.0),
)
HEIGHTS = LinearSegmentedColormap.from_list("heights", ["#f7fafc", "#b9d6ee", "#7fb0d6"])


@dataclass(frozen=True, eq=False)
class Descent:
    """A ball on its way down.

    Args:
        rate: learning rate.
        path: weights before the first step and after each, `[S + 1, W]`.
        losses: the loss there, `[S + 1]`.
        height: the loss at weights `[..., W]`.
        lowest: the weights with the lowest loss, `[W]`.
        limit: the learning rate above which every descent on this loss diverges.
    """

    rate: float
    path: Float64Array
    losses: Float64Array
    height: Callable[[Float64Array], Float64Array]
    lowest: Float64Array
    limit: float

    @property
    def verdict(self) -> str:
        """How it ends, in a few words."""
        depth = float(self.height(self.lowest))
        first, last = self.losses[[0, -1]] - depth
        if self.rate > self.limit:
            return "diverges"
        if last <= 1e-3 * first + 1e-6:
            return "arrives"
        before, after = self.path[-2:] - self.lowest
        return "swings" if before @ after < 0 else "not there yet"

    @property
    def reach(self) -> float:
        """How far from the lowest point the picture goes."""
        return REACH[len(self.lowest)] * max(float(np.linalg.norm(self.path[0] - self.lowest)), 0.2)

    @property
    def steps_in_view(self) -> int:
        """How many points of the path come before the first that is out of the picture."""
        out = np.abs(self.path - self.lowest).max(axis=1) > self.reach
        return int(out.argmax()) if out.any() else len(self.path)


@look()
def valley(descents: Sequence[Descent]) -> Movie:
    """The error curve of one weight, with a ball for each learning rate, step by step."""
    figure = picture(8.0, 3.7)
    panels = figure.subplots(1, len(descents), sharex=True, sharey=True)
    balls = [
        _ball(axes, descent, color, marker)
        for axes, descent, (color, marker, *_) in zip(panels, descents, STYLES, strict=True)
    ]
    panels[0].set_ylabel(tr("loss (hours squared)"))

    def show(i: int) -> None:
        for move, _ in balls:
            move(i)

    moving = [artist for _, artists in balls for artist in artists]
    return Movie(figure, len(descents[0].path), show, moving, pace=PACE)


def _ball(
    axes: Axes, descent: Descent, color: str, marker: str
) -> tuple[Callable[[int], None], list[Any]]:
    """One panel: what moves the ball to step `i`, and the artists that move."""
    low, high = descent.lowest[0] - descent.reach, descent.lowest[0] + descent.reach
    weights = np.linspace(low, high, 200)
    curve = descent.height(weights[:, None])
    axes.plot(weights, curve, color=QUIET, linewidth=1.5)
    axes.set_xlim(low, high)
    room = 0.06 * float(np.ptp(curve))
    axes.set_ylim(curve.min() - room, curve.max() + room)
    axes.set_xlabel(tr("weight (hours per 10 km)"))
    caption = headline(axes, _named(descent), " ", 11, 9.5)
    (trail,) = axes.plot([], [], color=color, linewidth=1.2, marker=marker, markersize=3.5)
    (tangent,) = axes.plot([], [], color=INK, linewidth=1.4, linestyle=(0, (4, 2)))
    (ball,) = axes.plot([], [], marker, color=color, markersize=11, markeredgecolor="white")
    path, losses, seen = descent.path[:, 0], descent.losses, descent.steps_in_view
    slopes = np.array([_slope(descent, w) for w in path[:seen]])
    half = 0.3 * descent.reach  # of the tangent

    def move(i: int) -> None:
        upto = min(i, seen) + 1  # a jump out of the picture is drawn, the further ones are not
        trail.set_data(path[:upto], losses[:upto])
        if i < seen:
            ball.set_data([path[i]], [losses[i]])
            ends = np.array([-half, half])
            tangent.set_data(path[i] + ends, losses[i] + slopes[i] * ends)
        else:
            ball.set_data([], [])
            tangent.set_data([], [])
        caption.set_text(tr("step {step}  loss {loss}", step=i, loss=number(losses[i])))

    return move, [trail, tangent, ball, caption]


def _named(descent: Descent) -> str:
    """Its learning rate, and how it ends."""
    end = {
        "arrives": tr("arrives"),
        "diverges": tr("diverges"),
        "swings": tr("swings"),
        "not there yet": tr("not there yet"),
    }[descent.verdict]
    return tr("rate {rate:.3g}: {end}", rate=descent.rate, end=end)


def _slope(descent: Descent, weight: float) -> float:
    """Of the error curve, which is a parabola: so the difference of two heights is exact."""
    right, left = descent.height(np.array([[weight + 0.5], [weight - 0.5]]))
    return float(right - left)


@look()
def surface(descents: Sequence[Descent]) -> Picture:
    """The error surface of two weights from the side and from above, with all paths."""
    first = descents[0]
    sides = [np.linspace(c - first.reach, c + first.reach, 60) for c in first.lowest]
    across, up = np.meshgrid(*sides)
    loss = first.height(np.stack([across, up], axis=-1))
    figure = picture(8.0, 5.0)
    figure.set_layout_engine("none")  # which leaves too little room to three dimensions
    solid: Any = figure.add_axes((-0.02, 0.08, 0.53, 0.86), projection="3d", computed_zorder=False)
    flat = figure.add_axes((0.64, 0.24, 0.35, 0.57))
    solid.plot_surface(across, up, loss, cmap=HEIGHTS, alpha=0.85, rcount=30, ccount=30, zorder=1)
    solid.zaxis.set_major_locator(MaxNLocator(4))
    ahead, aside = first.lowest - first.path[0]
    # From beyond the lowest point: the start lies high at the back, and the way down comes nearer.
    solid.view_init(elev=ELEVATION, azim=np.degrees(np.arctan2(aside, ahead)) + ASKEW)
    solid.set_box_aspect(None, zoom=0.82)
    flat.contour(across, up, loss, levels=_levels(loss), colors=QUIET, linewidths=0.8)
    flat.plot(*first.lowest, "+", color=INK, markersize=12, markeredgewidth=2, zorder=6)
    for axes in (solid, flat):
        axes.set_xlabel(tr("weight of the distance"))
        axes.set_ylabel(tr("weight of the height"))
    for place, descent in enumerate(descents):
        _draw_path(flat, solid, descent, place)
    flat.set_xlim(sides[0][0], sides[0][-1])
    flat.set_ylim(sides[1][0], sides[1][-1])
    flat.set_title(tr("From above: lines of equal loss"), fontsize=11)
    figure.text(
        0.03,
        0.93,
        tr("Three learning rates on the error surface of two weights"),
        fontsize=12,
        weight="bold",
    )
    # No label at the axis, which is now on the left and now on the right, as the view is.
    figure.text(0.03, 0.88, tr("on the left, upward: the loss (hours squared)"))
    figure.legend(*flat.get_legend_handles_labels(), loc="lower center", ncols=3, handlelength=3.2)
    return figure


def _draw_path(flat: Axes, solid: Any, descent: Descent, place: int) -> None:
    color, marker, line, size = STYLES[place]
    seen = descent.steps_in_view
    path = descent.path[: seen + 1]  # the last jump may leave the picture
    look_of = {
        "color": color,
        "marker": marker,
        "markersize": size,
        "linestyle": line,
        "linewidth": 1.8,
        "zorder": 5 - 0.1 * place,  # small steps over large ones, which cover more
    }
    flat.plot(*path.T, **look_of, label=_named(descent))
    look_of |= {"markersize": 0.75 * size, "markeredgecolor": "white", "markeredgewidth": 0.4}
    solid.plot(*path[:seen].T, descent.losses[:seen], **look_of)


def _levels(loss: Float64Array) -> Float64Array:
    """Heights for contour lines: denser below, where the valley is flat."""
    levels: Float64Array = loss.min() + np.ptp(loss) * np.linspace(0, 1, 12)[1:-1] ** 2
    return levels
