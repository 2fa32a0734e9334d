"""An entire net, or only its parameters, comes back the same; and nothing is run for it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import nn

import slalom
from slalom.core.errors import BadFile, BadPlan
from slalom.models.net_file import (
    STANDARD,
    load_net,
    load_parameters,
    save_net,
    save_parameters,
)
from tests.models.sealing import resealed

NETS: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "mlp": (nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 2)), (5, 3)),
    "without bias": (nn.Linear(3, 2, bias=False), (5, 3)),
    "convolutional": (
        nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, stride=2),
            nn.BatchNorm2d(4, momentum=0.2),
            nn.LeakyReLU(0.2),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(16, 2),
        ),
        (5, 1, 8, 8),
    ),
    "nested": (
        nn.Sequential(
            nn.Sequential(nn.Linear(3, 4), nn.ELU(alpha=0.5)), nn.LayerNorm(4), nn.Softmax(dim=1)
        ),
        (5, 3),
    ),
    "norms": (nn.Sequential(nn.GroupNorm(2, 4), nn.PReLU(4), nn.Softplus(beta=2.0)), (5, 4)),
    "recurrent": (nn.GRU(3, 4, num_layers=2, batch_first=True, bidirectional=True), (5, 6, 3)),
    "long memory": (nn.LSTM(3, 4, dropout=0.1, num_layers=2), (5, 6, 3)),
    "float64": (nn.Sequential(nn.Linear(3, 4).double(), nn.ReLU()).double(), (5, 3)),
    "half": (nn.Linear(3, 4).bfloat16(), (5, 3)),
    "simple recurrent": (nn.RNN(3, 4, nonlinearity="relu"), (5, 6, 3)),
    "transposed": (nn.ConvTranspose1d(2, 3, 4, stride=2, output_padding=1), (5, 2, 7)),
}


def outputs(net: nn.Module, shape: tuple[int, ...]) -> torch.Tensor:
    dtype = next(net.parameters()).dtype
    torch.manual_seed(0)
    found = net.eval()(torch.randn(*shape).to(dtype))
    return found[0] if isinstance(found, tuple) else found  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", NETS)
def test_an_entire_net_comes_back_the_same(name: str, tmp_path: Path) -> None:
    net, shape = NETS[name]
    save_net(net, tmp_path / "net")
    again = load_net(tmp_path / "net")
    assert repr(again) == repr(net)
    assert again.training == net.training
    for (key, one), (other_key, other) in zip(
        net.state_dict().items(), again.state_dict().items(), strict=True
    ):
        assert (key, one.dtype) == (other_key, other.dtype)
        assert torch.equal(one, other)
    assert torch.equal(outputs(again, shape), outputs(net, shape))


def test_what_is_frozen_stays_frozen(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    net[0].weight.requires_grad_(False)
    save_net(net.eval(), tmp_path / "net")
    again = load_net(tmp_path / "net")
    frozen = [name for name, p in again.named_parameters() if not p.requires_grad]
    assert (frozen, again.training) == (["0.weight"], False)


def test_a_net_of_a_run_comes_back(tmp_path: Path) -> None:
    data = slalom.toys.quadratic(50, seed=1)
    net = slalom.train(slalom.MLP(1, 10, 1), data, steps=20).model()
    save_net(net, tmp_path / "net")
    X = torch.from_numpy(data.X)
    assert torch.equal(load_net(tmp_path / "net")(X), net(X))


class Own(nn.Module):
    """A net of the user's."""

    def __init__(self, hidden: int = 4) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, hidden), nn.Linear(hidden, 1)
        self.register_buffer("scale", torch.tensor(2.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale * self.last(self.first(x).relu())


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (Own(), "Own is no standard layer of torch.nn"),
        (nn.Sequential(nn.ReLU(), Own()), "Own is no standard layer of torch.nn"),
        (nn.MultiheadAttention(4, 2, add_bias_kv=True), "does not give the same net back"),
        (nn.TransformerEncoderLayer(4, 2), "does not remember its argument d_model"),
        (nn.Sequential(*[nn.Linear(2, 2)] * 2), "stands twice in the net"),
    ],
)
def test_a_net_that_cannot_be_described_is_refused_with_the_way_out(
    net: nn.Module, message: str, tmp_path: Path
) -> None:
    with pytest.raises(BadPlan, match=message) as refused:
        save_net(net, tmp_path / "net")
    assert "save_parameters" in str(refused.value)
    assert not (tmp_path / "net").exists()


