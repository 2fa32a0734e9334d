"""Remembering: a recurrent net hears a sine in pieces of varying length and says the cosine."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.lessons.structures.graph import nodes
from slalom.nets import Net

Array = NDArray[Any]

TURN = 60  # moments in which the sine goes round once
SHORTEST, LONGEST = 10, 50  # moments in a piece
LATE = 20  # steps at the end whose mean loss is told


class Following(torch.nn.Module):
    """Takes numbers `[n, 1]` and a hidden state, gives as many numbers and the next state."""

    def __init__(self, cell: str, hidden: int) -> None:
        super().__init__()
        self.recurrent = getattr(torch.nn, cell)(1, hidden)
        self.tell = torch.nn.Linear(hidden, 1)

    def forward(
        self, heard: torch.Tensor, state: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        states, state = self.recurrent(heard, state)
        assert state is not None
        return self.tell(states), state


class Piece(NamedTuple):
    """One step: what the net said before it, from moment `start` on, and the graph of its loss."""

    start: int
    said: Array
    loss: float
    nodes: int


@dataclass(frozen=True, eq=False)
class Followed:
    """What came of it.

    Args:
        pieces: one a step.
        carried, emptied: what the trained net says in the turn that follows, `[TURN]`: with the
            hidden state it has, and with an empty one.
    """

    pieces: tuple[Piece, ...]
    carried: Array
    emptied: Array

    @property
    def end(self) -> int:
        """The moment at which the training was over."""
        return self.pieces[-1].start + len(self.pieces[-1].said)

    @property
    def losses(self) -> Array:
        """At each step."""
        return np.array([piece.loss for piece in self.pieces])

    @property
    def lengths(self) -> Array:
        """Of each piece."""
        return np.array([len(piece.said) for piece in self.pieces])

    @property
    def nodes(self) -> Array:
        """In the graph of each step."""
        return np.array([piece.nodes for piece in self.pieces])

    def numbers(self) -> dict[str, Any]:
        """What prose and script name."""
        lengths, nodes = self.lengths, self.nodes
        short, long = lengths.argmin(), lengths.argmax()
        quarter = turn(self.end, TURN)[1].ravel()[: TURN // 4]
        return {
            "lengths": lengths,
            "nodes": nodes,
            "follow_losses": self.losses,
            "first_loss": self.losses[0],
            "late_loss": self.losses[-LATE:].mean(),
            "shortest": lengths[short],
            "shortest_nodes": nodes[short],
            "longest": lengths[long],
            "longest_nodes": nodes[long],
            "nodes_a_moment": (nodes[long] - nodes[short]) / (lengths[long] - lengths[short]),
            "carried_error": np.mean((self.carried[: TURN // 4] - quarter) ** 2),
            "emptied_error": np.mean((self.emptied[: TURN // 4] - quarter) ** 2),
        }

    def claims(self) -> dict[str, bool]:
        """What the prose says of these numbers."""
        numbers = self.numbers()
        return {
            "follows": bool(numbers["late_loss"] < 0.05),
            "learns": bool(numbers["late_loss"] < 0.45),  # 0.5 takes no memory
            "knows_place": bool(numbers["carried_error"] < 0.25),
            "needs_state": bool(numbers["carried_error"] < min(0.25, numbers["emptied_error"] / 2)),
        }


@lru_cache(maxsize=2)
def follow(cell: str, hidden: int, steps: int, lr: float, seed: int) -> Followed:
    """Train on one piece after another, each of a length drawn anew.

    A plain PyTorch loop: the rows of a Slalom dataset have all one shape.
    """
    net = Net(Following, cell=cell, hidden=hidden).build(seed)
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    drawn = np.random.default_rng(seed)
    state, start = None, 0
    pieces = []
    for _ in range(steps):
        heard, wanted = turn(start, int(drawn.integers(SHORTEST, LONGEST + 1)))
        said, state = net(torch.from_numpy(heard), state)
        loss = torch.nn.functional.mse_loss(said, torch.from_numpy(wanted))
        pieces.append(Piece(start, said.detach().numpy()[:, 0], loss.item(), nodes(loss)))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
        optimizer.step()
        state = state.detach()  # its value goes on, its graph does not
        start += len(heard)
    with torch.no_grad():
        next_turn = torch.from_numpy(turn(start, TURN)[0])
        carried, emptied = (net(next_turn, memory)[0].numpy()[:, 0] for memory in (state, None))
    return Followed(tuple(pieces), carried, emptied)


def turn(start: int, moments: int) -> tuple[Array, Array]:
    """Sine and cosine from moment `start` on: float32, `[moments, 1]` each."""
    angle = 2 * np.pi * np.arange(start, start + moments)[:, None] / TURN
    return np.sin(angle).astype(np.float32), np.cos(angle).astype(np.float32)
