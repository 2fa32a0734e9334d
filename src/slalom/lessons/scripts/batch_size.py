"""What the batch size does to the gradient and to training; what happens without shuffling. ‖ 批大小对梯度和训练有什么影响；不打乱会怎样。"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

lr = 0.1  # learning rate ‖ 学习率
epochs = 4
seed = 0

points = 1000
sizes = [1, 4, 16, 64, 256]
draws = 200  # batches of each size ‖ 每种批大小取多少批
x = np.linspace(-1, 1, points)
y = x**2 + 0.1 * np.random.default_rng(1).random(points)
X = torch.tensor(x, dtype=torch.float32)[:, None]
Y = torch.tensor(y, dtype=torch.float32)[:, None]


def train(batch_size, shuffle=True):
    """A net that has learned from batches of this size. ‖ 用这种大小的批训练出的网络。"""
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(1, 20), torch.nn.ReLU(), torch.nn.Linear(20, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    generator = torch.Generator().manual_seed(seed)
    loader = DataLoader(TensorDataset(X, Y), batch_size, shuffle=shuffle, generator=generator)
    for _ in range(epochs):
        # Two loops: epochs, and in each of them batches. One step a batch.
        # ‖ 两层循环：外层是轮次，内层是批。每批走一步。
        for batch_x, batch_y in loader:
            loss = torch.nn.functional.mse_loss(net(batch_x), batch_y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net


def loss_of(net):
    """The loss on all rows. ‖ 在所有行上的损失。"""
    with torch.no_grad():
        return torch.nn.functional.mse_loss(net(X), Y).item()


nets = [train(size) for size in sizes]
final_losses = [loss_of(net) for net in nets]
steps_taken = [epochs * -(-points // size) for size in sizes]  # rounded up ‖ 相除后向上取整
loss_in_order = loss_of(train(16, shuffle=False))
loss_shuffled = final_losses[sizes.index(16)]

# How far is the gradient of a batch from that of all rows? The net stays as it is.
# ‖ 一批的梯度离所有行的梯度有多远？网络保持不动。
net = nets[sizes.index(16)]


def gradient(rows):
    """The gradient of the loss on these rows, as one long vector. ‖ 损失在这些行上的梯度，排成一个长向量。"""
    loss = torch.nn.functional.mse_loss(net(X[rows]), Y[rows])
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(net.parameters()))])


full = gradient(torch.arange(points))
full_length = full.norm().item()
generator = torch.Generator().manual_seed(seed)
noise = []
for size in sizes:
    # The first rows of a random order are a random batch. ‖ 随机顺序的前几行就是随机的一批。
    squares = [
        ((gradient(torch.randperm(points, generator=generator)[:size]) - full) ** 2).sum()
        for _ in range(draws)
    ]
    noise.append(torch.stack(squares).mean().sqrt().item())

for row in zip(sizes, noise, steps_taken, final_losses, strict=True):
    print("batch size {:3}: noise {:.3f}, {:4} steps, loss {:.4f}".format(*row))
print(f"batch size 16 without shuffling: loss {loss_in_order:.4f}")

plt.loglog(sizes, noise, "o-", label="noise of the gradient")
plt.axhline(full_length, color="gray", label="length of the full gradient")
plt.xlabel("batch size")
plt.legend()
plt.savefig("batch_size.png")
