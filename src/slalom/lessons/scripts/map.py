"""A net for each pixel of a coarse map, and where its training diverges. ‖ 粗略地图的每个像素一个网络，看哪里发散。"""

import matplotlib.pyplot as plt
import numpy as np
import torch

steps = 100
activation = "tanh"
seed = 12  # of the first weights ‖ 初始权重的种子
pixels = 8  # along each side ‖ 每边的像素数

# Four rows of random numbers, all of them in every step: nothing is left to chance.
# ‖ 四行随机数，每一步都用上全部四行：没有任何随机性。
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
    """When a net diverged (-1: never), and its last loss. ‖ 网络在哪一步发散（-1：没有），最后的损失。"""
    torch.manual_seed(seed)  # the same first weights for every pixel ‖ 每个像素的初始权重都一样
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=momentum)
    for step in range(1, steps + 1):
        loss = torch.nn.functional.mse_loss(net(X), Y)
        if not loss.isfinite():  # larger than any number, or none at all ‖ 大过任何数，或不再是数
            return step, loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    finite = all(p.isfinite().all() for p in net.parameters())
    return (-1 if finite else steps), loss.item()


middles = (np.arange(pixels) + 0.5) / pixels  # of the pixels, from 0 to 1 ‖ 各像素的中点，0 到 1
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
