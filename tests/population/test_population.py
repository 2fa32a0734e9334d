"""Who is trained: grids, random samples, single nets."""

import re
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import loguniform, randint

from slalom import MLP, SGD, Adam, Member, Net, Population, RMSprop, grid, sample
from slalom.core.errors import BadPlan
from slalom.optim import Constant, StepLR
from slalom.population import Grid, as_population
from tests.strategies import choices, grids, lists, populations


def test_a_grid_is_every_combination_the_last_argument_turning_fastest() -> None:
    nets, rates, seeds = [MLP(8, w, 1) for w in (4, 16)], np.logspace(-4, -1, 3), range(4)
    population = grid(net=nets, optimizer=[Adam, RMSprop], lr=rates, seed=seeds)
    expected = [
        Member(net, kind(lr=float(lr)), seed=seed)
        for net, kind, lr, seed in product(nets, [Adam, RMSprop], rates, seeds)
    ]
    assert len(population) == 2 * 2 * 3 * 4
    assert list(population) == expected
    assert grid(seed=seeds, net=nets).members[1] == Member(nets[1], seed=0)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@given(choices)
def test_a_member_of_a_grid_is_made_of_the_choices_at_its_place(chosen: dict[str, Any]) -> None:
    population = grid(**chosen)
    combinations = list(product(*map(listed, chosen.values())))
    assert len(population) == len(combinations)
    for member, combination in zip(population, combinations, strict=True):
        for name, value in zip(chosen, combination, strict=True):
            if name == "optimizer":
                assert type(member.optimizer) is type(value)
            elif name == "net":
                assert member.net.widths == value.widths
            elif name in ("activation", "dropout"):
                assert getattr(member.net, name) == value
            elif name in ("lr", "weight_decay"):
                assert getattr(member.optimizer, name) == value
            else:
                assert getattr(member, name) == value


@given(grids, st.data())
def test_a_grid_is_the_population_of_its_members(
    population: Population, data: st.DataObject
) -> None:
    members = list(population)
    listed = Population(members)
    assert population == listed and listed == population
    assert hash(population) == hash(listed)
    assert population != Population([*members, members[0]])
    assert population.on_folds(3) == listed.on_folds(3)
    assert population + listed == listed + population == Population(members + members)
    assert hash(population + listed) == hash(Population(members + members))
    start = data.draw(st.integers(0, len(members) - 1))
    step = data.draw(st.integers(1, 3))
    assert list(population[start::step]) == members[start::step]
    assert population[start - len(members)] == members[start]
    with pytest.raises(IndexError):
        population[len(members)]


@given(populations, st.fixed_dictionaries({}, optional={"lr": st.just(0.5), "seed": st.just(3)}))
def test_what_all_members_have_in_common_is_the_same_for_grids_and_lists(
    population: Population, common: dict[str, Any]
) -> None:
    changed = as_population(population, **common)
    assert changed == as_population(list(population), **common)
    assert len(changed) == len(population)
    assert {m.seed for m in changed} == ({3} if "seed" in common else {m.seed for m in population})


def test_a_new_net_or_optimizer_for_all_takes_the_place_of_the_old_with_its_arguments() -> None:
    population = grid(net=MLP(1, 1), activation=["relu", "tanh"], lr=[0.1, 0.2], seed=[0, 1])
    assert (
        list(as_population(population, net=MLP(1, 3, 1)))
        == [Member(MLP(1, 3, 1), Adam(lr), seed=seed) for lr, seed in product([0.1, 0.2], [0, 1])]
        * 2
    )
    assert {m.optimizer for m in as_population(population, optimizer=SGD(0.5))} == {SGD(0.5)}


def test_arguments_of_one_optimizer_may_come_in_any_order() -> None:
    (member,) = grid(net=MLP(1, 1), optimizer=SGD, nesterov=True, momentum=0.9)
    assert member.optimizer == SGD(momentum=0.9, nesterov=True)


@pytest.mark.slow
@given(st.lists(grids | lists, min_size=2, max_size=4))
def test_sums_of_populations_have_the_members_of_all(parts: list[Population]) -> None:
    total = sum(parts[1:], parts[0])
    members = [member for part in parts for member in part]
    assert list(total) == members
    assert [total[k] for k in range(len(total))] == members
    assert list(total.on_folds(2)) == list(Population(members).on_folds(2))


