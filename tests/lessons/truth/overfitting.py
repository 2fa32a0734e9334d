import numpy as np


def first_lowest(losses: list[float]) -> int:
    return int(np.argmin(losses)) + 1


CLAIMS = {
    "noisy": lambda n: n.noise != 0,
    "final_validation_higher": lambda n: n.validation_losses[-1] > n.training_losses[-1],
    "learned_noise": lambda n: 2 * n.training_losses[-1] < n.noise**2,
    "parted": lambda n: (
        first_lowest(n.validation_losses) > 1
        and n.validation_losses[-1] > 1.1 * min(n.validation_losses)
    ),
    "fell": lambda n: min(n.validation_losses) < n.validation_losses[0],
    "stopped": lambda n: n.stopped_epoch < len(n.validation_losses),
    "missed": lambda n: min(n.validation_losses[: n.stopped_epoch]) > min(n.validation_losses),
    "dropping": lambda n: n.dropout != 0,
    # Slalom and torch drop other neurons, so this number is the lesson's own.
    "dropout_better": lambda n: n.dropout_validation < 0.9 * n.validation_losses[-1],
    "dropout_worse": lambda n: n.dropout_validation > 1.1 * n.validation_losses[-1],
}
TRIES = {
    "--width 5 --epochs 400": lambda n: (
        n.final_training > n.noise_variance and n.final_validation < 1.1 * n.final_training
    ),
    "--noise 0": lambda n: n.best_epoch > 0.9 * n.epochs,
    "--dropout 0.8": lambda n: n.dropout_validation > 2 * n.noise_variance,
    "--rows 200": lambda n: n.final_validation < 1.25 * n.noise_variance,
}
