"""The convolutional net."""

import torch

from slalom.nets.activations import Function, build_activation, check_activation
from slalom.nets.net import NetSpec


class CNN(NetSpec):
    """A convolutional net: convolutions with an activation and a pooling each, then dense layers.

    Builds `Sequential(Conv2d, activation, MaxPool2d, ..., Flatten, [Linear, activation, Dropout,
    ...], Linear)`. A convolution keeps the size of the image (its edges are padded with 0), a
    pooling divides it. Takes `[B, channels, height, width]` and gives `[B, outputs]`.

    Args:
        shape: of an image: channels, height, width.
        outputs: classes, or numbers.
        filters: of each convolution; twice as many behind each pooling is usual.
        kernel: pixels along a side of a filter, an odd number; 3, the smallest that has a middle.
        pooling: pixels along a side of what becomes one, 1 for none.
        hidden: widths of dense layers before the last one.
        activation: a name of `slalom.nets.ACTIVATIONS`, or a function from tensor to tensor.
        dropout: probability that a number that enters a dense layer is dropped in training.

    Raises:
        BadPlan: for a size below 1, an even kernel, an image that is pooled away, an unknown
            activation or one whose gradient is wrong, or a dropout outside [0, 1).

    Example:
        >>> CNN((1, 8, 8), 10, filters=(4,)).build(seed=0)
        Sequential(
          (0): Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
          (1): ReLU()
          (2): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
          (3): Flatten(start_dim=1, end_dim=-1)
          (4): Linear(in_features=64, out_features=10, bias=True)
        )
    """

    shape: tuple[int, int, int]
    outputs: int
    filters: tuple[int, ...] = (16, 32)
    kernel: int = 3
    pooling: int = 2
    hidden: tuple[int, ...] = ()
    activation: str | Function = "relu"
    dropout: float = 0.0

    def module(self) -> torch.nn.Sequential:
        layers: list[torch.nn.Module] = []
        channels, height, width = self.shape
        for filters in self.filters:
            layers.append(torch.nn.Conv2d(channels, filters, self.kernel, padding=self.kernel // 2))
            layers.append(build_activation(self.activation))
            if self.pooling > 1:
                layers.append(torch.nn.MaxPool2d(self.pooling))
            channels = filters
        layers.append(torch.nn.Flatten())
        shrunk = self.pooling ** len(self.filters)
        inputs = channels * (height // shrunk) * (width // shrunk)
        for outputs in (*self.hidden, self.outputs):
            layers += [torch.nn.Dropout(self.dropout)] * bool(self.dropout)
            layers.append(torch.nn.Linear(inputs, outputs))
            layers.append(build_activation(self.activation))
            inputs = outputs
        return torch.nn.Sequential(*layers[:-1])

    @property
    def draws(self) -> bool:
        return False

    @property
    def label(self) -> str:
        sizes = "-".join(map(str, (*self.hidden, self.outputs)))
        name = self.activation
        shown = name if isinstance(name, str) else getattr(name, "__name__", "own")
        dropout = f" dropout {self.dropout:g}" * bool(self.dropout)
        return f"conv {'-'.join(map(str, self.filters))} dense {sizes} {shown}{dropout}"

    def check(self) -> None:
        for name in ("shape", "filters", "hidden"):
            whole = all(size >= 1 for size in getattr(self, name))
            self.require(whole, name, "whole numbers >= 1")
        self.require(len(self.filters) > 0, "filters", "one number or more")
        for name in ("outputs", "pooling"):
            self.require_whole(name, 1)
        self.require(self.kernel % 2 == 1 and self.kernel > 0, "kernel", "an odd number >= 1")
        least = self.pooling ** len(self.filters)
        self.require(
            min(self.shape[1:]) >= least,
            "shape",
            f"{least} x {least} pixels or more for {len(self.filters)} poolings by {self.pooling}",
        )
        self.require(0 <= self.dropout < 1, "dropout", "in [0, 1)")
        check_activation(self.activation)
