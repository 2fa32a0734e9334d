"""What is to be predicted: numbers, or one of several classes."""

from dataclasses import replace
from typing import Any, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slalom.core.arrays import Float64Array
from slalom.core.errors import BadData, did_you_mean
from slalom.core.spec import Spec
from slalom.data.columns.cells import (
    MOSTLY,
    Mask,
    Series,
    as_text,
    counted,
    examples,
    is_datetime,
    is_nothing,
    is_numeric,
    truths,
)
from slalom.data.columns.numerals import decimal_mark, numbers, unit_of, words_among_numbers
from slalom.data.dataset import Task
from slalom.data.table import text_names

Cells: TypeAlias = "pd.DataFrame | pd.Series[Any]"

MOST_OUTPUTS = 10

_TRUTH_WORDS = ("true", "false")


class RegressionTarget(Spec):
    """One or several numbers, each standardised to mean 0 and standard deviation 1.

    Args:
        names: of the T columns.
        mean, scale: of each, in original units.
        decimal: the decimal mark of each where its cells are text.
        units: what stands behind the numbers of each where its cells are text.

    Example:
        >>> target = fit_target(pd.Series([1.0, 2.0, 3.0], name="price"))
        >>> target.encode(pd.Series([2.0])), target.decode(np.array([[0.0]]))
        (array([[0.]], dtype=float32), array([[2.]]))
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    decimal: tuple[str, ...]
    units: tuple[str, ...] = ()

    task = "regression"

    def check(self) -> None:
        for name in ("mean", "scale", "decimal"):
            fits = len(getattr(self, name)) == len(self.names) > 0
            self.require(fits, name, f"one a target {self.names}")
        self.require(all(s > 0 for s in self.scale), "scale", "positive")

    @classmethod
    def fit(cls, frame: pd.DataFrame) -> Self:
        """The target in the columns of a frame without missing cells.

        Raises:
            BadData: when a cell is no finite number, or a column is constant.
        """
        names = tuple(str(name) for name in frame.columns)
        units = tuple(unit_of(frame[name]) for name in frame.columns)
        pairs = zip(frame.columns, units, strict=True)
        decimal = tuple(decimal_mark(frame[name], unit) for name, unit in pairs)
        values = _target_numbers(frame, names, decimal, units)
        for name, column in zip(names, values.T, strict=True):
            if column.min() == column.max():
                raise BadData(
                    f"Target {name!r} is constant: each of its {len(column)} rows holds "
                    f"{column[0]:g}, so there is nothing to learn. Choose another target."
                )
        # In units of the largest value, so that the squares cannot overflow.
        largest = np.abs(values).max(axis=0)
        mean = (values / largest).mean(axis=0) * largest
        scale = (values / largest - mean / largest).std(axis=0) * largest
        scale = np.maximum(scale, np.spacing(largest))
        return cls(names, tuple(mean), tuple(scale), decimal, units if any(units) else ())

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.names

    def rescaled(self, values: Float64Array, weight: Float64Array) -> Self:
        """The same target with the mean and the deviation of these values.

        Args:
            values: float64 `[N, T]`, of the rows to train on.
            weight: what each row counts, `[N]`.
        """
        # In units of a power of two near the largest value, so that no square can overflow.
        unit = np.exp2(np.frexp(np.abs(values).max(axis=0))[1] - 1)
        mean = np.average(values / unit, axis=0, weights=weight)
        scale = np.sqrt(np.average((values / unit - mean) ** 2, axis=0, weights=weight))
        rounding = 1e-12 * np.abs(mean)
        constant = scale <= rounding  # nothing to scale
        scale = np.where(constant, np.maximum(rounding * unit, 1.0), scale * unit)
        return replace(self, mean=tuple(mean * unit), scale=tuple(scale))

    def values(self, frame: Cells) -> Float64Array:
        """The numbers in the columns of a table, in original units, float64 [N, T].

        Raises:
            BadData: when a column is not there, or a cell is missing or no finite number.
        """
        frame = _columns(frame, self.names)
        return _target_numbers(frame, self.names, self.decimal, self.units)

    def standardised(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """What the nets are trained on for values [N, T] in original units: float32 [N, T]."""
        return np.asarray((values - np.array(self.mean)) / np.array(self.scale), dtype=np.float32)

    def outputs(self, values: NDArray[Any]) -> dict[str, Float64Array]:
        """Each of the T numbers by its name, standardised, `[N]`, for values `[N, T]`."""
        return dict(zip(self.names, self.standardised(values).astype(np.float64).T, strict=True))

    def encode(self, frame: Cells) -> NDArray[np.float32]:
        """The standardised target, float32 [N, T]. Raises as `values`."""
        return self.standardised(self.values(frame))

    def decode(self, values: NDArray[Any]) -> Float64Array:
        """Standardised values [N, T] (or any shape that ends with T) in original units, float64."""
        return np.asarray(values, dtype=np.float64) * self.scale + self.mean


class ClassificationTarget(Spec):
    """One of several classes.

    Args:
        name: of the column.
        classes: text, whole numbers, floats or truth values, sorted; class k is `classes[k]`.

    Example:
        >>> target = fit_target(pd.Series(["no", "yes", "no", "yes"], name="alive"))
        >>> target.encode(pd.Series(["yes", "no"])), target.decode(np.array([1, 0]))
        (array([1, 0]), array(['yes', 'no'], dtype=object))
    """

    name: str
    classes: tuple[str | bool | int | float, ...]

    task = "classification"

    def check(self) -> None:
        self.require(len(set(self.classes)) > 1, "classes", "at least two different ones")

    @classmethod
    def fit(cls, series: Series) -> Self:
        """The target in a column without missing cells.

        Raises:
            BadData: when there is only one class, or a class with only one row.
        """
        name = str(series.name)
        labels = _labels(series)
        classes, counts = np.unique(labels, return_counts=True)
        if len(classes) == 1:
            raise BadData(
                f"Target {name!r} has only one class: each of its {len(labels)} rows holds "
                f"{classes[0]!r}, so there is nothing to learn. Choose another target."
            )
        single = [repr(c) for c in classes[counts == 1].tolist()]
        if single:
            raise BadData(_single_rows(name, single, len(classes), is_numbers(series)))
        return cls(name, tuple(classes.tolist()))

    def encode(self, frame: Cells) -> NDArray[np.int64]:
        """The number of each row's class, int64 [N].

        Raises:
            BadData: when the column is not there, or a cell is none of the classes.
        """
        series = _columns(frame, (self.name,))[self.name]
        index = pd.Index(list(self.classes))
        codes = index.get_indexer(pd.Index(_labels_like(series, self.classes)))
        if (codes < 0).any():
            known = ", ".join(repr(c) for c in self.classes[:10])
            raise BadData(
                f"Target {self.name!r} must hold one of its classes ({known}), but "
                f"{counted(int((codes < 0).sum()), 'row')} do not: {_shown(series, codes < 0)}."
            )
        return np.asarray(codes, dtype=np.int64)

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of the column, alone."""
        return (self.name,)

    def rescaled(self, values: NDArray[np.int64], weight: Float64Array) -> Self:
        """The same target: classes have no scale."""
        return self

    def values(self, frame: Cells) -> NDArray[np.int64]:
        """As `encode`."""
        return self.encode(frame)

    def standardised(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """What the nets are trained on for class numbers [N]: these."""
        return values

    def outputs(self, values: NDArray[Any]) -> dict[str, Float64Array]:
        """For each class whether a row is of it, 1 or 0, `[N]`; for two classes the second says
        all, and of many the first `MOST_OUTPUTS` are told."""
        first = 1 if len(self.classes) == 2 else 0
        told = list(enumerate(self.classes))[first : first + MOST_OUTPUTS]
        return {str(label): (values == k).astype(np.float64) for k, label in told}

    def decode(self, codes: NDArray[Any]) -> NDArray[Any]:
        """The labels of class numbers [N], with the dtype that they had (text as objects)."""
        return _as_array(self.classes)[np.asarray(codes, dtype=np.int64)]


Target: TypeAlias = RegressionTarget | ClassificationTarget


def fit_target(target: Cells, task: Task | None = None) -> Target:
    """The target of a training, its task inferred.

    Numbers (also written as text) are for regression, unless there are just two different ones;
    everything else is for classification. Several columns are a regression with several outputs.

    Args:
        target: the column or columns, without missing cells (`split_missing_target`).
        task: "regression" or "classification", to override.

    Raises:
        BadData: when a cell is missing or infinite, the target is constant, or a class has only
            one row.

    Example:
        >>> fit_target(pd.Series([3, 5, 5, 8], name="quality")).task
        'regression'
        >>> fit_target(pd.Series(["0", "1", "1", "0"], name="survived")).classes
        (0, 1)
    """
    if task not in (None, "regression", "classification"):
        raise BadData(f"task must be 'regression' or 'classification', but {task!r} was given.")
    frame = target.to_frame() if isinstance(target, pd.Series) else target
    frame = text_names(frame, "The target")
    if not frame.shape[1] or not len(frame):
        raise BadData(f"The target has {len(frame)} rows and {frame.shape[1]} columns.")
    for name in frame.columns:
        _check_present(frame[name])
    task = task or _inferred(frame)
    if task == "regression":
        return RegressionTarget.fit(frame)
    if frame.shape[1] > 1:
        raise BadData(
            f"Classification takes one target column, but {frame.shape[1]} were given "
            f"({', '.join(map(repr, frame.columns))}). Train one model for each."
        )
    return ClassificationTarget.fit(frame[frame.columns[0]])


def split_missing_target(
    frame: pd.DataFrame, names: tuple[str, ...] | list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows in which every target is there, and those in which one is missing.

    Both keep the row labels of `frame`, so nothing is lost on the way.

    Raises:
        BadData: when a target is not a column, or missing everywhere.

    Example:
        >>> frame = pd.DataFrame({"x": [1, 2, 3], "y": [1.0, None, 3.0]})
        >>> [len(part) for part in split_missing_target(frame, ["y"])]
        [2, 1]
    """
    targets = _columns(frame, tuple(names))
    missing = np.zeros(len(frame), dtype=bool)
    for name in targets.columns:
        gone = _is_missing(targets[name])
        if gone.all():
            raise BadData(
                f"Target {name!r} is missing in every one of {len(frame)} rows. Choose another."
            )
        missing |= gone
    if missing.all():
        raise BadData(f"No row of {len(frame)} has all of the targets {', '.join(names)}.")
    return frame[~missing], frame[missing]


def is_numbers(series: Series) -> bool:
    """Whether every present cell is a number, by dtype or as text; truth values are not."""
    if isinstance(series.dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(series.dtype):
        return False
    if is_numeric(series):
        return True
    return not words_among_numbers(series).any()


def _inferred(frame: pd.DataFrame) -> Task:
    if frame.shape[1] > 1:
        return "regression"
    series = frame[frame.columns[0]]
    if is_datetime(series):
        raise BadData(
            f"Target {series.name!r} holds dates. Turn them into numbers first, such as the days "
            "since a given date."
        )
    if not is_numbers(series):
        _check_not_almost_numbers(series)
        return "classification"
    values, failed = _numbers_in(series)
    return "classification" if len(np.unique(values)) == 2 and not failed.any() else "regression"


def _check_not_almost_numbers(series: Series) -> None:
    """Refuse a column of numbers in which a few words would make classes of all numbers."""
    if is_numeric(series) or isinstance(series.dtype, pd.CategoricalDtype):
        return
    words = words_among_numbers(series)
    if words.sum() <= (1 - MOSTLY) * len(series) and as_text(series)[~words].nunique() > 2:
        raise BadData(
            f"Target {series.name!r} holds numbers except in {counted(int(words.sum()), 'row')}: "
            f"{_shown(series, words)}. Correct or remove these rows, or say that the task is "
            "classification if each number is a class."
        )


def _check_present(series: Series) -> None:
    missing = _is_missing(series)
    if missing.any():
        raise BadData(
            f"Target {series.name!r} is missing in {counted(int(missing.sum()), 'row')} of "
            f"{len(series)}; the first is row {int(np.argmax(missing)) + 1}. Remove these rows or "
            "fill them in."
        )


def _is_missing(series: Series) -> Mask:
    if is_numeric(series) or is_datetime(series):
        return series.isna().to_numpy()
    text = as_text(series)
    missing: Mask = text.isna().to_numpy()
    nothing = is_nothing(text)
    return missing | nothing if nothing.any() and is_numbers(series) else missing


def _numbers_in(series: Series) -> tuple[Float64Array, Mask]:
    unit = unit_of(series)
    return numbers(series, decimal_mark(series, unit), unit)


def _target_numbers(
    frame: pd.DataFrame, names: tuple[str, ...], decimal: tuple[str, ...], units: tuple[str, ...]
) -> Float64Array:
    columns = []
    styles = zip(names, decimal, units or [""] * len(names), strict=True)
    for position, (name, mark, unit) in enumerate(styles):
        series = frame.iloc[:, position]
        values, _ = numbers(series, mark, unit)
        wrong = np.isnan(values)
        if wrong.any():
            raise BadData(
                f"Target {name!r} must hold finite numbers for regression, but "
                f"{counted(int(wrong.sum()), 'row')} of {len(series)} hold none: "
                f"{_shown(series, wrong)}. Correct or remove these rows, or choose classification."
            )
        columns.append(values)
    return np.stack(columns, axis=1)


def _columns(frame: Cells, names: tuple[str, ...]) -> pd.DataFrame:
    """The named columns of a table; a Series is taken as it is."""
    if isinstance(frame, pd.Series):
        return frame.to_frame(names[0])
    frame = text_names(frame, "The table")
    for name in names:
        if name not in frame.columns:
            known = did_you_mean(name, list(frame.columns))
            raise BadData(f"The table has no target column {name!r}. {known}")
    return frame[list(names)]


def _labels(series: Series) -> NDArray[Any]:
    """The cells as one of bool, int64, float64 or text (object) [N]."""
    if is_numbers(series):
        values, failed = _numbers_in(series)
        if failed.any():
            raise BadData(
                f"Target {series.name!r} must hold finite numbers or words, but "
                f"{_shown(series, failed)}. Correct or remove such rows."
            )
        return _numeric_labels(series, values)
    return _labels_like(series, (True,) if _are_truths(series) else ("",))


def _numeric_labels(series: Series, values: Float64Array) -> NDArray[Any]:
    """Whole numbers as integers, unless the column says by its dtype that they are floats."""
    if pd.api.types.is_integer_dtype(series.dtype):
        return series.to_numpy()  # exact beyond 2^53, too
    whole = (values == np.floor(values)).all() and np.abs(values).max() < 2**53
    is_float = is_numeric(series) and pd.api.types.is_float_dtype(series.dtype)
    return values.astype(np.int64) if whole and not is_float else values


def _are_truths(series: Series) -> bool:
    if is_numeric(series):
        return True
    return bool(as_text(series).str.lower().isin(_TRUTH_WORDS).all())


def _labels_like(series: Series, classes: tuple[Any, ...]) -> NDArray[Any]:
    """The cells [N] as the type of the classes, so that text and numbers can be compared."""
    first = classes[0]
    if isinstance(first, bool):
        values, _ = truths(series)
        return np.array([None if np.isnan(v) else bool(v) for v in values], dtype=object)
    if isinstance(first, str):
        return as_text(series).to_numpy(dtype=object)
    if isinstance(first, int) and pd.api.types.is_integer_dtype(series.dtype):
        return series.to_numpy()
    return _numbers_in(series)[0]


def _as_array(classes: tuple[Any, ...]) -> NDArray[Any]:
    return np.array(classes, dtype=object if isinstance(classes[0], str) else None)


def _shown(series: Series, mask: Mask) -> str:
    return examples(as_text(series).fillna("nothing"), mask)


def _single_rows(name: str, single: list[str], classes: int, numeric: bool) -> str:
    listed = ", ".join(single[:5]) + (", ..." if len(single) > 5 else "")
    advice = (
        "Remove these rows, put rare classes together under one name, or collect more rows of them"
    )
    if numeric:
        advice += '; or, since the target holds numbers, choose task "regression"'
    return (
        f"Target {name!r}: {len(single)} of its {classes} classes have only one row each "
        f"({listed}). A class needs at least two, one to train on and one to test. {advice}."
    )
