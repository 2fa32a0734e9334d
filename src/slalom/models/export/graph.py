"""A model as one module of torch: from what is read of a table's cells to what is predicted.

It says once more, in operations that a graph can hold, what the specs of `slalom.data.columns` and
`Predictor` say in NumPy. Tests compare the two on every kind of column.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
import torch

from slalom.data.columns import (
    Boolean,
    Category,
    Column,
    Datetime,
    Dropped,
    Duration,
    Number,
    Scale,
    TargetMeans,
    Text,
)
from slalom.data.schema import Schema
from slalom.data.target import RegressionTarget
from slalom.models.predictor import Predictor

Reading: TypeAlias = dict[str, Any]
_DAY = 86_400.0


def readings_of(schema: Schema) -> list[Reading]:
    """What must be read of a table for this schema; see `readings.read_cells`."""
    return [_reading(part) | _missing(schema, part) for part in _parts(schema)]


def widths(schema: Schema) -> list[int]:
    """How many numbers each reading is: one, or one for each word of a text."""
    return [len(part.tokens) if isinstance(part, Text) else 1 for part in _parts(schema)]


class Graph(torch.nn.Module):
    """The whole of a predictor: readings `[N, R]` in float64 to predictions.

    Gives probabilities `[N, K]` for a classification; for a regression, values and standard
    deviations in the target's units, `[N, T]` each. All float64.

    Example:
        >>> import slalom
        >>> X = np.linspace(-1, 1, 60)[:, None]
        >>> model = slalom.Regressor(epochs=2).fit(X, X[:, 0] ** 2).predictor_
        >>> values, stds = Graph(model)(torch.zeros(5, 1, dtype=torch.float64))
        >>> values.shape
        torch.Size([5, 1])
    """

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        self.predictor = predictor
        self.nets = torch.nn.ModuleList(predictor.modules).eval()

    def forward(self, readings: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        X = _features(self.predictor.schema, readings)
        nets = zip(self.predictor.weights, self.nets, strict=True)
        outputs = [(_constant(weight), net(X).double()) for weight, net in nets]
        target = self.predictor.target
        if isinstance(target, RegressionTarget):
            return self._values(outputs, target)
        return _total(w * self.predictor.loss.predict(output) for w, output in outputs).clamp(0, 1)

    def _values(
        self, outputs: list[tuple[torch.Tensor, torch.Tensor]], target: RegressionTarget
    ) -> tuple[torch.Tensor, torch.Tensor]:
        loss, noise = self.predictor.loss, _constant(self.predictor.noise or 0.0)
        mean = _total(weight * loss.predict(output) for weight, output in outputs)
        square = _total(weight * loss.predict(output) ** 2 for weight, output in outputs)
        variance = (square - mean**2).clamp(min=0.0)
        for weight, output in outputs:
            own = loss.variance(output)
            if own is not None:  # nets that tell their noise themselves
                variance, noise = variance + weight * own, _constant(0.0)
        scale, center = _constant(target.scale), _constant(target.mean)
        return mean * scale + center, (variance * scale**2 + noise**2).sqrt()


def _parts(schema: Schema) -> Iterator[Column | TargetMeans]:
    """What has readings of its own, in the order of the features."""
    yield from (column for column in schema.columns if not isinstance(column, Dropped))
    yield from schema.means


def _missing(schema: Schema, part: Column | TargetMeans) -> Reading:
    """The values that stand for a missing cell of this part."""
    name = part.column if isinstance(part, TargetMeans) else part.name
    values = [marker.value for marker in schema.missing if marker.column in ("", name)]
    return {"missing": values} if values else {}


def _reading(part: Column | TargetMeans) -> Reading:
    match part:
        case Number():
            style = {"decimal": part.decimal, "unit": part.unit}
            return {"column": part.name, "cells": "number", **style}
        case Boolean():
            return {"column": part.name, "cells": "truth"}
        case Datetime():
            formats = {"format": part.format, "others": list(part.others)}
            return {"column": part.name, "cells": "time", **formats}
        case Text():
            return {"column": part.name, "cells": "words", "words": list(part.tokens)}
        case Category():
            return {"column": part.name, "cells": "level", "levels": list(part.levels)}
        case TargetMeans():
            return {"column": part.column, "cells": "level", "levels": list(part.table.levels)}
        case _:  # whether there is a cell
            return {"column": part.name, "cells": "level", "levels": []}


def _features(schema: Schema, readings: torch.Tensor) -> torch.Tensor:
    """The features `[N, I]` of readings `[N, R]`, as `Schema.encode` gives them, float32."""
    cells = dict(zip(_parts(schema), torch.split(readings, widths(schema), dim=1), strict=True))
    times = {part.name: x for part, x in cells.items() if isinstance(part, Datetime)}
    columns = [_of_column(c, cells[c]) for c in schema.columns if c in cells]
    durations = [_scaled(d, times[d.end] - times[d.start]) for d in schema.durations]
    means = [_of_column(part, cells[part]) for part in schema.means]
    return torch.cat([*columns, *durations, *means], dim=1).float()


def _of_column(part: Column | TargetMeans, cells: torch.Tensor) -> torch.Tensor:
    match part:
        case Number():
            hot = [cells == _constant(part.levels)] if part.levels else []
            return _joined([_scaled(part, cells), *hot], cells, part.indicator)
        case Boolean():
            return _joined([_filled(2 * cells - 1, 0.0)], cells, part.indicator)
        case Category():
            return _of_category(part, cells)
        case Datetime():
            return _of_time(part, cells)
        case Text():
            counts = cells.log1p()
            length = (counts**2).sum(dim=1, keepdim=True).sqrt()
            return counts / torch.where(length > 0, length, 1.0)
        case TargetMeans():
            return _of_means(part, cells)
        case _:
            return 1.0 - 2.0 * cells.isnan().double()


def _of_category(part: Category, cells: torch.Tensor) -> torch.Tensor:
    width = len(part.levels) + part.rare
    hot = (cells == torch.arange(width, dtype=torch.float64)).double()
    if width == 2 and not part.rare:
        hot = hot[:, 1:] - hot[:, :1]
    return _joined([hot], cells, part.indicator)


def _of_time(part: Datetime, cells: torch.Tensor) -> torch.Tensor:
    missing, seconds = cells.isnan(), _filled(cells, 0.0)
    turns, waves = turns_of(seconds), [_squashed(part.scale, cells)]
    for cycle in part.cycles:
        angle = _constant(2 * np.pi) * turns[cycle]
        waves += [torch.where(missing, 0.0, wave) for wave in (angle.sin(), angle.cos())]
    return _joined(waves, cells, part.indicator)


def turns_of(seconds: torch.Tensor) -> dict[str, torch.Tensor]:
    """How much of a day, a week, 31 days and a year has passed, in whole units, from 0 to 1."""
    days = (seconds / _DAY).floor()
    # The day and the month of a count of days: Hinnant, "chrono-compatible low-level date
    # algorithms", civil_from_days. Eras of 400 years; years begin in March.
    shifted = days + 719_468
    of_era = shifted - 146_097 * (shifted / 146_097).floor()
    leaps = (of_era / 1460).floor() - (of_era / 36_524).floor() + (of_era / 146_096).floor()
    year = ((of_era - leaps) / 365).floor()
    of_year = of_era - (365 * year + (year / 4).floor() - (year / 100).floor())
    month = ((5 * of_year + 2) / 153).floor()  # from March, 0
    day = of_year - ((153 * month + 2) / 5).floor()
    thursday = days + 3  # 1970 began with one
    return {
        "hour": (seconds - days * _DAY) / _DAY,
        "weekday": (thursday - 7 * (thursday / 7).floor()) / 7,
        "day": day / 31,
        "month": torch.where(month < 10, month + 2, month - 10) / 12,
    }


def _of_means(part: TargetMeans, cells: torch.Tensor) -> torch.Tensor:
    levels = part.table.levels
    known = np.column_stack([np.array(part.table.means), np.log1p(part.table.rows)])
    table = _constant(np.concatenate([known, np.zeros((1, known.shape[1]))]))
    missing = float(levels.index("")) if "" in levels else float(len(levels))
    found = table[_filled(cells[:, 0], missing).long()]
    columns = zip(torch.split(found, 1, dim=1), part.scales, strict=True)
    return torch.cat([_squashed(scale, x) for x, scale in columns if scale], dim=1)


def _scaled(part: Number | Duration, values: torch.Tensor) -> torch.Tensor:
    scales = [scale for scale in (part.scale, part.tail) if scale]
    return torch.cat([_squashed(scale, values) for scale in scales], dim=1)


def _squashed(scale: Scale, values: torch.Tensor) -> torch.Tensor:
    """As `Scale.apply`."""
    center, width, bound = (_constant(x) for x in (scale.center, scale.width, scale.bound))
    z = ((values - center) / width).clamp(-1e6, 1e6)
    return _filled(z / (1 + (z / bound) ** 2).sqrt(), 0.0)


def _filled(values: torch.Tensor, missing: float) -> torch.Tensor:
    return torch.where(values.isnan(), missing, values)


def _joined(parts: list[torch.Tensor], cells: torch.Tensor, indicator: bool) -> torch.Tensor:
    missing = [cells.isnan()] if indicator else []
    return torch.cat([part.double() for part in (*parts, *missing)], dim=1)


def _total(terms: Iterable[torch.Tensor]) -> torch.Tensor:
    first, *others = terms
    return sum(others, first)


def _constant(values: Any) -> torch.Tensor:
    """What keeps all of its digits: torch's exporter to ONNX writes a bare float in 32 bits."""
    return torch.tensor(np.asarray(values), dtype=torch.float64)
