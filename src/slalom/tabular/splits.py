"""Which rows an estimator selects on."""

import warnings
from collections.abc import Iterable
from numbers import Integral
from reprlib import repr as shortened
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
from sklearn.utils import check_random_state

from slalom.core.errors import BadPlan, SlalomError
from slalom.data.dataset import Rows, Split

SMALL = 10_000  # rows; below, folds cost less than the rows that a single split would hold back
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
        BadPlan: when it is none of these, or the rows cannot be split so.

    Example:
        >>> [len(fold.validation) for fold in validation_folds(3, 10, None, None, seed=0)]
        [4, 3, 3]
    """
    if isinstance(validation, str) and validation == "auto":
        validation = FOLDS if rows < SMALL else SHARE
    try:
        parts = _parts(validation, np.arange(rows), labels, groups, seed)
        folds = tuple(Split(train, held) for train, held in parts)
    except SlalomError:
        raise
    except (TypeError, ValueError) as error:
        raise BadPlan(
            f"{rows} rows cannot be split as validation={shortened(validation)} asks: {error}"
        ) from error
    if not folds or not all(len(fold.validation) for fold in folds):
        raise BadPlan(
            "Each split needs rows to select on, but those of validation="
            f"{shortened(validation)} hold back {[len(fold.validation) for fold in folds]} rows."
        )
    return folds


def seed_of(random_state: Any) -> int:
    """A seed from what scikit-learn takes: a number, a generator, or None for a new one.

    Raises:
        BadPlan: for anything else.
    """
    try:
        generator = check_random_state(random_state)
    except ValueError as error:
        raise BadPlan(
            "random_state must be a whole number from 0 to 2^32 - 1, a numpy RandomState or None, "
            f"but {random_state!r} was given."
        ) from error
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(generator.randint(2**31 - 1))


def _parts(
    validation: Any, index: Rows, labels: Any, groups: Any, seed: int
) -> Iterable[tuple[Any, Any]]:
    if isinstance(validation, int | np.integer) and validation >= 2:
        return _cross_validation(min(int(validation), len(index)), index, labels, groups, seed)
    if isinstance(validation, float | np.floating) and 0 < validation < 1:
        return [_hold_out(index, float(validation), labels, groups, seed)]
    if hasattr(validation, "split") and not isinstance(validation, str):
        return list(validation.split(index, labels, groups))
    if isinstance(validation, Iterable) and not isinstance(validation, str):
        return list(validation)
    raise BadPlan(
        "validation must be 'auto', a share between 0 and 1, a number of folds >= 2, a "
        f"scikit-learn splitter, or pairs of row numbers, but {validation!r} was given."
    )


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
