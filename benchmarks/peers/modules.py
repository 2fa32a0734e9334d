"""Populations of nets that are not fully connected, and how torch trains them."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.nn.functional import cross_entropy

from slalom import CNN, RNN, Adam, Dataset, Net, grid
from slalom.data.batches import Shuffle
from slalom.engine import Batched
from slalom.losses import CrossEntropy
from slalom.nets import NetSpec
from slalom.plan import Plan

BATCH, RATE, NO_END = 32, 1e-3, 10**9


def normalized() -> nn.Sequential:
    """A fully connected net with batch norm."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10)
    )


class Attending(nn.Module):
    """A transformer encoder of one layer, which hears an image row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.lift = nn.Linear(8, 16)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.0)
        self.tell = nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.tell(self.layer(self.lift(x)).mean(dim=1))


@dataclass(frozen=True)
class Work:
    """A population that tells scikit-learn's digits apart, by Adam in batches of 32.

    Args:
        name: of the net.
        net: its recipe.
        members: each with first weights and batches of its own.
    """

    name: str
    net: NetSpec
    members: int

    def rows(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Features in the shape that the net takes, and digits."""
        images, digits = load_digits(return_X_y=True)
        images = (images / 16).astype(np.float32)
        shape = {"convolutional": (1, 8, 8), "recurrent": (20, 3), "batch norm": (64,)}
        if self.name == "recurrent":  # 20 moments of the pixels
            images = images[:, :60]
        return images.reshape(-1, *shape.get(self.name, (8, 8))), digits

    def batches(self, steps: int) -> torch.Tensor:
        """The rows of each step of each member, `[steps, P, 32]`; short ones are left out."""
        each = []
        for seed in range(self.members):
            shuffle, own = Shuffle(seed, len(self.rows()[1])), []
            while len(own) < steps:
                order = shuffle.order(len(own) // (shuffle.rows // BATCH))
                own += [b for b in order.split(BATCH) if len(b) == BATCH]
            each.append(torch.stack(own[:steps]))
        return torch.stack(each, dim=1)

    def modules(self) -> list[nn.Module]:
        return [self.net.build(seed).float().train() for seed in range(self.members)]


WORKS = {
    "convolutional": CNN((1, 8, 8), 10, filters=(8, 16)),
    "recurrent": RNN(3, 10, hidden=16),
    "batch norm": Net(normalized),
    "transformer": Net(Attending),
}


class Loop:
    """What a person writes: member after member, with torch.optim."""

    threads = 1

    def __init__(self, work: Work, steps: int) -> None:
        X, y = map(torch.from_numpy, work.rows())
        self.batches = [(X[rows], y[rows]) for rows in work.batches(steps)]
        self.modules = work.modules()
        self.optimizers = [torch.optim.Adam(m.parameters(), lr=RATE) for m in self.modules]

    def advance(self) -> NDArray[np.float32]:
        """The losses of a stretch, `[steps, P]`; the next one sees the same batches again."""
        losses = np.empty((len(self.batches), len(self.modules)), dtype=np.float32)
        for k, (module, optimizer) in enumerate(zip(self.modules, self.optimizers, strict=True)):
            for step, (X, y) in enumerate(self.batches):
                optimizer.zero_grad()
                loss = cross_entropy(module(X[k]), y[k])
                loss.backward()
                optimizer.step()
                losses[step, k] = loss.item()
        return losses


class ByHand:
    """torch.func as its own tutorial has it, with Adam over stacked parameters."""

    threads = 2

    def __init__(self, work: Work, steps: int) -> None:
        X, y = map(torch.from_numpy, work.rows())
        self.batches = [(X[rows], y[rows]) for rows in work.batches(steps)]
        modules = work.modules()
        parameters, self.buffers = stack_module_state(modules)
        self.parameters = {name: p.detach() for name, p in parameters.items()}
        self.first = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.second = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.module, self.step = deepcopy(modules[0]), 0

        def loss_of(parameters: Any, buffers: Any, X: Any, y: Any) -> torch.Tensor:
            return cross_entropy(functional_call(self.module, (parameters, buffers), (X,)), y)

        self.gradients = vmap(grad_and_value(loss_of))

    def advance(self) -> NDArray[np.float32]:
        return np.stack([self._one(X, y) for X, y in self.batches])

    def _one(self, X: torch.Tensor, y: torch.Tensor) -> NDArray[np.float32]:
        self.step += 1
        gradients, losses = self.gradients(self.parameters, self.buffers, X, y)
        for name, g in gradients.items():
            m, v = self.first[name], self.second[name]
            m.lerp_(g, 0.1)
            v.mul_(0.999).addcmul_(g, g, value=0.001)
            size = (v.sqrt() / (1 - 0.999**self.step) ** 0.5).add_(1e-8)
            self.parameters[name].addcdiv_(m, size, value=-RATE / (1 - 0.9**self.step))
        return losses.numpy()


class Together:
    """Slalom's batched engine; drawing and gathering the batches is part of its time."""

    threads = 2

    def __init__(self, work: Work, steps: int) -> None:
        X, y = work.rows()
        data = Dataset(X, y, task="classification")
        population = grid(
            net=work.net, optimizer=Adam, lr=RATE, batch_size=BATCH, seed=range(work.members)
        )
        self.steps = steps
        plan = Plan(population, CrossEntropy(), steps=NO_END, record="step")
        self.session = Batched().prepare(plan, data)
        self.state = self.session.start()

    def advance(self) -> NDArray[np.float32]:
        records = self.session.advance(self.state, self.steps)
        order = np.lexsort((records["member"], records["step"]))
        return records["train_loss"][order].reshape(self.steps, -1).astype(np.float32)
