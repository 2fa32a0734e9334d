"""Five optimizers race: the same first weights, the same batches; then down one valley."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

points = 1000
lr = 0.01  # learning rate, the same for all
momentum = 0.8
batch_size = 32
epochs = 12
seed = 0  # of the first weights, and of the order of the points

noise_variance = 0.1**2 / 12
x = np.linspace(-1, 1, points)
y = x**2 + 0.1 * np.random.default_rng(1).random(points)
X = torch.tensor(x, dtype=torch.float32)[:, None]
Y = torch.tensor(y, dtype=torch.float32)[:, None]


def racers(lr):
    """What makes each optimizer from the parameters of a net."""
    return {
        "SGD": lambda p: torch.optim.SGD(p, lr=lr),
        "Momentum": lambda p: torch.optim.SGD(p, lr=lr, momentum=momentum),
        "Adagrad": lambda p: torch.optim.Adagrad(p, lr=lr),
        "RMSprop": lambda p: torch.optim.RMSprop(p, lr=lr, alpha=0.9),
        "Adam": lambda p: torch.optim.Adam(p, lr=lr, betas=(0.9, 0.99)),
    }


def step(net, optimizer, X, Y):
    loss = torch.nn.functional.mse_loss(net(X), Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


losses = []
for make in racers(lr).values():
    torch.manual_seed(seed)  # every racer starts from the same weights
    net = torch.nn.Sequential(torch.nn.Linear(1, 20), torch.nn.ReLU(), torch.nn.Linear(20, 1))
    optimizer = make(net.parameters())
    loader = DataLoader(
        TensorDataset(X, Y),
        batch_size=batch_size,
        shuffle=True,
        generator=torch.Generator().manual_seed(seed),  # and sees the same batches
    )
    losses.append([step(net, optimizer, *batch) for _ in range(epochs) for batch in loader])
losses = np.array(losses)
steps = losses.shape[1]
final_losses = losses[:, -len(loader) :].mean(axis=1)  # the mean of the last epoch
for name, loss in zip(racers(lr), final_losses, strict=True):
    print(f"{name:10} loss {loss:.5f}")

# A net of one weight and one bias: where it is on the surface of its loss, after each step.
x = np.linspace(-1, 5, 40)
X = torch.tensor(x, dtype=torch.float32)[:, None]
Y = torch.tensor(1.5 * x - 3, dtype=torch.float32)[:, None]
paths = []
for make in racers(0.1).values():
    torch.manual_seed(seed)
    net = torch.nn.Linear(1, 1)
    optimizer = make(net.parameters())
    path = [(net.weight.item(), net.bias.item())]
    for _ in range(60):
        step(net, optimizer, X, Y)
        path.append((net.weight.item(), net.bias.item()))
    paths.append(path)
paths = np.array(paths)

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 5))
for name, loss, path in zip(racers(lr), losses, paths, strict=True):
    left.plot(loss, label=name, linewidth=1)
    right.plot(path[:, 0], path[:, 1], ".-", label=name)
left.set(yscale="log", xlabel="step", ylabel="training loss", title="the race")
right.set(xlabel="weight", ylabel="bias", title="down one valley")
left.legend()
plt.savefig("race.png")
