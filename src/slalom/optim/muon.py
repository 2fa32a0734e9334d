"""Muon: steps of a matrix that are the same in every direction."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar

import torch

from slalom.optim.optimizer import Optimizer, Parameters, Update, groups_of


class Muon(Optimizer):
    """Momentum of each matrix, made orthogonal by Newton-Schulz iterations in bfloat16.

    Matrices are trained by `torch.optim.Muon`, which takes nothing else, and all other parameters
    by `torch.optim.AdamW` with the same rate and decay, as torch advises. Only the reference engine
    trains it: five iterations cost about `30 n^3` operations for a matrix of n x n, its products in
    a batch of B rows `6 B n^2`, so small batches would take many times as long.

    Source: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; `torch/optim/_muon.py`.

    Args:
        lr: what the step is multiplied by.
        weight_decay: decoupled, as in AdamW.
        momentum: what the running sum of gradients keeps.
        nesterov: whether the step looks ahead.
        ns_coefficients: of the polynomial of an iteration.
        eps: least norm that a matrix is divided by.
        ns_steps: iterations.
        adjust_lr_fn: how the rate depends on the shape: "original" (and None), by the root of rows
            over columns where it is above 1; "match_rms_adamw", so that steps are as large as
            AdamW's, and its rates and decays can be kept.

    Example:
        >>> Muon(lr=0.02, adjust_lr_fn="match_rms_adamw").slots
        ('momentum_buffer', 'exp_avg', 'exp_avg_sq')
    """

    lr: float = 1e-3
    weight_decay: float = 0.1
    momentum: float = 0.95
    nesterov: bool = True
    ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315)
    eps: float = 1e-7
    ns_steps: int = 5
    adjust_lr_fn: str | None = None

    updates: ClassVar[dict[tuple[str, ...], Update]] = {}  # a matrix is updated as a whole
    words: ClassVar[dict[str, tuple[str | None, ...]]] = {
        "adjust_lr_fn": (None, "original", "match_rms_adamw")
    }

    @property
    def slots(self) -> tuple[str, ...]:
        """One of a matrix, and two of what is none; those that a parameter has not stay 0."""
        return ("momentum_buffer", "exp_avg", "exp_avg_sq")

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        every = groups_of(parameters)
        matrices = _those(every, lambda p: p.ndim == 2)
        others = _those(every, lambda p: p.ndim != 2)
        arguments: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        parts: list[torch.optim.Optimizer] = []
        if matrices:
            parts.append(torch.optim.Muon(matrices, **arguments))
        if others:
            parts.append(torch.optim.AdamW(others, lr=self.lr, weight_decay=self.weight_decay))
        return _Together(parts)

    def check(self) -> None:
        super().check()
        self.require(0 <= self.ns_steps < 100, "ns_steps", "a whole number from 0 to 99")
        self.require(len(self.ns_coefficients) == 3, "ns_coefficients", "three numbers")
        words = self.words["adjust_lr_fn"]
        self.require(self.adjust_lr_fn in words, "adjust_lr_fn", f"one of {words}")


def _those(groups: list[dict[str, Any]], wanted: Callable[[Any], bool]) -> list[dict[str, Any]]:
    """The groups with some of their parameters, but for those that have none of them."""
    kept = ({**group, "params": list(filter(wanted, group["params"]))} for group in groups)
    return [group for group in kept if group["params"]]


class _Together(torch.optim.Optimizer):
    """Optimizers of different parameters as one."""

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        super().__init__([p for part in parts for g in part.param_groups for p in g["params"]], {})
        self.parts = parts
        self.param_groups = [group for part in parts for group in part.param_groups]
        for part in parts:
            part.state = self.state

    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for part in self.parts:
            part.step()
