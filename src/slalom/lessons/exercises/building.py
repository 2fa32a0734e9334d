"""Exercises of the lesson on building."""

from slalom.lessons.exercise import Check, Exercise, near
from slalom.lessons.prose import Text

_SEQUENTIAL = """import torch

net = torch.nn.Sequential({parts})

parameters = sum(p.numel() for p in net.parameters())
names = [name for name, _ in net.named_parameters()]
text = str(net)
"""

_LIST = """import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(1, 4)
        self.layers = {layers}
        self.last = torch.nn.Linear(4, 1)

    def forward(self, x):
        h = torch.tanh(self.first(x))
        for layer in self.layers:
            h = torch.tanh(layer(h))
        return self.last(h)


torch.manual_seed(0)
net = Net()
parameters = sum(p.numel() for p in net.parameters())

# One step; how far does it move the weights of a layer in the list? ‖ 走一步：列表中某一层的权重移动了多少？
X, Y = torch.tensor([[-1.0], [0.5]]), torch.tensor([[1.0], [2.0]])
before = net.layers[0].weight.detach().clone()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
loss = torch.nn.functional.mse_loss(net(X), Y)
optimizer.zero_grad()
loss.backward()
optimizer.step()
moved = (net.layers[0].weight - before).abs().max().item()
"""
_LAYERS = "[torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)]"

_CHAIN = """import torch


class Chain(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(1, 2)
        self.blocks = torch.nn.ModuleList(torch.nn.Linear(2, 2) for _ in range(3))
        self.last = torch.nn.Linear(2, 1)

    def forward(self, x):
        h = torch.relu(self.first(x))
        for layer in self.blocks:
            h = torch.relu(layer(h))
        return self.last(h)


def fill(net):
    # All weights of a layer are the same, all biases are 0. ‖ 每一层的权重都相同，偏置都是 0。
    layers = [net.first, *net.blocks, net.last]
    for layer, weight in zip(layers, [1.0, 0.5, -0.5, 0.5, 0.5], strict=True):
        torch.nn.init.constant_(layer.weight, weight)
        torch.nn.init.zeros_(layer.bias)


X = torch.tensor([[1.0], [2.0], [-1.0]])
net = Chain()
fill(net)
chain = net(X).flatten()
"""

EXERCISES = (
    Exercise(
        task=Text(
            "Build the net 3-5-2 with tanh as a Sequential: 3 inputs, 5 hidden neurons, 2 outputs. "
            "Work out by hand how many parameters it has before you run the script.",
            "用 Sequential 搭一个使用 tanh 的 3-5-2 网络：3 个输入、5 个隐藏神经元、2 个输出。"
            "运行之前，先手算它有多少个参数。",
        ),
        start=_SEQUENTIAL.format(parts=""),
        checks=(
            Check(
                ("parameters",),
                near(32),
                Text(
                    "It has 32 parameters: 3·5 + 5 + 5·2 + 2.", "参数有 32 个：3·5 + 5 + 5·2 + 2。"
                ),
                Text(
                    "It should have 3·5 + 5 parameters in the hidden layer and 5·2 + 2 in the "
                    "output layer. Linear takes the number of inputs, then that of neurons.",
                    "隐藏层应该有 3·5 + 5 个参数，输出层 5·2 + 2 个。Linear 的第一个数是输入的"
                    "个数，第二个数是神经元的个数。",
                ),
            ),
            Check(
                ("names", "text"),
                lambda names, text: names[2:] == ["2.weight", "2.bias"] and "(1): Tanh()" in text,
                Text("The tanh stands between the layers.", "tanh 在两层之间。"),
                Text(
                    "Between the two layers there should be a part torch.nn.Tanh().",
                    "两层之间应该有一个部件 torch.nn.Tanh()。",
                ),
            ),
        ),
        solution=_SEQUENTIAL.format(
            parts="torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2)"
        ),
    ),
    Exercise(
        task=Text(
            "This net has four layers, but PyTorch sees two of them, and a step does not move the "
            "others. Repair `__init__`.",
            "这个网络有四层，PyTorch 却只看得见两层，走一步时另外两层不会动。请改好 `__init__`。",
        ),
        start=_LIST.format(layers=_LAYERS),
        checks=(
            Check(
                ("parameters",),
                near(53),
                Text(
                    "All 53 parameters are seen: 8 + 20 + 20 + 5.",
                    "53 个参数都看得见：8 + 20 + 20 + 5。",
                ),
                Text(
                    "PyTorch should see 8 + 20 + 20 + 5 = 53 parameters. It does not look into a "
                    "Python list. (If it sees 33, the same layer stands in the list twice.)",
                    "PyTorch 应该看得见 8 + 20 + 20 + 5 = 53 个参数。它不会到 Python 的列表里去找。"
                    "（如果看得见 33 个，那是同一个层在列表里出现了两次。）",
                ),
            ),
            Check(
                ("moved",),
                lambda moved: moved > 0,
                Text("The step moves the layers in the middle.", "走一步，中间的层也动了。"),
                Text(
                    "The step does not move the layers in the middle yet: the optimizer does not "
                    "get their parameters.",
                    "走一步，中间的层还没有动：优化器没有拿到它们的参数。",
                ),
            ),
        ),
        solution=_LIST.format(layers=f"torch.nn.ModuleList({_LAYERS})"),
    ),
    Exercise(
        task=Text(
            "Write a class `Skips` with the same layers as `Chain`, in which each layer of `blocks` "
            "adds its values to what came in. Fill it with `fill` as well, and put its outputs for "
            "X into `skips`. Predict them first: in the chain nothing gets past the middle layer.",
            "写一个类 `Skips`，层与 `Chain` 相同，但 `blocks` 里的每一层都把自己的值加到输入上。"
            "同样用 `fill` 填好权重，把它对 X 的输出放进 `skips`。先预测一下："
            "在链里，没有东西能通过中间那一层。",
        ),
        start=f"{_CHAIN}\nskips = chain  # your turn ‖ 轮到你了\n",
        checks=(
            Check(
                ("chain",),
                near([0, 0, 0]),
                Text(
                    "The chain gives 0, 0, 0: relu(−0.5 · …) is 0.",
                    "链给出 0、0、0：relu(−0.5 · …) 是 0。",
                ),
                Text(
                    "The chain should stay as it was and give 0, 0, 0. Is Chain still as in the "
                    "beginning?",
                    "链应该保持原样，给出 0、0、0。Chain 还和一开始一样吗？",
                ),
            ),
            Check(
                ("skips",),
                near([4, 8, 0]),
                Text(
                    "Skips give 4, 8, 0: the outer layers of blocks double what comes in, the "
                    "middle one lets it pass.",
                    "带跳跃连接得到 4、8、0：blocks 里的第一层和第三层使输入加倍，中间一层让它原样通过。",
                ),
                Text(
                    "Skips should give 4, 8, 0. For x = 1 both values of h are 1 after the first "
                    "layer, then 2, 2 and 4. Is it h + torch.relu(layer(h)), in each turn of the "
                    "loop?",
                    "带跳跃连接应该得到 4、8、0。x = 1 时，h 的两个值在第一层之后都是 1，然后依次是 "
                    "2、2、4。循环的每一圈里写的是 h + torch.relu(layer(h)) 吗？",
                ),
            ),
        ),
        solution=f"""{_CHAIN}

class Skips(Chain):
    def forward(self, x):
        h = torch.relu(self.first(x))
        for layer in self.blocks:
            h = h + torch.relu(layer(h))
        return self.last(h)


net = Skips()
fill(net)
skips = net(X).flatten()
""",
    ),
)
