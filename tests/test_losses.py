"""Losses are torch's, with weights that equal repeated rows, in float64."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from slalom import losses
from slalom.core.errors import BadPlan
from slalom.losses import BCEWithLogits, CrossEntropy, GaussianNLL, Huber, Loss, as_loss

CASES: list[tuple[Loss, str]] = [
    (losses.MSE(), "regression"),
    (losses.L1(), "regression"),
    (Huber(0.5), "regression"),
    (GaussianNLL(), "gaussian"),
    (CrossEntropy(), "classes"),
    (CrossEntropy(label_smoothing=0.1), "classes"),
    (CrossEntropy(weight=(0.5, 1.5, 2.0), label_smoothing=0.1), "classes"),
    (BCEWithLogits(), "binary"),
    (BCEWithLogits(pos_weight=3.0), "binary"),
]


def batch(kind: str, rows: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    outputs = {"regression": 2, "gaussian": 4, "classes": 3, "binary": 1}[kind]
    output = torch.randn(rows, outputs, generator=generator, dtype=torch.float64)
    if kind in ("regression", "gaussian"):
        return output, torch.randn(rows, 2, generator=generator, dtype=torch.float64)
    return output, torch.randint(0, 3 if kind == "classes" else 2, (rows,), generator=generator)


@pytest.mark.parametrize(("loss", "kind"), CASES, ids=str)
@given(counts=st.lists(st.integers(0, 5), min_size=6, max_size=6).filter(any))
def test_whole_number_weights_equal_repeated_rows(loss: Loss, kind: str, counts: list[int]) -> None:
    output, target = batch(kind)
    weights = torch.tensor(counts, dtype=torch.float64)
    repeats = torch.tensor(counts)
    rows = torch.repeat_interleave(torch.arange(6), repeats)
    torch.testing.assert_close(
        loss(output, target, weights), loss(output[rows], target[rows]), rtol=1e-7, atol=1e-9
    )


@pytest.mark.parametrize(("loss", "kind"), CASES, ids=str)
def test_equal_weights_of_any_size_change_nothing(loss: Loss, kind: str) -> None:
    output, target = batch(kind)
    weights = torch.full((6,), 0.37, dtype=torch.float64)
    torch.testing.assert_close(
        loss(output, target, weights), loss(output, target), rtol=1e-7, atol=1e-9
    )


def test_values_are_those_of_torchs_modules() -> None:
    output, y = batch("regression")
    assert losses.MSE()(output, y) == nn.MSELoss()(output, y)
    assert losses.L1()(output, y) == nn.L1Loss()(output, y)
    assert Huber(0.5)(output, y) == nn.HuberLoss(delta=0.5)(output, y)
    output, y = batch("gaussian")
    expected = nn.GaussianNLLLoss(eps=0.1)(output[:, :2], y, output[:, 2:].exp())
    assert GaussianNLL(eps=0.1)(output, y) == expected
    output, y = batch("classes")
    weight = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    theirs = nn.CrossEntropyLoss(weight=weight, label_smoothing=0.3)(output, y)
    assert CrossEntropy((1, 2, 3), 0.3)(output, y) == theirs
    output, y = batch("binary")
    theirs = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0))(output[:, 0], y.double())
    assert BCEWithLogits(2.0)(output, y) == theirs


def test_cross_entropy_of_a_row_by_hand() -> None:
    output = torch.tensor([[0.0, np.log(3.0)]], dtype=torch.float64)  # probabilities 1/4, 3/4
    assert CrossEntropy()(output, torch.tensor([0])).item() == pytest.approx(np.log(4))
    smooth = CrossEntropy(label_smoothing=0.5)(output, torch.tensor([0])).item()
    assert smooth == pytest.approx(0.75 * np.log(4) + 0.25 * np.log(4 / 3))


def test_a_batch_without_weight_has_loss_0_and_no_gradient() -> None:
    output, target = batch("regression")
    output.requires_grad_()
    loss = losses.MSE()(output, target, torch.zeros(6, dtype=torch.float64))
    loss.backward()
    assert loss == 0
    assert torch.equal(output.grad, torch.zeros_like(output))


def test_predictions_are_values_or_probabilities_that_sum_to_1() -> None:
    output, _ = batch("classes")
    torch.testing.assert_close(CrossEntropy().predict(output), nn.Softmax(dim=1)(output))
    output, _ = batch("binary")
    both = BCEWithLogits().predict(output)
    torch.testing.assert_close(both.sum(dim=1), torch.ones(6, dtype=torch.float64))
    torch.testing.assert_close(both[:, 1:], nn.Sigmoid()(output))
    output, _ = batch("gaussian")
    assert torch.equal(GaussianNLL().predict(output), output[:, :2])
    assert torch.equal(losses.MSE().predict(output), output)


@pytest.mark.parametrize("spread", [1, 5, 20, 100])  # from usual variances to 0 and infinite ones
def test_gaussian_nll_has_the_gradient_of_torchs_at_any_variance(spread: float) -> None:
    generator = torch.Generator().manual_seed(0)
    output = (spread * torch.randn(2000, 4, generator=generator)).requires_grad_()
    y = torch.randn(2000, 2, generator=generator)
    ours = GaussianNLL()(output, y)
    theirs = nn.GaussianNLLLoss()(output[:, :2], y, output[:, 2:].exp())
    assert torch.equal(ours, theirs)
    for one, other in zip(
        torch.autograd.grad(ours, output), torch.autograd.grad(theirs, output), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


def test_gaussian_nll_tells_the_variance_and_no_other_loss_does() -> None:
    output, y = batch("gaussian")
    variance = GaussianNLL(eps=0.9).variance(output)
    expected = np.maximum(np.exp(output[:, 2:].numpy()), 0.9)  # eps is the smallest one
    np.testing.assert_allclose(variance, expected, rtol=1e-12)
    assert (expected == 0.9).any()
    squares = (output[:, :2] - y) ** 2
    theirs = ((variance.log() + squares / variance) / 2).mean()
    torch.testing.assert_close(GaussianNLL(eps=0.9)(output, y), theirs)
    assert losses.MSE().variance(output) is None


def test_a_loss_says_how_many_outputs_it_wants() -> None:
    assert losses.MSE().outputs(3) == 3
    assert GaussianNLL().outputs(3) == 6
    assert CrossEntropy().outputs(4) == 4
    assert BCEWithLogits().outputs(2) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Huber(0), "delta must be a number > 0"),
        (lambda: GaussianNLL(0), "eps must be a number > 0"),
        (lambda: CrossEntropy(label_smoothing=1), "label_smoothing must be in [0, 1)"),
        (lambda: CrossEntropy(weight=(1, -1)), "weight must be one number > 0 a class"),
        (lambda: CrossEntropy(weight=(1, 1)).outputs(3), "2 class weights, but there are 3"),
        (lambda: BCEWithLogits(pos_weight=-1), "pos_weight must be > 0"),
        (lambda: BCEWithLogits().outputs(3), "separates two classes, but there are 3"),
        (lambda: as_loss("msee", "regression"), "Did you mean 'mse'?"),
        (lambda: as_loss(3, "regression"), "A loss is a name"),
        (lambda: as_loss("mse", "classification"), "does not fit a classification target"),
        (lambda: as_loss(CrossEntropy(), "regression"), "does not fit a regression target"),
    ],
)
def test_a_senseless_loss_is_refused(make: Any, message: str) -> None:
    with pytest.raises(BadPlan, match=re.escape(message)):
        make()