def test_only_the_parameters_go_into_a_net_that_the_user_builds(tmp_path: Path) -> None:
    net, other = Own(), Own()
    save_parameters(net, tmp_path / "net")
    load_parameters(other, tmp_path / "net")
    assert torch.equal(outputs(other, (5, 3)), outputs(net, (5, 3)))


def test_a_state_dict_of_torch_is_read(tmp_path: Path) -> None:
    net, other = Own(), Own()
    torch.save(net.state_dict(), tmp_path / "net.pt")
    load_parameters(other, tmp_path / "net.pt")
    assert torch.equal(outputs(other, (5, 3)), outputs(net, (5, 3)))


def test_a_pickled_net_is_not_opened(tmp_path: Path) -> None:
    torch.save(Own(), tmp_path / "net.pt")
    with pytest.raises(BadFile, match="is no file of tensors alone") as refused:
        load_parameters(Own(), tmp_path / "net.pt")
    assert "torch.save(net.state_dict(), path)" in str(refused.value)
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(BadFile, match="holds list, but a state_dict was expected"):
        load_parameters(Own(), tmp_path / "list.pt")


def test_names_and_shapes_that_differ_are_told_and_the_net_is_left_alone(tmp_path: Path) -> None:
    save_parameters(Own(), tmp_path / "own")
    wide, before = Own(5), Own(5)
    before.load_state_dict(wide.state_dict())
    with pytest.raises(BadPlan, match=r"first.weight of this Own has the shape \[5, 3\], but in"):
        load_parameters(wide, tmp_path / "own")
    assert all(
        torch.equal(a, b) for a, b in zip(wide.parameters(), before.parameters(), strict=True)
    )
    with pytest.raises(BadPlan, match=r"it lacks '0.weight' and it has '.+' \(2 names missing, 5"):
        load_parameters(nn.Sequential(nn.Linear(3, 1)), tmp_path / "own")


def header_of(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["slalom"])  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "layer",
    [
        {"layer": "os.system", "arguments": {}},
        {"layer": "Module", "arguments": {}},
        {"layer": "Linear", "arguments": {"in_features": 10**12, "out_features": 10**12}},
        {"layer": "LSTM", "arguments": {"input_size": 1, "hidden_size": 1, "num_layers": 10**9}},
        {"layer": "Linear", "arguments": {"in_features": "x", "out_features": None}},
        {"layer": "Sequential", "inside": [["a.b", {"layer": "ReLU", "arguments": {}}]]},
        {"layer": "Sequential", "inside": 3},
        {},
        [],
        None,
    ],
)
def test_a_description_of_something_else_is_refused(layer: Any, tmp_path: Path) -> None:
    save_net(nn.Linear(3, 2), tmp_path / "net")
    resealed(tmp_path / "net", header_of(tmp_path / "net") | {"net": layer})
    with pytest.raises(BadFile, match="cannot be built") as refused:
        load_net(tmp_path / "net")
    assert "\n" not in str(refused.value)


def test_files_of_another_kind_are_named(tmp_path: Path) -> None:
    save_parameters(nn.Linear(2, 1), tmp_path / "parameters")
    with pytest.raises(BadFile, match="has the format 'slalom-parameters-1', but 'slalom-net-1'"):
        load_net(tmp_path / "parameters")
    with pytest.raises(BadFile, match="There is no net"):
        load_net(tmp_path / "none")
    (tmp_path / "text").write_text("weights")
    with pytest.raises(BadFile, match="is not a Slalom file of parameters, or is damaged"):
        load_parameters(nn.Linear(2, 1), tmp_path / "text")


def test_every_layer_that_can_be_named_is_a_module_of_torch() -> None:
    assert len(STANDARD) > 100
    assert all(cls.__module__.startswith("torch.nn.") for cls in STANDARD.values())
