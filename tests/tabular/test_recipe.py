"""The default population, how long it trains, and its schedule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slalom import Population
from slalom.data.batches import steps_per_epoch
from slalom.optim import Constant, CosineAnnealingLR, Warmup
from slalom.tabular import recipe


def population(rows: int = 500, seeds: int = 4, epochs: int = 50, seed: int = 0) -> Population:
    return recipe.default_population(
        inputs=7, outputs=3, rows=rows, seeds=seeds, epochs=epochs, seed=seed
    )


def test_the_population_is_of_32_members_and_as_varied_as_promised() -> None:
    members = population()
    assert len(members) >= 32
    assert len({m.optimizer.kind for m in members}) >= 3
    assert len({m.optimizer.lr for m in members}) >= 4
    assert len({m.net.widths for m in members}) >= 4
    assert len({m.net.activation for m in members}) >= 3
    assert {m.seed for m in members} == {0, 1, 2, 3}
    assert len(set(members)) == len(members)


def test_every_net_takes_the_features_and_gives_the_outputs() -> None:
    assert {(m.net.widths[0], m.net.widths[-1]) for m in population()} == {(7, 3)}


def test_seeds_begin_at_the_given_one() -> None:
    assert {m.seed for m in population(seed=11, seeds=2)} == {11, 12}


@given(st.integers(1, 10**7))
def test_batches_are_powers_of_two_from_32_to_256_and_grow_with_the_rows(rows: int) -> None:
    size = recipe.batch_size(rows)
    assert size in (32, 64, 128, 256)
    assert size <= recipe.batch_size(rows + 1)


@given(st.integers(2, 10**7))
def test_lengths_are_about_3000_steps_between_24_and_160_passes(rows: int) -> None:
    epochs = recipe.epochs(rows)
    assert 24 <= epochs <= 160
    steps = epochs * steps_per_epoch(rows, recipe.batch_size(rows))
    assert epochs == 24 or steps <= 3000
    assert epochs == 160 or steps > 3000 / 2


@pytest.mark.parametrize(("rows", "epochs"), [(2, 1), (50, 3), (500, 50), (40_000, 24)])
def test_the_schedule_rises_for_a_twentieth_and_falls_to_nothing_at_the_end(
    rows: int, epochs: int
) -> None:
    member = population(rows=rows, epochs=epochs)[0]
    total = epochs * steps_per_epoch(rows, recipe.batch_size(rows))
    schedule = member.schedule
    assert isinstance(schedule, Warmup)
    assert schedule.steps == max(1, total // 20)
    rates = [schedule.at(1.0, step, total) for step in range(total + 1)]
    peak = rates.index(max(rates))
    assert rates[0] == pytest.approx(0.1)
    assert peak <= schedule.steps
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    if total > 1:
        assert rates[-1] == pytest.approx(0, abs=1e-9)


def test_a_shorter_training_has_a_shorter_rise_and_still_falls_to_nothing() -> None:
    whole = Warmup(steps=100, start_factor=0.1, then=CosineAnnealingLR())
    assert recipe.shortened(whole, 0.25) == Warmup(25, start_factor=0.1, then=CosineAnnealingLR())
    assert recipe.shortened(whole, 1e-9).steps == 1  # type: ignore[attr-defined]
    assert recipe.shortened(Constant(), 0.5) == Constant()
