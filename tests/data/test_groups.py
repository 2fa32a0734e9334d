"""Which features came from which column: told by the schema, checked against the table."""

import numpy as np
import pandas as pd

from slalom.data.schema import Schema
from tests.estimators.small import mixed_table


def table(rows: int = 200) -> pd.DataFrame:
    """A column of each kind, and two columns of dates."""
    frame, _, _ = mixed_table(rows)
    later = pd.to_timedelta(np.random.default_rng(1).integers(0, 30, rows), unit="D")
    return frame.assign(later=frame["day"] + later)


def test_groups_hold_every_feature_once_and_in_order() -> None:
    schema = Schema.fit(table())
    bounds = [bound for group in schema.groups for bound in group.features]
    assert bounds[::2] == [0, *bounds[1:-1:2]]
    assert bounds[-1] == len(schema.feature_names)


def test_changing_a_column_changes_the_features_of_its_groups_alone() -> None:
    frame = table()
    schema = Schema.fit(frame)
    before = schema.encode(frame)
    for name in schema.inputs:
        other = frame.assign(**{name: frame[name].to_numpy()[::-1]})
        changed = (schema.encode(other) != before).any(axis=0)
        of = np.zeros(len(changed), dtype=bool)
        for group in schema.groups:
            of[group.slice] = name in group.columns
        assert changed[of].any()
        assert not changed[~of].any()


def test_numbers_on_a_scale_come_first_in_their_group() -> None:
    schema = Schema.fit(table())
    found = {group.name: group.numbers for group in schema.groups}
    assert found == {
        "size": 1,
        "colour": 0,
        "level": 0,
        "day": 1,
        "flag": 0,
        "words": 0,
        "later": 1,
        "later - day": 1,
    }


def test_columns_taken_from_other_rows_are_what_encoding_the_shuffled_table_gives() -> None:
    frame = table()
    schema, generator = Schema.fit(frame), np.random.default_rng(0)
    rows = {name: generator.permutation(len(frame)) for name in schema.inputs}
    shuffled = pd.DataFrame({name: frame[name].array[rows[name]] for name in schema.inputs})
    np.testing.assert_array_equal(schema.encode_once(frame).taken(rows), schema.encode(shuffled))
