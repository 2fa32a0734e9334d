"""The race of the command line: data, net and results."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_squared_error, r2_score

import slalom
from slalom.core.errors import BadData, SlalomWarning
from slalom.optim import SGD, Adam
from slalom.plots.fitted_line import line_numbers
from slalom.tabular import racing


@pytest.mark.parametrize("name", sorted(racing.TOYS))
def test_every_toy_can_be_raced_on(name: str) -> None:
    data = racing.toy(name)
    assert data.rows == 1000
    assert racing.net(data).widths == (data.X.shape[1], 20, data.targets)


def test_a_table_is_split_and_its_schema_fitted_on_training_rows_only() -> None:
    table = pd.DataFrame({"x": np.arange(50.0), "y": np.arange(50.0) ** 2})
    data = racing.table(table, "y")
    (fold,) = data.folds
    assert (len(fold.train), len(fold.validation)) == (40, 10)
    assert np.median(data.X[fold.train]) == pytest.approx(0, abs=1e-6)  # robust scaling


def test_rows_without_a_target_are_set_aside_from_a_race_and_this_is_said() -> None:
    table = pd.DataFrame({"x": np.arange(50.0), "y": [None, None, *np.arange(48.0)]})
    with pytest.warns(SlalomWarning, match="2 of 50 rows of The table have no y"):
        assert racing.table(table, "y").rows == 48


def test_losses_and_scores_of_a_race_count_rows_by_their_weights() -> None:
    rng = np.random.default_rng(0)
    toy = racing.toy("quadratic")
    data = replace(toy, weight=rng.uniform(0, 2, toy.rows).astype(np.float32))
    run = slalom.race(racing.net(data), data, [Adam(0.01)], epochs=1, frames=0)
    (found,) = racing.results(run).to_dict("records")
    predicted = run.predict(data.X)
    loss = mean_squared_error(data.y, predicted, sample_weight=data.weight)
    assert found["train loss"] == pytest.approx(loss, rel=1e-5)
    score = r2_score(data.y, predicted, sample_weight=data.weight)
    assert found["train r2"] == pytest.approx(score, rel=1e-4)
    line = line_numbers(run)
    assert (line.loss, line.score) == pytest.approx((loss, score), rel=1e-4)


def test_a_table_of_a_few_rows_cannot_be_raced_on() -> None:
    with pytest.raises(BadData, match="4 rows with a target are too few for a race"):
        racing.table(pd.DataFrame({"x": [1, 2, 3, 4], "y": [1.0, 2.0, 3.0, 5.0]}), "y")


def test_results_are_losses_on_all_training_rows_averaged_over_seeds(tmp_path: Path) -> None:
    data = racing.toy("quadratic")
    run = slalom.race(racing.net(data), data, [SGD(0.01), Adam(0.01)], seeds=2, epochs=1, frames=0)
    found = racing.results(run).set_index("optimizer")
    losses = [np.mean((run.predict(data.X, member=k) - data.y) ** 2) for k in (2, 3)]
    assert found.loc["Adam(lr=0.01)", "train loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert found.loc["Adam(lr=0.01)", "spread"] == pytest.approx(np.std(losses, ddof=1), rel=1e-4)
    assert found["train loss"].is_monotonic_increasing


def test_a_racer_that_diverges_comes_last_and_is_counted() -> None:
    data = racing.toy("quadratic")
    run = slalom.race(racing.net(data), data, [SGD(1e9), Adam(0.01)], epochs=1, frames=0)
    found = racing.results(run)
    assert found["optimizer"].tolist() == ["Adam(lr=0.01)", "SGD(lr=1e+09)"]
    assert found["diverged"].tolist() == [0, 1]
