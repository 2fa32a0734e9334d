"""A convolutional net and a fully connected one read digits, in place and moved by one pixel."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy, max_pool2d, pad
from torch.utils.data import DataLoader, TensorDataset

filters = 8
epochs = 12
lr = 0.003
seed = 0

torch.set_num_threads(1)  # nets this small gain nothing from more
digits = load_digits()
images = torch.tensor(digits.images[:, None] / 16, dtype=torch.float32)  # [1797, 1, 8, 8]
labels = torch.tensor(digits.target)
order = np.random.default_rng(0).permutation(len(images))
unseen_digits = 500
unseen, seen = order[:unseen_digits], order[unseen_digits:]


class Looking(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, filters, 3, padding=1)  # filters of 3x3 weights
        self.second = nn.Conv2d(filters, 2 * filters, 3, padding=1)
        self.tell = nn.Linear(2 * filters * 2 * 2, 10)

    def forward(self, images):
        maps = max_pool2d(self.first(images).relu(), 2)  # [B, filters, 4, 4]
        maps = max_pool2d(self.second(maps).relu(), 2)  # [B, 2 filters, 2, 2]
        return self.tell(maps.flatten(1))


def dense():
    hidden, output = nn.Linear(64, dense_neurons), nn.Linear(dense_neurons, 10)
    return nn.Sequential(nn.Flatten(), hidden, nn.ReLU(), output)


def train(make, seed):
    torch.manual_seed(seed)
    net, losses = make(), []
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    rows = TensorDataset(images[seen], labels[seen])
    own = torch.Generator().manual_seed(seed)
    batches = DataLoader(rows, batch_size=32, shuffle=True, generator=own)
    for _ in range(epochs):
        for X, y in batches:
            loss = cross_entropy(net(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return net, losses


def right(net, down, across):
    """Which unseen digits it tells right when they are moved by that many pixels."""
    with torch.no_grad():
        scores = net(pad(images[unseen], (across, -across, down, -down)))
    return scores.argmax(dim=1) == labels[unseen]


torch.manual_seed(seed)
untrained = Looking()
filters_before = untrained.first.weight[:, 0].detach().numpy()
look_parameters = sum(p.numel() for p in untrained.parameters())
dense_neurons = round((look_parameters - 10) / 75)  # each has 65 parameters and 10 behind it
dense_parameters = sum(p.numel() for p in dense().parameters())

nets = [[train(make, seed + run) for run in range(3)] for make in (Looking, dense)]
net, look_losses = nets[0][0]
filters_after = net.first.weight[:, 0].detach().numpy()
mistakes = (~right(net, 0, 0)).sum().item()
moves = [(0, 0), (0, -1), (0, 1), (-1, 0), (1, 0)]  # in place, left, right, up, down
accuracies = np.array(
    [[[right(n, *move).double().mean() for move in moves] for n, _ in runs] for runs in nets]
)
means = accuracies.mean(axis=1)
look_in_place, dense_in_place = means[:, 0]
look_sideways, dense_sideways = means[:, 1:3].mean(axis=1)
look_up_down, dense_up_down = means[:, 3:].mean(axis=1)
print("accuracy in place, and moved left, right, up, down")
print(f"convolutional, {look_parameters} parameters: {means[0].round(3)}")
print(f"fully connected, {dense_parameters} parameters: {means[1].round(3)}")

fig, axes = plt.subplots(2, filters, figsize=(8, 2.5))
for panel, values in zip(axes.flat, [*filters_before, *filters_after], strict=True):
    panel.imshow(values, cmap="cividis", vmin=-1, vmax=1)
    panel.axis("off")
fig.suptitle("filters before (above) and after training")
plt.savefig("structures_look.png")
