"""The metric is scikit-learn's."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, r2_score

from slalom import losses
from slalom.metrics import metric, metric_name


@given(seed=st.integers(0, 10_000), targets=st.integers(1, 3), weighted=st.booleans())
def test_r2_is_that_of_scikit_learn(seed: int, targets: int, weighted: bool) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=(9, targets)).astype(np.float32)
    output = truth + generator.normal(size=(9, targets)).astype(np.float32)
    weight = generator.uniform(0.1, 2, size=9) if weighted else None
    mine = metric(
        losses.MSE(),
        torch.from_numpy(output),
        torch.from_numpy(truth),
        None if weight is None else torch.from_numpy(weight),
    )
    expected = r2_score(truth.astype(float), output.astype(float), sample_weight=weight)
    assert mine == pytest.approx(expected, rel=1e-9)


@given(seed=st.integers(0, 10_000), weighted=st.booleans())
def test_accuracy_is_that_of_scikit_learn(seed: int, weighted: bool) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 3, size=12)
    output = torch.from_numpy(generator.normal(size=(12, 3)))
    weight = generator.uniform(0.1, 2, size=12) if weighted else None
    mine = metric(
        losses.CrossEntropy(),
        output,
        torch.from_numpy(truth),
        None if weight is None else torch.from_numpy(weight),
    )
    expected = accuracy_score(truth, output.argmax(dim=1).numpy(), sample_weight=weight)
    assert mine == pytest.approx(expected, rel=1e-9)


def test_accuracy_of_one_logit_looks_at_its_sign() -> None:
    output = torch.tensor([[-1.0], [2.0], [0.5]])
    assert metric(losses.BCEWithLogits(), output, torch.tensor([0, 1, 0]), None) == 2 / 3


def test_r2_of_a_constant_target_is_undefined() -> None:
    truth = torch.ones(3, 1)
    assert math.isnan(metric(losses.MSE(), torch.tensor([[1.0], [2.0], [1.0]]), truth, None))


def test_each_task_has_its_metric() -> None:
    assert (metric_name("regression"), metric_name("classification")) == ("r2", "accuracy")
