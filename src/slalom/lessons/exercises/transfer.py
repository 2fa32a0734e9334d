"""Exercises of the lesson on transfer."""

from slalom.lessons.exercise import Check, Exercise, near
from slalom.lessons.prose import Text

_NET = """import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(
    nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 10)
)
"""

_FROZEN = """import torch
from torch import nn

torch.manual_seed(0)
X, y = torch.rand(20, 64), torch.arange(20) % 5  # 20 rows of numbers, 5 classes ‖ 20 行数，5 个类别
trunk = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh())
trunk.requires_grad_(False)


def train(net, X):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    for _ in range(50):
        loss = nn.functional.cross_entropy(net(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


torch.manual_seed(1)
head = nn.Linear(32, 5)
through_trunk = train(nn.Sequential(*trunk, head), X)
"""

_PARITY = """import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

images, digits = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(images))
X = torch.tensor(images[order] / 16, dtype=torch.float32)
digit = torch.tensor(digits[order])
odd = digit % 2  # task C: 1 for an odd digit, 0 for an even one ‖ 任务 C：奇数是 1，偶数是 0
test = slice(1397, None)  # the last 400 images, for no training ‖ 最后 400 幅图，不用于训练


def new_net(outputs):
    hidden = [nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh()]
    return nn.Sequential(*hidden, nn.Linear(32, outputs))


def train(net, X, y, steps):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    for _ in range(steps):
        loss = nn.functional.cross_entropy(net(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def accuracy(net):
    return (net(X[test]).argmax(dim=1) == odd[test]).float().mean().item()


torch.manual_seed(0)
first = new_net(10)
train(first, X[:900], digit[:900], 300)  # task A: which digit? ‖ 任务 A：是哪个数字？
trunk = first[:-1].requires_grad_(False)

nothing, frozen = [], []
for k in range(6):
    few = 900 + np.random.default_rng(k).permutation(497)[:20]  # 20 rows of task C ‖ 任务 C 的 20 行
"""

_THIRD = """    torch.manual_seed(k)
    net = new_net(2)
    train(net, X[few], odd[few], 100)
    nothing.append(accuracy(net))
    torch.manual_seed(k)
    net = nn.Sequential(*trunk, nn.Linear(32, 2))
    train(net, X[few], odd[few], 100)
    frozen.append(accuracy(net))

better = sum(f > n for f, n in zip(frozen, nothing))
"""


def _mean_of_six(values: list[float]) -> float:
    """The mean of six shares; 0 for anything else."""
    six = len(values) == 6 and all(0 <= value <= 1 for value in values)
    return sum(values) / 6 if six else 0.0


