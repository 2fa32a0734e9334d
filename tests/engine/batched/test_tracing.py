"""What is written down does again what it was written down from, for other numbers."""

from collections.abc import Callable

import pytest
import torch

from slalom.engine.batched.graph import Tensors, graph_of
from slalom.engine.batched.tracing import Tracer

pytestmark = pytest.mark.slow

HELD = torch.tensor([1.0, 2.0, 3.0])


def changed_in_place(x: torch.Tensor) -> torch.Tensor:
    y = x * 2
    y[0] = 5
    y.view(-1).add_(1)
    return y


def in_parts(x: torch.Tensor) -> torch.Tensor:
    first, *others = x.split([1, 2])
    largest, where = torch.cat([*others, first]).sort(descending=True)
    return largest + where


FUNCTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "a tensor from elsewhere": lambda x: x * HELD + HELD,
    "tensors of its own": lambda x: x + torch.tensor([1.0, 0.5, 2.0]) + torch.arange(3),
    "a number of a tensor from elsewhere": lambda x: x * HELD[1].item(),
    "a number of a tensor of its own": lambda x: x * torch.tensor(4.0).item(),
    "changes in place": changed_in_place,
    "several results": in_parts,
    "nothing at all": lambda x: x,
    "nothing of what it is given": lambda x: HELD,
    "a slope": lambda x: torch.func.grad(lambda z: (z.sin() * HELD).sum())(x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_graph_gives_what_the_function_gives_each_member(name: str) -> None:
    def function(x: torch.Tensor) -> Tensors:
        return (FUNCTIONS[name](x),)

    first, other = torch.randn(2, 4, 3).unbind()
    (found,) = graph_of(function, (first,))(other)
    torch.testing.assert_close(found, torch.stack([FUNCTIONS[name](x) for x in other]))


def test_what_is_given_stays_as_it_is() -> None:
    def function(x: torch.Tensor) -> Tensors:
        x.add_(1)
        return (x * 2,)

    given = torch.zeros(2, 3)
    graph_of(function, (given,))
    assert not given.any()


@pytest.mark.parametrize("ask", [torch.Tensor.item, lambda x: torch.equal(x, x)])
def test_a_number_that_can_be_another_one_is_not_asked_for(ask: Callable[..., object]) -> None:
    x = torch.tensor(1.0)
    with Tracer((x,), {}), pytest.raises(RuntimeError, match="data-dependent"):
        ask(2 * x)
