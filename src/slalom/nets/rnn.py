"""The recurrent net."""

from typing import Literal

import torch

from slalom.nets.net import NetSpec


class LastState(torch.nn.Module):
    """Hears a sequence and gives what a linear layer makes of the state after its last moment."""

    def __init__(self, recurrent: torch.nn.RNNBase, outputs: int, masked: bool) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.tell = torch.nn.Linear(recurrent.hidden_size, outputs)
        self.masked = masked

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.masked:
            outputs: torch.Tensor = self.tell(self.recurrent(x)[0][:, -1])
            return outputs
        states, there = self.recurrent(x[..., :-1])[0], x[..., -1]
        last = there.sum(dim=1, keepdim=True) == torch.arange(1, x.shape[1] + 1, device=x.device)
        outputs = self.tell((states * last[..., None]).sum(dim=1))
        return outputs


class RNN(NetSpec):
    """A recurrent net: hears a sequence moment by moment, and says something at its end.

    Builds a `torch.nn.RNN`, `GRU` or `LSTM` and a `Linear` on its last state. Takes
    `[B, moments, features]` and gives `[B, outputs]`.

    Args:
        features: numbers at each moment.
        outputs: classes, or numbers.
        cell: "RNN" (Elman 1990), "GRU" (Cho et al. 2014), "LSTM" (Hochreiter and Schmidhuber 1997).
            A GRU remembers longer than an RNN and learns faster than an LSTM of its size.
        hidden: size of the state.
        layers: of cells, each hearing the states of the one before.
        masked: whether the sequences have different lengths, as `slalom.sequences` makes them:
            then the last feature says which moments are there, and is none of `features`.

    Raises:
        BadPlan: for a size below 1 or an unknown cell.

    Example:
        >>> RNN(2, 10, hidden=8).build(seed=0)
        LastState(
          (recurrent): GRU(2, 8, batch_first=True)
          (tell): Linear(in_features=8, out_features=10, bias=True)
        )
    """

    features: int
    outputs: int
    cell: Literal["RNN", "GRU", "LSTM"] = "GRU"
    hidden: int = 32
    layers: int = 1
    masked: bool = False

    def module(self) -> LastState:
        kind: type[torch.nn.RNNBase] = getattr(torch.nn, self.cell)
        recurrent = kind(self.features, self.hidden, self.layers, batch_first=True)  # type: ignore[arg-type]
        return LastState(recurrent, self.outputs, self.masked)

    @property
    def draws(self) -> bool:
        return False

    @property
    def label(self) -> str:
        layers = f" x {self.layers}" * (self.layers > 1)
        return f"{self.cell} {self.features}-{self.hidden}-{self.outputs}{layers}"

    def check(self) -> None:
        for name in ("features", "outputs", "hidden", "layers"):
            self.require_whole(name, 1)