EXERCISES = (
    Exercise(
        task=Text(
            "This net tells ten digits apart. Keep its trunk, freeze it, and put a new output layer "
            "with 5 outputs behind it. Put the number of all parameters of the new net into "
            "`all_parameters`, and the number of those that can still learn into `learning`. "
            "(By hand: a layer has inputs · outputs weights, and outputs biases.)",
            "这个网络会区分十个数字。留下它的主干，把主干冻结，再接上一个有 5 个输出的新输出层。"
            "把新网络的全部参数个数放进 `all_parameters`，其中还能学习的参数个数放进 `learning`。"
            "（手算：一层有 输入数 · 输出数 个权重，外加 输出数 个偏置。）",
        ),
        start=f"""{_NET}
new = net  # your turn ‖ 轮到你了

all_parameters = sum(p.numel() for p in new.parameters())
learning = sum(p.numel() for p in new.parameters() if p.requires_grad)
""",
        checks=(
            Check(
                ("all_parameters",),
                near(3301),
                Text(
                    "The new net has 3301 parameters: 2080 + 1056 in the trunk, 165 behind it.",
                    "新网络有 3301 个参数：主干 2080 + 1056 个，后面 165 个。",
                ),
                Text(
                    "The new net should have 3301 parameters. Is the old output layer gone "
                    "(`net[:-1]` is all but the last part), and has the new one 32 inputs?",
                    "新网络应该有 3301 个参数。旧的输出层去掉了吗（`net[:-1]` 是除最后一部分以外的全部）？"
                    "新的一层是 32 个输入吗？",
                ),
            ),
            Check(
                ("learning",),
                near(165),
                Text("165 of them can learn: 32 · 5 + 5.", "其中 165 个能学习：32 · 5 + 5。"),
                Text(
                    "Only the 32 · 5 + 5 parameters of the new layer should learn. Did "
                    "requires_grad_(False) meet the trunk, all of it, and not the new layer?",
                    "应该只有新的一层的 32 · 5 + 5 个参数能学习。requires_grad_(False) "
                    "是不是用在了整个主干上，而没有用在新的一层上？",
                ),
            ),
        ),
        solution=f"""{_NET}
trunk = net[:-1].requires_grad_(False)
new = nn.Sequential(*trunk, nn.Linear(32, 5))

all_parameters = sum(p.numel() for p in new.parameters())
learning = sum(p.numel() for p in new.parameters() if p.requires_grad)
""",
    ),
    Exercise(
        task=Text(
            "A frozen trunk gives the same outputs in every step, so they need to be computed only "
            "once. Do that: compute them as `features`, and train an output layer alone on them. It "
            "must begin with the same weights as `head` did. Put its last loss into `on_features`: it "
            "is that of the whole net.",
            "主干冻结以后，每一步的输出都一样，所以只要算一次。请这样做：把输出算出来，叫做 `features`，"
            "再让一个输出层单独在它上面训练。它的初始权重必须和 `head` 当初的一样。"
            "把它最后的损失放进 `on_features`：它与整个网络的损失相同。",
        ),
        start=f"""{_FROZEN}
features = X  # your turn ‖ 轮到你了
on_features = 0.0
""",
        checks=(
            Check(
                ("features",),
                lambda rows: len(rows) == 20 and len(rows[0]) == 32,
                Text(
                    "The features are 20 rows of 32 numbers.", "features 是 20 行，每行 32 个数。"
                ),
                Text(
                    "features should have the shape (20, 32): what the trunk makes of X.",
                    "features 的形状应该是 (20, 32)：主干从 X 得到的输出。",
                ),
            ),
            Check(
                ("through_trunk", "on_features"),
                lambda whole, alone: alone > 0 and abs(whole - alone) < 1e-4,
                Text(
                    "Both ways end with the same loss, and yours computes the trunk only once.",
                    "两种做法最后的损失相同，而你的做法只算了一次主干。",
                ),
                Text(
                    "The two losses should be the same. Does the new layer begin with the weights "
                    "that torch.manual_seed(1) gives, and does train get it and the features?",
                    "两个损失应该相同。新的一层是从 torch.manual_seed(1) 给出的权重开始的吗？"
                    "交给 train 的是它和 features 吗？",
                ),
            ),
        ),
        solution=f"""{_FROZEN}
features = trunk(X)
torch.manual_seed(1)
on_features = train(nn.Linear(32, 5), features)
""",
    ),
    Exercise(
        task=Text(
            "Task C asks whether a digit is odd. Does the trunk of task A help with it? In each of the six "
            "repeats, train a net from nothing (2 outputs) and a new output layer behind the frozen "
            "trunk, both for 100 steps on the rows `few`, each right after `torch.manual_seed(k)`. "
            "Collect their accuracies in the lists `nothing` and `frozen`, and put into `better` in "
            "how many repeats the frozen trunk is better.",
            "任务 C 问一个数字是不是奇数。任务 A 的主干对它有帮助吗？在六次重复中，每次都训练两个网络："
            "一个从零开始（2 个输出），一个是冻结主干后面接新的输出层；都在 `few` 这些行上走 100 步，"
            "造网络之前都先执行 `torch.manual_seed(k)`。把它们的准确率收进列表 `nothing` 和 `frozen`，"
            "把冻结主干更好的次数放进 `better`。",
        ),
        start=f"{_PARITY}    # your turn ‖ 轮到你了\n\nbetter = 0\n",
        checks=(
            Check(
                ("nothing",),
                lambda values: abs(_mean_of_six(values) - 0.79) < 0.03,
                Text(
                    "From nothing: about 79%, as a mean of six.",
                    "从零开始：六次平均大约 79%。",
                ),
                Text(
                    "nothing should hold six accuracies, about 79% on average. Is the net new in "
                    "each repeat, with 2 outputs, and trained on X[few] and odd[few]?",
                    "nothing 里应该有六个准确率，平均大约 79%。每次重复用的都是新网络吗？"
                    "是 2 个输出、在 X[few] 和 odd[few] 上训练的吗？",
                ),
            ),
            Check(
                ("frozen",),
                lambda values: abs(_mean_of_six(values) - 0.876) < 0.03,
                Text(
                    "Behind the frozen trunk: about 88%.",
                    "冻结主干：大约 88%。",
                ),
                Text(
                    "frozen should hold six accuracies, about 88% on average. Is the output layer "
                    "new in each repeat, and are the parts of the trunk in front of it?",
                    "frozen 里应该有六个准确率，平均大约 88%。每次重复的输出层都是新的吗？"
                    "它前面是主干的各个部分吗？",
                ),
            ),
            Check(
                ("nothing", "frozen", "better"),
                lambda nothing, frozen, better: (
                    len(frozen) == 6
                    and better == sum(f > n for f, n in zip(frozen, nothing, strict=True))
                ),
                Text(
                    "better counts the repeats in which the frozen trunk wins.",
                    "better 数的是冻结主干更好的次数。",
                ),
                Text(
                    "better should count in how many of the six repeats frozen is above nothing.",
                    "better 应该是六次重复中 frozen 高于 nothing 的次数。",
                ),
            ),
        ),
        solution=f"{_PARITY}{_THIRD}",
    ),
)
