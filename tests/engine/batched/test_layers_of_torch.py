"""Nets of many kinds of layers, stacked, train as by the reference engine."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import normalize, scaled_dot_product_attention
from torch.nn.utils import parametrizations

import slalom
from slalom import SGD, Dataset, Net, grid
from slalom.core.errors import BadPlan

pytestmark = pytest.mark.slow

RANDOM = np.random.default_rng(0)
TABLE = RANDOM.normal(size=(50, 6))
WORDS = RANDOM.integers(0, 9, size=(50, 6)).astype(float)
IMAGES = RANDOM.normal(size=(50, 2, 8, 8))
SEQUENCES = RANDOM.normal(size=(50, 6, 4))
CLASSES = RANDOM.integers(0, 3, size=50)


class By(nn.Module):
    """Layers, and how the rows pass them."""

    def __init__(self, how: Callable[..., torch.Tensor], *layers: nn.Module) -> None:
        super().__init__()
        self.layers, self.how = nn.ModuleList(layers), how

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.how(x, *self.layers)


class Shared(nn.Module):
    """Two layers with one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.tell = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)
        self.second.weight = self.first.weight

    def forward(self, x: torch.Tensor) -> Any:
        return self.tell(self.second(self.first(x).relu()).relu())


class Cell(nn.Module):
    """A loop over the moments, written out."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.tell = nn.LSTMCell(4, 5), nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> Any:
        state = None
        for moment in x.unbind(1):
            state = self.cell(moment, state)
        assert state is not None
        return self.tell(state[0])


class Tracking(nn.Module):
    """Buffers of its own: a mean that follows, a count, and a mask."""

    def __init__(self) -> None:
        super().__init__()
        self.tell = nn.Linear(6, 3)
        self.register_buffer("mean", torch.zeros(6))
        self.register_buffer("count", torch.tensor(0))
        self.register_buffer("mask", torch.arange(6) % 2 == 0)
        self.scale = torch.linspace(0.5, 1.0, 6)

    def forward(self, x: torch.Tensor) -> Any:
        if self.training:
            self.count.add_(1)  # type: ignore[operator]  # torch knows no kinds of buffers
            self.mean.mul_(0.9).add_(0.1 * x.mean(0).detach())  # type: ignore[operator]
        return self.tell((x - self.mean) * self.mask * self.scale * self.scale[1].item())


def on_images(*layers: nn.Module, out: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), *layers, nn.Flatten(), nn.Linear(out, 3))


LAYERS: dict[str, tuple[Callable[[], nn.Module], Any]] = {
    "prelu": (lambda: nn.Sequential(nn.Linear(6, 8), nn.PReLU(), nn.Linear(8, 3)), TABLE),
    "glu, layer norm": (
        lambda: nn.Sequential(nn.Linear(6, 8), nn.GLU(), nn.LayerNorm(4), nn.Linear(4, 3)),
        TABLE,
    ),
    "relu in place": (
        lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(inplace=True), nn.Linear(8, 3)),
        TABLE,
    ),
    "weight norm": (
        lambda: nn.Sequential(parametrizations.weight_norm(nn.Linear(6, 8)), nn.Linear(8, 3)),
        TABLE,
    ),
    "a weight in two layers": (Shared, TABLE),
    "own buffers": (Tracking, TABLE),
    "bilinear": (
        lambda: By(lambda x, a, b: b(a(x, x)), nn.Bilinear(6, 6, 5), nn.Linear(5, 3)),
        TABLE,
    ),
    "sorted, normalized, summed": (
        lambda: By(
            lambda x, a: a(normalize(x.sort(dim=1).values).cumsum(1)),
            nn.Linear(6, 3),
        ),
        TABLE,
    ),
    "words": (
        lambda: By(lambda x, a, b: b(a(x.long()).flatten(1)), nn.Embedding(9, 4), nn.Linear(24, 3)),
        WORDS,
    ),
    "group norm": (lambda: on_images(nn.GroupNorm(2, 4), nn.ReLU(), out=256), IMAGES),
    "overlapping pooling": (lambda: on_images(nn.ReLU(), nn.MaxPool2d(3, 2, 1), out=64), IMAGES),
    "adaptive pooling": (lambda: on_images(nn.AdaptiveAvgPool2d(2), out=16), IMAGES),
    "enlarged": (lambda: on_images(nn.Upsample(scale_factor=2, mode="bilinear"), out=1024), IMAGES),
    "batch norm of images": (lambda: on_images(nn.BatchNorm2d(4), nn.SiLU(), out=256), IMAGES),
    "pieces of an image": (
        lambda: nn.Sequential(nn.Unfold(3), nn.Flatten(), nn.Linear(648, 3)),
        IMAGES,
    ),
    "two layers, both ways": (
        lambda: By(
            lambda x, a, b: b(a(x)[0].mean(1)),
            nn.LSTM(4, 5, 2, batch_first=True, bidirectional=True),
            nn.Linear(10, 3),
        ),
        SEQUENCES,
    ),
    "a loop of cells": (Cell, SEQUENCES),
    "attention to the rows themselves": (
        lambda: By(
            lambda x, a: a(scaled_dot_product_attention(x, x, x, is_causal=True).mean(1)),
            nn.Linear(4, 3),
        ),
        SEQUENCES,
    ),
    "attention with a mask": (
        lambda: By(
            lambda x, a, b: b(
                a(x, x, x, attn_mask=torch.ones(6, 6).triu(1).bool(), need_weights=False)[0].mean(1)
            ),
            nn.MultiheadAttention(4, 2, batch_first=True),
            nn.Linear(4, 3),
        ),
        SEQUENCES,
    ),
}


def built(name: str) -> nn.Module:
    return LAYERS[name][0]()


@pytest.mark.parametrize("batch_size", [16, None])
@pytest.mark.parametrize("name", LAYERS)
def test_a_net_of_such_layers_trains_as_by_the_reference_engine(
    name: str, batch_size: int | None
) -> None:
    data = Dataset(LAYERS[name][1], CLASSES, "classification").split(validation=0.25)
    # Not Adam, which makes much of gradients that are nothing but rounding.
    optimizers = [SGD(0.05, momentum=0.5), SGD(0.02)]
    members = grid(
        net=Net(built, name=name), optimizer=optimizers, seed=[0, 1], batch_size=batch_size
    )
    expected, found = (
        slalom.train(members, data, epochs=3, engine=engine, progress=False).state
        for engine in ("reference", "batched")
    )
    for array in ("parameters", "buffers", "best_loss", "train_loss"):
        np.testing.assert_allclose(
            getattr(found, array), getattr(expected, array), rtol=2e-4, atol=2e-5, err_msg=array
        )


class Counter(nn.Module):
    """Counts its calls in a number of Python's."""

    def __init__(self) -> None:
        super().__init__()
        self.tell, self.calls = nn.Linear(6, 3), 0

    def forward(self, x: torch.Tensor) -> Any:
        self.calls += 1
        return self.tell(x) * (1 + self.calls)


def test_a_net_that_is_another_one_at_its_next_call_is_refused() -> None:
    data = Dataset(TABLE, CLASSES, "classification")
    with pytest.raises(BadPlan, match=r"keeps numbers where torch.func does not see them"):
        slalom.train(Net(Counter), data, steps=2, engine="batched")
