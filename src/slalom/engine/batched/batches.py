"""The batches of stacked members, each in the order of its own loader."""

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.data.batches import Shuffle
from slalom.data.dataset import Dataset

Gathered: TypeAlias = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class StackedBatches:
    """Features, targets and weights of the steps of P members whose batches have one size.

    Args:
        data: what they train on.
        X: what they see of its rows, `[N, ...]`, on the device where the batches are wanted.
        seeds, folds: of each member, `[P]`; the folds have equally many rows to train on.
        batch_size: rows a batch, 0 for all at once.
        shuffles: by seed, those that there are already; new ones are added.

    Example:
        >>> from slalom import toys
        >>> data = toys.quadratic(50)
        >>> seeds, folds = np.array([[0, 1], [0, 0]])
        >>> batches = StackedBatches(data, torch.from_numpy(data.X), seeds, folds, 20, {})
        >>> [tuple(batches.at(0, place)[0].shape) for place in range(3)]
        [(2, 20, 1), (2, 20, 1), (2, 10, 1)]
    """

    def __init__(
        self,
        data: Dataset,
        X: torch.Tensor,
        seeds: NDArray[np.int64],
        folds: NDArray[np.int64],
        batch_size: int,
        shuffles: dict[int, Shuffle],
    ) -> None:
        self._device, self._X, self._y = X.device, X, torch.from_numpy(data.y).to(X.device)
        self._weight = None if data.weight is None else torch.from_numpy(data.weight).to(X.device)
        self._size, self._shuffles, self._epoch = batch_size, shuffles, -1
        # What members have in common is there once.
        seeds, seed = np.unique(seeds, return_inverse=True)
        folds, fold = np.unique(folds, return_inverse=True)
        self._seeds, self._seed, self._fold = seeds.tolist(), self._put(seed), self._put(fold)
        self._rows = self._put(np.stack([data.folds[k].train for k in folds]))  # [folds, N]
        self._whole: Gathered | None = None
        if batch_size:
            for each in set(self._seeds) - set(shuffles):
                shuffles[each] = Shuffle(each, self._rows.shape[1])
        else:
            own = self._rows if len(folds) == 1 else self._rows[self._fold]
            X, y, weight = self._gathered(own)
            members = len(fold)
            self._whole = _for_all(X, members), _for_all(y, members), _for_all(weight, members)

    def at(self, epoch: int, place: int) -> Gathered:
        """The batch at a place in an epoch, both from 0."""
        if self._whole is not None:
            return self._whole
        if self._epoch != epoch:
            orders = torch.stack([self._shuffles[seed].order(epoch) for seed in self._seeds])
            order = orders.to(self._device)[self._seed]
            self._epoch, self._ordered = epoch, self._rows[self._fold].gather(1, order)
        start = place * self._size
        return self._gathered(self._ordered[:, start : start + self._size])

    def _gathered(self, rows: torch.Tensor) -> Gathered:
        """Features, targets and weights of rows `[P, B]`."""
        flat, shape = rows.flatten(), rows.shape
        X, y = self._X.index_select(0, flat), self._y.index_select(0, flat)
        weight = X.new_empty(len(rows), 0) if self._weight is None else self._weight[rows]
        return X.view(*shape, *X.shape[1:]), y.view(*shape, *y.shape[1:]), weight

    def _put(self, numbers: NDArray[np.int64]) -> torch.Tensor:
        return torch.from_numpy(numbers).to(self._device)


def _for_all(tensor: torch.Tensor, members: int) -> torch.Tensor:
    return tensor.expand(members, *tensor.shape[1:])
