"""The masks of `slalom.engine.dropout` for stacked members, as operations of torch."""

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.engine.dropout import GOLDEN, mixed


class StackedDropout:
    """Gives the `torch.nn.Dropout` layers of a module masks by `keys`, one key a layer.

    Args:
        module: whose dropout layers are taken over; in evaluation they let everything through.

    Attributes:
        layers: how many there are.
        keys: int64 `[layers]`, or what `torch.func.vmap` makes of a row of `keys_of`.

    Example:
        >>> layer = torch.nn.Dropout(0.5)
        >>> stacked = StackedDropout(layer)
        >>> stacked.keys = torch.from_numpy(keys_of(np.array([0]), step=3, layers=1))[0]
        >>> torch.equal(layer(torch.ones(2, 4)), layer(torch.ones(2, 4)))
        True
    """

    keys: torch.Tensor

    def __init__(self, module: torch.nn.Module) -> None:
        layers = [m for m in module.modules() if isinstance(m, torch.nn.Dropout)]
        self.layers = len(layers)
        for number, layer in enumerate(layers):
            layer.forward = partial(self._drop, number, layer)  # type: ignore[method-assign]

    def _drop(self, number: int, layer: torch.nn.Dropout, x: torch.Tensor) -> torch.Tensor:
        if not layer.training or layer.p == 0:
            return x
        units = torch.arange(1, x.numel() + 1, device=x.device)
        hashes = _mix(self.keys[number] + units * _signed(GOLDEN))
        kept = _shift(hashes, 40).float() * 2**-24 >= layer.p
        return x * (kept.float() / np.float32(1 - layer.p).item()).view_as(x)


def keys_of(seeds: NDArray[np.int64], step: int, layers: int) -> NDArray[np.int64]:
    """What the masks of members with these seeds follow from at a step, int64 `[P, layers]`."""
    key = np.zeros(1, dtype=np.uint64)
    parts = (seeds.astype(np.uint64)[:, None], np.uint64(step), np.arange(layers, dtype=np.uint64))
    for part in parts:
        key = mixed(key + part + GOLDEN)
    return key.view(np.int64)


def _mix(z: torch.Tensor) -> torch.Tensor:
    """As `slalom.engine.dropout.mixed`, in whole numbers with a sign, which torch has."""
    z = (z ^ _shift(z, 30)) * _signed(np.uint64(0xBF58476D1CE4E5B9))
    z = (z ^ _shift(z, 27)) * _signed(np.uint64(0x94D049BB133111EB))
    return z ^ _shift(z, 31)


def _shift(z: torch.Tensor, bits: int) -> torch.Tensor:
    """To the right, with zeros from the left whatever the sign."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)


def _signed(number: np.uint64) -> int:
    return int(np.array(number).view(np.int64))
