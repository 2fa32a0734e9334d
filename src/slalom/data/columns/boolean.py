"""Columns of truth values."""

from typing import Self

import numpy as np

from slalom.core.spec import Spec
from slalom.data.columns.cells import Features, Series, check_understood, counted, truths


class Boolean(Spec):
    """True/False, yes/no or 0/1: one feature that is 1 for true, -1 for false and 0 where missing,
    and one more that says where a cell was missing if any was missing in fitting.

    Example:
        >>> import pandas as pd
        >>> Boolean.fit("alone", pd.Series(["yes", "no"])).encode(pd.Series(["no", None]))
        array([[-1.],
               [ 0.]], dtype=float32)
    """

    name: str
    indicator: bool = False
    note: str = ""

    @classmethod
    def fit(cls, name: str, series: Series) -> Self:
        """The spec of a column in which every present cell is true or false."""
        values, _ = truths(series)
        missing = int(np.isnan(values).sum())
        note = f"{np.nanmean(values):.0%} true"
        if missing:
            note += f", {counted(missing, 'missing cell')}"
        return cls(name, missing > 0, note)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    @property
    def numbers(self) -> int:
        """How many of the features are numbers on a scale; they come first."""
        return 0

    @property
    def summary(self) -> str:
        return self.note

    def encode(self, series: Series) -> Features:
        """The features [N, 1 or 2]. Raises `BadData` when most cells are neither true nor false."""
        values, failed = truths(series)
        check_understood(self.name, series, failed, "true/false, yes/no or 1/0")
        signs = np.nan_to_num(2 * values - 1, nan=0.0).astype(np.float32)
        if not self.indicator:
            return signs[:, None]
        return np.stack([signs, np.isnan(values).astype(np.float32)], axis=1)
