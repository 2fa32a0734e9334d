"""One net built as a class and as a Sequential, and a net that no Sequential can be. ‖ 同一个网络，一次写成类，一次写成 Sequential；再看一个 Sequential 搭不出来的网络。"""

import matplotlib.pyplot as plt
import numpy as np
import torch

inputs = 2
width = 8  # neurons in a hidden layer ‖ 每个隐藏层的神经元数
activation = "relu"
blocks = 8  # hidden layers after the first one, in the deep nets ‖ 深层网络里第一层之后的隐藏层数
lr = 0.05  # learning rate ‖ 学习率
seed = 0

act = getattr(torch.nn.functional, activation)  # a function ‖ 函数
modules = {"relu": torch.nn.ReLU, "elu": torch.nn.ELU, "gelu": torch.nn.GELU}  # modules ‖ 模块
modules |= {"sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh}


class Net(torch.nn.Module):
    # Which parts there are: what is put into self is noted by the net.
    # ‖ 有哪些部件：放进 self 的，网络都会登记。
    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(inputs, width)
        self.output = torch.nn.Linear(width, 1)

    # How the numbers flow through them; net(x) calls it.
    # ‖ 数据怎样流过它们；net(x) 会调用它。
    def forward(self, x):
        return self.output(act(self.hidden(x)))


torch.manual_seed(seed)
net = Net()
torch.manual_seed(seed)  # once more, so that the same weights are drawn ‖ 再来一次，取到同样的权重
sequential = torch.nn.Sequential(
    torch.nn.Linear(inputs, width), modules[activation](), torch.nn.Linear(width, 1)
)
class_text, sequential_text = str(net), str(sequential)
class_names = [name for name, _ in net.named_parameters()]
sequential_names = [name for name, _ in sequential.named_parameters()]
parameters = sum(p.numel() for p in net.parameters())
print(class_text, sequential_text, sep="\n")

rows = torch.randn(100, inputs, generator=torch.Generator().manual_seed(1))
class_outputs, sequential_outputs = net(rows), sequential(rows)
for outputs in (class_outputs, sequential_outputs):
    outputs.square().mean().backward()
pairs = [(class_outputs, sequential_outputs)]
for p, q in zip(net.parameters(), sequential.parameters(), strict=True):
    pairs += [(p, q), (p.grad, q.grad)]
largest_difference = max((p - q).abs().max().item() for p, q in pairs)
print(f"{parameters} parameters; outputs and gradients differ by {largest_difference}")


class Deep(torch.nn.Module):
    """Many hidden layers; with skip=True each adds to its input what it finds. ‖ 许多隐藏层；skip=True 时，每层在输入上加上自己的结果。"""

    def __init__(self, skip, holder=torch.nn.ModuleList):
        super().__init__()
        self.skip = skip
        self.first = torch.nn.Linear(1, width)
        self.blocks = holder(torch.nn.Linear(width, width) for _ in range(blocks))
        self.last = torch.nn.Linear(width, 1)

    # The values after each hidden layer. ‖ 每个隐藏层之后的值。
    def stages(self, x):
        values = [act(self.first(x))]
        for block in self.blocks:
            new = act(block(values[-1]))
            values.append(values[-1] + new if self.skip else new)
        return values

    def forward(self, x):
        return self.last(self.stages(x)[-1])


# In a plain list the layers are not found. ‖ 放在普通列表里的层，PyTorch 找不到。
deep_parameters = sum(p.numel() for p in Deep(skip=True).parameters())
listed_parameters = sum(p.numel() for p in Deep(skip=True, holder=list).parameters())
print(f"{deep_parameters} parameters in a ModuleList, {listed_parameters} found with a plain list")

x = np.linspace(-1, 1, 100)
y = x**2 + 0.2 * np.random.default_rng(1).random(100)
X, Y = (torch.tensor(values, dtype=torch.float32)[:, None] for values in (x, y))
# Of a net that gives the mean of y, whatever x is.
# ‖ 一个不管 x 是多少、总是回答 y 的平均值的网络，它的损失。
mean_loss = y.var()


def train(skip):
    torch.manual_seed(seed)
    deep = Deep(skip)
    # How much the values differ from point to point, before any training.
    # ‖ 训练之前，不同的点之间数值相差多少。
    spreads = [values.double().std(dim=0).mean().item() for values in deep.stages(X)]
    optimizer = torch.optim.SGD(deep.parameters(), lr=lr)
    for step in range(200):
        loss = torch.nn.functional.mse_loss(deep(X), Y)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:  # what arrives at the first layer ‖ 到达第一层的梯度
            gradient = deep.first.weight.grad.abs().mean().item()
        optimizer.step()
        if not np.isfinite(loss.item()):
            break  # diverged ‖ 发散了
    return spreads, gradient, loss.item(), deep(X).detach()


chain_spreads, chain_gradient, chain_loss, chain_line = train(skip=False)
skip_spreads, skip_gradient, skip_loss, skip_line = train(skip=True)
first_spread, chain_spread, skip_spread = chain_spreads[0], chain_spreads[-1], skip_spreads[-1]
print(f"spread {chain_spread:.2g} after the chain, {skip_spread:.2g} with skips")
print(f"loss of the chain {chain_loss:.4g}, with skips {skip_loss:.4g}, mean {mean_loss:.4g}")

plt.scatter(x, y, s=12, color="lightgray")
plt.plot(x, chain_line, label=f"chain, loss {chain_loss:.4g}")
plt.plot(x, skip_line, "--", label=f"with skips, loss {skip_loss:.4g}")
plt.legend()
plt.savefig("building.png")