def test_a_grid_of_a_million_keeps_its_choices_alone() -> None:
    rates = np.linspace(0.001, 1, 1000)
    population = grid(net=MLP(1, 10, 1), optimizer=SGD, lr=rates, momentum=rates - 0.001)
    assert len(population) == 1_000_000
    assert population[123_456].optimizer == SGD(float(rates[123]), float(rates[456] - 0.001))
    text = population.dumps()
    assert len(text) < 60_000
    assert Population.loads(text) == population == Population.loads(text)
    assert len(population.on_folds(5)) == 5_000_000
    assert len(as_population(population, batch_size=32)) == 1_000_000


def test_json_of_a_grid_names_each_argument_with_its_choices() -> None:
    text = grid(net=MLP(1, 1), optimizer=["sgd"], lr=[0.1, 0.2]).to_json()
    assert text["members"]["kind"] == "Grid"
    names, values = zip(*text["members"]["choices"], strict=True)
    assert names == ("net", "optimizer", "lr")
    assert values[2] == [0.1, 0.2]
    assert values[1] == [SGD().to_json()]


def test_json_that_lists_the_members_is_read_as_ever() -> None:
    members = '[{"kind": "Member", "net": {"kind": "MLP", "widths": [1, 1]}, "seed": 4}]'
    population = Population.loads('{"kind": "Population", "members": ' + members + "}")
    assert population == Population([Member(MLP(1, 1), seed=4)])


def test_arguments_of_nets_and_optimizers_may_stand_alone() -> None:
    population = grid(
        net=MLP(2, 4, 1),
        activation=["relu", "tanh"],
        dropout=0.1,
        optimizer="adam",
        betas=(0.8, 0.9),
        batch_size=[None, 32],
    )
    assert [m.net.activation for m in population] == ["relu", "relu", "tanh", "tanh"]
    assert [m.batch_size for m in population] == [None, 32, None, 32]
    assert all(m.net.dropout == 0.1 and m.optimizer.betas == (0.8, 0.9) for m in population)


def bottleneck(channels: int = 1, depth: int = 1, *, kernel: int = 3, **more: Any) -> Any:
    raise AssertionError("nobody calls it")


def test_arguments_of_ones_own_net_may_stand_alone() -> None:
    population = grid(net=Net(bottleneck, channels=2), channels=[4, 8], kernel=5, lr=[0.1, 0.2])
    assert [m.net for m in population[::2]] == [
        Net(bottleneck, channels=c, kernel=5) for c in (4, 8)
    ]
    assert grid(net=bottleneck, depth=2)[0].net == Net(bottleneck, depth=2)
    assert sample(1, net=Net(bottleneck), depth=[7])[0].net == Net(bottleneck, depth=7)


def test_numpy_choices_become_plain_numbers() -> None:
    member = grid(net=MLP(1, 1), lr=np.array([0.1]), seed=np.arange(1), batch_size=np.int64(8))[0]
    assert (type(member.optimizer.lr), type(member.seed), type(member.batch_size)) == (
        float,
        int,
        int,
    )


def test_a_sample_draws_the_same_members_for_the_same_seed() -> None:
    def draw(seed: int) -> Population:
        return sample(
            40,
            sample_seed=seed,
            net=[MLP(2, 4, 1), MLP(2, 8, 1)],
            optimizer=[Adam, SGD],
            lr=loguniform(1e-4, 1e-1),
            batch_size=randint(8, 65),
            weight_decay=0.01,
        )

    population = draw(3)
    assert population == draw(3) != draw(4)
    assert all(1e-4 <= m.optimizer.lr <= 1e-1 and 8 <= m.batch_size <= 64 for m in population)
    assert all(m.optimizer.weight_decay == 0.01 for m in population)
    assert {m.net for m in population} == {MLP(2, 4, 1), MLP(2, 8, 1)}
    middle = np.median(np.log10([m.optimizer.lr for m in population]))
    assert -3.2 < middle < -1.8  # log-uniform, so about -2.5


def test_populations_are_sequences() -> None:
    population = grid(net=MLP(1, 1), seed=range(5))
    assert [m.seed for m in population[1:3]] == [1, 2]
    assert population[-1].seed == 4
    assert len(population + population[:2]) == 7
    assert isinstance(population[:2], Population)


def test_on_folds_puts_the_folds_of_a_member_side_by_side() -> None:
    population = grid(net=MLP(1, 1), seed=range(2)).on_folds(3)
    assert [(m.seed, m.fold) for m in population] == [(s, f) for s in range(2) for f in range(3)]


