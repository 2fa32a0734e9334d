from typing import Any

CLAIMS = {
    "whole": lambda n: n.batches_per_epoch == 1,
    "exact": lambda n: n.last_batch == n.batch_size,
    "order_hurts": lambda n: n.loss_in_order > 1.1 * n.final_losses[2],
    # Means of 32 nets, which the scripts do not train.
    "alike": lambda n: n.same_step.max() / n.same_step.min() < 1.25,
    "more_steps_help": lambda n: n.last_epoch[4] > n.last_epoch[1],
    "single_rows_best": lambda n: (n.last_epoch[1:] >= n.last_epoch[0]).all(),
}


def single_rows_stay_above(n: Any) -> bool:
    return n.last_epoch[0] > max(n.last_epoch[1:3])


TRIES = {
    "--batch-size 5": lambda n: n.batches_per_epoch == 2 and n.last_batch == 5,
    "--batch-size 3": lambda n: n.batches_per_epoch > 2 and n.last_batch == 1,
    "--rows 24 --batch-size 6": lambda n: n.last_batch == 6,
    "--lr 0.2 --epochs 10": single_rows_stay_above,
}
