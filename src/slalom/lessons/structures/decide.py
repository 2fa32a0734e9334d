"""Deciding: a net that asks its own numbers how often they go through its layer."""

from typing import Any, NamedTuple

import torch

from slalom.lessons.structures.graph import nodes

INPUTS = (0.7, 0.3, 0.01)


class Doubling(torch.nn.Module):
    """Sends a positive number `[1, 1]` through its one layer until it is 1 or more.

    The weight is 2 and the bias 0, so that it can be followed by hand.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        torch.nn.init.constant_(self.layer.weight, 2)
        torch.nn.init.zeros_(self.layer.bias)
        self.passed: list[float] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.passed = [x.item()]
        while x < 1:
            x = self.layer(x)
            self.passed.append(x.item())
        return x


class Decided(NamedTuple):
    """What came of a number: itself after each turn, nodes of the graph, slope by the weight."""

    passed: list[float]
    nodes: int
    gradient: float

    @property
    def turns(self) -> int:
        """How often it went through the layer."""
        return len(self.passed) - 1


def decide(number: float) -> Decided:
    """Send a positive number through the net, and the gradient back if there is a way."""
    net = Doubling()
    output = net(torch.tensor([[number]]))
    if not output.requires_grad:  # no turn, so no weight was used
        return Decided(net.passed, 0, 0.0)
    output.backward()
    assert net.layer.weight.grad is not None  # backward() made it
    return Decided(net.passed, nodes(output), net.layer.weight.grad.item())


def numbers() -> dict[str, Any]:
    """What prose and script name."""
    decided = [decide(number) for number in INPUTS]
    return {
        "inputs": list(INPUTS),
        "outputs": [each.passed[-1] for each in decided],
        "turns": [each.turns for each in decided],
        "turn_nodes": [each.nodes for each in decided],
        "turn_gradients": [each.gradient for each in decided],
    }
