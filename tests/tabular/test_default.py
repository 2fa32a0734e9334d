"""The default population, how large it is, how long it trains, and its schedule."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from slalom import Population
from slalom.data.batches import steps_per_epoch
from slalom.optim import Adam, AdamW, Constant, CosineAnnealingLR, Warmup
from slalom.tabular import default
from slalom.tabular.elimination import share


def population(
    rows: int = 500,
    epochs: int = 50,
    seed: int = 0,
    operations: float = 1e15,
    numbers: tuple[int, ...] = (0, 4),
    classes: bool = False,
) -> Population:
    members, length = default.default_population(
        inputs=7,
        outputs=3,
        classes=classes,
        numbers=numbers,
        rows=rows,
        folds=1,
        epochs=epochs,
        operations=operations,
        seed=seed,
    )
    assert length == epochs
    return members


def test_the_population_is_as_varied_as_promised() -> None:
    members = population()
    assert len(members) == default.MOST
    assert {len(m.net.widths) for m in members} == {3, 4, 5}
    assert {m.net.activation for m in members} == {"relu", "gelu", "silu"}
    assert len({m.optimizer.lr for m in members}) > 8 and len({m.seed for m in members}) > 50
    assert len(set(members)) == len(members)
    assert {m.optimizer.kind for m in members} == {Adam.kind}
    assert {m.net.dropout for m in members} == {0.0}


def test_nets_that_tell_classes_are_held_back() -> None:
    members = population(classes=True)
    assert {m.optimizer.kind for m in members} == {AdamW.kind}
    assert {m.net.dropout for m in members} == set(default.DROPOUTS)
    assert {m.optimizer.weight_decay for m in members} == set(default.DECAYS)
    plain = sum(m.net.embedding is None for m in members) / len(members)
    assert 0.2 < plain < 0.4


def test_every_net_takes_the_features_and_gives_the_outputs() -> None:
    assert {(m.net.widths[0], m.net.widths[-1]) for m in population()} == {(7, 3)}


def test_numbers_are_embedded_and_nothing_else() -> None:
    assert {m.net.embedding.columns for m in population()} == {(0, 4)}
    assert all(m.net.embedding is None for m in population(numbers=()))


def test_a_row_of_many_numbers_gets_smaller_embeddings_and_at_last_none() -> None:
    def sizes(columns: int) -> set[int]:
        members, _ = default.default_population(
            inputs=columns,
            outputs=1,
            classes=False,
            numbers=tuple(range(columns)),
            rows=100,
            folds=1,
            epochs=2,
            operations=1e15,
            seed=0,
        )
        return {m.net.embedding.size for m in members if m.net.embedding is not None}

    assert sizes(5) == {8, 12, 16, 20}
    assert sizes(50) == {5}
    assert sizes(300) == set()


def test_more_time_keeps_the_candidates_and_adds_to_them() -> None:
    some, more = (list(population(operations=n)) for n in (5e10, 1e11))
    assert default.FEWEST <= len(some) < len(more) < default.MOST
    assert more[: len(some)] == some


def test_the_candidates_take_no_more_operations_than_allowed() -> None:
    members = population(operations=1e11)
    whole = sum(50 * default.operations_of(m, 500) for m in members)
    assert share(1, len(members)) * whole <= 1e11 < whole


def test_what_all_candidates_leave_of_the_operations_goes_into_longer_trainings() -> None:
    def lengths(operations: float, epochs: int | None = None) -> tuple[int, int]:
        members, length = default.default_population(
            inputs=3,
            outputs=1,
            classes=False,
            numbers=(),
            rows=300,
            folds=1,
            operations=operations,
            epochs=epochs,
        )
        schedule = members[0].schedule
        assert isinstance(schedule, Warmup)
        assert schedule.steps == length * steps_per_epoch(300, 16) // 20
        return len(members), length

    usual = default.usual_epochs(300)
    assert lengths(1e9) == (default.FEWEST, usual)
    most = lengths(1e15)
    assert most == (default.MOST, default.LONGEST * usual)
    members, between = next(
        found for e in range(90, 150) if (found := lengths(10 ** (e / 10)))[1] > usual
    )
    assert members == default.MOST and usual < between < default.LONGEST * usual
    assert lengths(1e15, epochs=7) == (default.MOST, 7)


def test_there_are_some_however_little_time_there_is() -> None:
    assert len(population(operations=0.0)) == default.FEWEST


def test_the_same_seed_draws_the_same_and_another_others() -> None:
    assert population(seed=3) == population(seed=3) != population(seed=4)


@given(st.integers(1, 10**7))
def test_batches_are_powers_of_two_from_16_to_256_and_grow_with_the_rows(rows: int) -> None:
    size = default.batch_size(rows)
    assert size in (16, 32, 64, 128, 256)
    assert size <= default.batch_size(rows + 1)


@given(st.integers(1, 10**6))
def test_the_time_grows_with_the_rows_from_10_to_60_seconds(rows: int) -> None:
    assert 10 <= default.seconds(rows) <= default.seconds(rows + 1) <= 60


def test_vectors_twice_as_long_do_twice_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    def done(capability: str) -> float:
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
        return default.operations_in(2.0, 3)

    assert done("AVX512") == 2 * done("AVX2") > 4 * done("DEFAULT") > 0


@pytest.mark.parametrize(("rows", "epochs"), [(2, 1), (50, 3), (500, 50), (40_000, 24)])
def test_the_schedule_rises_for_a_twentieth_and_falls_to_nothing_at_the_end(
    rows: int, epochs: int
) -> None:
    member = population(rows=rows, epochs=epochs)[0]
    total = epochs * steps_per_epoch(rows, default.batch_size(rows))
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
    assert default.shortened(whole, 0.25) == Warmup(25, start_factor=0.1, then=CosineAnnealingLR())
    assert default.shortened(whole, 1e-9).steps == 1  # type: ignore[attr-defined]
    assert default.shortened(Constant(), 0.5) == Constant()
