"""Real tables, straight from the file: each trains with no hand-work, and no row is lost."""

from pathlib import Path

import pandas as pd
import pytest

from slalom import fit_table

TABLES = [
    ("titanic.csv", "survived", ["alive"]),
    ("penguins.csv", "species", []),
    ("penguins_raw.csv", "Species", []),
    ("penguins_raw.csv", "Body Mass (g)", []),
    ("diamonds.csv.gz", "price", []),
    ("mpg.csv", "mpg", []),
    ("taxis.csv.gz", "fare", ["total"]),
    ("taxis.csv.gz", "payment", []),
    ("tips.csv", "tip", []),
    ("uci/concrete/data.csv.gz", "compressive_strength", []),
    ("uci/energy/data.csv.gz", "heating_load", []),
    ("uci/wine-quality-red/data.csv.gz", "quality", []),
    ("uci/yacht/data.csv.gz", "residuary_resistance", []),
]


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::slalom.core.errors.SlalomWarning"
)  # what fit notes about a table
@pytest.mark.parametrize(("file", "target", "drop"), TABLES)
def test_a_real_table_trains_as_it_is(
    shared_data: Path, file: str, target: str, drop: list[str]
) -> None:
    fit = fit_table(shared_data / file, target, drop=drop, epochs=1)
    published = pd.read_csv(shared_data / file)
    rows = fit.rows
    used = rows.train + rows.test + (rows.validation if rows.folds == 1 else 0)
    assert used + rows.set_aside == len(published)
    assert rows.set_aside == published[target].isna().sum()
    assert list(fit.columns["column"])[: published.shape[1] - 1 - len(drop)] == [
        name for name in published.columns if name not in (target, *drop)
    ]
