"""The pictures of lesson 4."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter
from numpy.typing import NDArray

from slalom.core.language import tr
from slalom.data import Dataset
from slalom.lessons.activations.advice import ACTIVATIONS, RATES
from slalom.plots.toolkit import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    QUIET,
    VERMILLION,
    Picture,
    draw_points,
    end_labels,
    halo,
    headline,
    look,
    name_axes,
    number,
    picture,
    whole_ticks,
)

Float64Array = NDArray[np.float64]
Curve = tuple[Float64Array, Float64Array]  # a function and its derivative
Fit = tuple[NDArray[np.float32], float]  # a line and its loss

# The four that get a colour, a line style and a marker of their own; the others are thin and grey.
LOOKS = {
    "relu": (BLUE, "-", "o"),
    "tanh": (GREEN, (0, (6, 1.5, 1, 1.5)), "^"),
    "sigmoid": (VERMILLION, "--", "s"),
    "softplus": (ORANGE, ":", "D"),
}
GREY = (QUIET, "-", "")
NEAR = 0.05  # of the height of a picture: about a line of text


@look()
def functions(x: Float64Array, curves: Mapping[str, Curve]) -> Picture:
    """Functions, each with its derivative, in two rows."""
    figure = picture(height=5.6)
    panels = figure.subplots(2, len(curves) // 2).flat
    lowest = min(values.min() for values, _ in curves.values())
    for axes, (name, curve) in zip(panels, curves.items(), strict=True):
        _draw_function(axes, x, curve)
        axes.set_ylim(lowest - 0.3, 3.2)
        low, high = (f"{slope:.2f}".replace("-", "−") for slope in (curve[1].min(), curve[1].max()))
        note = tr("derivative from {low} to {high}", low=low, high=high)
        headline(axes, name, note, size=11, small=9)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _draw_function(axes: Axes, x: Float64Array, curve: Curve) -> None:
    axes.plot(x, curve[0], color=BLUE, linewidth=2.2, label=tr("function f(x)"))
    axes.plot(x, curve[1], color=VERMILLION, linewidth=1.8, linestyle="--", label=tr("derivative"))
    axes.axhline(0, color=QUIET, linewidth=0.6, zorder=0)
    axes.set(xlabel="x", xlim=(x[0], x[-1]))


@look()
def softmax(
    scores: Float64Array, stretches: Sequence[float], probabilities: Float64Array
) -> Picture:
    """Scores, and the probabilities that softmax makes of them and of multiples of them."""
    figure = picture(height=3.7)
    title = tr("Softmax makes probabilities of scores; larger differences make it surer")
    figure.suptitle(title, x=0.012, ha="left", fontsize=12, fontweight="bold")
    panels = figure.subplots(1, 1 + len(stretches))
    _draw_bars(panels[0], scores, "{:g}")
    headline(panels[0], tr("scores"), tr("as a net gives them"), size=11, small=9)
    panels[0].set(ylabel=tr("score"), ylim=(-1.7, 2.6))
    for axes, stretch, shares in zip(panels[1:], stretches, probabilities, strict=True):
        _draw_bars(axes, shares, "{:.2f}")
        axes.tick_params(labelleft=axes is panels[1])
        note = tr("of {factor:g} × the scores", factor=stretch)
        headline(axes, "softmax", note, size=11, small=9)
        axes.set_ylim(0, 1.08)
    panels[1].set_ylabel(tr("probability"))
    return figure


def _draw_bars(axes: Axes, heights: Float64Array, form: str) -> None:
    bars = axes.bar(list("ABCD"), heights, color=[BLUE, GREEN, ORANGE, PURPLE], edgecolor=INK)
    labels = [form.format(height).replace("-", "−") for height in heights]
    axes.bar_label(bars, labels, fontsize=9, padding=2)
    axes.axhline(0, color=QUIET, linewidth=0.8)
    axes.grid(axis="x", visible=False)


@look()
def fits(data: Dataset, activation: str, curved: Fit, straight: Fit) -> Picture:
    """Points, and the lines that nets have learned with an activation function and without one."""
    figure = picture(height=4.4)
    axes = figure.add_subplot()
    lines = {tr("with {name}", name=activation): curved, tr("without an activation"): straight}
    _draw_fits(axes, data, lines)
    axes.set_title(tr("Without an activation function a line cannot bend"))
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def _draw_fits(axes: Axes, data: Dataset, lines: Mapping[str, Fit]) -> None:
    low, high = data.y.min(), data.y.max()
    draw_points(axes, np.column_stack([data.X, data.y]), np.empty((0, 2)))
    for (name, (line, loss)), color, style in zip(
        lines.items(), (BLUE, VERMILLION), ("-", "--"), strict=False
    ):
        axes.plot(
            np.linspace(-1.2, 1.2, len(line)),
            line,
            color=color,
            linestyle=style,
            linewidth=2.6,
            path_effects=halo(4.5),
            label=tr("{name}: loss {loss}", name=name, loss=number(loss)),
        )
    name_axes(axes, data)
    axes.set_ylim(low - 0.3 * (high - low), high + 0.3 * (high - low))


@look()
def own(x: Float64Array, curve: Curve, checked: Curve, data: Dataset, fitted: Fit) -> Picture:
    """A function of one's own: its derivative with finite differences on it, and what it fits."""
    figure = picture(height=4.0)
    left, right = figure.subplots(1, 2)
    _draw_function(left, x, curve)
    label = tr("finite differences")
    left.plot(*checked, "o", color=INK, fillstyle="none", markersize=7, label=label)
    left.set_ylim(-2.6, 3.4)
    left.legend(loc="upper left", ncols=1)
    left.set_title(tr("One's own: sin(2x)"))
    _draw_fits(right, data, {tr("its line"): fitted})
    right.legend(loc="upper center")
    right.set_title(tr("A net with it, after training"))
    return figure


