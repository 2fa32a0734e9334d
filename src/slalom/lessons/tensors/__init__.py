"""Lesson 2: tensors beside arrays: one memory, the same mathematics, and what differs."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from slalom.core.language import tr
from slalom.lessons.lesson import Choice, Lesson, Number, Result, Whole
from slalom.lessons.prose import Text
from slalom.lessons.tensors.product import products
from slalom.plots.toolkit import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PALE,
    QUIET,
    VERMILLION,
    Picture,
    end_labels,
    halo,
    headline,
    look,
    picture,
)

Array = NDArray[Any]

# What is multiplied by each product of the table.
SHAPES = (((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)))
FUNCTIONS = {"abs": BLUE, "sin": VERMILLION, "tanh": GREEN}
LINES, MARKERS = ("-", "--", "-."), ("o", "s", "^")


class Moment(NamedTuple):
    """What lies in memory after a line of code: `[6]` each, and which entry it wrote.

    The first moment is before all lines and has no code.
    """

    code: str
    shared: Array
    copy: Array
    changed: int | None


def tensors(dtype: str, written: float, size: int, seed: int, terms: int) -> Result:
    """Share memory, compare functions and products, and add 0.1 very often."""
    moments = share(dtype, written)
    last = moments[-1]
    stored = last.shared[1].item()
    x = np.linspace(-3, 3, 121)
    curves = np.array([getattr(np, name)(x) for name in FUNCTIONS])
    narrow = torch.tensor(x.tolist())  # float32, as torch makes it by itself
    differences = np.array(
        [getattr(torch, name)(narrow).double().numpy() for name in FUNCTIONS] - curves
    )
    first, second = np.random.default_rng(seed).integers(-3, 4, (2, size, size))
    in_numpy, in_torch = compare()
    gpu = torch.cuda.is_available()
    exact = np.arange(1, terms + 1) / 10
    sums = {
        name: np.cumsum(np.full(terms, 0.1, dtype=name)).astype(float)
        for name in ("float32", "float64")
    }
    return Result(
        numbers={
            "array_dtype": str(last.shared.dtype),
            "tensor_dtype": str(torch.from_numpy(last.shared).dtype),
            "bytes_each": last.shared.itemsize,
            "stored": stored,
            "shared_values": last.shared,
            "copy_values": last.copy,
            "curves": curves,
            "differences": differences,
            "largest_difference": np.abs(differences).max(),
            "matrix_product": first @ second,
            "elementwise_product": first * second,
            "by_dot": shapes_by(torch.dot),
            "by_mm": shapes_by(torch.mm),
            "by_matmul": shapes_by(torch.matmul),
            "device": "cuda" if gpu else "cpu",
            "in_numpy": in_numpy,
            "in_torch": in_torch,
            "exact": exact[-1],
            "narrow_sum": float(sums["float32"][-1]),
            "wide_sum": float(sums["float64"][-1]),
            "own_sum": torch.full((terms,), 0.1).sum().item(),
        },
        figures={
            "memory": partial(memory, moments),
            "functions": partial(functions, x, curves, differences),
            "products": partial(products, first, second),
            "rounding": partial(
                rounding, {name: np.abs(values - exact) for name, values in sums.items()}
            ),
        },
        claims={
            "cut": isinstance(stored, int) and stored != written,
            "nearest": isinstance(stored, float) and stored != written,
            "gpu": gpu,
            "far_off": bool(abs(sums["float32"][-1] - exact[-1]) > 0.1),
        },
    )


def share(dtype: str, written: float) -> list[Moment]:
    """Write into an array, then into the tensor that looks at the same memory."""
    array = np.array([-2, -1, 0, 1, 2, 4], dtype=dtype)
    tensor, copy = torch.from_numpy(array), torch.tensor(array)
    moments = [Moment("", array.copy(), copy.numpy().copy(), None)]
    array[1] = written
    moments.append(Moment(f"array[1] = {written}", array.copy(), copy.numpy().copy(), 1))
    tensor[4] = written
    moments.append(Moment(f"tensor[4] = {written}", array.copy(), copy.numpy().copy(), 4))
    return moments


def compare() -> tuple[list[str], list[str]]:
    """The same request to both libraries, and what each answers, as text."""
    v, w = np.array([-2.0, -1, 0, 1, 2, 4]), torch.tensor([-2.0, -1, 0, 1, 2, 4])
    i, j = np.array([1, 2]), torch.tensor([1, 2])
    a, b = np.eye(2), torch.eye(2)
    pairs: list[tuple[Callable[[], Any], Callable[[], Any]]] = [
        (lambda: v.dtype, lambda: w.dtype),
        (lambda: (i / 2).dtype, lambda: (j / 2).dtype),
        (lambda: f"{v.std():.4f}", lambda: f"{w.std():.4f}"),
        (lambda: np.median(v), lambda: w.median().item()),
        (lambda: i.repeat(2).tolist(), lambda: j.repeat(2).tolist()),
        (lambda: i.mean(), lambda: j.mean()),
        (lambda: np.dot(a, a).shape, lambda: torch.dot(b, b).shape),
        (lambda: (a.astype("float32") @ a).dtype, lambda: (b.float() @ b.double()).dtype),
        (lambda: i[::-1].tolist(), lambda: j[::-1].tolist()),
    ]
    return [told(numpy) for numpy, _ in pairs], [told(torch) for _, torch in pairs]


def shapes_by(product: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> list[str]:
    """The shape of a product for each of `SHAPES`, as text, or the name of the error."""

    def shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(product(torch.ones(a), torch.ones(b)).shape)

    return [told(partial(shape, a, b)) for a, b in SHAPES]


def told(compute: Callable[[], Any]) -> str:
    """The result as text, or the name of the error."""
    try:
        return str(compute())
    except (RuntimeError, ValueError) as error:
        return type(error).__name__


@look()
def memory(moments: list[Moment]) -> Picture:
    """The memory of array and tensor, and that of the copy, after each line."""
    figure = picture(8, 4.6)
    for row, moment in zip(figure.subplots(len(moments), 2), moments, strict=True):
        strip(row[0], moment.shared, moment.changed)
        strip(row[1], moment.copy, None)
        if moment.code:
            row[0].set_title(moment.code, family="monospace")
        else:
            row[0].set_title(tr("at first"))
        for name, height in (("array", 0.78), ("tensor", 0.22)):
            point(row[0], name, height)
        point(row[1], "copy", 0.5)
    each = tr("{bytes} bytes each", bytes=moment.shared.itemsize)
    row[0].text(-0.15, -0.13, each, ha="right", va="center", fontsize=9)
    title = tr("Array and tensor mean the same memory; the copy has its own")
    figure.suptitle(title, weight="bold")
    return figure


def strip(axes: Axes, values: Array, changed: int | None) -> None:
    """Numbers `[6]` side by side, each with its bytes as small boxes below it."""
    axes.set(xlim=(-1.6, len(values) + 0.05), ylim=(-0.35, 1.05))
    axes.set_axis_off()
    size = values.itemsize
    for k, value in enumerate(values):
        new = k == changed
        axes.add_patch(Rectangle((k, 0), 1, 1, facecolor=ORANGE if new else "white", edgecolor=INK))
        axes.text(
            k + 0.5,
            0.5,
            f"{value:.3g}",
            ha="center",
            va="center",
            fontsize=11,
            fontweight="bold" if new else "normal",
        )
        for byte in range(size):
            axes.add_patch(
                Rectangle(
                    (k + byte / size, -0.22), 1 / size, 0.18, facecolor=PALE, edgecolor="white"
                )
            )


def point(axes: Axes, name: str, height: float) -> None:
    """An arrow from a name to the memory that it means."""
    axes.annotate(
        name,
        (0, 0.5),
        (-0.55, height),
        ha="right",
        va="center",
        family="monospace",
        arrowprops={"arrowstyle": "-|>", "color": INK, "shrinkA": 2, "shrinkB": 1},
    )


@look()
def functions(x: Array, curves: Array, differences: Array) -> Picture:
    """Functions `[3, G]` of both libraries on `x [G]`, and torch's difference in float32."""
    figure = picture(8, 6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    above.set(xlim=(-3.05, 3.05), ylim=(-1.3, 3.2), ylabel=tr("value"))
    unit = tr("torch float32 − NumPy\nfloat64, units of 1e-8")
    below.set(xlabel="x", ylabel=unit, ylim=(-19, 14))
    drawn = zip(FUNCTIONS.items(), curves, differences, LINES, MARKERS, strict=True)
    for (name, color), y, difference, line, marker in drawn:
        above.plot(x, y, line, color=color, linewidth=2)
        above.plot(x[::8], (y + difference)[::8], marker, color=color, markersize=7, mfc="white")
        below.plot(x, difference * 1e8, marker, color=color, markersize=3.5, label=name)
    above.set_title(tr("NumPy (lines) and torch (markers) compute the same functions"))
    end_labels(above, [y[-1] for y in curves], list(FUNCTIONS), list(FUNCTIONS.values()))
    below.set_title(tr("The difference is the rounding of float32"), fontsize=11)
    below.legend(ncols=3, loc="lower center")
    return figure


@look()
def rounding(errors: dict[str, Array]) -> Picture:
    """The error of a running sum, `[terms]`, for each dtype."""
    figure = picture(8, 4.6)
    axes = figure.add_subplot()
    axes.set(xscale="log", yscale="log")
    axes.set(xlabel=tr("additions of 0.1"), ylabel=tr("error of the sum"))
    for name, color, line in (("float32", VERMILLION, "-"), ("float64", BLUE, "--")):
        error = errors[name]
        at = np.unique(np.geomspace(1, len(error), 400).astype(int))
        seen = at[error[at - 1] > 0]
        axes.plot(seen, error[seen - 1], line, color=color)
        if len(seen):
            place = seen[len(seen) * 3 // 5]
            axes.annotate(
                name,
                (place, error[place - 1]),
                (0, 14),
                textcoords="offset points",
                ha="right",
                color=color,
                fontweight="bold",
                path_effects=halo(),
            )
    final = errors["float32"][-1]
    note = tr("float32 is off by {error:.3g} after the last addition", error=final)
    headline(axes, tr("Rounding adds up"), note)
    axes.axhline(0.1, color=QUIET, linewidth=0.8)
    axes.text(1, 0.1, tr("the number that is added"), va="bottom", fontsize=9, color=QUIET)
    return figure


LESSON = Lesson(
    name="tensors",
    parameters=(
        Choice(
            "dtype",
            "float64",
            Text("dtype of the shared numbers", "共享的数的数据类型"),
            options=("float64", "float32", "int64", "int32"),
        ),
        Number("written", 9, Text("value that is written", "写入的值"), low=-1000, high=1000),
        Whole("size", 3, Text("rows and columns of a matrix", "矩阵的行数和列数"), low=2, high=4),
        Whole("seed", 0, Text("random seed of the matrices", "矩阵的随机种子"), low=0, high=9999),
        Whole(
            "terms", 1_000_000, Text("additions of 0.1", "加 0.1 的次数"), low=10, high=2_000_000
        ),
    ),
    function=tensors,
    scripts=("tensors.py",),
    thumbnail="products",
)
