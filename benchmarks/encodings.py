"""Would other features of numbers serve the default estimators better?

Error (what is left of R2, or the log loss) on the rows that splits of development hold back, beside
the same with the columns of many values encoded in another way:

- `quantile`: mapped to a normal distribution by quantiles of training rows (at most 1000 knots);
- `piecewise`: besides the number, its piecewise-linear encoding (Gorishniy et al. 2022), 16 bins of
  equally many training rows.

    python benchmarks/encodings.py --data ../shared/data
"""

from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
from sklearn.preprocessing import QuantileTransformer

from ablation import compare, error, parser_of
from slalom.data.columns import number

MANY = 24  # values; columns of fewer have a feature for each as it is
BINS = 16
_few_values, _encode = number.few_values, number.Number.encode


def edges(values: np.ndarray) -> tuple[float, ...]:
    """Of finite values, where bins begin and end: they stand where `few_values` has its levels."""
    if len(np.unique(values)) <= MANY:
        return _few_values(values)
    return tuple(np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1))).tolist())


def encode(column: number.Number, series: pd.Series) -> np.ndarray:
    """As `Number.encode`, but levels that are edges make how much of each bin is below a value."""
    if len(column.levels) <= max(number._FEW_VALUES):
        return _encode(column, series)
    values, _ = number.numbers(series, column.decimal, column.unit)
    edge = np.array(column.levels)
    bins = np.clip((values[:, None] - edge[:-1]) / np.diff(edge), 0, 1)
    parts = [number.scaled(values, column.scale, column.tail), values >= edge[0], bins]
    parts += [np.isnan(values)] if column.indicator else []
    return np.nan_to_num(np.column_stack(parts)).astype(np.float32)


def normal(train: pd.DataFrame, test: pd.DataFrame) -> list[pd.DataFrame]:
    """Both with their numbers mapped by the quantiles of the first."""
    many = [name for name in train.select_dtypes("number") if train[name].nunique() > MANY]
    if not many:
        return [train, test]
    knots = max(10, min(1000, len(train) // 30))
    mapping = QuantileTransformer(
        n_quantiles=knots, output_distribution="normal", subsample=len(train)
    ).fit(train[many])
    columns = [
        dict(zip(many, mapping.transform(part[many]).T, strict=True)) for part in (train, test)
    ]
    return [part.assign(**each) for part, each in zip((train, test), columns, strict=True)]


def error_with(encoded: str, name: str, folder: Path, seed: int) -> float:
    if encoded == "piecewise":
        with (
            patch.object(number, "few_values", edges),
            patch.object(number.Number, "encode", encode),
        ):
            return error(name, folder, seed)
    return error(name, folder, seed, normal) if encoded == "quantile" else error(name, folder, seed)


def main() -> None:
    arguments = parser_of(__doc__).parse_args()
    compare("encodings", "encoded", ["quantile", "piecewise"], error_with, arguments)


if __name__ == "__main__":
    main()
