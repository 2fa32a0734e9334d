"""A wide net learns the noise of few points by heart; held-out points show when it begins."""

import matplotlib.pyplot as plt
import numpy as np
import torch

rows = 40  # points, held-out ones included
noise = 0.3  # standard deviation of the noise
width = 100  # neurons in each hidden layer
dropout = 0.3  # share of neurons dropped
lr = 0.003  # learning rate of Adam
epochs = 800
patience = 100  # epochs to wait
seed = 0

x = np.linspace(-1, 1, rows)
y = np.sin(np.pi * x) + noise * np.random.default_rng(1).normal(size=rows)
X = torch.tensor(x, dtype=torch.float32)[:, None]
Y = torch.tensor(y, dtype=torch.float32)[:, None]
order = np.random.default_rng(1).permutation(rows)
held = np.sort(order[: rows * 2 // 5])  # two of five points are for validation
kept = np.sort(order[rows * 2 // 5 :])  # the others for training
training_rows, validation_rows = len(kept), len(held)
noise_variance = noise**2


def train(dropout):
    """Train a net and return it with its training and validation losses."""
    torch.manual_seed(seed)
    net = torch.nn.Sequential(
        torch.nn.Linear(1, width),
        torch.nn.Tanh(),
        torch.nn.Dropout(dropout),
        torch.nn.Linear(width, width),
        torch.nn.Tanh(),
        torch.nn.Dropout(dropout),
        torch.nn.Linear(width, 1),
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    training, validation = [], []
    for _ in range(epochs):
        net.train()  # dropout drops neurons
        loss = torch.nn.functional.mse_loss(net(X[kept]), Y[kept])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        net.eval()  # dropout lets everything through
        with torch.no_grad():
            validation.append(torch.nn.functional.mse_loss(net(X[held]), Y[held]).item())
        training.append(loss.item())
    return net, training, validation


net, training_losses, validation_losses = train(0.0)
final_training, final_validation = training_losses[-1], validation_losses[-1]
best_epoch = int(np.argmin(validation_losses)) + 1
best_validation = min(validation_losses)

# Early stopping: give up after so many epochs without a lower validation loss. A real training
# would also copy net.state_dict() at each new lowest loss, and take the last copy in the end.
stopped_epoch, lowest = epochs, 0
for epoch in range(epochs):
    if validation_losses[epoch] < validation_losses[lowest]:
        lowest = epoch
    elif epoch - lowest >= patience:
        stopped_epoch = epoch + 1
        break
kept_epoch = lowest + 1

# torch draws the dropped neurons from its own generator, Slalom by seed and step: the losses with
# dropout are alike in both, but not the same.
dropout_net, _, dropout_losses = train(dropout)

print(f"training loss {final_training:.4f}, validation loss {final_validation:.4f} in the end")
print(f"validation loss lowest at epoch {best_epoch}: {best_validation:.4f}")
print(f"a patience of {patience} stops at epoch {stopped_epoch} and keeps {kept_epoch}")
print(f"with dropout the validation loss is {np.mean(dropout_losses[-epochs // 10 :]):.4f}")

grid = torch.linspace(-1.1, 1.1, 300)[:, None]
plt.scatter(x[kept], y[kept], color="gray", label="training")
plt.scatter(x[held], y[held], color="white", edgecolor="gray", label="validation")
plt.plot(grid, net(grid).detach(), label="without dropout")
plt.plot(grid, dropout_net(grid).detach(), "--", label="with dropout")
plt.legend()
plt.savefig("overfitting.png")
