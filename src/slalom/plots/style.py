"""One look for all pictures: line styles, figures, and how they are written.

Line styles and markers differ as the colours do, so that a picture also reads in black and white.
"""

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, cast

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from numpy.typing import NDArray

from slalom.core.colours import CLASSES as CLASS_COLORS
from slalom.core.colours import INK, QUIET
from slalom.core.colours import OPTIMIZERS as COLORS
from slalom.core.errors import BadFile

LINES: dict[str, Any] = {
    "SGD": "-",
    "Momentum": (0, (6, 1.5)),
    "Adagrad": (0, (6, 1.5, 1, 1.5)),
    "RMSprop": (0, (1.2, 1.2)),
    "Adam": (0, (9, 1.2)),
    "AdamW": (0, (4, 1.2, 1, 1.2, 1, 1.2)),
    "Adadelta": (0, (2, 1, 6, 1)),
    "Muon": (0, (3, 3)),
}
CLASS_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

DENSITY = LinearSegmentedColormap.from_list("density", ["#b9d6ee", "#3d8ec4", "#08306b"])

WIDTH, HEIGHT = 8.0, 5.0  # inches
SCREEN_DPI, FILE_DPI = 100, 160  # 800 pixels wide in a notebook, 1280 in a file
PICTURES = (".png", ".svg", ".pdf")

CHINESE = "Slalom Sans SC"  # a font that comes with us, see fonts/README.md

STYLE: dict[str, Any] = {
    "figure.facecolor": "white",
    "figure.dpi": SCREEN_DPI,
    "savefig.dpi": FILE_DPI,
    "font.family": ["DejaVu Sans", CHINESE],  # the second for glyphs that the first lacks
    "font.size": 10.0,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12.0,
    "axes.titleweight": "bold",
    "axes.titlepad": 10.0,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e8e8e8",
    "grid.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9.0,
    "ytick.labelsize": 9.0,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "lines.solid_capstyle": "round",
    "svg.hashsalt": "slalom",  # the same picture gives the same file
}

_ONE_AT_A_TIME = threading.RLock()


class Picture(Figure):
    """A figure that a notebook shows even when nobody has imported pyplot."""

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        with look():
            self.savefig(stream, format="png", dpi=SCREEN_DPI)
        return stream.getvalue()


@contextmanager
def look() -> Iterator[None]:
    """Our settings within, everybody's own afterwards, whatever happens and in whichever thread.

    Also a decorator, `@look()`. matplotlib's settings are global, so threads wait for each other:
    otherwise one could take over another's settings as if they were the user's.
    """
    with _ONE_AT_A_TIME, matplotlib.rc_context(), warnings.catch_warnings():
        # A name in a script that the fonts lack is drawn as boxes; the user cannot help it.
        warnings.filterwarnings("ignore", r"Glyph .* missing from font", UserWarning)
        _register_fonts()
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(cast(Any, STYLE))
        yield


def _register_fonts() -> None:
    """Let matplotlib know the fonts that come with us, if it does not yet."""
    if any(font.name == CHINESE for font in font_manager.fontManager.ttflist):
        return
    with as_file(files("slalom.plots") / "fonts") as folder:
        for path in sorted(folder.glob("*.ttf")):
            font_manager.fontManager.addfont(path)


def picture(width: float = WIDTH, height: float = HEIGHT) -> Picture:
    """An empty figure of this size in inches, laid out so that no text is cut off."""
    figure = Picture(figsize=(width, height))
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.06)
    return figure


def color_of(optimizer: str) -> str:
    """The one colour of an optimizer, by `optimizer.name`; grey for one we do not know."""
    return COLORS.get(optimizer, QUIET)


def line_of(optimizer: str) -> Any:
    """The one line style of an optimizer, by `optimizer.name`."""
    return LINES.get(optimizer, "-")


def class_color(k: int) -> str:
    """The colour of class number `k`."""
    return CLASS_COLORS[k % len(CLASS_COLORS)]


