"""Five optimizers start from the same weights and see the same batches. Who is down first?"""

import slalom
from slalom import MLP, SGD, Adagrad, Adam, RMSprop

race = slalom.race(
    MLP(1, 20, 1),
    slalom.toys.quadratic(1000, noise=0.1, seed=1),
    [
        SGD(0.01),
        SGD(0.01, momentum=0.8),
        Adagrad(0.01),
        RMSprop(0.01, alpha=0.9),
        Adam(0.01, betas=(0.9, 0.99)),
    ],
    batch_size=32,
    epochs=12,
    seeds=3,
)

print(race.leaderboard()[["rank", "optimizer", "seed", "train_loss"]].to_string(index=False))
slalom.plots.race(race, path="race.png")