@look()
def gradients(
    names: Sequence[str], chosen: str, default: Float64Array, scaled: Float64Array, scale: float
) -> Picture:
    """The size of the gradient at each layer, from the last to the first, one line a function."""
    figure = picture(height=5.6)
    left, right = figure.subplots(1, 2)
    _draw_sizes(left, names, chosen, default)
    _draw_sizes(right, names, chosen, scaled)
    headline(left, fate(default[:, 0]), tr("first weights as PyTorch draws them"))
    note = tr("the same first weights × {factor:g}", factor=scale)
    headline(right, fate(scaled[:, 0]), note)
    left.set_ylabel(tr("gradient, as a multiple of that at the last layer"))
    return figure


def _draw_sizes(axes: Axes, names: Sequence[str], chosen: str, sizes: Float64Array) -> None:
    layers = np.arange(1, sizes.shape[1] + 1)
    for name, line in zip(names, sizes, strict=True):
        color, style, _ = LOOKS.get(name, GREY)
        width = 3.4 if name == chosen else 1.8 if name in LOOKS else 0.9
        axes.plot(layers, line, color=color, linestyle=style, linewidth=width)
    span = sizes.max() / sizes.min()
    axes.set(yscale="log", ylim=(sizes.min() / span**0.05, sizes.max() * span**0.15))
    axes.set(xlabel=tr("layer, from the last to the first"), xlim=(layers[-1], layers[0]))
    whole_ticks(axes)
    labels = _end_names(dict(zip(names, sizes[:, 0].tolist(), strict=True)), chosen, span**NEAR)
    colors = [LOOKS.get(label, GREY)[0] for label in labels]
    end_labels(axes, list(labels.values()), list(labels), colors)


def _end_names(ends: Mapping[str, float], chosen: str, near: float) -> dict[str, float]:
    """Labels and their heights; grey lines that end within a factor of `near` share one.

    >>> _end_names({"relu": 1.0, "elu": 1.0, "gelu": 1.1, "mish": 1.2, "silu": 9.0}, "relu", 1.5)
    {'relu': 1.0, '3 others': 1.1, 'silu': 9.0}
    """
    labels = {name: end for name, end in ends.items() if name in LOOKS or name == chosen}
    grey = sorted(ends.keys() - labels.keys(), key=ends.__getitem__)
    gaps = np.diff([np.log(ends[name]) for name in grey])
    for group in np.split(np.array(grey), np.flatnonzero(gaps > np.log(near)) + 1):
        few = len(group) < 3
        label = ", ".join(group) if few else tr("{count} others", count=len(group))
        labels[label] = ends[group[len(group) // 2]]
    return labels


def fate(arrived: Float64Array) -> str:
    """What becomes of most gradients on their way to the first layer, in words.

    >>> fate(np.array([1e-9, 1e-5, 1.0]))
    'Most gradients vanish'
    """
    fates = (
        tr("Most gradients vanish"),
        tr("Most gradients shrink"),
        tr("Most gradients keep their size"),
        tr("Most gradients grow"),
        tr("Most gradients explode"),
    )
    return fates[np.searchsorted([0.01, 0.5, 2, 100], np.median(arrived))]


@look()
def advice(shares: Mapping[str, Float64Array]) -> Picture:
    """The share of test rows told right by learning rate: each mark a net, lines the means."""
    figure = picture(height=4.6)
    panels = figure.subplots(1, 2)
    for axes, kind, guess in zip(panels, ("convolutional", "recurrent"), (0.1, 0.5), strict=True):
        for name, runs, shift in zip(ACTIVATIONS, shares[kind], (0.95, 1.0, 1.05), strict=True):
            color, style, marker = LOOKS[name]
            at = shift * np.array(RATES)
            axes.plot(at, runs.mean(axis=1), color=color, linestyle=style, linewidth=2.2)
            axes.plot(at, runs, marker, color=color, fillstyle="none", markersize=6)
        axes.axhline(guess, color=QUIET, linewidth=1, linestyle=(0, (1, 3)))
        axes.set(xscale="log", xlim=(0.08, 0.75), ylim=(0, 1.04), xlabel=tr("learning rate"))
        axes.xaxis.set_major_locator(FixedLocator(RATES))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        ends = [float(runs[-1].mean()) for runs in shares[kind]]
        end_labels(axes, ends, list(ACTIVATIONS), [LOOKS[name][0] for name in ACTIVATIONS])
        axes.annotate(
            tr("guessing"), (0.14, guess), (0, -12), textcoords="offset points", fontsize=9
        )
    panels[0].set_ylabel(tr("test rows told right"))
    headline(
        panels[0],
        tr("Convolutional: relu like tanh"),
        tr("digits; each mark a net, lines the means"),
    )
    headline(
        panels[1],
        tr("Recurrent: tanh is the surest"),
        tr("was the first of 4 numbers above 0?"),
    )
    return figure
