"""What a process does before tests fork others from it: all is imported then, and compiled."""

import slalom
from slalom import MLP, SGD
from slalom.engine import Native, Reference

for engine in (Native(1), Reference()):
    slalom.train(
        MLP(2, 2, 2),
        slalom.toys.moons(20),
        optimizer=SGD(),
        steps=1,
        engine=engine,
        progress=False,
    )
