"""Which rows an estimator selects on."""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    train_test_split,
)

from slalom.data.dataset import Rows, Split
from slalom.errors import BadPlan

SMALL = 4000  # rows; below, folds cost less than the rows that a single split would hold back
FOLDS = 5
SHARE = 0.15  # held out where one split serves all


def validation_folds(
    validation: Any, rows: int, labels: NDArray[Any] | None, groups: Any, seed: int
) -> tuple[Split, ...]:
    """The splits that `validation` asks for.

    Args:
        validation: "auto", a share, a number of folds, a scikit-learn splitter, or pairs of rows.
        rows: N.
        labels: class numbers `[N]` to stratify by, or None.
        groups: `[N]`; rows of one group stay together. Or None.
        seed: of the shuffling.

    Raises:
        BadPlan: when it is none of these.

    Example:
        >>> [len(fold.validation) for fold in validation_folds(3, 10, None, None, seed=0)]
        [4, 3, 3]
    """
    if isinstance(validation, str) and validation == "auto":
        validation = FOLDS if rows < SMALL else SHARE
    index = np.arange(rows)
    if isinstance(validation, int) and not isinstance(validation, bool) and validation >= 2:
        parts = _cross_validation(min(validation, rows), index, labels, groups, seed)
    elif isinstance(validation, float) and 0 < validation < 1:
        parts = [_hold_out(index, validation, labels, groups, seed)]
    elif hasattr(validation, "split") and not isinstance(validation, str):
        parts = list(validation.split(index, labels, groups))
    elif isinstance(validation, Iterable) and not isinstance(validation, str):
        parts = list(validation)
    else:
        raise BadPlan(
            "validation must be 'auto', a share between 0 and 1, a number of folds >= 2, a "
            f"scikit-learn splitter, or pairs of row numbers, but {validation!r} was given."
        )
    return tuple(Split(train, held) for train, held in parts)


def seed_of(random_state: Any) -> int:
    """A seed from what scikit-learn takes: a number, a generator, or None for a new one."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    generator = np.random.RandomState() if random_state is None else random_state
    return int(generator.randint(2**31 - 1))


def _cross_validation(
    folds: int, index: Rows, labels: Any, groups: Any, seed: int
) -> list[tuple[Rows, Rows]]:
    stratified = labels is not None and np.bincount(labels).max() >= folds
    if groups is None:
        kind = StratifiedKFold if stratified else KFold
    else:
        kind = StratifiedGroupKFold if stratified else GroupKFold
        folds = min(folds, len(np.unique(groups)))
    with warnings.catch_warnings():  # a class with fewer rows than folds is not in all of them
        warnings.simplefilter("ignore", UserWarning)
        splitter = kind(folds, shuffle=True, random_state=seed)
        return list(splitter.split(index, labels, groups))


def _hold_out(index: Rows, share: float, labels: Any, groups: Any, seed: int) -> tuple[Rows, Rows]:
    if groups is not None:
        splitter = GroupShuffleSplit(1, test_size=share, random_state=seed)
        train, held = next(splitter.split(index, None, groups))
        return train, held
    enough = labels is not None and np.bincount(labels).min() >= 2
    try:
        stratify = labels if enough else None
        train, held = train_test_split(index, test_size=share, random_state=seed, stratify=stratify)
    except ValueError:  # more classes than rows to hold out
        train, held = train_test_split(index, test_size=share, random_state=seed)
    return train, held
