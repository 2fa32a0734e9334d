"""JAX: the steps of a stretch as one compiled `lax.scan`, members by `vmap` or `lax.map`.

Activations are feature-major, `[features, batch]`, which was the quicker of the two layouts here.
The batches of a stretch are gathered inside the program, once for all members.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import lax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as Spec
from numpy.typing import NDArray

from peers.contestant import Contestant
from peers.job import Job
from peers.optimizers import update

# As if there were two devices, so that a population can be cut in two, one half a core.
jax.config.update("jax_num_cpu_devices", 2)


class Scan(Contestant):
    """`how` is "vmap" (members side by side) or "map" (one after another); on 1 or 2 devices."""

    def __init__(self, job: Job, steps: int, how: str, devices: int = 1) -> None:
        super().__init__(job, steps)
        first = [_columns(p.detach().numpy()) for p in job.module().parameters()]
        parameters = [np.repeat(p[None], job.members, axis=0) for p in first]
        slots = [tuple(np.zeros_like(p) for _ in job.optimizer.slots) for p in parameters]
        self.state: Any = (parameters, slots, np.zeros(job.members, np.float32))
        self.lrs = np.array(job.lrs, np.float32)
        self.data = (job.X, job.y, *_rectangle(job, job.batches(steps)))
        self.activation = jax.nn.relu if job.activation == "relu" else jnp.tanh
        self.train = self.side_by_side if how == "vmap" else self.one_by_one
        if devices == 2:
            half, whole = Spec("half"), Spec()
            mesh = Mesh(np.array(jax.devices()[:2]), ("half",))
            self.state = jax.device_put(self.state, NamedSharding(mesh, half))
            self.train = jax.shard_map(
                self.train,
                mesh=mesh,
                in_specs=(half, half, whole, whole),
                out_specs=(half, half),
            )
        self.compiled = jax.jit(self.stretches, donate_argnums=0)

    def advance(self, stretches: int) -> NDArray[np.float32]:
        self.state, losses = self.compiled(self.state, stretches, self.lrs, *self.data)
        jax.block_until_ready((self.state, losses))
        return np.asarray(losses).T

    # What is compiled. Parameters are [O, I] and [O, 1], inputs [I, B].

    def stretches(self, state: Any, count: Any, *arguments: Any) -> Any:
        """All stretches in one call, so that calling costs nothing beside them."""
        none = jnp.zeros((self.job.members, self.steps), jnp.float32)
        return lax.fori_loop(
            0, count, lambda _, done: self.stretch(done[0], *arguments), (state, none)
        )

    def stretch(self, state: Any, lrs: Any, X: Any, y: Any, rows: Any, shares: Any) -> Any:
        if rows is None:
            return self.train(state, lrs, (X.T, y.T), (shares,))
        gathered = (X[rows].swapaxes(1, 2), y[rows].swapaxes(1, 2))
        return self.train(state, lrs, (), (*gathered, shares))

    def side_by_side(self, state: Any, lrs: Any, fixed: Any, batches: Any) -> Any:
        members = jax.vmap(self.step, in_axes=(0, 0, None))
        state, losses = lax.scan(lambda s, b: members(s, lrs, fixed + b), state, batches)
        return state, losses.T

    def one_by_one(self, state: Any, lrs: Any, fixed: Any, batches: Any) -> Any:
        def member(own: Any) -> Any:
            return lax.scan(lambda s, b: self.step(s, own[1], fixed + b), own[0], batches)

        return lax.map(member, (state, lrs))

    def step(self, state: Any, lr: Any, batch: Any) -> Any:
        """One step of one member."""
        parameters, slots, t = state
        loss, gradients = jax.value_and_grad(self.loss)(parameters, *batch)
        each = zip(parameters, gradients, slots, strict=True)
        updated = [update(self.job.optimizer, jnp, p, g, s, lr, t + 1) for p, g, s in each]
        return ([p for p, _ in updated], [s for _, s in updated], t + 1), loss

    def loss(self, parameters: Any, x: Any, y: Any, share: Any) -> Any:
        h = x
        for k in range(0, len(parameters), 2):
            h = parameters[k] @ (self.activation(h) if k else h) + parameters[k + 1]
        return jnp.sum((h - y) ** 2 * share)


def _columns(parameter: NDArray[np.float32]) -> NDArray[np.float32]:
    return parameter if parameter.ndim == 2 else parameter[:, None]


def _rectangle(job: Job, batches: list[torch.Tensor | slice]) -> tuple[Any, Any]:
    """Row numbers `[S, B]`, or None for all rows, and the share of a row in its batch's mean.

    Shares are `[S]` where all batches are as long, else `[S, B]`: short ones are filled up with
    rows that count nothing.
    """
    if job.batch is None:
        return None, np.full(len(batches), 1 / len(job.X), np.float32)
    lengths = np.array([len(b) for b in batches])
    rows = np.zeros((len(batches), job.batch), np.int32)
    for row, batch in zip(rows, batches, strict=True):
        row[: len(batch)] = batch.numpy()
    shares = (1 / lengths).astype(np.float32)
    if lengths.min() == job.batch:
        return rows, shares
    return rows, shares[:, None] * (np.arange(job.batch) < lengths[:, None])
