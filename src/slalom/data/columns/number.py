"""Columns of numbers."""

from typing import Self

import numpy as np

from slalom.data.columns.cells import (
    Features,
    Floats,
    Mask,
    Series,
    check_understood,
    counted,
    decimal_mark,
    numbers,
    strange_words,
)
from slalom.spec import Spec


class Scale(Spec):
    """Robust scaling with smooth clipping: z = (x - center) / width, then z / sqrt(1 + (z/3)^2).

    The center is the median and the width the distance between the quartiles, so outliers do not
    squeeze the rest; what is left of them ends at 3. A missing (NaN) x becomes 0, which is the
    median. From RealMLP (Holzmüller et al. 2024, https://arxiv.org/abs/2407.04491); the same as
    skrub's SquashingScaler.

    Example:
        >>> import numpy as np
        >>> Scale.fit(np.array([1.0, 2.0, 3.0])).apply(np.array([2.0, 3.0, np.nan]))
        array([0.       , 0.9486833, 0.       ], dtype=float32)
    """

    center: float
    width: float

    def check(self) -> None:
        self.require(self.width > 0, "width", "positive")

    @classmethod
    def fit(cls, values: Floats) -> Self:
        """The scale of finite values [N], which must not all be equal."""
        # Of a quarter of the values, which is exact, for no difference can then overflow.
        low, center, high = np.percentile(values / 4, [25, 50, 75])
        width = high - low or np.ptp(values / 4) / 2
        limits = np.finfo(np.float64)
        return cls(4 * float(center), float(np.clip(width, limits.tiny, limits.max / 4)) * 4)

    def apply(self, values: Floats) -> Features:
        """Float32 of the same shape, within -3 and 3, never NaN."""
        with np.errstate(over="ignore"):
            # Beyond a million widths the result is 3 anyway, and the square cannot overflow.
            z = np.clip((values - self.center) / self.width, -1e6, 1e6)
        squashed = z / np.sqrt(1 + (z / 3) ** 2)
        return np.nan_to_num(squashed, nan=0.0).astype(np.float32)


class Number(Spec):
    """A column of numbers: one robustly scaled feature, and one more that says where a cell was
    missing if any was missing in fitting.

    Args:
        name: of the column.
        scale: how numbers become features; a missing one becomes the median.
        indicator: whether there is a second feature, 1 where the number is missing.
        decimal: the decimal mark of text cells, "." or ",".
        words: cells that are no finite numbers, seen in fitting and taken as missing.
        note: what was found in fitting, for the reader.
    """

    name: str
    scale: Scale
    indicator: bool = False
    decimal: str = "."
    words: tuple[str, ...] = ()
    note: str = ""

    @classmethod
    def fit(cls, name: str, series: Series) -> Self:
        """The spec of a column in which at least two different finite numbers occur."""
        decimal = decimal_mark(series)
        values, failed = numbers(series, decimal)
        missing = np.isnan(values)
        scale = Scale.fit(values[~missing])
        words = strange_words(series, failed)
        note = _note(values, failed, words)
        return cls(name, scale, bool(missing.any()), decimal, words, note)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    @property
    def summary(self) -> str:
        return self.note

    def encode(self, series: Series) -> Features:
        """The features [N, 1 or 2]. Cells that are no numbers count as missing, with a warning.

        Raises:
            BadData: when most cells are no numbers.
        """
        values, failed = numbers(series, self.decimal)
        check_understood(self.name, series, failed, "finite numbers", self.words)
        scaled = self.scale.apply(values)
        if not self.indicator:
            return scaled[:, None]
        return np.stack([scaled, np.isnan(values).astype(np.float32)], axis=1)


def _note(values: Floats, failed: Mask, words: tuple[str, ...]) -> str:
    note = f"{np.nanmin(values):g} to {np.nanmax(values):g}"
    missing = int(np.isnan(values).sum())
    if missing:
        note += (
            f", {counted(missing, 'missing cell')} filled with the median {np.nanmedian(values):g}"
        )
    if failed.any():
        shown = ", ".join(repr(w) for w in words[:3]) + (", ..." if len(words) > 3 else "")
        note += f"; {failed.sum():,} of them hold no finite number ({shown})"
    return note
