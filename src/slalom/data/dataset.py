"""What a population is trained on: features, a target, and which rows are for what."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slalom.core.errors import BadData

if TYPE_CHECKING:
    from slalom.data.schema import Schema

Task: TypeAlias = Literal["regression", "classification"]
Rows: TypeAlias = NDArray[np.int64]


def no_rows() -> Rows:
    """An empty set of rows."""
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Split:
    """The rows that a member trains on, and those that it is validated on.

    Args:
        train: row numbers, int64 `[n]`.
        validation: row numbers, int64 `[m]`; may be empty.
    """

    train: Rows
    validation: Rows = field(default_factory=no_rows)

    def __post_init__(self) -> None:
        object.__setattr__(self, "train", _row_numbers(self.train, "train"))
        object.__setattr__(self, "validation", _row_numbers(self.validation, "validation"))


@dataclass(frozen=True, eq=False)
class Dataset:
    """Features, target and row splits. Nothing in it changes; every change is a new dataset.

    Args:
        X: features, float32 `[N, ...]`; one row a sample, of whatever shape the nets take.
        y: regression: float32 `[N, T]`; classification: class numbers from 0, int64 `[N]`.
        task: "regression" or "classification".
        folds: the splits that members can be trained on; a member's `fold` is an index into them.
            One that trains on every row when not given.
        test: rows that no fold may hold.
        weight: sample weights, float32 `[N]`, or None.
        feature_names, target_names: for pictures and tables.
        classes: what class k is called, for classification.
        schema: what made the features of a table's columns, if something did.

    Raises:
        BadData: when shapes do not fit, numbers are not finite, or rows overlap.

    Example:
        >>> data = Dataset(X=[[0.0], [1.0], [2.0]], y=[[0.0], [1.0], [4.0]], task="regression")
        >>> data.rows, data.targets
        (3, 1)
    """

    X: NDArray[np.float32]
    y: NDArray[Any]
    task: Task
    folds: tuple[Split, ...] = ()
    test: Rows = field(default_factory=no_rows)
    weight: NDArray[np.float32] | None = None
    feature_names: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    classes: tuple[Any, ...] = ()
    schema: "Schema | None" = None

    def __post_init__(self) -> None:
        X = _numbers(self.X, "X")
        y = _target(self.y, self.task)
        test = _row_numbers(self.test, "test")
        folds = self.folds or (Split(np.setdiff1d(np.arange(len(X)), test)),)
        names = self.feature_names or tuple(f"x{i}" for i in range(int(np.prod(X.shape[1:]))))
        classes = self.classes
        if self.task == "classification" and not classes:
            classes = tuple(range(int(y.max(initial=-1)) + 1))
        for name, value in {
            "X": X,
            "y": y,
            "folds": tuple(folds),
            "test": test,
            "feature_names": tuple(names),
            "target_names": self.target_names or ("y",),
            "classes": tuple(classes),
        }.items():
            object.__setattr__(self, name, value)
        if self.weight is not None:
            object.__setattr__(self, "weight", _numbers(self.weight, "weight"))
        self._check()

    @property
    def rows(self) -> int:
        """N, the number of rows."""
        return len(self.X)

    @property
    def targets(self) -> int:
        """T: the number of target columns, or of classes."""
        return len(self.classes) if self.task == "classification" else self.y.shape[1]

    def split(self, validation: float = 0.2, test: float = 0.0, seed: int = 0) -> Self:
        """One fold with these shares of the rows held out, stratified by class.

        Args:
            validation: share of all rows to select on.
            test: share of all rows that neither training nor selection sees.
            seed: of the shuffling.
        """
        rest, tested = self._hold_out(np.arange(self.rows), test, seed)
        train, validated = self._hold_out(rest, validation / (1 - test), seed)
        return replace(self, folds=(Split(train, validated),), test=tested)

    def cross_validation(self, folds: int = 5, seed: int = 0) -> Self:
        """`folds` folds over the rows that are not for testing; each validates in one of them."""
        from sklearn.model_selection import KFold, StratifiedKFold  # loaded here: half a second

        rows = np.setdiff1d(np.arange(self.rows), self.test)
        stratified = self.task == "classification"
        kind = StratifiedKFold if stratified else KFold
        try:
            splitter = kind(folds, shuffle=True, random_state=seed)
            parts = list(splitter.split(rows, self.y[rows] if stratified else None))
        except ValueError as error:
            raise BadData(f"{len(rows)} rows cannot be cut into {folds} folds: {error}") from None
        return replace(self, folds=tuple(Split(rows[a], rows[b]) for a, b in parts))

    def with_folds(self, folds: tuple[Split, ...]) -> Self:
        """The same rows with these splits."""
        return replace(self, folds=tuple(folds))

    def _hold_out(self, rows: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
        from sklearn.model_selection import train_test_split

        if not 0 <= share < 1:
            raise BadData(f"A held-out share must be in [0, 1), but {share!r} was given.")
        if share == 0:
            return rows, no_rows()
        stratify = self.y[rows] if self.task == "classification" else None
        try:
            kept, held = train_test_split(
                rows, test_size=share, random_state=seed, stratify=stratify
            )
        except ValueError as error:
            raise BadData(
                f"{len(rows)} rows cannot be split with a share of {share}: {error}"
            ) from None
        return np.sort(kept), np.sort(held)

    def _check(self) -> None:
        if self.X.ndim < 2:
            raise BadData(f"X must be [rows, features], but its shape is {self.X.shape}.")
        if len(self.X) == 0:
            raise BadData("A dataset needs at least one row, but X has none.")
        if len(self.y) != len(self.X):
            raise BadData(f"X has {len(self.X)} rows, but y has {len(self.y)}.")
        if self.task == "classification" and (highest := self.y.max()) >= len(self.classes):
            raise BadData(f"y holds class {highest}, but there are {len(self.classes)} classes.")
        if self.weight is not None and self.weight.shape != (len(self.X),):
            raise BadData(f"weight must be [{len(self.X)}], but its shape is {self.weight.shape}.")
        for name, values in (("X", self.X), ("y", self.y), ("weight", self.weight)):
            if values is not None and not np.isfinite(values).all():
                where = np.argwhere(~np.isfinite(values))[0]
                raise BadData(
                    f"{name} must hold finite numbers, but {name}{where.tolist()} is "
                    f"{values[tuple(where)]}. Fill in or leave out such rows; slalom.Regressor, "
                    f"slalom.Classifier and `slalom fit` do it for you."
                )
        if self.weight is not None and (self.weight < 0).any():
            raise BadData("Sample weights must be 0 or more, but some are negative.")
        for k, fold in enumerate(self.folds):
            self._check_fold(k, fold)

    def _check_fold(self, k: int, fold: Split) -> None:
        if len(fold.train) == 0:
            raise BadData(f"Fold {k} has no rows to train on.")
        rows = np.concatenate([fold.train, fold.validation, self.test])
        if rows.min() < 0 or rows.max() >= self.rows:
            raise BadData(f"Fold {k} names rows outside 0 to {self.rows - 1}.")
        for verb, rows, name, held in (
            ("trains", fold.train, "validation", fold.validation),
            ("trains", fold.train, "test", self.test),
            ("selects", fold.validation, "test", self.test),
        ):
            if shared := np.intersect1d(rows, held).size:
                raise BadData(f"Fold {k} {verb} on {shared} of its {name} rows; keep them apart.")
        for verb, rows in (("train", fold.train), ("validate", fold.validation)):
            if self.weight is not None and len(rows) and not self.weight[rows].any():
                raise BadData(f"Fold {k}: all rows to {verb} on have a sample weight of 0.")


def _numbers(values: ArrayLike, name: str) -> NDArray[np.float32]:
    try:
        return np.array(values, dtype=np.float32, order="C")  # a copy, which nobody else changes
    except (TypeError, ValueError) as error:
        raise BadData(f"{name} must hold numbers: {error}.") from None


def _row_numbers(rows: ArrayLike, name: str) -> Rows:
    values = np.asarray(rows)
    if values.ndim != 1 or (values.size and not np.issubdtype(values.dtype, np.integer)):
        raise BadData(
            f"The {name} rows must be row numbers, as whole numbers [rows], but {values.dtype} "
            f"{list(values.shape)} was given. numpy.flatnonzero makes them of a boolean mask."
        )
    return values.astype(np.int64)


def _target(y: ArrayLike, task: str) -> NDArray[Any]:
    if task not in ("regression", "classification"):
        raise BadData(f"task must be 'regression' or 'classification', but {task!r} was given.")
    values = np.asarray(y)
    if task == "regression":
        numbers = _numbers(values, "y")
        if numbers.ndim > 2:
            raise BadData(f"y must be [rows] or [rows, targets], but its shape is {values.shape}.")
        return numbers[:, None] if numbers.ndim == 1 else numbers
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer) or values.min(initial=0) < 0:
        raise BadData(
            "For classification y must be class numbers from 0, as whole numbers [rows], but "
            f"{values.dtype} {values.shape} was given. slalom.Classifier takes labels of any kind."
        )
    return values.astype(np.int64)
