"""What the target was in rows of the same words: for columns of more words than can be named.

A net can be given one feature a level only for so many levels. For all others, how often a level
occurs and the mean of the target in its rows say most of what can be known of it. A row must not
find its own target in that mean, or a net would trust the means of rare levels, which say nothing
of new rows: so training rows get means of other rows alone (`TargetMeans.without_own`).
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slalom.core.arrays import Float64Array
from slalom.core.spec import Spec
from slalom.data.columns.cells import Features, Series, as_text, counted
from slalom.data.columns.number import Scale

MOST_LEVELS = 10_000
"""The means of so many levels are kept, the most frequent ones: a model file is no copy of a
table."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What the target says of the rows that a schema is fitted on.

    Args:
        names: what its T outputs are called.
        values: of them, in units of their deviation, or the shares of classes, `[N, T]`.
        weight: what each row counts, `[N]`, 1 in the mean.
    """

    names: tuple[str, ...]
    values: Float64Array
    weight: Float64Array

    def of(self, rows: NDArray[Any]) -> "Answers":
        """That of some rows, which stand for all: a level is as frequent in them as in all."""
        weight = self.weight[rows]
        share = weight.sum() / self.weight.sum()
        return Answers(self.names, self.values[rows], weight / share if share else weight + 1)


class LevelTable(Spec):
    """The rows of each level, and how far their target is from the mean of all.

    Args:
        levels: L of them, "" for missing cells.
        rows: of each, by weight.
        means: of the T outputs of each, less the mean of all rows, shrunken towards 0: `[L][T]`.
    """

    levels: tuple[str, ...]
    rows: tuple[float, ...]
    means: tuple[tuple[float, ...], ...]

    def check(self) -> None:
        fits = len(self.levels) == len(self.rows) == len(self.means) > 0
        self.require(fits, "means", "those of each level")

    @classmethod
    def fit(cls, words: "pd.Series[str]", answers: Answers) -> Self:
        """The table of rows with these words, `[N]`."""
        outputs, weight = answers.values, answers.weight
        codes, levels = pd.factorize(words, sort=True)
        rows: Float64Array = np.bincount(codes, weight).astype(np.float64)
        centered = outputs - np.average(outputs, axis=0, weights=weight)
        sums = np.stack([np.bincount(codes, weight * column) for column in centered.T], axis=1)
        means = sums / np.maximum(rows, np.finfo(float).tiny)[:, None]
        means *= _trust(rows, means, np.average(centered**2, axis=0, weights=weight))
        often = np.argsort(-rows, kind="stable")[:MOST_LEVELS]
        return cls(tuple(levels[often]), tuple(rows[often]), tuple(map(tuple, means[often])))

    def look_up(self, words: "pd.Series[str]") -> Float64Array:
        """Means and log(1 + rows) of these words, `[N, T + 1]`; zeros for unknown ones."""
        known = np.column_stack([np.array(self.means), np.log1p(self.rows)])
        codes = pd.Index(self.levels).get_indexer(pd.Index(words))
        return np.concatenate([known, np.zeros((1, known.shape[1]))])[codes]  # -1: the last one


class TargetMeans(Spec):
    """A feature for each output of the target, the mean of it in rows of the same level, and one
    for how many rows these are. A level that fitting did not see has the mean of all rows, and 0.

    The mean of few rows is drawn towards that of all, as far as rows of one level differ among
    themselves beside the levels (empirical Bayes; Micci-Barreca 2001, and TargetEncoder of
    scikit-learn, which takes no weights).

    Args:
        column: whose words are looked up.
        outputs: what the T outputs of the target are called.
        table: what is known of each level.
        scales: of the T + 1 features; None for one that does not vary.

    Example:
        >>> towns, prices = pd.Series([*"aabbccc"]), np.array([[1, 1, 5, 5, 3, 3, 3.0]]).T
        >>> means = TargetMeans.fit("town", towns, Answers(("price",), prices, np.ones(7)))
        >>> means.encode(pd.Series(["a", "b", "never seen"]))[:, 0].round(2)
        array([-0.95,  0.95,  0.  ], dtype=float32)
    """

    column: str
    outputs: tuple[str, ...]
    table: LevelTable
    scales: tuple[Scale | None, ...]

    def check(self) -> None:
        fits = len(self.scales) == len(self.outputs) + 1 and any(self.scales)
        self.require(fits, "scales", "one for each output and one for the rows")

    @classmethod
    def fit(cls, column: str, series: Series, answers: Answers) -> Self | None:
        """The spec of a column with the cells `[N]`; None when its levels are all alike."""
        words = _words(series)
        table = LevelTable.fit(words, answers)
        found = table.look_up(words)
        scales = tuple(Scale.fit(x) if np.ptp(x) > 1e-9 else None for x in found.T)
        return cls(column, answers.names, table, scales) if any(scales) else None

    @property
    def name(self) -> str:
        return f"{self.column} (target)"

    @property
    def feature_names(self) -> tuple[str, ...]:
        every = (*(f"{name} by {self.column}" for name in self.outputs), f"rows by {self.column}")
        return tuple(n for n, scale in zip(every, self.scales, strict=True) if scale)

    @property
    def numbers(self) -> int:
        """How many of the features are numbers on a scale: all."""
        return len(self.feature_names)

    @property
    def summary(self) -> str:
        return f"mean of the target and rows of each of {counted(len(self.table.levels), 'level')}"

    def encode(self, series: Series) -> Features:
        """The features `[N, k]` of rows that were not there in fitting."""
        return self._scaled(self.table.look_up(_words(series)))

    def without_own(self, series: Series, answers: Answers, part: NDArray[Any]) -> Features:
        """The features `[N, k]` of the rows of fitting: each from the rows of other parts alone.

        Args:
            series, answers: as they were in fitting.
            part: of each row, `[N]`; two different ones at least.
        """
        words = _words(series)
        found = np.empty((len(words), len(self.scales)))
        for own in np.unique(part):
            inside, others = part == own, part != own
            table = LevelTable.fit(words[others], answers.of(others))
            found[inside] = table.look_up(words[inside])
        return self._scaled(found)

    def _scaled(self, found: Float64Array) -> Features:
        pairs = zip(found.T, self.scales, strict=True)
        return np.stack([scale.apply(values) for values, scale in pairs if scale], axis=1)


def _words(series: Series) -> "pd.Series[str]":
    return as_text(series).fillna("").reset_index(drop=True)


def _trust(rows: Float64Array, means: Float64Array, variance: Float64Array) -> Float64Array:
    """How much of the mean of each level is kept, `[L, T]`: n / (n + v / u), with v the variance
    within levels and u the one between them, both from an analysis of variance."""
    total, levels = rows.sum(), np.count_nonzero(rows)
    between = rows @ means**2
    within = np.maximum(variance * total - between, 0) / max(total - levels, 1)
    spread = total - (rows**2).sum() / total
    among = np.maximum(between - (levels - 1) * within, 0) / max(spread, 1e-9)
    signal = rows[:, None] * among
    trust: Float64Array = np.divide(
        signal, signal + within, out=np.zeros_like(means), where=signal > 0
    )
    return trust
