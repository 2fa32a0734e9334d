"""Columns of dates and times, and the time between two of them."""

from typing import Self

import numpy as np
import pandas as pd

from slalom.core.arrays import Float64Array
from slalom.core.spec import Spec
from slalom.data.columns.cells import (
    Features,
    Series,
    as_text,
    check_understood,
    counted,
    is_datetime,
    strange_words,
)
from slalom.data.columns.dates import (
    TIMES_OF_DAY,
    compact_format,
    date_formats,
    seconds,
    swapped,
    two_readings,
)
from slalom.data.columns.number import Scale, scaled

_PERIODS = {"hour": 24, "weekday": 7, "day": 31, "month": 12}


class Datetime(Spec):
    """Points in time: one scaled linear feature, and a sine and a cosine for each of hour, weekday,
    day of the month and month that varies. Times with a zone are counted in UTC.

    Args:
        name: of the column.
        scale: of the seconds since 1970.
        cycles: which of "hour", "weekday", "day" and "month" have features.
        indicator: whether there is a feature for missing cells.
        format: of text cells, in the letters of strftime, or "ISO8601".
        others: formats of cells that do not have this one.
        words: cells that are no dates, seen in fitting and taken as missing.
        note: what was found in fitting, for the reader.
    """

    name: str
    scale: Scale
    cycles: tuple[str, ...] = ()
    indicator: bool = False
    format: str = "ISO8601"
    words: tuple[str, ...] = ()
    note: str = ""
    others: tuple[str, ...] = ()

    def check(self) -> None:
        self.require(set(self.cycles) <= set(_PERIODS), "cycles", f"some of {list(_PERIODS)}")

    @classmethod
    def fit(cls, name: str, series: Series, formats: tuple[str, ...] = ()) -> Self:
        """The spec of a column in which at least two different points in time occur.

        Args:
            name: of the column.
            series: its cells.
            formats: of text cells; found when not given.
        """
        format, *others = formats or formats_of(series)
        values, failed = seconds(series, format, tuple(others))
        missing = np.isnan(values)
        present = values[~missing]
        parts = _parts(present)
        cycles = tuple(p for p in _PERIODS if parts[p].min() < parts[p].max())
        note = _note(present, int(missing.sum()), cycles, (format, *others))
        note += _doubts(series, format, tuple(others))
        words = strange_words(series, failed)
        return cls(
            name,
            Scale.fit(present),
            cycles,
            bool(missing.any()),
            format,
            words,
            note,
            tuple(others),
        )

    @property
    def feature_names(self) -> tuple[str, ...]:
        waves = [f"{self.name} {cycle} {wave}" for cycle in self.cycles for wave in ("sin", "cos")]
        tail = [f"{self.name} is missing"] if self.indicator else []
        return (self.name, *waves, *tail)

    @property
    def numbers(self) -> int:
        """How many of the features are numbers on a scale; they come first."""
        return 1

    @property
    def summary(self) -> str:
        return self.note

    @property
    def is_time_of_day(self) -> bool:
        """Whether the cells are times without a date, which have no distance to dates."""
        return self.format in TIMES_OF_DAY

    def seconds(self, series: Series) -> Float64Array:
        """The cells as seconds since 1970 [N], NaN where missing.

        Raises:
            BadData: when most cells are no dates.
        """
        values, failed = seconds(series, self.format, self.others)
        expected = f"dates and times ({', '.join((self.format, *self.others))})"
        check_understood(self.name, series, failed, expected, self.words)
        return values

    def encode(self, series: Series) -> Features:
        """The features [N, k]. Raises `BadData` when most cells are no dates."""
        return self.encode_seconds(self.seconds(series))

    def encode_seconds(self, values: Float64Array) -> Features:
        """The features [N, k] of what `seconds` gave."""
        missing = np.isnan(values)
        parts = _parts(np.where(missing, 0.0, values))
        columns: list[np.ndarray] = [self.scale.apply(values)]
        for cycle in self.cycles:
            angle = 2 * np.pi * parts[cycle] / _PERIODS[cycle]
            columns += [np.where(missing, 0, np.sin(angle)), np.where(missing, 0, np.cos(angle))]
        if self.indicator:
            columns.append(missing)
        return np.stack(columns, axis=1).astype(np.float32)


class Duration(Spec):
    """The time from one column of dates to another, scaled like a number.

    Args:
        start, end: names of the two columns.
        scale: of the seconds between them.
        tail: the scale of a second feature for far values (`Scale.fit_tail`), or None.
    """

    start: str
    end: str
    scale: Scale
    tail: Scale | None = None

    @classmethod
    def fit(cls, start: str, end: str, values: Float64Array) -> Self | None:
        """The spec for the seconds `values` [N] from start to end; None when they do not vary."""
        present = values[~np.isnan(values)]
        if not present.size or present.min() == present.max():
            return None
        scale = Scale.fit(present)
        return cls(start, end, scale, scale.fit_tail(present))

    @property
    def name(self) -> str:
        return f"{self.end} - {self.start}"

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (self.name, f"{self.name} (far)") if self.tail else (self.name,)

    @property
    def numbers(self) -> int:
        """How many of the features are numbers on a scale; they come first."""
        return 2 if self.tail else 1

    @property
    def summary(self) -> str:
        return f"time between the two, median {pd.Timedelta(seconds=self.scale.center)}"

    def encode_seconds(self, start: Float64Array, end: Float64Array) -> Features:
        """The features [N, 1 or 2] of what `Datetime.seconds` gave for the two columns."""
        return scaled(end - start, self.scale, self.tail)


def _parts(values: Float64Array) -> dict[str, Float64Array]:
    """Hour with its fraction, weekday, day of the month and month, each [N] from 0."""
    stamps = pd.DatetimeIndex((values * 1e6).astype("int64").astype("datetime64[us]"))
    parts = {
        "hour": values % 86400 / 3600,
        "weekday": stamps.day_of_week,
        "day": stamps.day - 1,
        "month": stamps.month - 1,
    }
    return {name: np.asarray(part, dtype=np.float64) for name, part in parts.items()}


def formats_of(series: Series) -> tuple[str, ...]:
    """The formats in which the cells of a column are dates; none if they are no dates."""
    if is_datetime(series):
        return ("ISO8601",)
    text = as_text(series)
    compact = compact_format(text)
    return (compact,) if compact else date_formats(text)


def _doubts(series: Series, format: str, others: tuple[str, ...]) -> str:
    """What is said of cells that could be two dates."""
    if is_datetime(series):
        return ""
    if others:
        twofold = int(two_readings(as_text(series), (format, *others)).sum())
        cells = counted(twofold, "cell")
        return f"; {cells} could be two dates and count as missing" if twofold else ""
    other = swapped(format)
    if other and not seconds(series, other)[1].any():
        return f"; day and month could be the other way round ({other})"
    return ""


def _note(
    present: Float64Array, missing: int, cycles: tuple[str, ...], formats: tuple[str, ...]
) -> str:
    first, last = (np.datetime64(int(s // 86400), "D") for s in (present.min(), present.max()))
    note = f"{first} to {last}"
    if formats[0] in TIMES_OF_DAY:
        note = "time of day"
    elif formats != ("ISO8601",):
        note += f", read as {' or '.join(formats)}"
    if cycles:
        note += f", {', '.join(cycles)} as cycles"
    if missing:
        note += f", {counted(missing, 'missing cell')} at the median"
    return note
