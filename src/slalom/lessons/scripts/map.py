"""Train a net for each pixel of a coarse map, and mark where the training diverges."""

import matplotlib.pyplot as plt
import numpy as np
import torch

steps = 100
activation = "tanh"
seed = 12  # of the first weights
pixels = 8  # along each side

# Four rows of random numbers. All rows are in every batch, so nothing is left to chance:
# learning rate and momentum alone decide how a training goes.
rng = np.random.default_rng(12)
X = torch.tensor(rng.normal(size=(4, 4)), dtype=torch.float32)
Y = torch.tensor(rng.normal(size=(4, 1)), dtype=torch.float32)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(4, 4)
        self.output = torch.nn.Linear(4, 1)

    def forward(self, x):
        return self.output(getattr(torch.nn.functional, activation)(self.hidden(x)))


def train(lr, momentum):
    """The step at which a net diverged (-1 for never), and its last loss."""
    torch.manual_seed(seed)  # the same first weights for every pixel
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=momentum)
    for step in range(1, steps + 1):
        loss = torch.nn.functional.mse_loss(net(X), Y)
        if not loss.isfinite():
            return step, loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    finite = all(p.isfinite().all() for p in net.parameters())
    return (-1 if finite else steps), loss.item()


middles = (np.arange(pixels) + 0.5) / pixels  # of the pixels, from 0 to 1
learning_rates = 1.2 * middles
momenta = middles
results = [[train(lr, momentum) for lr in learning_rates] for momentum in momenta]

diverged_at = np.array([[step for step, _ in row] for row in results])
losses = np.array([[loss for _, loss in row] for row in results])[diverged_at < 0]
diverged = int((diverged_at >= 0).sum())
print(f"{diverged} of {pixels * pixels} nets diverged, the first at step", end=" ")
print(diverged_at[diverged_at >= 0].min(initial=steps))

plt.imshow(diverged_at >= 0, origin="lower", extent=(0, 1.2, 0, 1), aspect="auto", cmap="cividis")
plt.xlabel("learning rate")
plt.ylabel("momentum")
plt.title(f"yellow: diverged within {steps} steps")
plt.savefig("map.png")
