"""What layers give, beside the same layers called one after another."""

import torch
from torch import nn

import slalom
from slalom import CNN
from slalom.nets.layers import layer_outputs


class Shortcut(nn.Module):
    """One activation for all layers, a function for the last one, and a way around."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 4)
        self.act, self.dropout = nn.Tanh(), nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.dropout(self.act(self.first(x)))
        return self.act(x + self.second(x)) + self.second(x).relu()


def test_a_layer_goes_as_far_as_its_activation() -> None:
    net = CNN((2, 6, 6), 3, filters=(4, 5), hidden=(7,), activation="tanh", dropout=0.5).build(0)
    X = torch.randn(9, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    found = layer_outputs(net.train(), X)
    assert net.training, "as before"
    names = [(layer.number, layer.name, layer.filters) for layer in found]
    assert names == [(1, "tanh", True), (2, "tanh", True), (1, "tanh", False), (2, "linear", False)]
    first = net[0](X).tanh()
    second = net[3](nn.functional.max_pool2d(first, 2)).tanh()
    dense = net[8](nn.functional.max_pool2d(second, 2).flatten(1)).tanh()
    for layer, values in zip(found, (first, second, dense, net.eval()(X)), strict=True):
        torch.testing.assert_close(layer.values, values.detach())
    torch.testing.assert_close(found[0].units, first.detach().permute(0, 2, 3, 1).reshape(-1, 4))
    assert not any(layer._forward_hooks for layer in net)


def test_what_takes_something_else_is_no_part_of_a_layer() -> None:
    net, x = Shortcut(), torch.ones(2, 3)
    found = layer_outputs(net, x)
    assert [layer.name for layer in found] == ["tanh", "linear", "linear"]
    torch.testing.assert_close(found[0].values, net.first(x).tanh().detach())
    torch.testing.assert_close(found[1].values, net.second(net.first(x).tanh()).detach())


def test_a_frozen_trunk_is_looked_through() -> None:
    data = slalom.toys.digits()
    run = slalom.train(CNN((1, 8, 8), 10, filters=(3,)), data, steps=2, batch_size=32)
    behind = slalom.transfer(run, 4).build(1)
    names = [
        (layer.name, layer.values.shape[1])
        for layer in layer_outputs(behind, torch.ones(1, 1, 8, 8))
    ]
    assert names == [("relu", 3), ("linear", 4)]
