"""Which engine carries a plan out, and what is said about it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import slalom
from slalom import MLP, SGD, Adam, Dataset, Member, Net, Plan, Population, losses
from slalom.core.errors import BadPlan
from slalom.engine import Batched, Engine, Native, Reference, select
from tests.engine.conformance import dataset


class Halves(slalom.optim.Schedule):
    """A schedule of the user's own."""

    def at(self, lr: float, step: Any, total: int) -> Any:
        return lr * 0.5**step


class Cubes(losses.Loss):
    """A loss of the user's own."""

    def value(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        cubes = (output - target).abs() ** 3
        return cubes.mean() if reduction == "mean" else cubes


class Squares(losses.MSE):
    """One that changes one of Slalom's."""

    def value(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        return 2 * super().value(output, target, reduction)


def twice(x: torch.Tensor) -> torch.Tensor:
    return 2 * x


def linear(inputs: int, outputs: int) -> torch.nn.Module:
    return torch.nn.Linear(inputs, outputs)


class Drawing(torch.nn.Linear):
    """Noise of its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x + 0.1 * torch.randn_like(x))


def drawing(inputs: int, outputs: int) -> torch.nn.Module:
    return Drawing(inputs, outputs)


def images(inputs: int, outputs: int) -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(inputs, outputs))


DATA = dataset("regression")
PLAN = Plan(Population([Member(MLP(4, 3, 2))]), losses.MSE(), steps=2)


def with_member(**changes: Any) -> Plan:
    """A plan whose second member differs."""
    own = replace(Member(MLP(4, 3, 2)), **changes)
    return replace(PLAN, population=Population([*PLAN.population, own]))


OTHERS: list[tuple[Plan, Dataset, str]] = [
    (
        with_member(net=MLP(4, 3, 2, activation=twice)),
        DATA,
        "The activation of 4-3-2 twice is a function of your own.",
    ),
    (
        with_member(net=Net(linear, inputs=4, outputs=2)),
        DATA,
        "is not an MLP.",
    ),
    (with_member(schedule=Halves()), DATA, "The schedule Halves is not one of Slalom's own."),
    (replace(PLAN, loss=Cubes()), DATA, "The loss Cubes is not one of Slalom's own."),
    (replace(PLAN, loss=Squares()), DATA, "The loss Squares is not one of Slalom's own."),
]


@pytest.mark.parametrize(
    "net", [MLP(4, 2), MLP(4, 3, 2), MLP(4, 300, 1, 7, 2, activation="mish", dropout=0.5)]
)
def test_auto_takes_the_native_engine_for_fully_connected_nets_without_a_word(net: MLP) -> None:
    engine, note = select("auto", with_member(net=net), DATA)
    assert isinstance(engine, Native)
    assert note == ""


@pytest.mark.parametrize(
    ("plan", "data", "note"), OTHERS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_auto_takes_the_reference_engine_for_the_rest_and_says_why(
    plan: Plan, data: Dataset, note: str
) -> None:
    engine, said = select("auto", plan, data)
    assert isinstance(engine, Reference)
    assert said.endswith(note)
    state = engine.start(plan, data)
    assert len(engine.advance(state, 2)) > 0


def many(net: Net, members: int, steps: int) -> Plan:
    return replace(PLAN, population=slalom.grid(net=net, seed=range(members)), steps=steps)


@pytest.mark.parametrize(
    ("members", "steps", "kind"),
    [(10, 50, Batched), (3, 167, Batched), (10, 49, Reference), (2, 10_000, Reference)],
)
def test_auto_takes_the_batched_engine_where_members_that_share_a_net_take_many_steps(
    members: int, steps: int, kind: type[Engine]
) -> None:
    engine, note = select("auto", many(Net(linear, inputs=4, outputs=2), members, steps), DATA)
    assert isinstance(engine, kind)
    assert note.endswith("is not an MLP.")


def test_auto_looks_at_what_most_of_the_steps_are() -> None:
    shared, alone = (many(Net(linear, inputs=4, outputs=2), n, 400) for n in (4, 1))
    others = [Member(Net(linear, inputs=4, outputs=2), batch_size=b) for b in range(10, 20)]
    plan = replace(PLAN, population=shared.population + Population(others[:4]), steps=400)
    assert isinstance(select("auto", plan, DATA)[0], Batched)
    plan = replace(plan, population=alone.population + Population(others))
    assert isinstance(select("auto", plan, DATA)[0], Reference)


def test_what_the_batched_engine_refuses_goes_to_the_reference_engine_with_both_reasons() -> None:
    engine, note = select("auto", many(Net(drawing, inputs=4, outputs=2), 5, 300), DATA)
    assert isinstance(engine, Reference)
    assert "is not an MLP. The net drawing(inputs=4, outputs=2) cannot be stacked: it draws" in note


def test_auto_takes_the_reference_engine_for_rows_that_are_not_in_a_line() -> None:
    data = Dataset(np.zeros((5, 2, 2)), np.zeros(5), task="regression")
    plan = replace(PLAN, population=Population([Member(MLP(2, 2))]))
    engine, note = select("auto", plan, data)
    assert isinstance(engine, Reference)
    assert note == "A row of the dataset has features of shape (2, 2), not in a line."


@pytest.mark.parametrize(
    ("plan", "data", "note"), OTHERS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_the_native_engine_refuses_what_it_cannot_train_in_a_paragraph(
    plan: Plan, data: Dataset, note: str
) -> None:
    engine, said = select("native", plan, data)
    assert said == ""
    with pytest.raises(BadPlan) as refused:
        engine.start(plan, data)
    message = str(refused.value)
    assert message.startswith("The native engine cannot carry this plan out. ")
    assert note in message
    assert message.endswith("or take engine='reference'.")
    assert "\n" not in message
    with pytest.raises(BadPlan, match="The native engine cannot carry this plan out"):
        slalom.train(plan, data, engine="native")


BROKEN = """
import sys
sys.modules["numba"] = None  # as where it was built for another machine
import slalom
from slalom.core.errors import BadPlan
data = slalom.toys.quadratic(20)
run = slalom.train(slalom.MLP(1, 3, 1), data, steps=3)
print(run.engine.name, *run.notes)
try:
    slalom.train(slalom.MLP(1, 3, 1), data, steps=3, engine="native")
except BadPlan as error:
    print(error)
"""


@pytest.mark.slow
def test_a_broken_numba_leaves_the_reference_engine_working_with_a_word() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BROKEN], capture_output=True, text=True, check=True
    )
    trained, refused = done.stdout.splitlines()
    assert trained.startswith("reference The reference engine trained, which is slower. ")
    assert "The native engine cannot be loaded (ModuleNotFoundError: import of numba" in trained
    assert refused.startswith("The native engine cannot be loaded (ModuleNotFoundError")


def test_an_engine_by_name_is_that_engine() -> None:
    for name, kind in (("native", Native), ("batched", Batched), ("reference", Reference)):
        engine, note = select(name, PLAN, DATA)
        assert isinstance(engine, kind)
        assert (engine.name, note) == (name, "")


@pytest.mark.parametrize("make", [Native, Batched, Reference])
def test_an_engine_that_is_given_is_taken_as_it_is(make: Callable[[], Engine]) -> None:
    engine = make()
    assert select(engine, PLAN, DATA) == (engine, "")


@pytest.mark.parametrize("name", ["nativ", "torch", "Native", ""])
def test_an_unknown_engine_is_refused_with_the_names_that_there_are(name: str) -> None:
    with pytest.raises(BadPlan, match=f"No engine is called '{name}'.*native"):
        select(name, PLAN, DATA)


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
@pytest.mark.parametrize("engine", ["auto", "native"])
def test_threads_are_a_whole_number_from_one_on(engine: str, threads: Any) -> None:
    with pytest.raises(BadPlan, match=f"threads must be a whole number >= 1, but {threads!r} was"):
        select(engine, PLAN, DATA, threads)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_reach_the_native_engine(threads: int) -> None:
    engine, _ = select("auto", PLAN, DATA, threads)
    assert isinstance(engine, Native)
    assert engine.threads == threads


def test_a_training_says_which_engine_it_took() -> None:
    run = slalom.train(MLP(4, 3, 2), DATA, optimizer=SGD(0.1), steps=2)
    assert run.engine.name == "native"
    run = slalom.train(MLP(4, 3, 2), DATA, optimizer=Adam(0.1), steps=2, engine="reference")
    assert run.engine.name == "reference"
