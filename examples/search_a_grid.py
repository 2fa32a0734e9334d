"""A population over learning rates and optimizers, with validation rows and early stopping."""

import numpy as np

import slalom
from slalom import MLP, Adam, RMSprop, grid

data = slalom.toys.moons(400, noise=0.2, seed=0).split(validation=0.25)
population = grid(
    net=MLP(2, 16, 2), optimizer=[Adam, RMSprop], lr=np.logspace(-3, -1, 5), seed=range(2)
)
run = slalom.train(population, data, epochs=60, batch_size=32, patience=10)

print(run.leaderboard().head(3)[["rank", "optimizer", "validation_loss", "accuracy", "status"]])
run.plot("grid.png")
