"""Columns of words that name a group."""

import warnings
from typing import Self

import numpy as np
import pandas as pd

from slalom.core.errors import SlalomWarning
from slalom.core.spec import Spec
from slalom.data.columns.cells import Features, Series, as_text, counted, examples

FEW_LEVELS = 32
"""Up to so many levels, each one that occurs twice gets its own feature."""

NAMED = 256
"""With more levels, each does that has enough rows, if these are not more levels than that.

Measured on a table of 142 countries: what is left unexplained is .005 with a feature for each, .036
for the 64 most frequent and means of the target (see `slalom.data.columns.means`)."""

MOST_LEVELS = 64
"""With more, so many of the most frequent ones do."""


def least_count(rows: int) -> int:
    """How many rows a level or a word needs so that something can be learned about it: 5, or
    fewer in tables of under 250 rows, but never less than 2."""
    return max(2, min(5, rows // 50))


def frequent_levels(text: Series) -> tuple[str, ...]:
    """The levels that deserve a feature of their own, the most frequent first."""
    counts = text.value_counts()
    by_count = counts.sort_index().sort_values(ascending=False, kind="stable")
    few = len(by_count) <= FEW_LEVELS and 2 * len(by_count) <= by_count.sum()
    least = 2 if few else least_count(len(text))
    if few and (by_count < least).sum() == 1:  # alone, it would be all that "rare" means
        least = 1
    enough = by_count.index[by_count >= least]
    return tuple(enough if len(enough) <= NAMED else enough[:MOST_LEVELS])


class Category(Spec):
    """A column of groups: one feature per level (1 in the rows of that level).

    Two levels take one feature, 1 and -1. If some levels were too rare for a feature of their own,
    they share one, and levels never seen in fitting go there too; else those have zeros in all
    features, which is the reserved code (a feature that is never 1 in training would only add
    an untrained weight). Missing cells are a level of their own if any was missing in fitting.

    Args:
        name: of the column.
        levels: those with a feature of their own, the most frequent first.
        rare: whether there is a feature for all other levels.
        indicator: whether there is a feature for missing cells.
        note: what was found in fitting, for the reader.

    Example:
        >>> import pandas as pd
        >>> Category.fit("sex", pd.Series(["m", "f", "m", "m"])).encode(pd.Series(["f", "m", "x"]))
        array([[ 1.],
               [-1.],
               [ 0.]], dtype=float32)
    """

    name: str
    levels: tuple[str, ...]
    rare: bool = False
    indicator: bool = False
    note: str = ""

    @classmethod
    def fit(cls, name: str, series: Series) -> Self:
        """The spec of a column, its levels compared as text."""
        text = as_text(series)
        levels = frequent_levels(text)
        others = text.dropna()[~text.dropna().isin(levels)]
        missing = int(text.isna().sum())
        note = counted(len(levels), "level")
        if len(others):
            note += f", {counted(others.nunique(), 'rare one')} put together"
        if missing:
            note += f", {counted(missing, 'missing cell')} as a level"
        return cls(name, levels, bool(len(others)), missing > 0, note)

    @property
    def feature_names(self) -> tuple[str, ...]:
        own = self.levels[1:] if self._is_binary else self.levels
        names = [f"{self.name}={level}" for level in own]
        names += [f"{self.name} is rare"] if self.rare else []
        return (*names, f"{self.name} is missing") if self.indicator else tuple(names)

    @property
    def numbers(self) -> int:
        """How many of the features are numbers on a scale; they come first."""
        return 0

    @property
    def summary(self) -> str:
        return self.note

    def encode(self, series: Series) -> Features:
        """The features [N, k]. Warns when most cells are levels that fitting did not see."""
        text = as_text(series)
        missing = text.isna().to_numpy()
        codes = pd.Index(self.levels).get_indexer(pd.Index(text))
        codes[missing] = -1
        unseen = (codes < 0) & ~missing
        if self.rare:
            codes[unseen] = len(self.levels)
        elif 2 * unseen.sum() > (~missing).sum():
            self._warn(text, unseen)
        width = len(self.levels) + self.rare
        # One more row of zeros at the end: code -1 finds it.
        hot = np.concatenate([np.eye(width, dtype=np.float32), np.zeros((1, width), np.float32)])
        features = hot[codes]
        if self._is_binary:
            features = features[:, 1:] - features[:, :1]
        if self.indicator:
            features = np.column_stack([features, missing.astype(np.float32)])
        return features

    @property
    def _is_binary(self) -> bool:
        return len(self.levels) == 2 and not self.rare

    def _warn(self, text: Series, unseen: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> None:
        warnings.warn(
            f"Column {self.name!r}: {unseen.sum()} of {text.notna().sum()} cells are levels that "
            f"were not seen in fitting: {examples(text, unseen)}.",
            SlalomWarning,
            stacklevel=4,
        )
