"""Columns: what the members of a population are, as arrays."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slalom import MLP, SGD, Adam, Member, Net, Population, RMSprop, grid
from slalom.population import Columns, grouped
from tests.strategies import populations


def argument_columns(member: Member) -> dict[str, float]:
    """The arguments of its optimizer by the names of the columns."""
    optimizer = member.optimizer
    own = {f.name: getattr(optimizer, f.name) for f in fields(optimizer)}
    first, second = own.pop("betas", (None, None))
    return own if first is None else own | {"beta1": first, "beta2": second}


def assert_tell(columns: Columns, population: Population) -> None:
    """The columns are those of the members, one by one."""
    assert len(columns) == len(population)
    assert len(set(columns.nets)) == len(columns.nets)
    assert len(set(columns.schedules)) == len(columns.schedules)
    for k, member in enumerate(population):
        assert columns.nets[columns.net[k]] == member.net
        assert columns.optimizers[columns.optimizer[k]] is type(member.optimizer)
        assert columns.schedules[columns.schedule[k]] == member.schedule
        assert columns.batch_size[k] == (member.batch_size or 0)
        assert (columns.seed[k], columns.fold[k]) == (member.seed, member.fold)
        assert columns.clip_norm[k] == (np.inf if member.clip_norm is None else member.clip_norm)
        own = argument_columns(member)
        for name, column in columns.arguments.items():
            np.testing.assert_equal(column[k], own.pop(name, np.nan))
        assert not own


@given(populations)
def test_columns_tell_what_each_member_is(population: Population) -> None:
    assert_tell(population.columns(), population)


@given(populations, st.integers(1, 3))
def test_columns_of_the_members_one_by_one_are_the_same(population: Population, folds: int) -> None:
    population = population.on_folds(folds)
    one, other = population.columns(), Population(list(population)).columns()
    for field in fields(Columns):
        np.testing.assert_equal(getattr(one, field.name), getattr(other, field.name), strict=True)


def sized(width: int = 1, momentum: float = 0.0) -> MLP:
    raise AssertionError("nobody calls it")


def test_an_argument_goes_to_the_optimizer_that_has_it_and_else_to_the_net() -> None:
    population = grid(
        net=[Net(sized), Net(sized, width=2)],
        optimizer=[SGD, Adam, RMSprop(alpha=0.5)],
        momentum=[0.5, 0.9],
        width=[3, 4],
    )
    columns = population.columns()
    assert_tell(columns, population)
    np.testing.assert_equal(columns.arguments["momentum"][:6], [0.5, 0.5, 0.9, 0.9, np.nan, np.nan])
    assert columns.nets[columns.net[4]] == Net(sized, width=3, momentum=0.5)


def test_columns_have_the_types_that_engines_read() -> None:
    columns = grid(net=MLP(1, 1), lr=[1, 2]).columns()
    for name in ("net", "optimizer", "schedule"):
        assert getattr(columns, name).dtype == np.int32
    for name in ("batch_size", "seed", "fold"):
        assert getattr(columns, name).dtype == np.int64
    assert columns.clip_norm.dtype == columns.arguments["lr"].dtype == np.float64


@pytest.mark.slow
@given(populations, st.integers(1, 3))
def test_members_that_differ_by_the_fold_alone_are_alike(
    population: Population, folds: int
) -> None:
    population = population.on_folds(folds)
    alike = population.columns().alike().tolist()
    settings = [replace(member, fold=0) for member in population]
    pairs = set(zip(alike, settings, strict=True))
    assert len(pairs) == len(set(alike)) == len(set(settings))


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.5, np.inf])), min_size=1))
def test_groups_agree_in_all_columns(rows: list[tuple[int, float]]) -> None:
    first, groups = grouped(*(np.array(column) for column in zip(*rows, strict=True)))
    distinct = sorted(set(rows))
    assert [distinct[g] for g in groups] == rows
    assert first.tolist() == [rows.index(row) for row in distinct]
