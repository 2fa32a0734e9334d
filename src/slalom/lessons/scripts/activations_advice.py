"""Which activation function suits a small convolutional, and a small recurrent net? ‖ 小的卷积网络和小的循环网络，各适合哪个激活函数？"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)  # for nets this small, more threads only cost ‖ 网络这么小，线程多了反而慢
functions = ["relu", "tanh", "sigmoid"]
rates = [0.1, 0.3, 0.6]  # learning rates ‖ 学习率


class Convolutional(torch.nn.Module):
    """Slides small windows over images of digits. ‖ 让小窗口在数字图像上滑动。"""

    def __init__(self, activation):
        super().__init__()
        self.activation = getattr(torch, activation)
        self.first = torch.nn.Conv2d(1, 8, kernel_size=3, stride=2, padding=1)
        self.second = torch.nn.Conv2d(8, 16, kernel_size=3, stride=2, padding=1)
        self.scores = torch.nn.Linear(16 * 2 * 2, 10)

    def forward(self, images):
        seen = self.activation(self.second(self.activation(self.first(images))))
        return self.scores(seen.flatten(1))


class Recurrent(torch.nn.Module):
    """Reads sequences number by number, and remembers in the same layer. ‖ 一个数一个数地读序列，用同一层来记忆。"""

    def __init__(self, activation):
        super().__init__()
        self.activation = getattr(torch, activation)
        self.read = torch.nn.Linear(1, 16)
        self.keep = torch.nn.Linear(16, 16)
        self.scores = torch.nn.Linear(16, 2)

    def forward(self, sequences):
        memory = torch.zeros(len(sequences), 16)
        for number in torch.split(sequences, 1, dim=1):
            memory = self.activation(self.read(number) + self.keep(memory))
        return self.scores(memory)


def share_right(kind, activation, lr, seed, X, y):
    """Train on 400 rows, ten times over; the share of other rows told right. ‖ 在 400 行上训练十遍，返回其余各行答对的比例。"""
    torch.manual_seed(seed)
    net = kind(activation)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    order = torch.Generator().manual_seed(seed)
    rows = TensorDataset(X[:400], y[:400])
    batches = DataLoader(rows, batch_size=40, shuffle=True, generator=order)
    for _ in range(10):
        for images, labels in batches:  # 40 rows at a time ‖ 每次 40 行
            loss = torch.nn.functional.cross_entropy(net(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        return (net(X[400:]).argmax(dim=1) == y[400:]).double().mean().item()


def measure(kind, X, y):
    X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
    return np.array(
        [[[share_right(kind, f, r, s, X, y) for s in range(3)] for r in rates] for f in functions]
    )


images, labels = load_digits(return_X_y=True)
convolutional = measure(Convolutional, images[:900].reshape(-1, 1, 8, 8) / 16, labels[:900])
numbers = np.random.default_rng(0).uniform(-1, 1, (900, 4))
recurrent = measure(Recurrent, numbers, (numbers[:, 0] > 0).astype(int))

# At the best rate, the mean over the first weights. ‖ 取最好的学习率，对各组初始权重求平均。
digits_right = convolutional.mean(axis=2).max(axis=1)
# More than half-way from guessing to perfect. ‖ 从随机猜测到全对，走过了一半以上。
remembering = (recurrent > 0.75).sum(axis=(1, 2))
nets = recurrent[0].size
for k, name in enumerate(functions):
    print(f"{name:8} {digits_right[k]:.0%} of digits; {remembering[k]} of {nets} nets remember")

_, panels = plt.subplots(1, 2)
for axes, shares in zip(panels, (convolutional, recurrent), strict=True):
    for name, runs in zip(functions, shares, strict=True):
        axes.semilogx(rates, runs.mean(axis=1), "o-", label=name)
    axes.set(xlabel="learning rate", ylabel="share right")
panels[0].set_title("convolutional")
panels[1].set_title("recurrent")
panels[1].legend()
plt.savefig("activations_advice.png")
