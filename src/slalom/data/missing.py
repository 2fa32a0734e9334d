"""Values that stand for a missing cell because someone says so, such as -999."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import pandas as pd

from slalom.core.errors import BadData, did_you_mean
from slalom.core.spec import Spec
from slalom.data.columns.cells import Mask, Series, as_text, is_numeric

MissingLike: TypeAlias = Iterable[Any] | Mapping[str, Any]
MARKERS = "slalom_missing"  # attribute of a frame: its `Marker`s


class Marker(Spec):
    """A value that means nothing: in one column, or in all where none is named.

    Args:
        value: as text; numbers are compared as numbers.
        column: where it does.
    """

    value: str
    column: str = ""


def mark_missing(frame: pd.DataFrame, missing: MissingLike) -> pd.DataFrame:
    """The table with these values as missing cells, which a schema fitted on it will do as well.

    Args:
        frame: from `read_table`.
        missing: values, for all columns; `"COLUMN=VALUE"` for one. Or values by column.

    Raises:
        BadData: when there is no such column, or no such value anywhere.

    Example:
        >>> frame = pd.DataFrame({"size": [1, -9, 3], "price": [-9, 5, 6]})
        >>> mark_missing(frame, ["size=-9"])["size"].tolist()
        [1.0, nan, 3.0]
    """
    columns = [str(name) for name in frame.columns]
    markers = tuple(_markers(missing, columns))
    for marker in markers:
        if marker.column and marker.column not in columns:
            near = did_you_mean(marker.column, columns)
            raise BadData(f"There is no column {marker.column!r} with missing values. {near}")
        if not any(stands_for(frame[name], [marker.value]).any() for name in _of(marker, columns)):
            where = f"column {marker.column!r}" if marker.column else "any column"
            raise BadData(
                f"The value {marker.value!r} was to count as missing, but is not in {where}. Leave "
                "it out, or write it as the table does."
            )
    return without_markers(frame, markers)


def without_markers(frame: pd.DataFrame, markers: tuple[Marker, ...]) -> pd.DataFrame:
    """The table with what markers name as missing cells."""
    if not markers:
        return frame
    frame = frame.copy()
    for name in map(str, frame.columns):
        values = [m.value for m in markers if m.column in ("", name)]
        mask = stands_for(frame[name], values)
        if mask.any():
            frame[name] = frame[name].mask(mask)
    frame.attrs[MARKERS] = markers
    return frame


def stands_for(series: Series, values: list[str]) -> Mask:
    """A mask of the cells that are one of these values: as text, or as the same number."""
    text = as_text(series)
    mask = text.isin(values)
    known = pd.to_numeric(pd.Series(values, dtype="str"), errors="coerce").dropna()
    if len(known):
        cells = series if is_numeric(series) else pd.to_numeric(text, errors="coerce")
        mask |= cells.isin(known.tolist())
    found: Mask = mask.to_numpy(dtype=bool)
    return found


def _markers(missing: MissingLike, columns: list[str]) -> Iterable[Marker]:
    if isinstance(missing, Mapping):
        for column, values in missing.items():
            listed = values if isinstance(values, list | tuple | set) else [values]
            yield from (Marker(str(value), str(column)) for value in listed)
        return
    for value in [missing] if isinstance(missing, str) else missing:
        # A name may hold the sign too: the longest one that is a column counts.
        text, parts = str(value), str(value).split("=")
        cuts = ("=".join(parts[:k]) for k in range(len(parts) - 1, 0, -1))
        column = next((cut for cut in cuts if cut in columns), "")
        yield Marker(text[len(column) + 1 :] if column else text, column)


def _of(marker: Marker, columns: list[str]) -> list[str]:
    return [marker.column] if marker.column else columns
