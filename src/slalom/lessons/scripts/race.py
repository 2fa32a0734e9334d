"""Five optimizers race: the same first weights, the same batches; then down one valley. ‖ 五个优化器赛跑：同样的初始权重，同样的批；然后走下同一条山谷。"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

points = 1000
lr = 0.01  # learning rate, the same for all ‖ 共同的学习率
momentum = 0.8
batch_size = 32
epochs = 12
seed = 0  # of the first weights, and of the order of the points ‖ 决定初始权重和点的顺序

noise_variance = 0.1**2 / 12
x = np.linspace(-1, 1, points)
y = x**2 + 0.1 * np.random.default_rng(1).random(points)
X = torch.tensor(x, dtype=torch.float32)[:, None]
Y = torch.tensor(y, dtype=torch.float32)[:, None]


def racers(lr):
    """What makes each optimizer from the parameters of a net. ‖ 从网络的参数造出各个优化器。"""
    return {
        "SGD": lambda p: torch.optim.SGD(p, lr=lr),
        "Momentum": lambda p: torch.optim.SGD(p, lr=lr, momentum=momentum),
        "Adagrad": lambda p: torch.optim.Adagrad(p, lr=lr),
        # alpha and betas are the shares that a running mean keeps of what it was.
        # ‖ alpha 和 betas 是滑动平均每一步保留原值的比例。
        "RMSprop": lambda p: torch.optim.RMSprop(p, lr=lr, alpha=0.9),
        "Adam": lambda p: torch.optim.Adam(p, lr=lr, betas=(0.9, 0.99)),
    }


def step(net, optimizer, X, Y):
    """The five lines: only optimizer.step() differs between racers. ‖ 五行代码：各个选手不同的只是 optimizer.step()。"""
    loss = torch.nn.functional.mse_loss(net(X), Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


losses, first_moves = [], []
for make in racers(lr).values():
    torch.manual_seed(seed)  # every racer starts from the same weights ‖ 每个选手从同样的权重出发
    net = torch.nn.Sequential(torch.nn.Linear(1, 20), torch.nn.ReLU(), torch.nn.Linear(20, 1))
    optimizer = make(net.parameters())
    loader = DataLoader(
        TensorDataset(X, Y),
        batch_size=batch_size,
        shuffle=True,
        generator=torch.Generator().manual_seed(seed),  # and sees the same batches ‖ 看到同样的批
    )
    steps = epochs * len(loader)
    before = torch.cat([p.detach().flatten() for p in net.parameters()])
    own = []
    for batch in (batch for _ in range(epochs) for batch in loader):
        own.append(step(net, optimizer, *batch))
        if (
            len(own) == 1
        ):  # how far did the parameter move that moved farthest? ‖ 动得最多的参数动了多少？
            after = torch.cat([p.detach().flatten() for p in net.parameters()])
            first_moves.append((after - before).abs().max().item())
        if not np.isfinite(own[-1]):
            break  # diverged ‖ 发散了
    own = np.where(np.isfinite(own), own, np.inf)
    losses.append(np.append(own, np.full(steps - len(own), np.inf)))
losses = np.array(losses)
final_losses = losses[:, -len(loader) :].mean(axis=1)  # mean of the last epoch ‖ 最后一轮的平均
for name, loss in zip(racers(lr), final_losses, strict=True):
    print(f"{name:10} loss {loss:.5f}")

# A net of one weight and one bias: where it is on the surface of its loss, after each step.
# ‖ 只有一个权重和一个偏置的网络：每一步之后，它在损失曲面上的什么地方。
x = np.linspace(-1, 5, 40)
X = torch.tensor(x, dtype=torch.float32)[:, None]
Y = torch.tensor(1.5 * x - 3, dtype=torch.float32)[:, None]
paths = []
for make in racers(0.1).values():
    torch.manual_seed(seed)
    net = torch.nn.Linear(1, 1)
    optimizer = make(net.parameters())
    path = [(net.weight.item(), net.bias.item())]
    for _ in range(60):
        step(net, optimizer, X, Y)
        path.append((net.weight.item(), net.bias.item()))
    paths.append(path)
paths = np.array(paths)
moves = np.linalg.norm(np.diff(paths, axis=1), axis=2)  # the length of each step ‖ 每一步的长度
left_over = np.linalg.norm(paths[:, -1] - [1.5, -3], axis=1)  # to the lowest point ‖ 离最低点的距离
for name, distance in zip(racers(lr), left_over, strict=True):
    print(f"{name:10} ends {distance:.3f} from the lowest point")

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 5))
for name, loss, path in zip(racers(lr), losses, paths, strict=True):
    left.plot(loss, label=name, linewidth=1)
    right.plot(path[:, 0], path[:, 1], ".-", label=name)
left.set(yscale="log", xlabel="step", ylabel="training loss", title="the race")
right.set(xlabel="weight", ylabel="bias", title="down one valley")
left.legend()
plt.savefig("race.png")
