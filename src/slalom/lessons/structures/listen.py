"""Listening: many recurrent nets hear pieces of different lengths, filled up to one, in a batch."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.data import Dataset, sequences
from slalom.lessons.common import train
from slalom.lessons.structures.remember import TURN, turn
from slalom.nets import RNN
from slalom.optim import Adam
from slalom.population import grid

Array = NDArray[Any]

LISTENERS = 8  # nets, from other first weights
PIECES = 640  # that they train on
LONGEST = 24  # moments in a piece
BATCH = 16


@dataclass(frozen=True, eq=False)
class Listened:
    """What came of it.

    Args:
        errors: mean squared error of each net by how many moments it heard, over all places of
            the curve: `[LISTENERS, LONGEST]`.
    """

    errors: Array

    @property
    def median(self) -> Array:
        """Over the nets, `[LONGEST]`."""
        result: Array = np.median(self.errors, axis=0)
        return result

    def numbers(self) -> dict[str, Any]:
        """What prose names."""
        return {
            "listeners": LISTENERS,
            "pieces_heard": PIECES,
            "most_moments": LONGEST,
            "listening_errors": self.errors,
            "error_of_one": self.median[0],
            "error_of_all": self.median[-1],
        }

    def claims(self) -> dict[str, bool]:
        """What the prose says of these numbers."""
        last = self.median[-1]
        return {
            "finds_place": bool(last < 0.1),
            "listening_helps": bool(last < 0.45),  # 0.5 takes no memory, nor one moment
        }


@lru_cache(maxsize=2)
def hear_pieces(
    cell: Literal["RNN", "GRU"], hidden: int, steps: int, lr: float, seed: int
) -> Listened:
    """Train `LISTENERS` nets at once, and let each hear the end of pieces of every length."""
    population = grid(
        net=RNN(1, 1, cell=cell, hidden=hidden, masked=True),
        optimizer=Adam,
        lr=lr,
        batch_size=BATCH,
        seed=range(seed, seed + LISTENERS),
    )
    run = train(population, random_pieces(), steps=steps)
    every = every_piece()
    X, y = torch.from_numpy(every.X), torch.from_numpy(every.y)
    with torch.no_grad():
        wrong = [(run.model(k)(X) - y).square().numpy() for k in range(LISTENERS)]
    return Listened(np.reshape(wrong, (LISTENERS, LONGEST, TURN)).mean(axis=2))


@cache
def random_pieces() -> Dataset:
    """What the nets train on: pieces of random lengths from random places of the curve."""
    drawn = np.random.default_rng(0)
    return pieces(drawn.integers(TURN, size=PIECES), drawn.integers(LONGEST, size=PIECES) + 1)


@cache
def every_piece() -> Dataset:
    """What they are tested on: every length, from every place."""
    return pieces(np.tile(np.arange(TURN), LONGEST), np.arange(LONGEST).repeat(TURN) + 1)


def pieces(starts: Array, lengths: Array) -> Dataset:
    """The sine in pieces `[N, LONGEST, 2]`, the mask beside it, and the cosine at their ends."""
    turns = [turn(start, length) for start, length in zip(starts, lengths, strict=True)]
    ends = [cosine[-1] for _, cosine in turns]
    return sequences([sine for sine, _ in turns], ends, task="regression")
