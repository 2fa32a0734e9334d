"""Members of all kinds, stacked, train as each would alone by the reference engine."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import slalom
from slalom import SGD, Adam, Dataset, Member, Muon, Net, Plan, Population, losses
from slalom.core.errors import BadPlan
from slalom.engine import Batched, Native, Reference, State
from slalom.engine.batched.dropout import StackedDropout, keys_of
from slalom.engine.batched.stacking import stacked
from slalom.engine.device import CPU
from slalom.engine.dropout import dropout_mask
from tests.engine.batched.modules import Attending, Choosing, Counting, Noisy, Reassigning
from tests.engine.conformance import (
    OPTIMIZERS,
    Normalized,
    PartlyUsed,
    Recurrent,
    StopAfter,
    assert_same_bits,
    assert_same_records,
    dataset,
    everything,
    plan_of,
)

pytestmark = pytest.mark.slow

NETS = [Net(Normalized, dropout=0.3), Net(PartlyUsed), slalom.MLP(4, 6, 2, dropout=0.2)]
SCHEDULES = [slalom.optim.Constant(), slalom.CosineAnnealingLR(), slalom.ExponentialLR(0.9)]


# Without that which also remembers something of parameters that it never updates.
CHOICES = [o for o in OPTIMIZERS if "initial_accumulator_value" not in o[1]]


@st.composite
def members(draw: st.DrawFn) -> Member:
    name, arguments = draw(st.sampled_from(CHOICES))
    return Member(
        draw(st.sampled_from(NETS)),
        getattr(slalom, name)(**{"lr": 0.01} | arguments),
        # Of 50 rows: batch norm of two rows has a gradient that is nothing but rounding.
        batch_size=draw(st.sampled_from([None, 15, 20])),
        seed=draw(st.integers(0, 3)),
        fold=draw(st.integers(0, 2)),
        schedule=draw(st.sampled_from(SCHEDULES)),
        clip_norm=draw(st.sampled_from([None, 0.5])),
    )


def weighted(data: Dataset) -> Dataset:
    weight = np.linspace(0.5, 2.0, data.rows)
    return Dataset(data.X, data.y, data.task, weight=weight).cross_validation(3)


def assert_close(state: State, expected: State) -> None:
    for name, values in expected.arrays().items():
        np.testing.assert_allclose(getattr(state, name), values, rtol=2e-4, atol=2e-5, err_msg=name)


@pytest.fixture(autouse=True, scope="module")
def small_teams() -> Iterator[None]:
    """Populations of any size train in two threads."""
    with patch("slalom.engine.batched.teams.ENOUGH", 64):
        yield


@settings(max_examples=15, deadline=None)
@given(st.lists(members(), min_size=1, max_size=7), st.booleans())
def test_any_population_ends_where_the_reference_engine_ends(
    population: list[Member], weights: bool
) -> None:
    data = dataset("regression")
    data = weighted(data) if weights else data.cross_validation(3)
    plan = plan_of(*population, epochs=3, patience=2)
    (state, records), (expected, theirs) = (
        everything(engine, plan, data) for engine in (Batched(), Reference())
    )
    assert_close(state, expected)
    order, others = (np.lexsort((r["step"], r["member"])) for r in (records, theirs))
    for name in records.dtype.names:
        np.testing.assert_allclose(
            records[name][order], theirs[name][others], rtol=2e-4, atol=2e-5, err_msg=name
        )


@pytest.mark.parametrize("kind", ["attention", "recurrent"])
def test_sequences_train_as_by_the_reference_engine(kind: str) -> None:
    X = np.random.default_rng(0).normal(size=(40, 6, 2))
    data = Dataset(X, X[:, :, :1].sum(axis=1), "regression").split(validation=0.25)
    net, outputs = (Net(Attending), 2) if kind == "attention" else (Net(Recurrent, hidden=4), 1)
    data = replace(data, y=np.repeat(data.y, outputs, axis=1))
    # Adam would make much of the biases of keys, whose gradients are nothing but rounding.
    plan = plan_of(*(Member(net, SGD(0.05, momentum=0.5), 8, seed=s) for s in range(3)), epochs=4)
    state, _ = everything(Batched(), plan, data)
    assert_close(state, everything(Reference(), plan, data)[0])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_number_of_threads_changes_no_bit(threads: int) -> None:
    data = dataset("regression").split(validation=0.3)
    plan = plan_of(*(Member(NETS[0], Adam(0.02), 16, seed=s) for s in range(40)), epochs=4)
    expected, records = everything(Batched(threads=3), plan, data)
    state, own = everything(Batched(threads=threads), plan, data)
    assert_same_bits(state, expected)
    assert_same_records([own], records)


def test_stretches_change_no_bit_while_members_end_one_after_another() -> None:
    data = dataset("regression").split(validation=0.3)
    rates = [0.1, 1e20, 0.05, 1e30, 0.2, 0.01, 0.15, 0.3]
    plan = plan_of(*(Member(NETS[0], SGD(lr), 7) for lr in rates), epochs=30, patience=3)
    expected, records = everything(Batched(), plan, data)
    assert len(set(expected.step.tolist())) > 4, "members end at different steps"
    state, parts = Batched().start(plan, data), []
    for steps in (1, 2, 3, 5, 8, 13, 21, 34, 55, 1000):
        parts.append(Batched().advance(state, steps))
    assert_same_bits(state, expected)
    assert_same_records(parts, records)


def test_members_that_another_engine_left_apart_catch_up() -> None:
    data = dataset("regression").split(validation=0.3)
    plan = plan_of(*(Member(NETS[2], Adam(0.02), 16, seed=s) for s in range(4)), epochs=6)
    state = Reference().start(plan, data)
    Reference().advance(state, 100, StopAfter(30))
    assert len(set(state.step.tolist())) == 3, "one is done, one on its way, others at the start"
    Batched().advance(state, 100)
    assert_close(state, everything(Reference(), plan, data)[0])


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0), (0, 2), (2, 0)])
def test_a_training_goes_on_by_another_engine(first: int, second: int) -> None:
    engines = [Batched(), Reference(), Native()]
    data = dataset("regression").split(validation=0.3)
    plan = plan_of(*(Member(NETS[2], Adam(0.02), 16, seed=s) for s in range(3)), epochs=6)
    state = engines[first].start(plan, data)
    engines[first].advance(state, 7)
    engines[second].advance(state, 100)
    assert_close(state, everything(Reference(), plan, data)[0])


def test_a_parameter_that_nothing_depends_on_is_left_alone_as_by_torch() -> None:
    data = dataset("regression")
    plan = plan_of(Member(Net(PartlyUsed), Adam(0.01, weight_decay=0.1)), steps=5)
    state, _ = everything(Batched(), plan, data)
    start = Batched().start(plan, data)
    still = state.parameters == start.parameters
    sizes = [p.numel() for p in PartlyUsed().parameters()]
    unused_and_frozen = sum(sizes[:4])
    assert still[:unused_and_frozen].all() and not still[unused_and_frozen:].any()


def test_a_net_that_failed_on_other_rows_is_tried_again() -> None:
    data = dataset("regression")
    one = Dataset(data.X[:1], data.y[:1], data.task)  # of which batch norm has no spread
    net = Net(Normalized, dropout=0.07)  # that no other test knows
    assert Batched().refusal(plan_of(Member(net), steps=1), one) == ""
    assert stacked(net, losses.MSE(), data, CPU).moves.tolist() == [True] * net.size[0]


@given(st.integers(0, 2**62), st.integers(0, 10**6), st.floats(0.01, 0.99))
def test_masks_of_stacked_members_are_those_of_each(seed: int, step: int, p: float) -> None:
    layers = [torch.nn.Dropout(p), torch.nn.Dropout(p)]
    stacked = StackedDropout(torch.nn.Sequential(*layers))
    stacked.keys = torch.from_numpy(keys_of(np.array([seed]), step, 2))[0]
    for number, layer in enumerate(layers):
        expected = dropout_mask(seed, step, number, 40, p)
        np.testing.assert_array_equal(layer(torch.ones(8, 5)).flatten().numpy(), expected)


REFUSED: list[tuple[Any, str]] = [
    ({"net": Net(Noisy)}, "The net Noisy() cannot be stacked: it draws random numbers of its own"),
    ({"net": Net(Choosing)}, "The net Choosing() cannot be stacked: what it does depends on its"),
    ({"net": Net(Reassigning)}, "it keeps numbers where torch.func does not see them"),
    ({"net": Net(Counting)}, "it changes a tensor in place that is no buffer"),
    ({"optimizer": Muon()}, "The optimizer Muon updates matrices as a whole."),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED, ids=lambda v: "")
def test_what_cannot_be_stacked_is_refused_in_a_paragraph(
    changes: dict[str, Any], message: str
) -> None:
    member = replace(Member(slalom.MLP(4, 3, 2)), **changes)
    plan = Plan(Population([member]), losses.MSE(), steps=2)
    with pytest.raises(BadPlan) as refused:
        Batched().start(plan, dataset("regression"))
    said = str(refused.value)
    assert said.startswith("The batched engine cannot carry this plan out. ") and message in said
    assert said.endswith("or take engine='reference'.") and "\n" not in said
