from typing import Any

import torch

CLAIMS: dict[str, Any] = {}  # every sentence holds at every setting


def all_three_are_the_same(n: Any) -> bool:
    trained = n.trained_outputs
    return torch.equal(trained, n.restored_outputs) and torch.equal(trained, n.rebuilt_outputs)


def far_from_default(n: Any, steps: int) -> Any:
    """How far its outputs are from those of the net of the defaults after so many steps."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(1, 10), torch.nn.ReLU(), torch.nn.Linear(10, 1))
    X, Y = (torch.tensor(values, dtype=torch.float32)[:, None] for values in (n.x, n.y))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(net(X), Y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return (net(X) - n.trained_outputs).abs().max().item()


TRIES = {
    "--width 32 --activation tanh": lambda n: all_three_are_the_same(n) and n.parameters > 31,
    "--steps 1": lambda n: (
        all_three_are_the_same(n) and far_from_default(n, steps=0) < far_from_default(n, steps=500)
    ),
    "--seed 3": lambda n: all_three_are_the_same(n) and far_from_default(n, steps=500) > 0.01,
}
