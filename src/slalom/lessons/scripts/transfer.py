"""A net learns digits; then its trunk is used to learn pairs of digits from few rows. ‖ 网络先学认数字，再用它的主干，从很少的行里学认数字对。"""

from copy import deepcopy

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

known = 10  # digits that task A tells apart, from 0 ‖ 任务 A 要区分的数字个数，从 0 数起
rows = 20  # of task B ‖ 任务 B 的行数
width = 32  # neurons in each hidden layer ‖ 每个隐藏层的神经元数
lr = 0.5  # learning rate ‖ 学习率
steps = 100  # on task B ‖ 任务 B 的步数
seed = 0
torch.set_num_threads(1)  # quicker for nets this small ‖ 网络这么小，一个线程更快

images, digits = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(images))
# A table [1797, 64] of brightness from 0 to 1. ‖ 一张表 [1797, 64]，亮度在 0 到 1 之间。
X = torch.tensor(images[order] / 16, dtype=torch.float32)
digit = torch.tensor(digits[order])
held_out = 400  # images that no training sees ‖ 训练中从不使用的图像
X_a, X_b, X_held_out = X[:900], X[900:-held_out], X[-held_out:]
digit_a, digit_b, digit_held_out = digit[:900], digit[900:-held_out], digit[-held_out:]
pair_b, pair_held_out = digit_b // 2, digit_held_out // 2


def new_net(outputs):
    hidden = [nn.Linear(64, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh()]
    return nn.Sequential(*hidden, nn.Linear(width, outputs))


def train_step(net, optimizer, X, y):
    loss = nn.functional.cross_entropy(net(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@torch.no_grad()
def right(net, X, y):
    return (net(X).argmax(dim=1) == y).double()


# Task A: one net, many rows. ‖ 任务 A：一个网络，很多行。
torch.manual_seed(seed)
first = new_net(known)
optimizer = torch.optim.SGD(first.parameters(), lr=lr)
of_a = digit_a < known
rows_a = of_a.sum().item()
for _ in range(300):
    train_step(first, optimizer, X_a[of_a], digit_a[of_a])
shown = digit_held_out < known
known_accuracy = right(first, X_held_out[shown], digit_held_out[shown]).mean().item()

# The trunk is all but the output layer. ‖ 主干就是输出层以外的全部。
trunk = first[:-1]


def with_head(trunk):
    # A new output layer behind the trunk, with random weights.
    # ‖ 主干后面接一个新的输出层，权重是随机的。
    return nn.Sequential(*trunk, nn.Linear(width, 5))


# Each way makes a net, on a copy of the trunk, so that the next one finds it unchanged.
# ‖ 每种方式造一个网络；用的是主干的副本，这样下一次拿到的主干没有变过。
# Frozen parameters ask for no gradients. ‖ 冻结的参数不要求梯度。
ways = {
    "from nothing": lambda: new_net(5),
    "fine-tuned": lambda: with_head(deepcopy(trunk)),
    "frozen trunk": lambda: with_head(deepcopy(trunk).requires_grad_(False)),
}
counts = sorted({10, 50, 200, rows})
fewest, most = counts[0], counts[-1]
repeats = 6  # each with rows and first weights of its own ‖ 每次换一批行，也换一组初始权重
accuracies = np.empty((len(ways), len(counts), repeats))
# After each step, for the number of rows asked for. ‖ 用指定的行数时，每一步之后的准确率。
curves = np.empty((len(ways), repeats, steps))
for i, way in enumerate(ways.values()):
    for j, count in enumerate(counts):
        for k in range(repeats):
            few = np.random.default_rng(k).permutation(len(X_b))[:count]
            X_few, pair_few = X_b[few], pair_b[few]
            torch.manual_seed(k)
            net = way()
            # step() skips parameters that have no gradient. ‖ step() 会跳过没有梯度的参数。
            optimizer = torch.optim.SGD(net.parameters(), lr=lr)
            for step in range(steps):
                train_step(net, optimizer, X_few, pair_few)
                if count == rows:
                    curves[i, k, step] = right(net, X_held_out, pair_held_out).mean()
            accuracies[i, j, k] = right(net, X_held_out, pair_held_out).mean()

# Each repeat has the same rows for all ways, so repeats are compared one by one.
# ‖ 每次重复中，三种方式用的是同样的行，所以可以一次一次地比较。
nothing_each, fine_each, frozen_each = curves[:, :, -1]
nothing, fine, frozen = nothing_each.mean(), fine_each.mean(), frozen_each.mean()
fine_better = (fine_each > nothing_each).sum()
frozen_better = (frozen_each > nothing_each).sum()
gains = 100 * (accuracies[2] - accuracies[0]).mean(axis=1)  # in percentage points ‖ 单位是百分点
gain_fewest, gain_most = gains[0], gains[-1]
reached = curves[2].mean(axis=0) > nothing - 1e-6  # equal, but for rounding ‖ 相等，只差舍入误差
caught_up = reached.argmax() + 1 if reached.any() else 0  # the first such step ‖ 最早的一步
print(f"task A: accuracy {known_accuracy:.3f}; task B with {counts} rows:")
for way, means in zip(ways, accuracies.mean(axis=2), strict=True):
    plt.plot(counts, means, marker="o", label=way)
    print(f"{way:12}", means.round(3))
print(f"with {rows} rows the frozen trunk is better in {frozen_better} of {repeats} repeats")

all_parameters = sum(p.numel() for p in new_net(5).parameters())
head = sum(p.numel() for p in net[-1].parameters())


@torch.no_grad()
def nearest_to_own(features):
    # Which images lie nearest to the middle of their own digit ‖ 哪些图像离自己那个数字的中心最近
    middles = torch.stack([features[digit_held_out == d].mean(dim=0) for d in range(10)])
    return (torch.cdist(features, middles).argmin(dim=1) == digit_held_out).double()


pixels, behind_trunk = nearest_to_own(X_held_out), nearest_to_own(trunk(X_held_out))
pixels_apart, trunk_apart = pixels.mean().item(), behind_trunk.mean().item()
known_apart, others_apart = behind_trunk[shown].mean().item(), behind_trunk[~shown].mean().item()
# If task A knows all digits there are no others, and the mean of nothing is no number.
# ‖ 如果任务 A 认识全部数字，就没有其余的数字，空集的平均不是一个数。
others_pixels = pixels[~shown].mean().item()
print(f"nearest to their own digit: {pixels_apart:.3f} of the images in pixels,")
print(f"{trunk_apart:.3f} behind the trunk ({known_apart:.3f} of the digits of task A)")

plt.xscale("log")
plt.xlabel("rows of task B")
plt.ylabel(f"accuracy on {held_out} other images")
plt.legend()
plt.savefig("transfer.png")
