"""Which rows come in which batch: the order of `torch.utils.data.DataLoader`, without the loader.

The batches of a member are, epoch after epoch, those of

    DataLoader(TensorDataset(X, y), batch_size=b, shuffle=True,
               generator=torch.Generator().manual_seed(seed))

Source: `torch/utils/data/sampler.py` (RandomSampler) and `dataloader.py` (_BaseDataLoaderIter).
"""

from math import ceil

import torch


class Shuffle:
    """The permutations of `rows` rows that a loader with this seed draws, one an epoch.

    A pure function of (seed, rows, epoch), so nothing about it needs to be saved. It is quick when
    asked in order, or again from the epoch that it was first asked for.

    Example:
        >>> Shuffle(seed=0, rows=4).order(0).tolist()
        [1, 0, 3, 2]
    """

    def __init__(self, seed: int, rows: int) -> None:
        self.seed = seed
        self.rows = rows
        self._generator = torch.Generator().manual_seed(seed)
        self._epoch = -1
        self._first: tuple[int, torch.Tensor] | None = None

    def order(self, epoch: int) -> torch.Tensor:
        """The permutation of epoch `epoch` (from 0): int64 `[rows]`."""
        if epoch < self._epoch:
            self._rewind(epoch)
        while self._epoch < epoch:
            if self._first is None and self._epoch == epoch - 1:
                self._first = (self._epoch, self._generator.get_state())
            self._draw()
        return self._order

    def _rewind(self, epoch: int) -> None:
        if self._first is None or epoch <= self._first[0]:
            self._generator, self._epoch = torch.Generator().manual_seed(self.seed), -1
        else:
            self._epoch = self._first[0]
            self._generator.set_state(self._first[1])

    def _draw(self) -> None:
        if self._epoch >= 0:
            # RandomSampler draws a second permutation when it is exhausted, and throws it away.
            torch.randperm(self.rows, generator=self._generator)
        # The loader draws the base seed of its workers first, also when it has none.
        torch.empty((), dtype=torch.int64).random_(generator=self._generator)
        self._order = torch.randperm(self.rows, generator=self._generator)
        self._epoch += 1


def steps_per_epoch(rows: int, batch_size: int | None) -> int:
    """Optimizer steps in one pass over `rows` rows; the last batch may be short.

    >>> steps_per_epoch(10, 8), steps_per_epoch(10, None)
    (2, 1)
    """
    return 1 if batch_size is None else ceil(rows / batch_size)
