"""Save a whole net and its parameters alone, restore both, and see what a pickle can do. ‖ 用两种方法保存并恢复网络：整个网络，或者只存参数；再看看 pickle 能做什么。"""

import pickle
import pickletools
import zipfile

import matplotlib.pyplot as plt
import numpy as np
import torch

width = 10  # hidden neurons ‖ 隐藏神经元数
activation = "relu"
steps = 500
seed = 0

x = np.linspace(-1, 1, 100)
y = x**2 + 0.2 * np.random.default_rng(1).random(100)
X, Y = (torch.tensor(values, dtype=torch.float32)[:, None] for values in (x, y))
modules = {"relu": torch.nn.ReLU, "elu": torch.nn.ELU, "gelu": torch.nn.GELU}
modules |= {"sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh}


def build(seed):
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(1, width), modules[activation](), torch.nn.Linear(width, 1)
    )


net = build(seed)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for _ in range(steps):
    loss = torch.nn.functional.mse_loss(net(X), Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
final_loss = loss.item()

# The entire net. Reading it can run code, so do it only with files of your own making.
# ‖ 整个网络。读取它可能会运行代码，所以只读自己写的文件。
torch.save(net, "net.pt")
restored = torch.load("net.pt", weights_only=False)

# Its parameters alone. Whoever reads them needs a net of the same build.
# ‖ 只存参数。读取时要先有结构相同的网络。
torch.save(net.state_dict(), "parameters.pt")
rebuilt = build(seed + 1)  # other first weights, which are replaced ‖ 初始权重不同，马上被换掉
fresh_outputs = rebuilt(X).detach()
rebuilt.load_state_dict(torch.load("parameters.pt"))

names = list(net.state_dict())
parameters = sum(p.numel() for p in net.parameters())
number_bytes = sum(tensor.nbytes for tensor in net.state_dict().values())
trained_outputs, restored_outputs, rebuilt_outputs = (
    module(X).detach() for module in (net, restored, rebuilt)
)
restored_difference = (restored_outputs - trained_outputs).abs().max().item()
rebuilt_difference = (rebuilt_outputs - trained_outputs).abs().max().item()
print(f"loss {final_loss:.4f}; {parameters} parameters, {number_bytes} bytes: {names}")
print(f"restored net off by {restored_difference}, rebuilt net by {rebuilt_difference}")


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(1, width)
        self.output = torch.nn.Linear(width, 1)

    def forward(self, x):
        return self.output(getattr(torch.nn.functional, activation)(self.hidden(x)))


# The same layers under other names. strict=False skips what does not fit: here everything.
# ‖ 层相同，名字不同。strict=False 会跳过对不上的名字：这里一个也对不上。
fit = Net().load_state_dict(torch.load("parameters.pt"), strict=False)
missing, unexpected = fit.missing_keys, fit.unexpected_keys
print(f"names that Net has: {missing}, names in the file: {unexpected}")

# What would have to be called to read each file; this looks without reading.
# ‖ 要读取这两个文件，分别得调用什么；这里只查看，不读取。
net_calls = torch.serialization.get_unsafe_globals_in_checkpoint("net.pt")
parameters_calls = torch.serialization.get_unsafe_globals_in_checkpoint("parameters.pt")
net_calls = sorted(net_calls)
net_program = zipfile.ZipFile("net.pt").getinfo("net/data.pkl").file_size
parameters_program = zipfile.ZipFile("parameters.pt").getinfo("parameters/data.pkl").file_size
print(f"net.pt calls {net_calls}, parameters.pt {parameters_calls}")


class Surprise:
    # Tells pickle how to make the object again: call this with that.
    # ‖ 告诉 pickle 怎样重新造出这个对象：用这些参数调用那个函数。
    def __reduce__(self):
        return print, ("I ran while the file was read",)


content = pickletools.optimize(pickle.dumps(Surprise(), protocol=4))
opcodes = [opcode.name for opcode, _, _ in pickletools.genops(content)]
pickletools.dis(content)
pickle.loads(content)  # prints, though nobody here calls print ‖ 会打印，虽然这里没有人调用 print
torch.save(Surprise(), "surprise.pt")
try:
    torch.load("surprise.pt")
except pickle.UnpicklingError:
    print("torch.load refuses it, as weights_only=True is its default")

for outputs, style in ((fresh_outputs, ":"), (trained_outputs, "-"), (rebuilt_outputs, "--")):
    plt.plot(x, outputs, style)
plt.scatter(x, y, s=12, color="lightgray")
plt.savefig("saving.png")
