"""A net of one hidden layer learns y = x^2 from noisy points. ‖ 一层隐藏层的网络从带噪声的点学 y = x^2。"""

import matplotlib.pyplot as plt
import numpy as np
import torch

points = 100
noise = 0.2  # width of the noise ‖ 噪声的宽度
width = 10  # hidden neurons ‖ 隐藏神经元数
activation = "relu"
lr = 0.2  # learning rate ‖ 学习率
steps = 200
seed = 11

x = np.linspace(-1, 1, points)
y = x**2 + noise * np.random.default_rng(1).random(points)
# A net takes a table: a row for each point, here with one column.
# ‖ 网络的输入是一张表：每个点一行，这里只有一列。
X = torch.tensor(x, dtype=torch.float32)[:, None]
Y = torch.tensor(y, dtype=torch.float32)[:, None]


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(1, width)
        self.output = torch.nn.Linear(width, 1)

    def forward(self, x):
        return self.output(getattr(torch.nn.functional, activation)(self.hidden(x)))


torch.manual_seed(seed)  # the same first weights each time ‖ 每次的初始权重都一样
net = Net()
parameters = sum(p.numel() for p in net.parameters())
# The optimizer gets the parameters that it is to change.
# ‖ 优化器拿到它要改的那些参数。
optimizer = torch.optim.SGD(net.parameters(), lr=lr)
losses = []
for _ in range(steps):
    prediction = net(X)  # forward ‖ 前向
    loss = torch.nn.functional.mse_loss(prediction, Y)  # one number: how wrong ‖ 一个数：错得多厉害
    optimizer.zero_grad()  # forget the gradients of the step before ‖ 忘掉上一步的梯度
    loss.backward()  # a gradient for each parameter ‖ 求每个参数的梯度
    optimizer.step()  # each parameter moves against its gradient ‖ 每个参数逆着梯度走一步
    losses.append(loss.item())
    if not np.isfinite(losses[-1]):
        break  # diverged: from here on nothing is a number ‖ 发散了：再往下都不是数

first_loss, final_loss = losses[0], losses[-1]
# Of evenly spread noise: no curve can do better on average.
# ‖ 均匀噪声的方差：平均来说，没有曲线能做得更好。
noise_variance = noise**2 / 12
print(f"{parameters} parameters")
print(f"loss {first_loss:.4f} at first, {final_loss:.4f} after {steps} steps")
print(f"variance of the noise {noise_variance:.4f}")

plt.scatter(x, y, s=12, color="lightgray")
plt.plot(x, net(X).detach().numpy())  # detach: no gradient is wanted here ‖ 这里不需要梯度
plt.title(f"loss {final_loss:.4f}")
plt.savefig("regression.png")
