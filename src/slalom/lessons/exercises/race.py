"""Exercises of the lesson on optimizers."""

from slalom.lessons.exercise import Check, Exercise, near
from slalom.lessons.prose import Text

_SHOES = """lr = 0.6


def adagrad(g):
    moves = []
    s = 0.0
    for _ in range(4):
        {adagrad}
    return moves


def rmsprop(g):
    moves = []
    s = 0.0
    for _ in range(4):
        {rmsprop}
    return moves


steep = adagrad(3.0)
flat = adagrad(0.03)
recovered = rmsprop(3.0)
"""
_RACE = """import torch

X = torch.linspace(-1, 1, 100)[:, None]
Y = X**2


def raced(make):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(1, 20), torch.nn.ReLU(), torch.nn.Linear(20, 1))
    optimizer = make(net.parameters())
    for _ in range(100):
        loss = torch.nn.functional.mse_loss(net(X), Y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


rates = [0.003, 0.03, 0.3]
sgd = [raced(lambda p: torch.optim.SGD(p, lr=lr)) for lr in rates]
"""


def _dips(losses: list[float]) -> bool:
    """Three losses, of which the middle one is low and the last high again."""
    first, middle, last = losses
    return middle < 0.01 < first and last > 0.05


def _falls(losses: list[float]) -> bool:
    """Three losses that get lower, down to a thousandth."""
    first, middle, last = losses
    return first > middle > 0.01 and last < 0.001


