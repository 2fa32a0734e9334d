"""The updates of torch.optim for stacks of members, each with its own learning rate."""

from math import log, sqrt
from typing import Any

import torch

from slalom.optim import Adam, Optimizer, RMSprop


def update(
    spec: Optimizer, xp: Any, p: Any, g: Any, slots: tuple[Any, ...], lr: Any, t: Any
) -> Any:
    """One parameter after step `t` (from 1), and its slots, as pure functions for compilers.

    Args:
        spec: the optimizer; its learning rate is not looked at.
        xp: `torch` or `jax.numpy`.
        p, g, slots: the parameter, its gradient and what the optimizer remembers.
        lr: broadcasts over `p`.
        t: a float32 scalar of `xp`.
    """
    if spec.name == "SGD":
        return p - lr * g, ()
    if spec.name == "Momentum":
        buffer = spec.momentum * slots[0] + g
        return p - lr * buffer, (buffer,)
    if spec.name == "Adagrad":
        total = slots[0] + g * g
        return p - lr * g / (xp.sqrt(total) + spec.eps), (total,)
    if isinstance(spec, RMSprop):
        square = spec.alpha * slots[0] + (1 - spec.alpha) * g * g
        return p - lr * g / (xp.sqrt(square) + spec.eps), (square,)
    assert isinstance(spec, Adam), spec
    (b1, b2), (m, v) = spec.betas, slots
    m, v = m + (1 - b1) * (g - m), b2 * v + (1 - b2) * g * g
    # 1 - b^t without the rounding of a power close to 1
    first, second = (-xp.expm1(t * log(b)) for b in (b1, b2))
    return p - lr / first * m / (xp.sqrt(v) / xp.sqrt(second) + spec.eps), (m, v)


class InPlace:
    """The same on lists of tensors in place, with torch's multi-tensor operations.

    Args:
        spec: the optimizer; its learning rate is not looked at.
        parameters: one tensor a layer's weights or biases, members along the first axis.
        lrs: one a member.
    """

    def __init__(self, spec: Optimizer, parameters: list[torch.Tensor], lrs: torch.Tensor) -> None:
        self.spec, self.parameters, self.t = spec, parameters, 0
        self.lrs = broadcast(lrs, parameters)
        self.slots = [[torch.zeros_like(p) for p in parameters] for _ in spec.slots]

    @torch.no_grad()
    def step(self, gradients: tuple[torch.Tensor, ...]) -> None:
        self.t += 1
        torch._foreach_addcmul_(self.parameters, self._direction(gradients), self.lrs, value=-1)

    def _direction(self, g: tuple[torch.Tensor, ...]) -> Any:
        spec, slots = self.spec, self.slots
        if spec.name == "SGD":
            return g
        if spec.name == "Momentum":
            torch._foreach_mul_(slots[0], spec.momentum)
            torch._foreach_add_(slots[0], g)
            return slots[0]
        if spec.name == "Adagrad":
            torch._foreach_addcmul_(slots[0], g, g)
            return self._divided(g, slots[0], 1.0)
        if isinstance(spec, RMSprop):
            torch._foreach_mul_(slots[0], spec.alpha)
            torch._foreach_addcmul_(slots[0], g, g, value=1 - spec.alpha)
            return self._divided(g, slots[0], 1.0)
        assert isinstance(spec, Adam), spec
        (b1, b2), (m, v) = spec.betas, slots
        torch._foreach_lerp_(m, g, 1 - b1)
        torch._foreach_mul_(v, b2)
        torch._foreach_addcmul_(v, g, g, value=1 - b2)
        direction = self._divided(m, v, sqrt(1 - b2**self.t))
        torch._foreach_div_(direction, 1 - b1**self.t)
        return direction

    def _divided(self, above: Any, squares: list[torch.Tensor], scale: float) -> Any:
        """`above / (sqrt(squares) / scale + eps)`."""
        below = torch._foreach_sqrt(squares)
        if scale != 1.0:
            torch._foreach_div_(below, scale)
        torch._foreach_add_(below, self.spec.eps)
        return torch._foreach_div(above, below)


def broadcast(lrs: torch.Tensor, parameters: list[torch.Tensor]) -> list[torch.Tensor]:
    """Learning rates `[P]` in shapes that broadcast over each parameter `[P, ...]`."""
    return [lrs.view(-1, *[1] * (p.dim() - 1)) for p in parameters]
