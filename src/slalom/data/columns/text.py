"""Columns of free text."""

from typing import Any, Self

import numpy as np

from slalom.core.spec import Spec
from slalom.data.columns.cells import Features, Series, as_text, counted

MOST_TOKENS = 64
"""So many words at most, the most frequent ones: a column of text must not drown the others."""


def least_rows(rows: int) -> float:
    """In how many of the rows a word must occur: 2 %, and 20, or a tenth where rows are few.

    What fewer rows say of a word is mostly noise: with words of 7 rows and more, of 318, the R2 of
    mpg was .865 in the mean of eight splits, from 25 rows on .875, as without the column.

    >>> [least_rows(n) for n in (10, 100, 500, 5000)]
    [2, 10.0, 20, 100.0]
    """
    return max(2, min(20, rows / 10), rows / 50)


class Text(Spec):
    """Free text, counted: one feature per word of a recorded vocabulary, log(1 + count), each row
    scaled to length 1. A row without any known word, or a missing one, is all zeros.

    Words are runs of at least two letters or digits, in lower case.

    Args:
        name: of the column.
        tokens: the vocabulary, the words that occur in most rows first.
        note: what was found in fitting, for the reader.

    Example:
        >>> import pandas as pd
        >>> cars = Text("name", ("ford", "pinto"))
        >>> cars.encode(pd.Series(["Ford Torino", "ford pinto"]))
        array([[1.        , 0.        ],
               [0.70710677, 0.70710677]], dtype=float32)
    """

    name: str
    tokens: tuple[str, ...]
    note: str = ""

    @classmethod
    def fit(cls, name: str, series: Series) -> Self | None:
        """The spec of a column of several words a cell; None when no word occurs often enough
        (see `least_rows`) and yet not everywhere."""
        text = as_text(series).dropna()
        counter = _counter(binary=True)
        try:
            occurs = counter.fit_transform(text)
        except ValueError:  # no word at all
            return None
        rows = np.asarray(occurs.sum(axis=0)).ravel()
        often = np.flatnonzero((rows >= least_rows(len(series))) & (rows < len(series)))
        if not often.size or rows.sum() < 1.5 * len(text):
            return None
        words = counter.get_feature_names_out()
        by_rows = often[np.lexsort((words[often], -rows[often]))][:MOST_TOKENS]
        note = (
            f"{counted(text.nunique(), 'different text')}, {counted(len(by_rows), 'word')} counted"
        )
        return cls(name, tuple(words[by_rows]), note)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(f"{self.name}: {token}" for token in self.tokens)

    @property
    def numbers(self) -> int:
        """How many of the features are numbers on a scale; they come first."""
        return 0

    @property
    def summary(self) -> str:
        return self.note

    def encode(self, series: Series) -> Features:
        """The features [N, number of tokens]."""
        counter = _counter(vocabulary=list(self.tokens))
        counts = np.log1p(counter.transform(as_text(series).fillna("")).toarray())
        lengths = np.linalg.norm(counts, axis=1, keepdims=True)
        return np.asarray(counts / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _counter(**arguments: Any) -> Any:
    # Loaded where there is text, since it takes half a second.
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(**arguments)
