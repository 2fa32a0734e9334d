"""JAX on the nets of `peers.modules`: members by `vmap`, the steps of a stretch as one `scan`."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from peers.modules import RATE, Work

Parameters = dict[str, Any]


def linear(p: Parameters, name: str, x: Any) -> Any:
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def convolutional(p: Parameters, x: Any) -> Any:
    for name in ("0", "3"):
        layout = ("NCHW", "OIHW", "NCHW")
        x = lax.conv_general_dilated(
            x, p[f"{name}.weight"], (1, 1), "SAME", dimension_numbers=layout
        )
        x = jax.nn.relu(x + p[f"{name}.bias"][:, None, None])
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    return linear(p, "7", x.reshape(len(x), -1))


def recurrent(p: Parameters, x: Any) -> Any:
    """A GRU as torch has it, whose last state is told."""

    def moment(state: Any, heard: Any) -> tuple[Any, None]:
        of_input = heard @ p["recurrent.weight_ih_l0"].T + p["recurrent.bias_ih_l0"]
        of_state = state @ p["recurrent.weight_hh_l0"].T + p["recurrent.bias_hh_l0"]
        (r, z, n), (hr, hz, hn) = (jnp.split(a, 3, axis=-1) for a in (of_input, of_state))
        r, z = jax.nn.sigmoid(r + hr), jax.nn.sigmoid(z + hz)
        n = jnp.tanh(n + r * hn)
        return (1 - z) * n + z * state, None

    empty = jnp.zeros((len(x), p["recurrent.weight_hh_l0"].shape[1]))
    state, _ = lax.scan(moment, empty, x.swapaxes(0, 1))
    return linear(p, "tell", state)


def batch_norm(p: Parameters, x: Any) -> Any:
    x = linear(p, "1", x)
    x = (x - x.mean(axis=0)) / jnp.sqrt(x.var(axis=0) + 1e-5)
    return linear(p, "4", jax.nn.relu(x * p["2.weight"] + p["2.bias"]))


def transformer(p: Parameters, x: Any) -> Any:
    x = linear(p, "lift", x)
    q, k, v = jnp.split(
        x @ p["layer.self_attn.in_proj_weight"].T + p["layer.self_attn.in_proj_bias"], 3, axis=-1
    )
    q, k, v = (a.reshape(*a.shape[:2], 2, -1).swapaxes(1, 2) for a in (q, k, v))
    weights = jax.nn.softmax(q @ k.swapaxes(2, 3) / np.sqrt(q.shape[-1]), axis=-1)
    heads = (weights @ v).swapaxes(1, 2).reshape(x.shape)
    x = _layer_norm(p, "layer.norm1", x + linear(p, "layer.self_attn.out_proj", heads))
    hidden = jax.nn.relu(linear(p, "layer.linear1", x))
    x = _layer_norm(p, "layer.norm2", x + linear(p, "layer.linear2", hidden))
    return linear(p, "tell", x.mean(axis=1))


def _layer_norm(p: Parameters, name: str, x: Any) -> Any:
    x = (x - x.mean(axis=-1, keepdims=True)) / jnp.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    return x * p[f"{name}.weight"] + p[f"{name}.bias"]


FORWARD: dict[str, Callable[[Parameters, Any], Any]] = {
    "convolutional": convolutional,
    "recurrent": recurrent,
    "batch norm": batch_norm,
    "transformer": transformer,
}


class Scanned:
    """A stretch as one compiled program."""

    threads = 2

    def __init__(self, work: Work, steps: int) -> None:
        self.forward = FORWARD[work.name]
        modules = work.modules()
        names = [name for name, _ in modules[0].named_parameters()]
        each = [dict(module.named_parameters()) for module in modules]
        parameters = {n: np.stack([one[n].detach().numpy() for one in each]) for n in names}
        none = {name: np.zeros_like(p) for name, p in parameters.items()}
        self.state: Any = (parameters, none, none, 0.0)
        X, y = work.rows()
        self.data, self.rows = (X, y), work.batches(steps).numpy()
        self.train = jax.jit(lambda state, data, rows: lax.scan(self._step(data), state, rows))

    def advance(self) -> NDArray[np.float32]:
        self.state, losses = self.train(self.state, self.data, self.rows)
        return np.asarray(jax.block_until_ready(losses))

    def _loss(self, parameters: Parameters, X: Any, y: Any) -> Any:
        scores = jax.nn.log_softmax(self.forward(parameters, X))
        return -jnp.take_along_axis(scores, y[:, None], axis=1).mean()

    def _step(self, data: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
        X, y = data
        gradients = jax.vmap(jax.value_and_grad(self._loss))

        def step(state: Any, rows: Any) -> tuple[Any, Any]:
            parameters, first, second, t = state
            t += 1
            losses, g = gradients(parameters, X[rows], y[rows])
            first = jax.tree.map(lambda m, g: m + 0.1 * (g - m), first, g)
            second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, g)
            rate, root = RATE / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
            parameters = jax.tree.map(
                lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + 1e-8),
                parameters,
                first,
                second,
            )
            return (parameters, first, second, t), losses

        return step
