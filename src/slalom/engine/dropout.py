"""Dropout whose masks follow from seed, step and layer alone.

torch's dropout draws from a global generator, so a training could neither be resumed exactly nor be
repeated by another engine. Here unit `i` (row by row) of a layer is kept when the hash of (seed,
step, layer, i) is below the share to keep. The hash is splitmix64 (Steele, Lea and Flood 2014, Fast
splittable pseudorandom number generators), which is a few integer operations in any language.
"""

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class KeyedDropout:
    """Gives the `torch.nn.Dropout` layers of a module masks by seed, `step` and layer.

    Args:
        module: whose dropout layers are taken over; in evaluation they let everything through.
        seed: of the member.

    Example:
        >>> layer = torch.nn.Dropout(0.5)
        >>> keyed = KeyedDropout(layer, seed=0)
        >>> keyed.step = 3
        >>> torch.equal(layer(torch.ones(2, 4)), layer(torch.ones(2, 4)))
        True
    """

    def __init__(self, module: torch.nn.Module, seed: int) -> None:
        self.seed = seed
        self.step = 0
        layers = [m for m in module.modules() if isinstance(m, torch.nn.Dropout)]
        for number, layer in enumerate(layers):
            layer.forward = partial(self._drop, number, layer)  # type: ignore[method-assign]

    def _drop(self, number: int, layer: torch.nn.Dropout, x: torch.Tensor) -> torch.Tensor:
        if not layer.training or layer.p == 0:
            return x
        mask = dropout_mask(self.seed, self.step, number, x.numel(), layer.p)
        return x * torch.from_numpy(mask).view_as(x)


def dropout_mask(seed: int, step: int, layer: int, units: int, p: float) -> NDArray[np.float32]:
    """0 for a dropped unit, 1 / (1 - p) for a kept one, float32 `[units]`.

    Args:
        seed, step, layer: whole numbers >= 0 that name the mask.
        units: how many.
        p: probability to drop, in [0, 1).

    Example:
        >>> dropout_mask(seed=0, step=0, layer=0, units=6, p=0.5).tolist()
        [0.0, 0.0, 2.0, 2.0, 0.0, 2.0]
    """
    key = np.zeros(1, dtype=np.uint64)  # as arrays, whose arithmetic is silently modulo 2^64
    for part in (seed, step, layer):
        key = mixed(key + np.uint64(part) + GOLDEN)
    hashes = mixed(key + np.arange(1, units + 1, dtype=np.uint64) * GOLDEN)
    kept = (hashes >> np.uint64(40)).astype(np.float32) * np.float32(2**-24) >= p
    return kept.astype(np.float32) / np.float32(1 - p)


def mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of splitmix64."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
