"""A convolutional net and a fully connected one read digits, in place and moved by one pixel. ‖ 卷积网络和全连接网络识别数字：原位，以及移动一个像素之后。"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy, max_pool2d, pad
from torch.utils.data import DataLoader, TensorDataset

filters = 8  # of the first convolution ‖ 第一个卷积的滤波器数
epochs = 12
lr = 0.003
seed = 0

torch.set_num_threads(1)  # nets this small gain nothing from more ‖ 网络这么小，多了也没用
digits = load_digits()
# Images [1797, 1, 8, 8]: a convolution wants their channels too; grey images have one.
# ‖ 图像 [1797, 1, 8, 8]：卷积还要知道通道数，灰度图像只有一个通道。
images = torch.tensor(digits.images[:, None] / 16, dtype=torch.float32)
labels = torch.tensor(digits.target)
order = np.random.default_rng(0).permutation(len(images))
unseen_digits = 500  # that no net trains on ‖ 不参加训练的数字
unseen, seen = order[:unseen_digits], order[unseen_digits:]


class Looking(nn.Module):
    def __init__(self):
        super().__init__()
        # Filters of 3x3 weights; padding puts a frame of zeros around, so that maps stay 8x8.
        # ‖ 3×3 的滤波器；padding 在四周补一圈零，使特征图仍是 8×8。
        self.first = nn.Conv2d(1, filters, 3, padding=1)
        self.second = nn.Conv2d(filters, 2 * filters, 3, padding=1)
        self.tell = nn.Linear(2 * filters * 2 * 2, 10)

    def forward(self, images):
        # Pooling keeps the largest number of each 2x2 block. ‖ 池化保留每个 2×2 小块中最大的数。
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
    batches = DataLoader(rows, batch_size=64, shuffle=True, generator=own)
    for _ in range(epochs):
        for X, y in batches:
            loss = cross_entropy(net(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return net, losses


def right(net, down, across):
    """Which unseen digits it tells right when they are moved by that many pixels. ‖ 移动这么多像素后，哪些数字认对了。"""
    with torch.no_grad():
        scores = net(pad(images[unseen], (across, -across, down, -down)))
    return scores.argmax(dim=1) == labels[unseen]


torch.manual_seed(seed)
untrained = Looking()
filters_before = untrained.first.weight[:, 0].detach().numpy()
look_parameters = sum(p.numel() for p in untrained.parameters())
# A fair opponent has as many parameters: a neuron has 65, and 10 behind it.
# ‖ 公平的对手要有同样多的参数：一个神经元有 65 个，后面还有 10 个。
dense_neurons = round((look_parameters - 10) / 75)
dense_parameters = sum(p.numel() for p in dense().parameters())

net, look_losses = train(Looking, seed)
opponent, _ = train(dense, seed)
filters_after = net.first.weight[:, 0].detach().numpy()
largest_after = np.abs(filters_after).max()
mistakes = (~right(net, 0, 0)).sum().item()
# In place, left, right, up, down. ‖ 原位、左、右、上、下。
moves = [(0, 0), (0, -1), (0, 1), (-1, 0), (1, 0)]
first_accuracies = np.array(
    [[right(n, *move).double().mean() for move in moves] for n in (net, opponent)]
)
print("accuracy in place, and moved left, right, up, down")
print(f"convolutional, {look_parameters} parameters: {first_accuracies[0].round(3)}")
print(f"fully connected, {dense_parameters} parameters: {first_accuracies[1].round(3)}")

fig, axes = plt.subplots(2, filters, figsize=(8, 2.5))
for panel, values in zip(axes.flat, [*filters_before, *filters_after], strict=True):
    panel.imshow(values, cmap="cividis", vmin=-1, vmax=1)
    panel.axis("off")
fig.suptitle("filters before (above) and after training")
plt.savefig("structures_look.png")
