"""Means of the target for columns of many words: honest ones, or a net learns what it is told."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import TargetEncoder

from slalom import Classifier, Regressor
from slalom.data.columns import Answers, TargetMeans
from slalom.data.columns.means import LevelTable
from slalom.data.schema import Schema
from slalom.data.target import fit_target
from slalom.tabular.preparation import Preparation


def answers(values: np.ndarray, weight: np.ndarray | None = None) -> Answers:
    values = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    names = tuple(f"y{k}" for k in range(values.shape[1]))
    return Answers(names, values, np.ones(len(values)) if weight is None else weight)


def many_levels(
    rows: int, levels: int, noise: float, seed: int = 0
) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    level = rng.integers(levels, size=rows)
    effect = rng.standard_normal(levels)
    frame = pd.DataFrame({"town": [f"t{k}" for k in level], "x": rng.standard_normal(rows)})
    return frame, effect[level] + noise * rng.standard_normal(rows)


def test_levels_without_noise_keep_their_means() -> None:
    table = LevelTable.fit(pd.Series([*"aabbcc"]), answers(np.array([1, 1, 5, 5, 0, 0.0])))
    assert dict(zip(table.levels, np.ravel(table.means), strict=True)) == pytest.approx(
        {"a": -1, "b": 3, "c": -2}
    )
    assert table.rows == (2, 2, 2)


def test_levels_that_say_nothing_are_drawn_to_the_mean_of_all() -> None:
    rng = np.random.default_rng(0)
    words = pd.Series(rng.integers(100, size=2000).astype(str))
    table = LevelTable.fit(words, answers(rng.standard_normal(2000)))
    assert np.std(table.means) < 0.11  # plain means of 20 rows have a deviation of .22


def test_means_are_near_those_of_a_target_encoder() -> None:
    frame, y = many_levels(3000, 150, noise=1.0)
    encoder = TargetEncoder(target_type="continuous").fit(frame[["town"]], y)
    table = LevelTable.fit(frame["town"], answers(y))
    theirs = dict(zip(encoder.categories_[0], encoder.encodings_[0] - y.mean(), strict=True))
    ours = np.array([mean for (mean,) in table.means])
    assert ours == pytest.approx(np.array([theirs[level] for level in table.levels]), abs=0.25)
    assert np.corrcoef(ours, [theirs[level] for level in table.levels])[0, 1] > 0.99


@pytest.mark.slow
@given(st.data())
@settings(max_examples=50, deadline=None)
def test_a_row_does_not_see_its_own_target(data: st.DataObject) -> None:
    rows = data.draw(st.integers(10, 60))
    words = data.draw(st.lists(st.sampled_from("abcd"), min_size=rows, max_size=rows))
    y = np.array(data.draw(st.lists(st.floats(-9, 9), min_size=rows, max_size=rows)))
    part, row = np.arange(rows) % 5, data.draw(st.integers(0, rows - 1))
    means = TargetMeans.fit("w", pd.Series(words), answers(np.linspace(0, 1, rows)))
    if means is None:
        return
    changed = y.copy()
    changed[row] += 100
    before, after = (
        means.without_own(pd.Series(words), answers(values), part) for values in (y, changed)
    )
    own = part == part[row]
    assert np.array_equal(before[own], after[own])


def test_two_equal_rows_count_as_one_of_twice_the_weight() -> None:
    words, y = pd.Series([*"aabbbc"]), np.array([1.0, 2, 3, 4, 5, 6])
    twice = np.array([0, 1, 2, 2, 3, 4, 5])
    weight = np.array([1.0, 1, 2, 1, 1, 1])
    apart = LevelTable.fit(words.iloc[twice].reset_index(drop=True), answers(y[twice]))
    together = LevelTable.fit(words, answers(y, weight))
    assert np.ravel(apart.means) == pytest.approx(np.ravel(together.means))
    assert apart.rows == together.rows


def test_a_level_never_seen_has_zeros_and_a_missing_cell_its_own_mean() -> None:
    words = pd.Series(["a", "a", "b", "b", None, None])
    means = TargetMeans.fit("w", words, answers(np.array([0, 0, 1, 1, 5, 5.0])))
    assert means is not None
    unseen, missing = means.encode(pd.Series(["z", None]))[:, 0]
    assert missing > means.encode(pd.Series(["b"]))[0, 0]
    low, high = means.encode(pd.Series(["a"]))[0, 0], means.encode(pd.Series(["b"]))[0, 0]
    assert low < unseen  # the mean of all, 2, is above that of a and b
    assert high < unseen < missing


def test_a_schema_has_means_only_where_many_words_recur_without_a_feature() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "town": rng.integers(1000, size=4000).astype(str),
            "sort": rng.choice([*"abc"], 4000),
        }
    )
    frame["town"] = "t" + frame["town"]
    schema = Schema.fit(frame, answers=answers(rng.standard_normal(4000) + (frame["sort"] == "a")))
    assert [means.column for means in schema.means] == ["town"]
    assert Schema.loads(schema.dumps()) == schema
    assert Schema.fit(frame).means == ()
    encoded = schema.encode_once(frame)
    same = {name: np.arange(len(frame)) for name in schema.inputs}
    assert np.array_equal(encoded.taken(same), encoded.features)
    assert encoded.features.shape[1] == len(schema.feature_names)


def test_training_rows_get_the_means_of_other_rows() -> None:
    frame, y = many_levels(2000, 600, noise=3.0)
    target = fit_target(pd.Series(y, name="y"))
    prepared = Preparation.of(frame, target, y[:, None])
    (means,) = prepared.schema.means
    group = next(g for g in prepared.schema.groups if g.name == means.name)
    feature = prepared.X[:, group.features[0]]
    in_sample = prepared.schema.encode(frame)[:, group.features[0]]
    honest, told = (np.corrcoef(f, y)[0, 1] for f in (feature, in_sample))
    assert told > honest + 0.1  # a mean that holds the row's own target promises too much


@pytest.mark.slow
def test_means_let_nets_learn_levels_that_have_no_feature() -> None:
    frame, y = many_levels(4000, 800, noise=0.3)
    X, X_test, y, y_test = train_test_split(frame, y, random_state=0)
    model = Regressor(epochs=10, progress=False).fit(X, y)
    assert model.score(X_test, y_test) > 0.7


@pytest.mark.slow
def test_words_that_say_nothing_do_not_make_a_model_believe_them() -> None:
    frame, _ = many_levels(1500, 700, noise=1.0)
    noise = np.random.default_rng(1).standard_normal(1500)
    y = np.where(noise + frame["x"] > 0, "yes", "no")
    X, X_test, y, y_test = train_test_split(frame, y, random_state=0)
    model = Classifier(epochs=10, progress=False).fit(X, y)
    alone = Classifier(epochs=10, progress=False).fit(X[["x"]], y)
    assert model.score(X_test, y_test) > alone.score(X_test[["x"]], y_test) - 0.05
