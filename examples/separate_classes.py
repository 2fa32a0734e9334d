"""Three spirals, a 2-64-64-3 net, Adam: the regions wind themselves around the arms."""

import slalom
from slalom import MLP, Adam

data = slalom.toys.spirals(300, classes=3, seed=1)
run = slalom.train(
    MLP(2, 64, 64, 3), data, optimizer=Adam(lr=0.01), batch_size=32, epochs=100, frames=50
)

print(run.history.tail(1).to_string(index=False))
slalom.plots.decision_regions(run, path="spirals.png")
run.animate("spirals.gif")
