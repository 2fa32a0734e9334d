"""What the frequencies of classes count in the answer of nets that were never wrong."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import slalom
from slalom.tabular.doubt import doubt, net_of_frequencies


@given(rows=st.integers(1, 10**6), rarity=st.floats(1e-3, 0.5))
def test_a_right_row_pays_half_a_row_and_a_wrong_one_no_more_than_the_bound(
    rows: int, rarity: float
) -> None:
    part = doubt(rows)
    assert -np.log(1 - part) <= 1 / (2 * rows) + 1e-12
    assert -np.log(part * rarity) <= np.log(2 * rows + 2) - np.log(rarity) + 1e-12


def test_a_net_of_frequencies_answers_the_same_whatever_the_row() -> None:
    labels, counts = np.array([0, 0, 1, 2]), np.array([1.0, 2.0, 1.5, 0.5])
    _, module = net_of_frequencies(3, labels, counts, count=4)
    with torch.no_grad():
        answers = module(torch.randn(5, 3) * 1e6).softmax(dim=1)
    expected = np.array([3.5, 2.0, 1.0, 0.5]) / 7
    np.testing.assert_allclose(answers, np.tile(expected, (5, 1)), rtol=1e-6)


def table(rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Two classes of as many rows, which a line tells apart."""
    X = np.linspace(-1, 1, rows)[:, None]
    X[X > 0] += 5
    return X, np.repeat(["a", "b"], [rows // 2, rows - rows // 2])


def test_an_answer_of_the_default_is_never_surer_than_so_many_rows_allow() -> None:
    X, y = table()
    model = slalom.Classifier(epochs=20, progress=False).fit(X, y)
    shares = model.predict_proba(X)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)
    part = doubt(len(X))
    assert shares.min() >= part * 0.45, "half of the rows are of each class"
    assert shares.max() <= 1 - part * 0.45
    assert shares.min() < 2 * part, "the nets are sure"


def test_what_the_members_say_is_the_rest_of_the_answer() -> None:
    X, y = table()
    model = slalom.Classifier(epochs=2, progress=False).fit(X, y)
    features = torch.from_numpy(model.schema_.encode(slalom.read_table(X)))
    with torch.no_grad():
        together = sum(
            weight * model.run_.model(k)(features).double().softmax(dim=1).numpy()
            for k, weight in model.ensemble_.items()
        )
    part = doubt(len(X))
    expected = (1 - part) * together + part * 0.5
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-7)


def test_balanced_classes_have_equal_frequencies() -> None:
    X, y = table()
    y[-50:] = "b"
    model = slalom.Classifier(epochs=2, class_weight="balanced", progress=False).fit(X, y)
    frequencies = model.predictor_.modules[-1][-1].bias.softmax(dim=0)
    assert frequencies.tolist() == pytest.approx([0.5, 0.5], abs=1e-6)


def test_a_net_that_somebody_chose_answers_as_it_does() -> None:
    X, y = table()
    net = slalom.MLP(1, 4, 2)
    model = slalom.Classifier(members=net, epochs=20, validation=0.25, progress=False).fit(X, y)
    assert len(model.predictor_.modules) == 1
