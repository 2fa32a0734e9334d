"""Columns of which little or nothing can be used."""

import numpy as np

from slalom.core.spec import Spec
from slalom.data.columns.cells import Features, Series, as_text


class Dropped(Spec):
    """A column that is left out. It may be absent when the schema is applied.

    Args:
        name: of the column.
        reason: why, in words.
    """

    name: str
    reason: str

    @property
    def feature_names(self) -> tuple[str, ...]:
        return ()

    @property
    def numbers(self) -> int:
        """How many of the features are numbers on a scale; they come first."""
        return 0

    @property
    def summary(self) -> str:
        return f"left out: {self.reason}"

    def encode(self, series: Series) -> Features:
        """No features [N, 0]."""
        return np.empty((len(series), 0), dtype=np.float32)


class Presence(Spec):
    """A column with one and the same value wherever it has one: a feature that is 1 where there is
    a value and -1 where it is missing.

    Args:
        name: of the column.
        value: the one value, as text.
    """

    name: str
    value: str

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (f"{self.name} is present",)

    @property
    def numbers(self) -> int:
        """How many of the features are numbers on a scale; they come first."""
        return 0

    @property
    def summary(self) -> str:
        return f"{self.value!r} or missing: only which of the two is used"

    def encode(self, series: Series) -> Features:
        """The feature [N, 1]."""
        present = as_text(series).notna().to_numpy()
        return np.where(present, 1, -1).astype(np.float32)[:, None]
