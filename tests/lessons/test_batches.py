"""The lesson of the batches against a real DataLoader, and against statistics."""

from functools import cache
from itertools import chain
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from slalom import lessons
from slalom.data import toys
from slalom.lessons.batches import pairs_of
from slalom.lessons.batches.dealing import flow_of
from slalom.lessons.batches.learning import POINTS, SIZES, batch_gradients
from slalom.lessons.lesson import Made
from slalom.nets import MLP

pytestmark = pytest.mark.slow


@cache
def made() -> Made:
    return lessons.get("batches").make()


def number(name: str) -> Any:
    return made().numbers[name]


@pytest.mark.parametrize(
    "workers", [0, pytest.param(1, marks=pytest.mark.slow)], ids=["alone", "with a worker"]
)
def test_pairs_come_in_the_order_of_a_real_loader(workers: int) -> None:
    loader = DataLoader(
        TensorDataset(torch.linspace(1, 10, 10), torch.linspace(10, 1, 10)),
        batch_size=8,
        shuffle=True,
        generator=torch.Generator().manual_seed(0),
        num_workers=workers,
    )
    epochs = [[torch.stack(batch, dim=1).tolist() for batch in loader] for _ in range(4)]
    assert number("pairs").tolist() == [list(chain(*batches)) for batches in epochs]
    assert number("batches_per_epoch") == len(epochs[0])
    assert number("last_batch") == len(epochs[0][-1])
    assert number("total_steps") == sum(map(len, epochs))


@pytest.mark.parametrize(("rows", "size"), [(10, 8), (10, 5), (24, 1), (2, 24)])
def test_in_the_film_each_row_of_an_epoch_ends_in_the_stack_of_its_step(
    rows: int, size: int
) -> None:
    pairs = pairs_of(rows, epochs=2, seed=3)
    flow = flow_of(pairs, size)
    per_epoch = -(-rows // size)
    lefts = np.unique(flow.boxes[2][:, 0])
    assert len(lefts) == len(flow.taken) == 2 * per_epoch
    stacks = [flow.pairs[flow.boxes[2][:, 0] == left] for left in lefts]
    dealt = [epoch[k * size : (k + 1) * size] for epoch in pairs for k in range(per_epoch)]
    assert [stack.tolist() for stack in stacks] == [batch.tolist() for batch in dealt]
    assert np.isnan(flow.at(-1)).all()
    assert flow.at(flow.moments - 1) == pytest.approx(flow.boxes[2])
    first = flow.leaves[0] == 0
    assert np.array_equal(flow.at(0)[first], flow.boxes[0][first])


def test_the_gradient_of_all_rows_is_the_mean_of_those_of_single_rows() -> None:
    data, net = toys.quadratic(POINTS, noise=0.1, seed=1), MLP(1, 5, 1).build(seed=3)
    full, drawn = batch_gradients(net, data, seed=0)
    single = gradients_of_single_rows(net, data.X, data.y)
    assert full == pytest.approx(single.mean(axis=0), abs=1e-6)
    variance = ((single - single.mean(axis=0)) ** 2).sum(axis=1).mean()
    for size, gradients in zip(SIZES, drawn, strict=True):
        # Of a mean of B out of N values that are drawn without putting any back.
        truth = variance / size * (POINTS - size) / (POINTS - 1)
        assert ((gradients - full) ** 2).sum(axis=1).mean() == pytest.approx(truth, rel=0.3)


def gradients_of_single_rows(net: torch.nn.Module, X: Any, y: Any) -> np.ndarray:
    """The gradient of each row by itself, float64 `[N, D]`."""
    net = net.double()
    rows = []
    for x, target in zip(torch.tensor(X).double(), torch.tensor(y).double(), strict=True):
        net.zero_grad()
        ((net(x) - target) ** 2).mean().backward()
        rows.append(torch.cat([p.grad.flatten() for p in net.parameters()]))  # type: ignore[union-attr]
    return torch.stack(rows).numpy()


def test_four_times_the_rows_halve_the_noise() -> None:
    assert number("noise")[:-1] / number("noise")[0] == pytest.approx(
        1 / np.sqrt(SIZES[:-1]), rel=0.15
    )


def test_batches_that_are_never_shuffled_spoil_the_training() -> None:
    assert number("loss_in_order") > 3 * number("loss_shuffled")


def test_small_batches_learn_more_from_the_same_rows() -> None:
    losses = number("final_losses")
    assert losses[1] < losses[2] < losses[3] < losses[4]
    assert number("steps_taken").tolist() == [4000, 1000, 252, 64, 16]


def test_every_combination_of_extreme_values_can_be_drawn() -> None:
    lesson = lessons.get("batches")
    for rows, batch_size in ((2, 24), (24, 1), (24, 23)):
        made = lesson.make(rows=rows, batch_size=batch_size, epochs=1, lr=0.2)
        assert all(np.isfinite(value).all() for value in made.numbers.values())
        for figure in made.figures.values():
            figure()
