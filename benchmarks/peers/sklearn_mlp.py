"""scikit-learn's MLPRegressor, which goes on from where it was (`warm_start`).

It draws its own weights and batches, trains on half of the squared error, and forgets its moments
between two calls; the losses given here are doubled, so that they compare in size, not in digits.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from peers.contestant import Contestant
from peers.job import Job

OPTIMIZERS = {"SGD", "Momentum", "Adam"}
NEVER = 10**9  # epochs without progress after which it would stop


class SklearnMLP(Contestant):
    """One member, in whole epochs. Records one loss an epoch."""

    own_batches = True

    def __init__(self, job: Job, steps: int) -> None:
        epochs = max(1, round(steps / job.steps_per_epoch))
        super().__init__(job, epochs * job.steps_per_epoch)
        self.epochs = epochs
        self.y = job.y[:, 0]
        self.model = MLPRegressor(
            hidden_layer_sizes=job.widths[1:-1],
            activation=job.activation,
            batch_size=job.batch_rows,
            alpha=0.0,
            random_state=job.seed,
            warm_start=True,
            tol=0.0,
            n_iter_no_change=NEVER,
            **_solver(job),
        )

    def advance(self, stretches: int) -> NDArray[np.float32]:
        self.model.set_params(max_iter=stretches * self.epochs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it is meant to stop there
            self.model.fit(self.job.X, self.y)
        losses = 2 * np.array(self.model.loss_curve_[-self.epochs :], np.float32)
        return losses[:, None]


def _solver(job: Job) -> dict[str, Any]:
    (member,) = job.population()
    optimizer: Any = member.optimizer
    if optimizer.name == "Adam":
        first, second = optimizer.betas
        return {
            "solver": "adam",
            "learning_rate_init": optimizer.lr,
            "beta_1": first,
            "beta_2": second,
            "epsilon": optimizer.eps,
        }
    return {
        "solver": "sgd",
        "learning_rate_init": 2 * optimizer.lr,  # its gradient is half of ours
        "momentum": optimizer.momentum,
        "nesterovs_momentum": False,
    }
