"""A net of one hidden layer learns y = x^2 from noisy points."""

import matplotlib.pyplot as plt
import numpy as np
import torch

points = 100
noise = 0.2  # width of the noise
width = 10  # hidden neurons
activation = "relu"
lr = 0.2  # learning rate
steps = 200
seed = 0

x = np.linspace(-1, 1, points)
y = x**2 + noise * np.random.default_rng(1).random(points)
X = torch.tensor(x, dtype=torch.float32)[:, None]  # 100 rows, one column
Y = torch.tensor(y, dtype=torch.float32)[:, None]


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(1, width)
        self.output = torch.nn.Linear(width, 1)

    def forward(self, x):
        return self.output(getattr(torch.nn.functional, activation)(self.hidden(x)))


torch.manual_seed(seed)
net = Net()
parameters = sum(p.numel() for p in net.parameters())
optimizer = torch.optim.SGD(net.parameters(), lr=lr)
losses = []
for _ in range(steps):
    loss = torch.nn.functional.mse_loss(net(X), Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

first_loss, final_loss = losses[0], losses[-1]
noise_variance = noise**2 / 12  # of evenly spread noise: no curve can do better on average
print(f"{parameters} parameters")
print(f"loss {first_loss:.4f} at first, {final_loss:.4f} after {steps} steps")
print(f"variance of the noise {noise_variance:.4f}")

plt.scatter(x, y, s=12, color="lightgray")
plt.plot(x, net(X).detach().numpy())
plt.title(f"loss {final_loss:.4f}")
plt.savefig("regression.png")
