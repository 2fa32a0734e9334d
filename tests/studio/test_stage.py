"""A stage shows PyTorch's numbers at every step that one goes to, whatever way one went."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from slalom.core.errors import BadPlan
from slalom.data import toys
from slalom.studio import looks, stage
from slalom.studio.settings import wanted
from slalom.studio.stage import Stage

SETTINGS: dict[str, Any] = {
    "data": {"toy": "moons", "n": 60, "noise": 0.1, "seed": 3, "held_out": 0.3},
    "hidden": [5, 4],
    "activation": "tanh",
    "optimizer": {"kind": "SGD", "lr": 0.3},
    "batch_size": 8,
    "seed": 2,
}


def plain(steps: int, lr: float = 0.3, then: tuple[int, float] | None = None) -> torch.nn.Module:
    """The same training as anybody would write it."""
    data, rows = toys.moons(60, noise=0.1, seed=3), wanted(SETTINGS).dataset.folds[0].train
    X, y = torch.from_numpy(data.X[rows]), torch.from_numpy(data.y[rows])
    torch.manual_seed(2)
    net = torch.nn.Sequential(
        *(torch.nn.Linear(2, 5), torch.nn.Tanh()),
        *(torch.nn.Linear(5, 4), torch.nn.Tanh()),
        torch.nn.Linear(4, 2),
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(X, y),
        batch_size=8,
        shuffle=True,
        generator=torch.Generator().manual_seed(2),
    )
    done = 0
    while done < steps:
        for batch, target in loader:
            if done == steps:
                break
            if then is not None and done == then[0]:
                optimizer.param_groups[0]["lr"] = then[1]
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(batch), target).backward()
            optimizer.step()
            done += 1
    return net


def parameters(of: torch.nn.Module) -> np.ndarray[Any, Any]:
    return torch.cat([p.detach().flatten() for p in of.parameters()]).numpy()


@pytest.mark.parametrize("step", [0, 1, 7, 23, 40])
def test_after_any_way_to_a_step_the_weights_are_those_of_plain_pytorch(step: int) -> None:
    watched = Stage.of(wanted(SETTINGS))
    for goal in (40, 3, 31, step):
        if goal > watched.furthest:
            watched.advance(goal - watched.step)
        else:
            watched.seek(goal)
        assert watched.step == goal
    found = watched.training.state.parameters
    np.testing.assert_allclose(found, parameters(plain(step)), atol=2e-6)


def test_going_on_with_another_rate_is_what_an_optimizer_does_whose_rate_is_set() -> None:
    watched = Stage.of(wanted(SETTINGS))
    watched.advance(12)
    watched.fork({"lr": 0.05})
    watched.advance(9)
    expected = parameters(plain(21, then=(12, 0.05)))
    np.testing.assert_allclose(watched.training.state.parameters, expected, atol=2e-6)


def test_what_came_after_a_fork_is_forgotten() -> None:
    watched = Stage.of(wanted(SETTINGS))
    watched.advance(20)
    watched.seek(8)
    watched.fork({"lr": 0.05})
    assert (watched.step, watched.furthest) == (8, 8)
    watched.seek(15)
    assert watched.step == 8


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=8))
def test_every_way_to_a_step_leads_to_the_same_bits(goals: list[int]) -> None:
    straight, watched = Stage.of(wanted(SETTINGS)), Stage.of(wanted(SETTINGS))
    watched.advance(60)
    for goal in goals:
        watched.seek(goal)
    straight.advance(goals[-1])
    own = watched.training.state.arrays()
    for name, array in straight.training.state.arrays().items():
        np.testing.assert_array_equal(own[name], array, err_msg=name)
    mine, theirs = watched.training.records, straight.training.records
    for name in theirs.dtype.names or ():
        np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)


@pytest.mark.parametrize(("limit", "room"), [("MEMORY", 20_000), ("MEMORY", 1), ("MOMENTS", 10)])
def test_where_there_is_no_room_for_all_moments_they_are_spread_and_every_step_can_be_seen(
    monkeypatch: pytest.MonkeyPatch, limit: str, room: int
) -> None:
    monkeypatch.setattr(stage, limit, room)
    watched, straight = Stage.of(wanted(SETTINGS)), Stage.of(wanted(SETTINGS))
    for _ in range(300):
        watched.advance(1)
    kept = sorted(watched.moments)
    assert kept[0] == 0 and len(kept) <= 30
    if limit == "MOMENTS":
        assert max(np.diff([*kept, 300])) <= 2 * 300 / (room // 2)
    watched.seek(17)
    straight.advance(17)
    ours, theirs = (s.training.state.parameters for s in (watched, straight))
    np.testing.assert_array_equal(ours, theirs)


def test_what_a_net_says_is_what_its_module_says() -> None:
    watched = Stage.of(wanted(SETTINGS))
    watched.advance(30)
    module = plain(30)
    probe = torch.from_numpy(looks.probe(watched, looks.LINE, looks.SQUARE))
    probabilities = module(probe).softmax(dim=1).detach().numpy()
    _, seen = looks.of_net(watched)
    np.testing.assert_array_equal(seen["winner"][0], probabilities.argmax(axis=1))
    lead = np.abs(probabilities[:, 1] - probabilities[:, 0])
    np.testing.assert_allclose(seen["lead"][0] / 255, lead, atol=0.003)


def test_all_nets_of_a_wall_say_what_each_says_alone() -> None:
    vary = {"width": [1, 3, 8], "lr": [0.01, 0.3]}
    for toy in ("sine", "blobs"):
        own = {**SETTINGS, "data": {"toy": toy, "n": 40}, "vary": vary}
        wall = Stage.of(wanted(own))
        wall.advance(5)
        X = looks.probe(wall, looks.SMALL_LINE, looks.SMALL_SQUARE)
        found = looks.together(wall, X).numpy()
        for k in range(len(wall.population)):
            alone = wall.training.state.outputs(k, X)
            np.testing.assert_allclose(found[k], alone, rtol=1e-5, atol=1e-5)


def test_gradients_are_those_of_the_whole_training_set() -> None:
    watched = Stage.of(wanted(SETTINGS))
    watched.advance(10)
    header, _ = looks.of_net(watched)
    module, data = plain(10), watched.dataset
    module.zero_grad()
    rows = data.folds[0].train
    loss = torch.nn.functional.cross_entropy(
        module(torch.from_numpy(data.X[rows])), torch.from_numpy(data.y[rows])
    )
    loss.backward()  # type: ignore[no-untyped-call]
    layers = [part for part in module if isinstance(part, torch.nn.Linear)]  # type: ignore[union-attr]
    for layer, found in zip(layers, header["gradients"], strict=True):
        assert layer.weight.grad is not None and layer.bias.grad is not None
        expected = float((layer.weight.grad.square().sum() + layer.bias.grad.square().sum()).sqrt())
        assert found == pytest.approx(expected, rel=1e-4)


def test_a_net_that_diverges_says_when_and_can_be_looked_at() -> None:
    watched = Stage.of(
        wanted({**SETTINGS, "data": {"toy": "quadratic"}, "optimizer": {"kind": "SGD", "lr": 1e9}})
    )
    watched.advance(200)
    header, _ = looks.of_net(watched)
    assert header["diverged_at"] > 0
    assert header["done"]


def test_a_fork_that_makes_no_sense_leaves_the_stage_as_it_was() -> None:
    watched = Stage.of(wanted(SETTINGS))
    watched.advance(5)
    with pytest.raises(BadPlan, match="seed cannot be another one"):
        watched.fork({"seed": 4})
    watched.advance(1)
    assert watched.step == 6
