"""JAX on a map of training: nets of one hidden layer of tanh, that differ in rate and momentum."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray


class Mapped:
    """Members by `vmap`, their steps as one `scan`, all in one compiled program.

    Args:
        first: weights that all of them start from, as torch has them: of the hidden layer `[H, I]`
            and `[H]`, of the output `[1, H]` and `[1]`.
        X, y: rows, `[N, I]` and `[N]`.
        steps: of full batches.
    """

    def __init__(
        self,
        first: list[NDArray[np.float32]],
        X: NDArray[np.float32],
        y: NDArray[np.float32],
        steps: int,
    ) -> None:
        gradient = jax.value_and_grad(lambda weights: _loss(weights, X, y))

        def step(state: Any, rate: Any, momentum: Any) -> Any:
            weights, speed = state
            loss, slope = gradient(weights)
            speed = jax.tree.map(lambda v, g: momentum * v + g, speed, slope)
            return (jax.tree.map(lambda p, v: p - rate * v, weights, speed), speed), loss

        def trained(rate: Any, momentum: Any) -> Any:
            none = [jnp.zeros_like(p) for p in first]
            _, losses = lax.scan(
                lambda state, _: step(state, rate, momentum), (first, none), length=steps
            )
            return losses[-1]

        self._trained = jax.jit(jax.vmap(trained))

    def losses(self, rate: NDArray[np.float64], momentum: NDArray[np.float64]) -> Any:
        """The losses of the last steps, one a member."""
        found = self._trained(rate.astype(np.float32), momentum.astype(np.float32))
        return np.asarray(jax.block_until_ready(found))


def _loss(weights: list[Any], X: Any, y: Any) -> Any:
    hidden = jnp.tanh(X @ weights[0].T + weights[1])
    return jnp.mean((hidden @ weights[2][0] + weights[3][0] - y) ** 2)
