"""Modules that the batched engine is tried on, and those that it refuses."""

import torch
from torch import nn

import slalom


@slalom.trust
class Attending(nn.Module):
    """Sequences of two features, with attention over them."""

    def __init__(self) -> None:
        super().__init__()
        self.lift = nn.Linear(2, 8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
        self.head = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer(self.lift(x)).mean(dim=1))


@slalom.trust
class Noisy(nn.Linear):
    """Draws noise of its own."""

    def __init__(self) -> None:
        super().__init__(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x + 0.1 * torch.randn_like(x))


@slalom.trust
class Choosing(nn.Linear):
    """Goes one way or another by its numbers."""

    def __init__(self) -> None:
        super().__init__(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output = super().forward(x)
        return output if output.sum() > 0 else -output


@slalom.trust
class Reassigning(nn.Linear):
    """Gives its buffer another tensor, where it should change the one it has."""

    def __init__(self) -> None:
        super().__init__(4, 2)
        self.register_buffer("mean", torch.zeros(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output = super().forward(x)
        self.mean = 0.9 * self.mean + output.detach().mean(dim=0)
        return output - self.mean


@slalom.trust
class Counting(nn.Linear):
    """Counts in a tensor that is no buffer."""

    def __init__(self) -> None:
        super().__init__(4, 2)
        self.seen = torch.zeros(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output = super().forward(x)
        self.seen += output.detach().mean(dim=0)
        return output - self.seen
