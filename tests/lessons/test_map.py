"""The map of a training, against shapes of known dimension and a loop in plain torch."""

import numpy as np
import pytest
import torch

from slalom.lessons.lesson import Whole
from slalom.lessons.map import LESSON
from slalom.lessons.map.pixels import (
    WHOLE,
    Mask,
    Plane,
    Window,
    box_counts,
    chart,
    dimension,
    goal,
)


def plane_of(diverged: Mask) -> Plane:
    """A plane in which these pixels diverged."""
    return Plane(WHOLE, np.where(diverged, 1, -1), np.zeros(diverged.shape))


def carpet(times: int) -> Mask:
    """A carpet as Sierpinski's: each box is cut into 4 by 4, and its middle 4 are left out."""
    piece = np.ones((4, 4), dtype=bool)
    piece[1:3, 1:3] = False
    shape = np.ones((1, 1), dtype=bool)
    for _ in range(times):
        shape = np.kron(shape, piece).astype(bool)
    return shape


def test_box_counting_knows_lines_areas_and_a_carpet() -> None:
    line = np.eye(256, dtype=bool)
    assert dimension(*box_counts(line)) == pytest.approx(1, abs=1e-9)
    assert dimension(*box_counts(np.ones((256, 256), dtype=bool))) == pytest.approx(2, abs=1e-9)
    sides, counts = box_counts(carpet(4))
    assert counts[::2].tolist() == [12**4, 12**3, 12**2]
    assert dimension(sides[::2], counts[::2]) == pytest.approx(np.log(12) / np.log(4))


def test_no_border_has_no_dimension() -> None:
    assert dimension(*box_counts(np.zeros((64, 64), dtype=bool))) == 0


def test_the_border_of_a_half_plane_is_one_pixel_wide() -> None:
    diverged = np.zeros((8, 8), dtype=bool)
    diverged[:, 5:] = True
    assert np.flatnonzero(plane_of(diverged).border.all(axis=0)).tolist() == [4]
    assert plane_of(diverged).border.sum() == 8


def test_the_way_into_the_border_of_a_disc_ends_at_its_edge() -> None:
    center, radius = np.array([0.5, 0.4]), 0.3

    def disc(window: Window, pixels: int) -> Plane:
        lr, momentum = window.pixels(pixels)
        return plane_of(np.hypot(lr - center[0], momentum[:, None] - center[1]) < radius)

    x, y = goal(disc, 8)
    assert np.hypot(1.2 * x - center[0], y - center[1]) == pytest.approx(radius, abs=2**-8)


def test_all_windows_of_a_zoom_hold_the_goal_at_the_same_place() -> None:
    for share in (1.0, 0.5, 2.0**-9):
        left, right, low, high = WHOLE.around((0.25, 0.75), share)
        assert (0.3 - left) / (right - left) == pytest.approx(0.25)
        assert (0.75 - low) / (high - low) == pytest.approx(0.75)


def test_pixels_of_the_deepest_window_are_different_float32_numbers() -> None:
    resolution, depth = (p.high for p in LESSON.parameters[:2] if isinstance(p, Whole))
    lr, momentum = WHOLE.around((0.99, 0.99), 0.5**depth).pixels(resolution)
    for values in (lr, momentum):
        assert np.diff(values.astype(np.float32)).min() > 10 * np.spacing(np.float32(values[0]))


def test_a_pixel_far_from_the_border_is_the_net_that_torch_trains() -> None:
    window = Window(0.0, 0.2, 0.0, 0.2)  # calm: rounding does not grow
    plane = chart("tanh", 60, 12, window, 2)
    lr, momentum = window.pixels(2)
    rng = np.random.default_rng(12)
    X, y = (torch.tensor(rng.normal(size=(4, n)), dtype=torch.float32) for n in (4, 1))
    for row, column in np.ndindex(2, 2):
        torch.manual_seed(12)
        net = torch.nn.Sequential(
            torch.nn.Linear(4, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)
        ).double()
        torch.manual_seed(12)
        for layer in (net[0], net[2]):
            layer.load_state_dict(
                torch.nn.Linear(layer.in_features, layer.out_features).state_dict()
            )
        optimizer = torch.optim.SGD(net.parameters(), lr=lr[column], momentum=momentum[row])
        logs = []
        for step in range(1, 61):
            loss = torch.nn.functional.mse_loss(net(X.double()), y.double())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % 3 == 0:
                logs.append(np.log10(loss.item()))
        assert plane.log_loss[row, column] == pytest.approx(np.mean(logs), abs=1e-4)
        assert plane.diverged_at[row, column] == -1


def test_a_learning_rate_that_is_far_too_large_diverges() -> None:
    assert (chart("tanh", 100, 12, Window(5.0, 9.0, 0.0, 0.9), 4).diverged_at > 0).all()
