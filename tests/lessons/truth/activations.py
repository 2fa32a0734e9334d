from math import inf, isfinite

CLAIMS = {
    "straight_diverged": lambda n: not isfinite(n.straight_loss),
    "curved_diverged": lambda n: not isfinite(n.curved_loss),
    "waved_diverged": lambda n: not isfinite(n.waved_loss),
    "bend_helps": lambda n: 2 * n.curved_loss < n.straight_loss < inf,
    "vanishes": lambda n: 100 * n.default[n.names.index("relu"), 0] < n.default[0, -1],
    "grows": lambda n: n.scaled[n.names.index("relu"), 0] > n.scaled[0, -1],
}

TRIES = {
    "--scale 2.45": lambda n: 1 / 5 < n.relu_scaled < 5,
    # A straight line has the loss 0.0915.
    "--activation sigmoid": lambda n: n.curved_loss > 0.8 * n.straight_loss,
    "--depth 5 --activation tanh": lambda n: 0.05 < n.default[n.names.index("tanh"), 0] < 0.2,
}
