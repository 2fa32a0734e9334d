"""Pictures of filters and of feature maps, beside the convolutions themselves."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d, max_pool2d

import slalom
from slalom import CNN, Net, grid, toys
from slalom.core.errors import BadPlan
from slalom.core.language import language
from slalom.data.dataset import Dataset
from slalom.lessons.structures.look import Looking
from slalom.plots import feature_maps, filters
from slalom.plots.feature_maps import map_numbers
from slalom.plots.filters import filter_numbers
from slalom.runs import Run

WIDE = CNN((3, 6, 6), 2, filters=(20,), activation="tanh")


@pytest.fixture(scope="module")
def digits_run() -> Run:
    members = grid(net=CNN((1, 8, 8), 10, filters=(4, 6)), seed=[0, 1])
    data = toys.digits().split(validation=0.3)
    return slalom.train(members, data, batch_size=128, epochs=2)


@pytest.fixture(scope="module")
def coloured_run() -> Run:
    X = np.random.default_rng(0).normal(size=(40, 3, 6, 6))
    data = Dataset(X, np.arange(40) % 2, "classification", classes=("cat", "dog"))
    return slalom.train(WIDE, data, batch_size=20, epochs=2)


def test_filters_are_the_weights_of_the_first_convolution(digits_run: Run) -> None:
    numbers = filter_numbers(digits_run, 1)
    before: Any = digits_run.population[1].net.build(1)
    after: Any = digits_run.model(1)
    np.testing.assert_array_equal(numbers.before, before[0].weight.detach())
    np.testing.assert_array_equal(numbers.after, after[0].weight.detach())
    assert np.abs(numbers.after - numbers.before).max() > 0


def test_maps_are_what_convolutions_and_activations_make_of_the_image(digits_run: Run) -> None:
    numbers, net = map_numbers(digits_run, row=17, member=0), digits_run.model(0)
    image: Any = torch.from_numpy(digits_run.dataset.X[17:18])
    first = conv2d(image, net[0].weight, net[0].bias, padding=1).relu()
    second = conv2d(max_pool2d(first, 2), net[3].weight, net[3].bias, padding=1).relu()
    for found, expected in zip(numbers.maps, (first, second), strict=True):
        np.testing.assert_allclose(found, expected[0].detach(), atol=1e-6)
    assert numbers.names == ("relu", "relu")
    assert numbers.truth == str(digits_run.dataset.y[17])
    assert numbers.predicted == str(int(net(image).argmax()))


def test_the_first_validated_image_of_the_best_member_is_shown(digits_run: Run) -> None:
    numbers = map_numbers(digits_run)
    assert numbers.member == digits_run.best()
    assert numbers.row == digits_run.dataset.folds[0].validation[0]


def test_a_picture_has_a_panel_for_each_filter_and_a_scale(digits_run: Run) -> None:
    assert len(filters(digits_run).axes) == 4 + 4 + 1
    figure = feature_maps(digits_run, row=3)
    assert len(figure.axes) == 1 + (4 + 1) + (6 + 1)
    assert figure.axes[0].get_xlabel().startswith("is 3")
    with language("zh"):
        assert feature_maps(digits_run, row=3).axes[0].get_xlabel().startswith("实际：3")


def test_colours_and_many_filters_are_shown_as_far_as_there_is_room(coloured_run: Run) -> None:
    figure = filters(coloured_run)
    assert len(figure.axes) == 2 * 3 * 16 + 1
    assert figure.get_suptitle().startswith("16 of 20 filters")
    shown = feature_maps(coloured_run, row=0)
    assert len(shown.axes) == 1 + 16 + 1
    image = shown.axes[0].images[0].get_array()
    assert image is not None and image.shape == (6, 6, 3) and image.min() == 0 and image.max() == 1
    assert "cat" in shown.axes[0].get_xlabel()


def test_activations_that_are_functions_are_not_seen() -> None:
    net, data = Net(Looking, filters=3), toys.digits()
    run = slalom.train(net, data, batch_size=128, steps=3)
    module: Any = run.model()
    numbers = map_numbers(run, row=0)
    assert numbers.names == ("conv2d", "conv2d")
    expected = module.first(torch.from_numpy(data.X[:1]))[0].detach()
    np.testing.assert_allclose(numbers.maps[0], expected, atol=1e-6)


@pytest.mark.parametrize("draw", [filters, feature_maps])
def test_what_has_no_images_or_no_filters_is_said(draw: Any, line_run: Run) -> None:
    with pytest.raises(BadPlan, match=r"rows that are images .* but the data has 1 feature"):
        draw(line_run)
    data = toys.digits()
    run = slalom.train(Net(Flat), data, batch_size=256, steps=1)
    with pytest.raises(BadPlan, match=r"Flat\(\) has no .* for it has no torch.nn.Conv2d"):
        draw(run)


def test_a_row_that_is_not_there_is_said(digits_run: Run) -> None:
    with pytest.raises(BadPlan, match="no row 1797: the data has 0 to 1796"):
        feature_maps(digits_run, row=1797)


class Flat(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layer(x.flatten(1))
        return found
