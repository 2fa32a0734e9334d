"""y = x^2 + noise, a 1-10-1 net, SGD: the line bends onto the points."""

import slalom
from slalom import MLP, SGD

data = slalom.toys.quadratic(100, noise=0.2, seed=1)
run = slalom.train(MLP(1, 10, 1), data, optimizer=SGD(lr=0.2), steps=200)

print(run.model())
print(run.history.tail(1).to_string(index=False))
run.animate("curve.gif")
