"""What the filters of a convolutional net find in an image."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.core.language import tr
from slalom.data.dataset import Dataset
from slalom.nets.layers import layer_outputs
from slalom.plots.images import MOST, check_images, draw_image, draw_maps
from slalom.plots.labels import number, shortened
from slalom.plots.style import finish, look, picture
from slalom.training import Outcome

COLORED = 3  # channels of an image in colour


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """What the convolutions of a member make of an image.

    Args:
        member, row: their numbers.
        image: float32 `[channels, height, width]`.
        maps: of each convolution, float32 `[filters, height, width]`.
        names: of the module that gives them, such as "relu".
        truth, predicted: what the image is, and what the member takes it for.
    """

    member: int
    row: int
    image: NDArray[np.float32]
    maps: tuple[NDArray[np.float32], ...]
    names: tuple[str, ...]
    truth: str
    predicted: str


def map_numbers(run: Outcome, row: int | None = None, member: int | None = None) -> FeatureMaps:
    """The numbers of `feature_maps`."""
    data = run.dataset
    check_images(data, "A picture of feature maps")
    k = run.best() if member is None else member
    fold = data.folds[run.population[k].fold]
    row = int([*fold.validation, *fold.train][0]) if row is None else row
    if not 0 <= row < data.rows:
        raise BadPlan(f"There is no row {row}: the data has 0 to {data.rows - 1}.")
    X = data.X[row : row + 1]
    layers = [
        layer for layer in layer_outputs(run.model(k), torch.from_numpy(X))
        if layer.filters and layer.values.dim() == X.ndim
    ]  # fmt: skip
    if not layers:
        label = run.population[k].net.label
        raise BadPlan(f"The net {label} has no feature maps, for it has no torch.nn.Conv2d.")
    (prediction,) = run.predict(X, k)
    answer = prediction.argmax() if data.task == "classification" else prediction
    return FeatureMaps(
        k,
        row,
        X[0],
        tuple(layer.values[0].numpy() for layer in layers),
        tuple(layer.name for layer in layers),
        _said(data, data.y[row]),
        _said(data, answer),
    )


def _said(data: Dataset, value: Any) -> str:
    """A class by its name, or numbers."""
    if data.task == "classification":
        return shortened(data.classes[int(value)], 20)
    return ", ".join(number(float(each)) for each in value)


@look()
def feature_maps(
    run: Outcome,
    row: int | None = None,
    member: int | None = None,
    path: str | Path | None = None,
) -> Figure:
    """Draw an image and what the filters of each convolution find in it, after the activation.

    Of more than 16 filters the first 16 are drawn.

    Args:
        run: a run on images, of nets with a `torch.nn.Conv2d`.
        row: the number of the image in the dataset; the first one that the member was validated on
            when not given, or else trained on.
        member: its number; the best member when not given.
        path: where to write the picture (PNG, SVG, PDF); nowhere when not given.

    Raises:
        BadPlan: for rows that are no images, a net without convolutions, or a member or row that
            is not there.
        Diverged: when no member has finite weights.
        BadFile: when the picture cannot be written.

    Example:
        >>> import slalom
        >>> net = slalom.CNN((1, 8, 8), 10, filters=(4, 8))
        >>> run = slalom.train(net, slalom.toys.digits(), batch_size=64, steps=5)
        >>> figure = feature_maps(run, row=3)
    """
    numbers = map_numbers(run, row, member)
    bands = len(numbers.maps)
    figure = picture(8, 0.5 + 2.2 * bands)
    parts: Any = figure.subfigures(1, 2, width_ratios=(1, 3))
    left, right = parts
    axes = left.subplots()
    axes.set_anchor("N")
    _draw_given(axes, numbers)
    left.suptitle(tr("Row {row:,}", row=numbers.row), x=0.05, ha="left", weight="bold")
    for place, band in enumerate(right.subfigures(bands, 1, squeeze=False).ravel()):
        maps = numbers.maps[place]
        draw_maps(band, maps, rows=1 if len(maps) < 4 else 2, label=numbers.names[place])
        band.suptitle(_title(place + 1, maps), x=0.02, ha="left", weight="bold")
    return finish(figure, path)


def _title(convolution: int, maps: NDArray[np.float32]) -> str:
    numbers = {"n": convolution, "size": "x".join(map(str, maps.shape[1:]))}
    if len(maps) > MOST:
        return tr(
            "Convolution {n}: {most} of {count} maps of {size}",
            most=MOST,
            count=len(maps),
            **numbers,
        )
    return tr("Convolution {n}: maps of {size}", **numbers)


def _draw_given(axes: Any, numbers: FeatureMaps) -> None:
    """The image, what it is, and what it is taken for."""
    image = numbers.image
    low, high = float(image.min()), float(image.max())
    if len(image) == COLORED:
        draw_image(axes, (image.transpose(1, 2, 0) - low) / ((high - low) or 1), "Greys", 0, 1)
    else:
        draw_image(axes, image.mean(axis=0), "Greys", low, high)
    axes.set_xlabel(tr("is {truth}\nnet: {answer}", truth=numbers.truth, answer=numbers.predicted))
