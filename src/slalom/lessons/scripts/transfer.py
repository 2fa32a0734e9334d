"""A net learns digits; then its trunk helps to learn pairs of digits from few rows."""

from copy import deepcopy

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

known = 10  # task A tells the digits 0 to 9 apart
rows = 20  # of task B
width = 32  # neurons in each hidden layer
lr = 0.5  # learning rate
steps = 100  # on task B
seed = 0
torch.set_num_threads(1)  # quicker for nets this small

images, digits = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(images))
X = torch.tensor(images[order] / 16, dtype=torch.float32)  # [1797, 64], from 0 to 1
digit = torch.tensor(digits[order])
held_out = 400  # images that no training sees
X_a, X_b, X_held_out = X[:900], X[900:-held_out], X[-held_out:]
digit_a, digit_b, digit_held_out = digit[:900], digit[900:-held_out], digit[-held_out:]
pair_b, pair_held_out = digit_b // 2, digit_held_out // 2


def new_net(outputs):
    hidden = [nn.Linear(64, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh()]
    return nn.Sequential(*hidden, nn.Linear(width, outputs))


def train(net, X, y, steps):
    trained = [p for p in net.parameters() if p.requires_grad]  # not what is frozen
    optimizer = torch.optim.SGD(trained, lr=lr)
    for _ in range(steps):
        loss = nn.functional.cross_entropy(net(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def accuracy(net, X, y):
    return (net(X).argmax(dim=1) == y).float().mean().item()


torch.manual_seed(seed)
first = new_net(known)
train(first, X_a[digit_a < known], digit_a[digit_a < known], steps=300)
seen = digit_held_out < known
known_accuracy = accuracy(first, X_held_out[seen], digit_held_out[seen])
trunk = first[:-1]  # all but the output layer
head = width * 5 + 5  # parameters of the new output layer


def with_head(trunk):
    return nn.Sequential(*trunk, nn.Linear(width, 5))


ways = {
    "from nothing": lambda: new_net(5),
    "fine-tuned": lambda: with_head(deepcopy(trunk)),
    "frozen trunk": lambda: with_head(deepcopy(trunk).requires_grad_(False)),
}
counts = sorted({10, 20, 50, 100, 200, rows})
most = counts[-1]
repeats = 6  # each with rows and first weights of its own
accuracies = np.empty((len(ways), len(counts), repeats))
for i, way in enumerate(ways.values()):
    for j, count in enumerate(counts):
        for k in range(repeats):
            few = np.random.default_rng(k).permutation(len(X_b))[:count]
            torch.manual_seed(k)
            net = way()
            train(net, X_b[few], pair_b[few], steps)
            accuracies[i, j, k] = accuracy(net, X_held_out, pair_held_out)

means = accuracies.mean(axis=2)
nothing, fine, frozen = means[:, counts.index(rows)]
nothing_most, fine_most, frozen_most = means[:, -1]
print(f"task A: accuracy {known_accuracy:.3f}; task B with {counts} rows:")
for way, mean in zip(ways, means, strict=True):
    plt.plot(counts, mean, marker="o", label=way)
    print(f"{way:12}", mean.round(3))
plt.xscale("log")
plt.xlabel("rows of task B")
plt.ylabel(f"accuracy on {held_out} other rows")
plt.legend()
plt.savefig("transfer.png")
