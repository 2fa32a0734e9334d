"""A training as a movie: the line bending onto the points, the regions closing around them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.core.language import tr
from slalom.plots.decision_regions import draw_classes, draw_regions, shades
from slalom.plots.labels import member_labels, number, shortened
from slalom.plots.movie import Movie
from slalom.plots.points import check_line, check_regions, draw_points, name_axes
from slalom.plots.style import Picture, color_of, halo, headline, look, picture, writable
from slalom.training import Outcome

LEVELS = 8  # of paleness of a region; even areas make a small file


@dataclass(frozen=True, eq=False)
class AnimationNumbers:
    """The numbers behind an animation.

    Args:
        members: who is in it, `m` numbers.
        predictions: on the probe, float32 `[frames, m, G, O]`.
        captions: what stands above each member in each frame, `[frames][m]`.
    """

    members: tuple[int, ...]
    predictions: NDArray[np.float32]
    captions: tuple[tuple[str, ...], ...]


def animation_numbers(run: Outcome, member: int | None = None) -> AnimationNumbers:
    """What the frames of a run show.

    Raises:
        BadPlan: when the run kept no frames, or none of this member, or its data has no picture.
    """
    if not run.frames or run.probe is None:
        raise BadPlan(
            "This run kept no frames to animate. Train with frames=60, on data with one or two "
            "features."
        )
    framed = run.frames[0].predictions.shape[0]
    if member is not None and not 0 <= member < framed:
        raise BadPlan(
            f"Frames cover members 0 to {framed - 1}, but member {member} was asked for. "
            f"Train that member by itself to animate it."
        )
    if run.dataset.X.shape[1:] == (1,):
        check_line(run.dataset, "An animation")
    else:
        check_regions(run.dataset, "An animation")
    members = tuple(range(framed)) if member is None else (member,)
    return AnimationNumbers(
        members,
        np.stack([frame.predictions[list(members)] for frame in run.frames]),
        tuple(tuple(_caption(run, i, k) for k in members) for i in range(len(run.frames))),
    )


def _caption(run: Outcome, i: int, k: int) -> str:
    frame = run.frames[i]
    # A diverged member does no more steps, so its last frames show it where it stayed.
    at, still = int(run.state.diverged_at[k]), frame.step[k] == run.state.step[k]
    if at >= 0 and still:
        return tr("diverged at step {step}", step=at)
    loss = number(float(frame.train_loss[k]))
    caption = tr("step {step}  loss {loss}", step=frame.step[k], loss=loss)
    if run.metric == "accuracy":
        caption += "  " + tr("accuracy {share:.3f}", share=frame.metric[k])
    return caption


@look()
def animate(run: Outcome, path: str | Path, member: int | None = None) -> Path:
    """Write a training as a GIF.

    On one feature the fitted line bends onto the points (for two classes: the probability of the
    second); on two the decision regions close around them. Several members stand side by side, up
    to the twelve of which a run keeps frames.

    Args:
        run: a run with frames; `slalom.train` keeps 60 for up to 12 members.
        path: where to write it; ends in `.gif`.
        member: only this one; all that have frames when not given.

    Returns:
        The path.

    Raises:
        BadPlan: when the run kept no frames (of this member), or the data has no such picture.
        BadFile: when the GIF cannot be written.

    Example:
        >>> import slalom, tempfile
        >>> run = slalom.train(slalom.MLP(1, 8, 1), slalom.toys.quadratic(50), steps=20, frames=3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     animate(run, f"{folder}/fit.gif").name
        'fit.gif'
    """
    path = writable(path, (".gif",))  # before any work
    return movie(run, member).save(path)


@look()
def movie(run: Outcome, member: int | None = None) -> Movie:
    """The training as a movie, which `animate` writes as a GIF.

    Raises:
        BadPlan: when the run kept no frames (of this member), or the data has no such picture.

    Example:
        >>> import slalom
        >>> run = slalom.train(slalom.MLP(1, 8, 1), slalom.toys.quadratic(50), steps=20, frames=3)
        >>> movie(run).moments
        3
    """
    numbers = animation_numbers(run, member)
    figure, panels = _stage(run, numbers)

    def show(i: int) -> None:
        moment = zip(panels, numbers.predictions[i], numbers.captions[i], strict=True)
        for panel, values, caption in moment:
            panel.show(values, caption)

    moving = [artist for panel in panels for artist in panel.moving]
    return Movie(figure, len(numbers.predictions), show, moving)


def _finer(values: NDArray[np.float32], times: int) -> NDArray[np.float32]:
    """A grid `[n, n, K]` so many times as fine, by linear interpolation: regions get smooth."""
    for axis in (0, 1):
        n = values.shape[axis]
        at = np.linspace(0, n - 1, times * (n - 1) + 1)
        low = np.minimum(at.astype(int), n - 2)
        share = (at - low).astype(np.float32).reshape(-1, *[1] * (2 - axis))
        values = values.take(low, axis=axis) * (1 - share) + values.take(low + 1, axis=axis) * share
    return values


@dataclass(eq=False)
class _Panel:
    """The part of the picture that belongs to one member: what moves, and what lies over it."""

    shape: Any  # the line, or the image of the regions
    over: list[Any]  # the points, when the shape would cover them
    caption: Any
    finer: int  # how many times as fine as the probe the regions are drawn

    @property
    def moving(self) -> list[Any]:
        return [self.shape, *self.over, self.caption]

    def show(self, predictions: NDArray[np.float32], caption: str) -> None:
        """Take over predictions on the probe `[G, O]` and the caption."""
        if self.over:
            side = round(len(predictions) ** 0.5)
            values = predictions.reshape(side, side, -1)
            self.shape.set_data(shades(_finer(values, self.finer), LEVELS))
        else:
            self.shape.set_ydata(predictions[:, -1])
        self.caption.set_text(caption)


def _stage(run: Outcome, numbers: AnimationNumbers) -> tuple[Picture, list[_Panel]]:
    """The figure with a panel for each member, before the first frame."""
    count = len(numbers.members)
    columns = next(c for c, most in ((1, 1), (2, 4), (3, 9), (4, count)) if count <= most)
    rows = -(-count // columns)
    width, height = {1: (7.2, 5.0), 2: (4.2, 3.6), 3: (2.9, 2.8), 4: (2.3, 2.4)}[columns]
    figure = picture(width * columns, height * rows)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    labels = member_labels(run.population)
    panels = [
        _panel(run, axes, k, labels[k], columns)
        for axes, k in zip(grid.flat, numbers.members, strict=False)
    ]
    for axes in grid.flat[count:]:
        axes.set_axis_off()
    for axes in grid.flat:
        axes.label_outer()
    for axes in grid.flat[max(count - columns, 0) : count]:  # the lowest of each column
        axes.xaxis.set_tick_params(labelbottom=True)
        axes.set_xlabel(shortened(run.dataset.feature_names[0], 40))
    return figure, panels


def _panel(run: Outcome, axes: Axes, k: int, label: str, columns: int) -> _Panel:
    data, probe = run.dataset, run.probe
    assert probe is not None  # animation_numbers() saw to it
    fold = data.folds[run.population[k].fold]
    size = {1: 26.0, 2: 16.0}.get(columns, 9.0)
    over: list[Any] = []
    if probe.shape[1] == 1:
        points = np.column_stack([data.X[:, 0], data.y.reshape(len(data.X), -1)[:, 0]])
        draw_points(axes, points[fold.train], points[fold.validation], size)
        room = 0.15 * float(np.ptp(points[:, 1])) or 1.0
        axes.set_ylim(points[:, 1].min() - room, points[:, 1].max() + room)
        axes.set_xlim(float(probe[0, 0]), float(probe[-1, 0]))
        color = color_of(run.population[k].optimizer.name)
        (shape,) = axes.plot(
            probe[:, 0],
            np.full(len(probe), np.nan),
            color=color,
            linewidth=2.6 if columns < 3 else 2.0,
            path_effects=halo(4.5 if columns < 3 else 3.4),
            zorder=4,
        )
        name_axes(axes, data)
    else:
        side = round(len(probe) ** 0.5)
        across, up = probe[:side, 0].astype(float), probe[::side, 1].astype(float)
        nothing = np.full((side, side, data.targets), np.nan)
        shape = draw_regions(axes, across, up, nothing)
        shape.set_interpolation("nearest")
        rows = np.concatenate([fold.train, fold.validation])
        over = draw_classes(axes, data.X[rows].astype(float), data.y[rows], None, size)
        axes.set_xlabel(shortened(data.feature_names[0], 40))
        axes.set_ylabel(shortened(data.feature_names[1], 24))
    title, note = {1: (12, 10.5), 2: (10.5, 9.5)}.get(columns, (8.5, 8.0))
    caption = headline(
        axes, shortened(label, {1: 70, 2: 44, 3: 34}.get(columns, 28)), " ", title, note
    )
    return _Panel(shape, over, caption, finer={1: 5, 2: 4}.get(columns, 3))
