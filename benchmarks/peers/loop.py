"""The loop that a person writes: one member, `torch.optim`, one batch after another."""

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

from peers.contestant import Contestant
from peers.job import Job

FUSED = {"SGD", "Adagrad", "Adam"}  # the optimizers that torch has in one pass on the CPU


class Loop(Contestant):
    """Tensors and no DataLoader; the losses stay tensors until the end of a stretch.

    Args:
        fused: let torch update in one pass, where it can.
    """

    threads = 1

    def __init__(self, job: Job, steps: int, fused: bool = True) -> None:
        super().__init__(job, steps)
        self.X, self.y = torch.from_numpy(job.X), torch.from_numpy(job.y)
        self.batches = job.batches(steps)
        self.net = job.module()
        (member,) = job.population()
        self.optimizer = member.optimizer.build(self.net.parameters())
        if fused and member.optimizer.kind in FUSED:
            arguments = {**self.optimizer.defaults, "fused": True, "foreach": None}
            self.optimizer = type(self.optimizer)(self.net.parameters(), **arguments)

    def advance(self, stretches: int) -> NDArray[np.float32]:
        for _ in range(stretches):
            losses = [self.step(self.X[rows], self.y[rows]) for rows in self.batches]
        return torch.stack(losses).numpy()[:, None]

    def step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        self.optimizer.zero_grad()
        loss = mse_loss(self.net(x), y)
        loss.backward()
        self.optimizer.step()
        return loss.detach()


class TwoThreads(Loop):
    """The same with both cores inside torch, for a member that is alone."""

    threads = 2


class Loader(Loop):
    """The same with a real DataLoader without workers, in whole epochs."""

    def __init__(self, job: Job, steps: int) -> None:
        super().__init__(job, steps, fused=False)
        self.epochs = max(1, round(steps / job.steps_per_epoch))
        self.steps = self.epochs * job.steps_per_epoch
        generator = torch.Generator().manual_seed(job.seed)
        data = TensorDataset(self.X, self.y)
        self.loader = DataLoader(data, job.batch_rows, shuffle=True, generator=generator)

    def advance(self, stretches: int) -> NDArray[np.float32]:
        for _ in range(stretches):
            losses = [self.step(x, y) for _ in range(self.epochs) for x, y in self.loader]
        return torch.stack(losses).numpy()[:, None]


Unfused = partial(Loop, fused=False)
