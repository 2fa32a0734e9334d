"""Torch over a whole population at once: bmm, `torch.func.vmap`, and that under `torch.compile`.

Weights are stacked, members along the first axis; two threads inside torch.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.func import grad_and_value, vmap
from torch.nn.functional import linear, mse_loss

from peers.contestant import Contestant
from peers.job import Job
from peers.optimizers import InPlace, broadcast, update


class Stacked(Contestant):
    """What these three have in common: tensors, batches, and the loop over them."""

    def __init__(self, job: Job, steps: int) -> None:
        super().__init__(job, steps)
        self.X, self.y = torch.from_numpy(job.X), torch.from_numpy(job.y)
        self.batches = job.batches(steps)
        self.activation = getattr(torch, job.activation)
        self.lrs = torch.tensor(job.lrs)
        self.parameters = [
            self.stored(p.detach()).expand(job.members, *self.stored(p).shape).clone()
            for p in job.module().parameters()
        ]

    def stored(self, parameter: torch.Tensor) -> torch.Tensor:
        """A parameter as this contestant wants it."""
        return parameter

    def advance(self, stretches: int) -> NDArray[np.float32]:
        for _ in range(stretches):
            losses = [self.step(self.X[rows], self.y[rows]) for rows in self.batches]
        return torch.stack(losses).numpy()

    def step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Update all members; returns their losses `[P]`."""
        raise NotImplementedError

    def member_loss(self, parameters: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """The loss of one member."""
        h = linear(x, *parameters[:2])
        for k in range(2, len(parameters), 2):
            h = linear(self.activation(h), *parameters[k : k + 2])
        return mse_loss(h, y)


class BMM(Stacked):
    """Batched matrix products written out, gradients by autograd, updates in place."""

    def __init__(self, job: Job, steps: int) -> None:
        super().__init__(job, steps)
        self.optimizer = InPlace(job.optimizer, self.parameters, self.lrs)
        for p in self.parameters:
            p.requires_grad_()

    def stored(self, parameter: torch.Tensor) -> torch.Tensor:
        # weights as [I, O]; biases as [1, O], to broadcast over the batch
        return parameter.t() if parameter.dim() == 2 else parameter[None]

    def step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        h = x.expand(self.job.members, *x.shape)
        for k in range(0, len(self.parameters), 2):
            h = torch.baddbmm(
                self.parameters[k + 1], self.activation(h) if k else h, self.parameters[k]
            )
        losses = (h - y).square().mean((1, 2))
        self.optimizer.step(torch.autograd.grad(losses.sum(), self.parameters))
        return losses.detach()


class Vmap(Stacked):
    """`vmap(grad)` of the loss of one member, updates in place."""

    def __init__(self, job: Job, steps: int) -> None:
        super().__init__(job, steps)
        self.optimizer = InPlace(job.optimizer, self.parameters, self.lrs)
        self.gradients = vmap(grad_and_value(self.member_loss), in_dims=(0, None, None))

    def step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        gradients, losses = self.gradients(tuple(self.parameters), x, y)
        self.optimizer.step(gradients)
        return losses


class Compiled(Stacked):
    """The whole step of `vmap(grad)` and the update as one program of `torch.compile`."""

    def __init__(self, job: Job, steps: int) -> None:
        super().__init__(job, steps)
        self.rates = broadcast(self.lrs, self.parameters)
        self.slots = [
            tuple(torch.zeros_like(p) for _ in job.optimizer.slots) for p in self.parameters
        ]
        self.t = torch.zeros(())
        torch._dynamo.reset()  # else old shapes count against the limit of recompilations
        self.compiled = torch.compile(self.functional, dynamic=False)

    def functional(self, parameters: Any, slots: Any, t: Any, rates: Any, x: Any, y: Any) -> Any:
        gradients = vmap(grad_and_value(self.member_loss), in_dims=(0, None, None))
        g, losses = gradients(tuple(parameters), x, y)
        t = t + 1
        each = zip(parameters, g, slots, rates, strict=True)
        updated = [update(self.job.optimizer, torch, p, d, s, lr, t) for p, d, s, lr in each]
        return [p for p, _ in updated], [s for _, s in updated], t, losses

    @torch.no_grad()
    def step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        state = (self.parameters, self.slots, self.t)
        self.parameters, self.slots, self.t, losses = self.compiled(*state, self.rates, x, y)
        return losses
