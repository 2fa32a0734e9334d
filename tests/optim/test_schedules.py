"""Schedules are torch's schedulers as functions of the step."""

import warnings
from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.optim import lr_scheduler as torchs

import slalom
from slalom.core.errors import BadPlan
from slalom.optim import Schedule


def rates_of(make: Any, lr: float, total: int) -> list[float]:
    """The rate of every step when torch's scheduler is stepped after every update."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = make(optimizer)
    rates = []
    for _ in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # OneCycleLR counts one step more than it takes
            scheduler.step() if len(rates) < total else None
    return rates


def ours(schedule: Schedule, lr: float, total: int) -> list[float]:
    return [schedule.at(lr, step, total) for step in range(total)]


LR = st.floats(1e-5, 10)
TOTAL = st.integers(1, 60)


@given(LR, TOTAL, st.integers(1, 20), st.floats(0.1, 1.5))
def test_step_lr_is_torchs(lr: float, total: int, size: int, gamma: float) -> None:
    expected = rates_of(lambda o: torchs.StepLR(o, size, gamma), lr, total)
    assert ours(slalom.StepLR(size, gamma), lr, total) == pytest.approx(expected, rel=1e-9)


@given(LR, TOTAL, st.floats(0.5, 1.1))
def test_exponential_lr_is_torchs(lr: float, total: int, gamma: float) -> None:
    expected = rates_of(lambda o: torchs.ExponentialLR(o, gamma), lr, total)
    assert ours(slalom.ExponentialLR(gamma), lr, total) == pytest.approx(expected, rel=1e-9)


@given(LR, TOTAL, st.one_of(st.none(), st.integers(1, 80)), st.floats(0, 1e-3))
def test_cosine_annealing_is_torchs(
    lr: float, total: int, length: int | None, eta_min: float
) -> None:
    expected = rates_of(lambda o: torchs.CosineAnnealingLR(o, length or total, eta_min), lr, total)
    mine = ours(slalom.CosineAnnealingLR(length, eta_min), lr, total)
    assert mine == pytest.approx(expected, rel=1e-6, abs=1e-9 * lr)


@given(
    LR,
    st.integers(2, 60),
    st.floats(0.05, 0.95),
    st.sampled_from(["cos", "linear"]),
    st.floats(1.5, 50),
    st.floats(1.5, 1e4),
)
def test_one_cycle_is_torchs_without_the_momentum(
    lr: float, total: int, pct_start: float, strategy: Any, div: float, final_div: float
) -> None:
    assume(pct_start * total != 1)  # torch divides by the climb's length less one step

    def make(optimizer: torch.optim.Optimizer) -> torchs.OneCycleLR:
        return torchs.OneCycleLR(
            optimizer,
            lr,
            total,
            pct_start=pct_start,
            anneal_strategy=strategy,
            cycle_momentum=False,
            div_factor=div,
            final_div_factor=final_div,
        )

    mine = ours(slalom.OneCycleLR(pct_start, strategy, div, final_div), lr, total)
    assert mine == pytest.approx(rates_of(make, lr, total), rel=1e-6)


@given(LR, TOTAL, st.integers(1, 30), st.floats(0.01, 1), st.floats(0.5, 1))
def test_warm_up_is_torchs_linear_lr_times_the_next_schedule(
    lr: float, total: int, steps: int, factor: float, gamma: float
) -> None:
    def make(optimizer: torch.optim.Optimizer) -> torchs.ChainedScheduler:
        return torchs.ChainedScheduler(
            [
                torchs.LinearLR(optimizer, factor, total_iters=steps),
                torchs.ExponentialLR(optimizer, gamma),
            ]
        )

    mine = ours(slalom.Warmup(steps, factor, slalom.ExponentialLR(gamma)), lr, total)
    assert mine == pytest.approx(rates_of(make, lr, total), rel=1e-9)


def test_a_constant_schedule_changes_nothing() -> None:
    assert ours(slalom.Constant(), 0.3, 4) == [0.3] * 4


@pytest.mark.parametrize("total", [1, 2, 3])
def test_one_cycle_of_very_few_steps_stays_between_its_ends(total: int) -> None:
    for rate in ours(slalom.OneCycleLR(), 1.0, total):
        assert 0 < rate <= 1


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: slalom.StepLR(0), "step_size"),
        (lambda: slalom.StepLR(2.5), "step_size"),
        (lambda: slalom.StepLR(2, gamma=0), "gamma"),
        (lambda: slalom.ExponentialLR(-1), "gamma"),
        (lambda: slalom.CosineAnnealingLR(0), "T_max"),
        (lambda: slalom.CosineAnnealingLR(eta_min=-1), "eta_min"),
        (lambda: slalom.OneCycleLR(pct_start=1), "pct_start"),
        (lambda: slalom.OneCycleLR(anneal_strategy="sine"), "anneal_strategy"),
        (lambda: slalom.OneCycleLR(div_factor=0), "div_factor"),
        (lambda: slalom.OneCycleLR(final_div_factor=0), "final_div_factor"),
        (lambda: slalom.Warmup(0), "steps"),
        (lambda: slalom.Warmup(3, start_factor=0), "start_factor"),
        (lambda: slalom.Warmup(3, then="cosine"), "then"),
    ],
)
def test_a_senseless_schedule_is_refused_by_name(make: Any, named: str) -> None:
    with pytest.raises(BadPlan, match=rf": {named} must be "):
        make()
