"""How a table becomes features: pure data, fitted on training rows, applied to any later table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slalom.core.arrays import Float64Array
from slalom.core.errors import BadData, did_you_mean
from slalom.core.spec import Spec
from slalom.data.columns import (
    Answers,
    Category,
    Column,
    Datetime,
    Dropped,
    Duration,
    TargetMeans,
    Text,
    fit_column,
)
from slalom.data.columns.cells import Features, Series, as_text
from slalom.data.dataset import Rows
from slalom.data.groups import Group
from slalom.data.missing import MARKERS, Marker, without_markers
from slalom.data.table import NOTES, text_names

_MOST_DATES = 4
"""Time differences are taken between the first four columns of dates: six pairs at most."""

_UNNAMED = 0.1
"""Of the cells; if more of them hold words that recur and have no feature, these have means.

If most do not recur, as the names of cars in mpg, means say nothing: R2 of .879 for .883 there."""


class Schema(Spec):
    """What was made of each column of a table.

    It is data and nothing else: `Schema.loads(schema.dumps())` encodes every table to the same
    numbers. Fit it on training rows only; what it learned of them (medians, levels, words) then
    holds for all later rows.

    Args:
        columns: one spec per column, in the order of the table that it was fitted on.
        durations: the time between two columns of dates, where it varies.
        means: of the target, for columns of more words than have a feature each.
        missing: values that stand for missing cells because someone said so.
        notes: what was left out when the table was read.

    Example:
        >>> table = pd.DataFrame({"size": list("1234"), "sort": list("aaba")})
        >>> schema = Schema.fit(table)
        >>> schema.feature_names
        ('size', 'sort=b')
        >>> schema.encode(pd.DataFrame({"sort": ["b"], "size": [2.5]}))
        array([[0., 1.]], dtype=float32)
    """

    columns: tuple[Column, ...]
    durations: tuple[Duration, ...] = ()
    means: tuple[TargetMeans, ...] = ()
    missing: tuple[Marker, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def fit(
        cls, frame: pd.DataFrame, exclude: Iterable[str] = (), answers: Answers | None = None
    ) -> Self:
        """The schema of a table from `read_table`.

        Args:
            frame: the training rows.
            exclude: names of columns that are no features: the target, and what would give it away.
            answers: what the target says of these rows. Without it there are no means of it.

        Raises:
            BadData: when a name in `exclude` is no column, or no column is left to learn from.
        """
        frame = text_names(frame, "The table")
        names = list(frame.columns)
        excluded = set(exclude)
        for name in excluded - set(names):
            raise BadData(f"There is no column {name!r} to leave out. {did_you_mean(name, names)}")
        kept = [name for name in names if name not in excluded]
        columns = tuple(fit_column(name, frame[name]) for name in kept)
        if not any(column.feature_names for column in columns):  # then the row is what tells most
            columns = tuple(fit_column(name, frame[name], numbering=False) for name in kept)
        means = () if answers is None else _fit_means(frame, columns, answers)
        told = (frame.attrs.get(key, ()) for key in (MARKERS, NOTES))
        schema = cls(columns, _fit_durations(frame, columns), means, *told)
        if not schema.feature_names:
            raise BadData(_nothing_left(columns, len(frame)))
        return schema

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that a table must have to be encoded."""
        return tuple(c.name for c in self.columns if not isinstance(c, Dropped))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """What each of the I features is called."""
        return tuple(name for part in self._parts for name in part.feature_names)

    @property
    def groups(self) -> tuple[Group, ...]:
        """Which of the I features came from which column; columns without features have no group.

        Example:
            >>> schema = Schema.fit(pd.DataFrame({"size": list("1234"), "sort": list("abcb")}))
            >>> [(group.name, group.features, group.numbers) for group in schema.groups]
            [('size', (0, 1), 1), ('sort', (1, 3), 0)]
        """
        groups, start = [], 0
        for part in self._parts:
            end = start + len(part.feature_names)
            if end > start:
                groups.append(Group(part.name, _columns_of(part), (start, end), part.numbers))
            start = end
        return tuple(groups)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Which of the I features are numbers on a scale, from 0."""
        starts = ((group.features[0], group.numbers) for group in self.groups)
        return tuple(start + k for start, numbers in starts for k in range(numbers))

    def times(self, frame: pd.DataFrame) -> dict[str, Float64Array]:
        """Seconds since 1970 of each column of dates, `[N]`."""
        return {c.name: c.seconds(frame[c.name]) for c in self.columns if isinstance(c, Datetime)}

    def encode(self, frame: pd.DataFrame) -> Features:
        """The features of a table, float32 [N, I], all finite.

        Columns may come in any order, and more of them than are needed. A level never seen gets the
        reserved code, a missing cell what its column spec says.

        Warns:
            SlalomWarning: when some cells are not what their column held in fitting.

        Raises:
            BadData: when a column is not there, or most of its cells are not what they were.
        """
        return self.encode_once(frame).features

    def encode_once(self, frame: pd.DataFrame) -> "Encoded":
        """As `encode`, with what it takes to put the columns together anew."""
        frame = text_names(frame, "The table")
        self.check_columns(list(frame.columns))
        frame = without_markers(frame, self.missing)
        times = self.times(frame)
        parts = [_encode(column, frame, times) for column in self.columns]
        parts += [d.encode_seconds(times[d.start], times[d.end]) for d in self.durations]
        parts += [m.encode(frame[m.column]) for m in self.means]
        return Encoded(self, np.concatenate(parts, axis=1), times)

    def without_own(
        self, frame: pd.DataFrame, answers: Answers, part: NDArray[Any]
    ) -> Mapping[str, Features]:
        """The features that tell of the target, for the rows that the schema was fitted on.

        Args:
            frame, answers: as they were in fitting.
            part: of each row, `[N]`; means are those of the rows of other parts.

        Returns:
            Features `[N, k]` by the name of their group.
        """
        return {m.name: m.without_own(frame[m.column], answers, part) for m in self.means}

    def summary(self) -> pd.DataFrame:
        """What was made of each column: a frame of column, kind, features (how many) and note."""
        rows = [(p.name, p.kind, len(p.feature_names), p.summary) for p in self._parts]
        return pd.DataFrame(rows, columns=["column", "kind", "features", "note"])

    @property
    def _parts(self) -> tuple[Column | Duration | TargetMeans, ...]:
        return (*self.columns, *self.durations, *self.means)

    def check_columns(self, names: list[str]) -> None:
        """Raise `BadData` unless these names hold all columns that are needed."""
        missing = [name for name in self.inputs if name not in names]
        if missing:
            listed = ", ".join(repr(name) for name in missing)
            raise BadData(
                f"The table lacks {len(missing)} of the {len(self.inputs)} columns that are "
                f"needed: {listed}. {did_you_mean(missing[0], names)}"
            )


@dataclass(frozen=True, eq=False)
class Encoded:
    """A table that was encoded once.

    Args:
        schema: what encoded it.
        features: float32 `[N, I]`.
        times: seconds since 1970 of each column of dates, `[N]`.
    """

    schema: Schema
    features: Features
    times: dict[str, Float64Array]

    def taken(self, rows: Mapping[str, Rows]) -> Features:
        """The features of a table each of whose columns comes from other rows of this one.

        Args:
            rows: for each column that the schema needs, row numbers `[M]`.
        """
        columns = []
        durations = {d.name: d for d in self.schema.durations}
        for group in self.schema.groups:
            if group.name in durations:
                start, end = (self.times[name][rows[name]] for name in group.columns)
                columns.append(durations[group.name].encode_seconds(start, end))
            else:
                (column,) = group.columns
                columns.append(self.features[rows[column], group.slice])
        return np.concatenate(columns, axis=1)


def _encode(column: Column, frame: pd.DataFrame, times: dict[str, Float64Array]) -> Features:
    if isinstance(column, Dropped):
        return np.empty((len(frame), 0), dtype=np.float32)
    if isinstance(column, Datetime):
        return column.encode_seconds(times[column.name])
    return column.encode(frame[column.name])


def _fit_durations(frame: pd.DataFrame, columns: tuple[Column, ...]) -> tuple[Duration, ...]:
    dates = [c for c in columns if isinstance(c, Datetime) and not c.is_time_of_day]
    times = {c.name: c.seconds(frame[c.name]) for c in dates[:_MOST_DATES]}
    pairs = combinations(times, 2)
    fitted = (Duration.fit(a, b, times[b] - times[a]) for a, b in pairs)
    return tuple(duration for duration in fitted if duration is not None)


def _fit_means(
    frame: pd.DataFrame, columns: tuple[Column, ...], answers: Answers
) -> tuple[TargetMeans, ...]:
    wordy = [c for c in columns if isinstance(c, Category | Text)]
    fitted = [
        TargetMeans.fit(c.name, frame[c.name], answers)
        for c in wordy
        if _says_more(frame[c.name], c.levels if isinstance(c, Category) else ())
    ]
    return tuple(means for means in fitted if means is not None)


def _says_more(series: Series, levels: tuple[str, ...]) -> bool:
    """Whether many cells hold words that have no feature of their own, and most of these recur."""
    text = as_text(series).dropna()
    others = text[~text.isin(levels)]
    recurring = others.duplicated(keep=False).sum()
    return bool(recurring > _UNNAMED * len(series) and 2 * recurring > len(others))


def _columns_of(part: Column | Duration | TargetMeans) -> tuple[str, ...]:
    if isinstance(part, Duration):
        return (part.start, part.end)
    return (part.column if isinstance(part, TargetMeans) else part.name,)


def _nothing_left(columns: tuple[Column, ...], rows: int) -> str:
    if not columns:
        return "The table has no column besides the target and those left out."
    reasons = "; ".join(f"{c.name!r} {c.summary}" for c in columns[:5])
    sample = "1 sample" if rows == 1 else f"{rows} samples"
    return (
        f"No column is left to learn from ({sample}): {reasons}. Give more rows, or a column with "
        "values that vary."
    )
