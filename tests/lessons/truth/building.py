from math import isfinite
from typing import Any

CLAIMS = {
    "nothing_gets_in": lambda n: n.chain_spreads[0] == 0,
    "chain_fades": lambda n: 100 * n.chain_spreads[-1] < n.chain_spreads[0],
    "skip_keeps": lambda n: 2 * n.skip_spreads[-1] > n.chain_spreads[0],
    "gradient_fades": lambda n: 100 * n.chain_gradient < n.skip_gradient,
    "chain_diverged": lambda n: not isfinite(n.chain_loss),
    "chain_blind": lambda n: n.chain_loss > 0.95 * n.y.var(),
    "skip_diverged": lambda n: not isfinite(n.skip_loss),
    "skip_wins": lambda n: isfinite(n.skip_loss) and 2 * n.skip_loss < n.chain_loss,
    "chain_wins": lambda n: isfinite(n.skip_loss) and n.skip_loss > 2 * n.chain_loss,
}


def same_net(n: Any) -> bool:
    return bool((n.class_outputs == n.sequential_outputs).all()) and n.largest_difference == 0


TRIES = {
    "--blocks 1": lambda n: n.chain_loss < 0.6 * n.y.var(),
    "--activation tanh": same_net,
    "--activation tanh --blocks 12": lambda n: not isfinite(n.skip_loss),
    "--activation tanh --blocks 12 --lr 0.01": lambda n: n.skip_loss < 0.5 * n.y.var(),
}