def class_marker(k: int) -> str:
    """The marker of class number `k`; with its colour it is unique up to 56 classes."""
    return CLASS_MARKERS[(k + k // len(CLASS_COLORS)) % len(CLASS_MARKERS)]


def halo(width: float = 3.0) -> list[Any]:
    """A white edge around a line or a text, so that it stands out from what lies below."""
    return [withStroke(linewidth=width, foreground="white")]


def headline(axes: Axes, title: str, note: str, size: float = 12.0, small: float = 10.0) -> Text:
    """A bold title and a plain line under it, which is returned."""
    axes.set_title(title, fontsize=size, pad=small * 1.25 + 9)
    return axes.annotate(
        note,
        (0, 1),
        (0, 5),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=small,
        annotation_clip=False,
    )


def whole_ticks(axes: Axes) -> None:
    """Ticks of x at whole steps or epochs only, in ones, twos and fives."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def grouped_digits(axis: Axis, largest: float) -> None:
    """Thousands apart on an axis of large numbers, as 350,000."""
    if 1e4 <= abs(largest) < 1e9:
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def writable(path: str | Path, endings: tuple[str, ...] = PICTURES) -> Path:
    """The path, if a picture with one of these endings can go there.

    Raises:
        BadFile: for another ending, a folder that is not there, or a folder in the file's place.
    """
    path = Path(path)
    if path.suffix.lower() not in endings:
        wanted = " or ".join([", ".join(endings[:-1]), endings[-1]] if endings[1:] else endings)
        found = f"ends in {path.suffix}" if path.suffix else "has no ending"
        raise BadFile(f"This picture is written as {wanted}, but {str(path)!r} {found}.")
    if not path.parent.is_dir():
        raise BadFile(
            f"{str(path)!r} cannot be written: there is no folder {str(path.parent)!r}. "
            f"Create it, or choose another."
        )
    if path.is_dir():
        raise BadFile(f"{str(path)!r} cannot be written: it is a folder. Add a file name.")
    return path


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure as PNG, SVG or PDF, by its ending; needs no screen.

    Raises:
        BadFile: when the ending is another one or the file cannot be written.
    """
    path = writable(path)
    dated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}  # bytes depend on data alone
    try:
        with look():
            figure.savefig(path, metadata=dated.get(path.suffix.lower()))
    except OSError as error:
        raise BadFile(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error
    return path


def finish(figure: Picture, path: str | Path | None) -> Picture:
    """The figure, written to `path` when there is one."""
    if path is not None:
        save(figure, path)
    return figure


def spread(heights: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Heights in [0, 1] moved as little as needed to lie `gap` apart, in the same order.

    >>> spread(np.array([0.5, 0.5, 0.0]), gap=0.1).round(2).tolist()
    [0.45, 0.55, 0.0]
    """
    if len(heights) == 0:
        return heights
    gap = min(gap, 1 / max(len(heights) - 1, 1))
    order = np.argsort(heights, kind="stable")
    # Blocks of labels that touch, each centred on where its labels want to be (isotonic regression
    # of heights minus their places in a full stack).
    wanted = heights[order] - gap * np.arange(len(heights))
    means: list[float] = []
    sizes: list[int] = []
    for value in wanted:
        means.append(float(value))
        sizes.append(1)
        while len(means) > 1 and means[-2] > means[-1]:
            mean, size = means.pop(), sizes.pop()
            means[-1] = (means[-1] * sizes[-1] + mean * size) / (sizes[-1] + size)
            sizes[-1] += size
    placed = np.clip(np.repeat(means, sizes), 0, 1 - gap * (len(heights) - 1))
    result = np.empty(len(heights))
    result[order] = placed + gap * np.arange(len(heights))
    return result


def end_labels(axes: Axes, heights: list[float], texts: list[str], colors: list[str]) -> None:
    """Name lines at their right ends: `heights` in data units; call it when the limits are set."""
    if not heights:
        return
    points = axes.transData.transform(
        [(0.0 if axes.get_xscale() != "log" else 1.0, h) for h in heights]
    )
    own = axes.transAxes.inverted().transform(points)[:, 1].clip(0, 1)
    placed = spread(own, gap=0.05)
    for start, end, text, color in zip(own, placed, texts, colors, strict=True):
        axes.plot(
            [1.005, 1.03],
            [start, end],
            transform=axes.transAxes,
            color=color,
            linewidth=1.0,
            clip_on=False,
        )
        axes.text(
            1.037, end, text, transform=axes.transAxes, color=INK, fontsize=9, va="center_baseline"
        )
