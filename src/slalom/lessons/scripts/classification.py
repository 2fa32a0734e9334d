"""A net of one hidden layer tells classes of points in the plane apart. ‖ 一层隐藏层的网络把平面上的点分成几类。"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.nn.functional import cross_entropy, one_hot

shape = "gaussians"  # or spirals ‖ 也可以是 spirals
points = 200
spread = 1.5  # standard deviation of a cloud of gaussians ‖ 点云的标准差
arms = 3  # how many spirals ‖ 螺旋的条数
width = 10  # hidden neurons ‖ 隐藏神经元数
lr = 0.05  # learning rate ‖ 学习率
steps = 100
seed = 0

generator = np.random.default_rng(1)
classes = 2 if shape == "gaussians" else arms
labels = np.arange(points) * classes // points  # 0 0 0 ... 1 1 1 ...
if shape == "gaussians":
    centers = np.array([[2.0, 2.0], [-2.0, -2.0]])
    x = centers[labels] + spread * generator.normal(size=(points, 2))
else:
    radius = 0.1 + 0.9 * np.concatenate([np.linspace(0, 1, n) for n in np.bincount(labels)])
    # Once around from the centre to the rim. ‖ 从中心到边缘转一圈。
    angle = 2 * np.pi * (radius + labels / classes)
    spiral = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    x = spiral + 0.05 * generator.normal(size=(points, 2))
X = torch.tensor(x, dtype=torch.float32)  # [points, 2]
y = torch.tensor(labels)  # [points], int64: the number of each class ‖ [points]，int64：类别的编号

torch.manual_seed(seed)
net = torch.nn.Sequential(
    torch.nn.Linear(2, width),
    torch.nn.ReLU(),
    # One output a class, the logits. No softmax: cross_entropy does it.
    # ‖ 每个类别一个输出，即 logit。不加 softmax：cross_entropy 自己会做。
    torch.nn.Linear(width, classes),
)
parameters = sum(p.numel() for p in net.parameters())


def probability_of_right():
    """What the net gives to the right class of each point. ‖ 网络给每个点的正确类别的概率。"""
    with torch.no_grad():
        return net(X).softmax(dim=1)[torch.arange(points), y]


sure_before = (probability_of_right() > 0.9).double().mean()
optimizer = torch.optim.SGD(net.parameters(), lr=lr)
losses = []
for _ in range(steps):
    loss = cross_entropy(net(X), y)  # mean of -log p over the points ‖ 各点 -log p 的平均
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
first_loss, final_loss = losses[0], losses[-1]
# Of a net that finds every class equally likely. ‖ 认为每个类别可能性都一样的网络的损失。
blind_loss = np.log(classes)
sure_after = (probability_of_right() > 0.9).double().mean()

with torch.no_grad():
    logits = net(X)
# The largest logit is the answer. ‖ 最大的 logit 就是网络的判断。
right = logits.argmax(dim=1) == y
accuracy = right.double().mean()
wrong = (~right).sum()
costs = cross_entropy(logits, y, reduction="none")  # of each point by itself ‖ 每个点各自的代价
worst = costs.argmax()
worst_cost, worst_class = costs[worst], y[worst]
worst_logits = [round(z, 2) for z in logits[worst].tolist()]
worst_probabilities = [round(p, 2) for p in logits[worst].softmax(dim=0).tolist()]

# The same loss from class numbers and from one-hot rows, which must be float.
# ‖ 用类别编号和用独热编码（必须是浮点数）算出的损失一样。
label_loss = cross_entropy(logits, y)
one_hot_loss = cross_entropy(logits, one_hot(y, classes).float())
worst_one_hot = one_hot(y[worst], classes)
# The most that a softmax of a softmax can give. ‖ 做两次 softmax 最多能给出的概率。
softmax_twice = torch.eye(classes, dtype=torch.float64)[0].softmax(dim=0)[0]

print(f"{parameters} parameters")
print(f"loss {first_loss:.4f} at first, {final_loss:.4f} after {steps} steps")
print(f"accuracy {accuracy:.3f}: {wrong} of {points} rows are wrong")
print(f"the worst is of class {worst_class}: logits {worst_logits},")
print(f"probabilities {worst_probabilities}, cost {worst_cost:.2f}")
print(f"loss {label_loss:.4f} with labels, {one_hot_loss:.4f} with one-hot rows")

across, up = (np.linspace(x[:, i].min() - 0.2, x[:, i].max() + 0.2, 200) for i in (0, 1))
plane = torch.tensor(np.stack(np.meshgrid(across, up), axis=-1), dtype=torch.float32)
with torch.no_grad():
    region = net(plane).argmax(dim=-1)  # the likeliest class at each place ‖ 每一处最可能的类别
plt.contourf(across, up, region, levels=np.arange(classes + 1) - 0.5, alpha=0.3)
plt.scatter(x[:, 0], x[:, 1], c=labels, s=15)
plt.title(f"accuracy {accuracy:.3f}")
plt.savefig("classification.png")