EXERCISES = (
    Exercise(
        task=Text(
            "The script takes three steps of plain gradient descent on the loss w². Make them steps "
            "of Momentum, with the number 0.8, and leave w after each step in `path`. Then let "
            "`torch.optim.SGD` take the same three steps, and put its w after each into `by_torch`.",
            "这个脚本对损失 w² 走了三步普通的梯度下降。把它改成动量（系数 0.8），每一步之后的 w 留在 `path` 里。"
            "再让 `torch.optim.SGD` 走同样的三步，把每一步之后的 w 放进 `by_torch`。",
        ),
        start="""import torch

lr = 0.1
w, v = 1.0, 0.0
path = []
for _ in range(3):
    g = 2 * w  # the gradient of w² ‖ w² 的梯度
    w = w - lr * g
    path.append(w)

w = torch.tensor(1.0, requires_grad=True)
by_torch = []  # your turn ‖ 轮到你了
""",
        checks=(
            Check(
                ("path",),
                near([0.8, 0.48, 0.128]),
                Text(
                    "w is 0.8, 0.48, 0.128: faster with each step.",
                    "w 依次是 0.8、0.48、0.128：越走越快。",
                ),
                Text(
                    "path should be 0.8, 0.48, 0.128. First v ← 0.8·v + g with the whole g, then "
                    "w ← w − lr·v. Without a speed it would be 0.8, 0.64, 0.512.",
                    "path 应该是 0.8、0.48、0.128。先算 v ← 0.8·v + g（g 不打折扣），再算 w ← w − lr·v。"
                    "没有速度时会是 0.8、0.64、0.512。",
                ),
            ),
            Check(
                ("by_torch",),
                near([0.8, 0.48, 0.128]),
                Text("PyTorch goes the same way.", "PyTorch 走的路一样。"),
                Text(
                    "by_torch should be the same three numbers. Is momentum=0.8 there, are old "
                    "gradients cleared, and do you append w.item()? (w itself is one tensor, and three of "
                    "it all show its last value.)",
                    "by_torch 应该是同样的三个数。写了 momentum=0.8 吗？清空旧的梯度了吗？加进去的是 w.item() 吗？",
                ),
            ),
        ),
        solution="""import torch

lr = 0.1
w, v = 1.0, 0.0
path = []
for _ in range(3):
    g = 2 * w  # the gradient of w² ‖ w² 的梯度
    v = 0.8 * v + g
    w = w - lr * v
    path.append(w)

w = torch.tensor(1.0, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=lr, momentum=0.8)
by_torch = []
for _ in range(3):
    loss = w**2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    by_torch.append(w.item())
""",
    ),
    Exercise(
        task=Text(
            "Bad shoes: a gradient that is g in every step. Write how far the parameter moves in each "
            "of four steps under Adagrad, and under RMSprop with 0.9, both with the learning rate 0.6 "
            "and without ε. The script then compares a steep direction (g = 3) with a flat one.",
            "一双不好走的鞋子：每一步的梯度都是 g。写出在 Adagrad 和 RMSprop（系数 0.9）下，参数在四步里各移动多远；"
            "学习率都是 0.6，不写 ε。然后脚本会比较陡的方向（g = 3）和平缓的方向。",
        ),
        start=_SHOES.format(
            adagrad="moves.append(lr * g)  # your turn ‖ 轮到你了",
            rmsprop="moves.append(lr * g)  # your turn ‖ 轮到你了",
        ),
        checks=(
            Check(
                ("steep",),
                near([0.6 / t**0.5 for t in (1, 2, 3, 4)]),
                Text(
                    "0.6, 0.424, 0.346, 0.3: each step is shorter than the one before.",
                    "0.6、0.424、0.346、0.3：一步比一步短。",
                ),
                Text(
                    "steep should begin with 0.6 and 0.424. Does s grow by g² before the step, and is "
                    "the step lr·g divided by the root of s?",
                    "steep 应该以 0.6、0.424 开头。走这一步之前，s 加上 g² 了吗？步长是 lr·g 除以 s 的平方根吗？",
                ),
            ),
            Check(
                ("flat", "steep"),
                lambda flat, steep: near(steep)(flat),
                Text(
                    "The flat direction is walked just as far.",
                    "在平缓的方向上，走得一样远。",
                ),
                Text(
                    "flat should be the same four numbers as steep: g cancels out. Is s squared "
                    "gradients, and is its root taken?",
                    "flat 应该和 steep 是同样的四个数，因为 g 消掉了。s 里加的是梯度的平方吗？开平方了吗？",
                ),
            ),
            Check(
                ("recovered",),
                near([0.6 / (1 - 0.9**t) ** 0.5 for t in (1, 2, 3, 4)]),
                Text(
                    "1.897, 1.377, 1.153, 1.023: on the way to 0.6, and not to 0.",
                    "1.897、1.377、1.153、1.023：走向 0.6，而不是走向 0。",
                ),
                Text(
                    "recovered should begin with 1.897: s ← 0.9·s + 0.1·g² makes it 0.9 at first.",
                    "recovered 应该以 1.897 开头：s ← 0.9·s + 0.1·g²，所以 s 一开始是 0.9。",
                ),
            ),
        ),
        solution=_SHOES.format(
            adagrad="s = s + g**2\n        moves.append(lr * g / s**0.5)",
            rmsprop="s = 0.9 * s + 0.1 * g**2\n        moves.append(lr * g / s**0.5)",
        ),
    ),
    Exercise(
        task=Text(
            "The script lets SGD race at three learning rates. Do the same with SGD and momentum=0.8, "
            "into the list `momentum`, and with Adam, into `adam`. Then put a name into `same_winner`: "
            "who has the lowest loss at the common rate 0.03? And into `fair_winner`: who has it when "
            'each takes its best rate? The names are "SGD", "Momentum" and "Adam".',
            "这个脚本让 SGD 用三个学习率各跑一次。让带 momentum=0.8 的 SGD 也这样跑，放进列表 `momentum`；再让 Adam 跑，放进 `adam`。"
            "然后把名字放进 `same_winner`：学习率同为 0.03 时，谁的损失最低？"
            '再放进 `fair_winner`：各自用最好的学习率时，谁的损失最低？名字是 "SGD"、"Momentum" 和 "Adam"。',
        ),
        start=f'{_RACE}momentum = []\nadam = []\nsame_winner = ""\nfair_winner = ""\n',
        checks=(
            Check(
                ("momentum",),
                _falls,
                Text("Momentum is best at 0.3.", "动量在 0.3 时最好。"),
                Text(
                    "momentum should be three losses that fall below 0.001. Is momentum=0.8 given, "
                    "and is the order that of rates?",
                    "momentum 应该是三个损失，一直降到 0.001 以下。写了 momentum=0.8 吗？顺序与 rates 相同吗？",
                ),
            ),
            Check(
                ("adam",),
                _dips,
                Text(
                    "Adam is best at 0.03, and 0.3 is too much for it.",
                    "Adam 在 0.03 时最好，0.3 对它太大。",
                ),
                Text(
                    "adam should be three losses, the middle one the lowest. Is it torch.optim.Adam "
                    "with lr=lr?",
                    "adam 应该是三个损失，中间的最低。用的是 torch.optim.Adam 和 lr=lr 吗？",
                ),
            ),
            Check(
                ("same_winner",),
                lambda name: name == "Adam",
                Text("At the common rate 0.03 Adam wins.", "学习率同为 0.03 时，Adam 获胜。"),
                Text(
                    "same_winner: compare the second losses of the three lists.",
                    "same_winner：比较三个列表中的第二个损失。",
                ),
            ),
            Check(
                ("fair_winner",),
                lambda name: name == "Momentum",
                Text("At the best rate of each Momentum wins.", "各自用最好的学习率时，动量获胜。"),
                Text(
                    "fair_winner: compare the lowest losses of the three lists.",
                    "fair_winner：比较三个列表各自最低的损失。",
                ),
            ),
        ),
        solution=f"""{_RACE}momentum = [raced(lambda p: torch.optim.SGD(p, lr=lr, momentum=0.8)) for lr in rates]
adam = [raced(lambda p: torch.optim.Adam(p, lr=lr)) for lr in rates]
for name, losses in (("SGD", sgd), ("Momentum", momentum), ("Adam", adam)):
    print(name, losses)
same_winner = "Adam"
fair_winner = "Momentum"
""",
    ),
)
