"""One net built as a class and as a Sequential, and a net that no Sequential can be."""

import matplotlib.pyplot as plt
import numpy as np
import torch

inputs = 2
width = 8  # neurons in a hidden layer
activation = "relu"
blocks = 8  # hidden layers after the first one, in the deep nets
lr = 0.05  # learning rate
seed = 0

act = getattr(torch.nn.functional, activation)  # a function
modules = {"relu": torch.nn.ReLU, "elu": torch.nn.ELU, "gelu": torch.nn.GELU}
modules |= {"sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh}


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(inputs, width)
        self.output = torch.nn.Linear(width, 1)

    def forward(self, x):
        return self.output(act(self.hidden(x)))


torch.manual_seed(seed)
net = Net()
torch.manual_seed(seed)  # once more, so that the same weights are drawn
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
    """A chain of hidden layers; with skip=True each adds to its input what it finds."""

    def __init__(self, skip):
        super().__init__()
        self.skip = skip
        self.first = torch.nn.Linear(1, width)
        self.blocks = torch.nn.ModuleList(torch.nn.Linear(width, width) for _ in range(blocks))
        self.last = torch.nn.Linear(width, 1)

    def stages(self, x):
        values = [act(self.first(x))]
        for block in self.blocks:
            new = act(block(values[-1]))
            values.append(values[-1] + new if self.skip else new)
        return values

    def forward(self, x):
        return self.last(self.stages(x)[-1])


x = np.linspace(-1, 1, 100)
y = x**2 + 0.2 * np.random.default_rng(1).random(100)
X, Y = (torch.tensor(values, dtype=torch.float32)[:, None] for values in (x, y))
mean_loss = y.var()  # of a net that gives the mean of y, whatever x is


def train(skip):
    """The spread of the values after each hidden layer at first, the last loss, and the line."""
    torch.manual_seed(seed)
    deep = Deep(skip)
    spreads = [values.std(dim=0).mean().item() for values in deep.stages(X)]
    optimizer = torch.optim.SGD(deep.parameters(), lr=lr)
    for _ in range(200):
        loss = torch.nn.functional.mse_loss(deep(X), Y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return spreads, loss.item(), deep(X).detach()


chain_spreads, chain_loss, chain_line = train(skip=False)
skip_spreads, skip_loss, skip_line = train(skip=True)
chain_spread, skip_spread = chain_spreads[-1], skip_spreads[-1]
print(f"loss of the chain {chain_loss:.4f}, with skips {skip_loss:.4f}, mean {mean_loss:.4f}")

plt.scatter(x, y, s=12, color="lightgray")
plt.plot(x, chain_line, label=f"chain, loss {chain_loss:.4f}")
plt.plot(x, skip_line, "--", label=f"with skips, loss {skip_loss:.4f}")
plt.legend()
plt.savefig("building.png")