def test_a_single_net_a_member_or_a_list_makes_a_population() -> None:
    member = Member(MLP(1, 1), SGD(0.1), seed=2)
    assert as_population(MLP(1, 1), optimizer=SGD(0.1), seed=2).members == (member,)
    assert as_population(member).members == (member,)
    assert as_population([member, member], lr=0.5)[1] == Member(MLP(1, 1), SGD(0.5), seed=2)
    assert as_population(Population([member]), batch_size=4)[0].batch_size == 4


def test_labels_set_members_apart() -> None:
    assert Member(MLP(1, 1), SGD(0.1), 8, schedule=StepLR(5), clip_norm=1.0).label == (
        "1-1 relu SGD(lr=0.1) StepLR batch 8 clip 1"
    )
    assert Member(MLP(1, 1), SGD(0.1)).schedule == Constant()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: grid(net=MLP(1, 1), lrr=[0.1]), "Did you mean 'lr'"),
        (lambda: grid(net=MLP(1, 1), lr=[]), "lr must have one choice or more"),
        (lambda: grid(net=MLP(1, 1), width=3), "has an argument 'width'. Known: activation, "),
        (
            lambda: grid(net=Net(bottleneck), arguments=3),
            "has an argument 'arguments'. Known: amsg",
        ),
        (lambda: grid(net=Net(bottleneck), chanels=3), "Did you mean 'channels'?"),
        (lambda: grid(lr=[0.1]), "A member needs a net"),
        (lambda: grid(net=MLP(1, 1), optimizer="adma"), "Did you mean 'adam'"),
        (lambda: grid(net=MLP(1, 1), optimizer=SGD, betas=(0.9, 0.9)), "has an argument 'betas'"),
        (lambda: grid(net=MLP(1, 1), lr=[0.1, -1]), "Adam: lr must be a number >= 0, but -1 was"),
        (lambda: grid(net=MLP(1, 1), lr=[0.1, -1e-9, 1.0]), "lr must be a number >= 0, but -1e-09"),
        (lambda: grid(net=MLP(1, 1), lr=[0.1, float("nan")]), "lr must be a number, but nan was"),
        (lambda: grid(net=MLP(1, 1), seed=[0, 1.5]), "seed must be a whole number, but 1.5 was"),
        (lambda: grid(net=MLP(1, 1), seed=[1, True]), "seed must be a whole number, but True was"),
        (lambda: grid(net=MLP(1, 1), batch_size=[8, None, 0]), "batch_size must be a whole number"),
        (
            lambda: grid(net=MLP(1, 1), optimizer=[Adam, SGD], momentum=[0.0, 0.9]),
            "Neither a member, Adam nor MLP has an argument 'momentum'",
        ),
        (
            lambda: grid(
                net=MLP(1, 1), optimizer=SGD, nesterov=[False, True], momentum=[0.9, 0.5, 0.0]
            ),
            "nesterov must be used with momentum > 0",
        ),
        (
            lambda: grid(net=MLP(1, 1), optimizer=[SGD(), SGD(0.1, 0.9)], nesterov=[False, True]),
            "nesterov must be used with momentum > 0",
        ),
        (
            lambda: grid(net=[MLP(1, 1), Net(bottleneck)], activation="tanh"),
            "nor Net has an argument 'activation'",
        ),
        (lambda: Grid([("net", [MLP(1, 1)]), ("net", [])]), "choices must be of arguments that"),
        (lambda: sample(0, net=MLP(1, 1)), "n must be a whole number >= 1"),
        (lambda: sample(2.0, net=MLP(1, 1)), "n must be a whole number >= 1"),
        (lambda: Population([]), "members must be one member or more"),
        (lambda: Population([MLP(1, 1)]), "members must be a tuple, each entry a Member"),
        (lambda: Member(MLP(1, 1), batch_size=0), "batch_size must be a whole number >= 1"),
        (lambda: Member(MLP(1, 1), seed=-1), "seed must be a whole number >= 0"),
        (lambda: Member(MLP(1, 1), seed=2**64), "seed must be below 2^63"),
        (lambda: Member(MLP(1, 1), fold=-1), "fold must be a whole number >= 0"),
        (lambda: Member(MLP(1, 1), clip_norm=0), "clip_norm must be a number > 0"),
        (lambda: Member(MLP(1, 1), schedule="cosine"), "schedule must be a Schedule"),
        (lambda: Member("mlp"), "A net is an MLP, a Net, or"),
    ],
)
def test_a_senseless_population_is_refused(make: Any, message: str) -> None:
    with pytest.raises(BadPlan, match=re.escape(message)):
        make()
