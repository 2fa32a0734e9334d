"""The same training without zero_grad: every gradient is added to the ones before. ‖ 同样的训练，去掉 zero_grad：梯度一直往上加。"""

import matplotlib.pyplot as plt
import numpy as np
import torch

points = 100
noise = 0.2
width = 10
activation = "relu"
lr = 0.2
steps = 200
seed = 11

x = np.linspace(-1, 1, points)
y = x**2 + noise * np.random.default_rng(1).random(points)
X = torch.tensor(x, dtype=torch.float32)[:, None]
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
optimizer = torch.optim.SGD(net.parameters(), lr=lr)
kept_losses = []
bias_before = net.output.bias.item()
for step in range(steps):
    loss = torch.nn.functional.mse_loss(net(X), Y)
    # Here optimizer.zero_grad() is missing. ‖ 这里少了 optimizer.zero_grad()。
    loss.backward()
    optimizer.step()
    kept_losses.append(loss.item())
    if step == 0:
        bias_gradient, bias_after = net.output.bias.grad.item(), net.output.bias.item()
    if not np.isfinite(kept_losses[-1]):
        break  # diverged ‖ 发散了

kept_loss = kept_losses[-1]
print(f"first step: bias {bias_before:.4f}, gradient {bias_gradient:.4f}, then {bias_after:.4f}")
print(f"loss after {steps} steps without zero_grad: {kept_loss:.4f}")

plt.plot(kept_losses)
plt.yscale("log")
plt.savefig("regression_without_reset.png")
