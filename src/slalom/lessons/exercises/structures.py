"""Exercises of the lesson on structures."""

from math import tanh

from slalom.lessons.exercise import Check, Exercise, near
from slalom.lessons.prose import Text

_STROKE = """import torch

image = torch.tensor([
    [0.0, 0.0, 1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 0.0, 0.0],
])
edge = torch.tensor([
    [-1.0, 0.0, 1.0],
    [-1.0, 0.0, 1.0],
    [-1.0, 0.0, 1.0],
])
"""

_RNN = """import torch

net = torch.nn.RNN(1, 1)  # one input, one number of state ‖ 一个输入，一个状态数
with torch.no_grad():
    net.weight_ih_l0.fill_(0.5)  # W
    net.weight_hh_l0.fill_(0.9)  # U
    net.bias_ih_l0.fill_(0.0)  # torch has two biases, which are added ‖ torch 有两个偏置，会加在一起
    net.bias_hh_l0.fill_(0.0)
heard = torch.tensor([[1.0], [0.0], [0.0]])
"""
_FIRST = tanh(0.5)
_STATES = [_FIRST, tanh(0.9 * _FIRST), tanh(0.9 * tanh(0.9 * _FIRST))]

_DECIDING = """import torch


def layer(weight):
    made = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(made.weight, weight)
    torch.nn.init.zeros_(made.bias)
    return made


class Deciding(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.flip, self.triple = layer(-1.0), layer(3.0)

    def forward(self, x):
        self.turns = 0
{forward}
        return x


net = Deciding()
outputs, turns = [], []
for number in (-2.0, 0.5, 20.0):
    outputs.append(net(torch.tensor([[number]])).item())
    turns.append(net.turns)

{gradient}
"""

EXERCISES = (
    Exercise(
        task=Text(
            "Move the filter `edge` over `image` with `torch.nn.functional.conv2d`, without padding and "
            "without a bias, and send the sums through relu. Put the feature map, 3 rows of 3, into `found`. "
            "Then do the same with the stroke one pixel further right, and put it into `moved`. (`conv2d` "
            "wants shapes (1, 1, 5, 5) and (1, 1, 3, 3): `image[None, None]` adds both ones.)",
            "用 `torch.nn.functional.conv2d` 让滤波器 `edge` 在 `image` 上移动，不加 padding，也不加偏置，"
            "再把这些和送进 relu。把 3 行 3 列的特征图放进 `found`。然后把笔画向右移一个像素，再做一遍，放进 "
            "`moved`。（`conv2d` 要的形状是 (1, 1, 5, 5) 和 (1, 1, 3, 3)：`image[None, None]` 会补上两个 1。）",
        ),
        start=f"{_STROKE}\nfound = image  # your turn ‖ 轮到你了\nmoved = image\n",
        checks=(
            Check(
                ("found",),
                near([[3.0, 0.0, 0.0]] * 3),
                Text(
                    "The filter finds the left edge of the stroke: 3 · 1 where its right column meets it.",
                    "滤波器找到了笔画的左边缘：它的右列碰到笔画的地方是 3 · 1。",
                ),
                Text(
                    "found should be three rows of 3, 0, 0. Is it 3 by 3 (`[0, 0]` takes off both "
                    "ones), and has relu made the −3 on the right a 0?",
                    "found 应该是三行 3、0、0。它是 3×3 的吗（`[0, 0]` 去掉那两个 1）？"
                    "右边的 −3 经过 relu 变成 0 了吗？",
                ),
            ),
            Check(
                ("moved",),
                near([[0.0, 3.0, 0.0]] * 3),
                Text(
                    "The stroke moved by one, and what was found moved with it.",
                    "笔画移了一格，找到的东西也跟着移了一格。",
                ),
                Text(
                    "moved should be three rows of 0, 3, 0: the same sums, one place further right. "
                    "Is the stroke in the column with number 3 (counted from 0), and only there?",
                    "moved 应该是三行 0、3、0：同样的和，往右一格。笔画是不是在第 3 列（从 0 数起），"
                    "而且只在那里？",
                ),
            ),
        ),
        solution=f"""{_STROKE}

def feature_map(image):
    sums = torch.nn.functional.conv2d(image[None, None], edge[None, None])
    return sums.relu()[0, 0]


found = feature_map(image)
moved = feature_map(torch.roll(image, 1, dims=1))
""",
    ),
    Exercise(
        task=Text(
            "This recurrent net hears 1, 0, 0. Put the three numbers that its hidden state goes through into "
            "`states`, as torch computes them. Then compute them from the formula with `torch.tanh` in a "
            "loop of your own, into the list `by_hand`. At last, put into `emptied` what the state is "
            "after the last input if it is emptied (set to 0) just before.",
            "这个循环网络听到的是 1、0、0。把它的隐藏状态先后取的三个数放进 `states`，由 torch 来算。"
            "再用 `torch.tanh` 自己写一个循环，按公式算出来，放进列表 `by_hand`。"
            "最后，如果在最后一个输入之前把状态清空（设为 0），听完它以后的状态是多少？放进 `emptied`。",
        ),
        start=f"{_RNN}\nstates = []  # your turn ‖ 轮到你了\nby_hand = []\nemptied = 1.0\n",
        checks=(
            Check(
                ("states",),
                lambda states: (
                    near([[value] for value in _STATES])(states) or near(_STATES)(states)
                ),
                Text(
                    "torch's states: 0.4621, 0.3936, 0.3399. The 1 is remembered, and fades.",
                    "torch 算出的状态：0.4621、0.3936、0.3399。那个 1 被记住了，又渐渐淡去。",
                ),
                Text(
                    "states should be 0.4621, 0.3936, 0.3399: the first of the two things that "
                    "net(heard) gives.",
                    "states 应该是 0.4621、0.3936、0.3399：net(heard) 给出的两样东西中的第一样。",
                ),
            ),
            Check(
                ("by_hand",),
                near(_STATES),
                Text("The formula gives the same.", "公式算出的结果相同。"),
                Text(
                    "by_hand should be the same three numbers: each is tanh(0.5 · input + 0.9 · the "
                    "state before), and the first state before is 0.",
                    "by_hand 应该是同样的三个数：每个都是 tanh(0.5 · 输入 + 0.9 · 原来的状态)，"
                    "最早的状态是 0。",
                ),
            ),
            Check(
                ("emptied",),
                lambda value: near(0.0)(value) or near([0.0])(value),
                Text(
                    "With an empty state nothing is left of the 1.",
                    "状态一清空，那个 1 就无影无踪了。",
                ),
                Text(
                    "emptied should be tanh(0.5 · 0 + 0.9 · 0).",
                    "emptied 应该是 tanh(0.5 · 0 + 0.9 · 0)。",
                ),
            ),
        ),
        solution=f"""{_RNN}
states, _ = net(heard)
state, by_hand = torch.tensor(0.0), []
for value in heard:
    state = torch.tanh(0.5 * value[0] + 0.9 * state)
    by_hand.append(state.item())
emptied = torch.tanh(0.5 * heard[2, 0] + 0.9 * torch.tensor(0.0))
""",
    ),
    Exercise(
        task=Text(
            "Write the middle of `forward`: a negative number goes through `self.flip` first, and then "
            "every number goes through `self.triple` for as long as it is below 10. Count those turns in "
            "`self.turns`. Then put into `gradient` the gradient that the weight of `triple` gets when −2 is sent "
            "through and back. (By hand: −2 becomes 2, then 6, then 18 = 2 · weight · weight.)",
            "写出 `forward` 的中间部分：负数先经过 `self.flip`，然后每个数都经过 `self.triple`，"
            "只要还小于 10，就再经过一次。把经过的次数记在 `self.turns` 里。"
            "再把 −2 送进去，反向传播，把 `triple` 的权重得到的梯度放进 `gradient`。"
            "（手算：−2 变成 2，再变成 6，再变成 18 = 2 · 权重 · 权重。）",
        ),
        start=_DECIDING.format(
            forward="        # your turn ‖ 轮到你了",
            gradient="gradient = 0.0  # your turn ‖ 轮到你了",
        ),
        checks=(
            Check(
                ("outputs",),
                near([18.0, 13.5, 20.0]),
                Text("The outputs are 18, 13.5 and 20.", "输出是 18、13.5 和 20。"),
                Text(
                    "−2 should end at 18, 0.5 at 13.5, and 20 stay as it is. Is flip for negative "
                    "numbers alone, and does triple go on while x is below 10?",
                    "−2 应该到 18，0.5 应该到 13.5，20 应该不变。flip 只用于负数吗？"
                    "x 小于 10 时 triple 一直在重复吗？",
                ),
            ),
            Check(
                ("turns",),
                near([2, 3, 0]),
                Text(
                    "They took 2, 3 and 0 turns: three inputs, three graphs.",
                    "它们分别经过了 2、3、0 次：三个输入，三张图。",
                ),
                Text(
                    "The turns should be 2, 3 and 0. Is self.turns raised by 1 in each turn of the loop, and "
                    "only there?",
                    "次数应该是 2、3、0。self.turns 是不是在循环里每次加 1，而且只在那里加？",
                ),
            ),
            Check(
                ("gradient",),
                near(12.0),
                Text(
                    "The gradient is 12: the derivative of 2 · weight² is 4 · weight, and the weight is 3.",
                    "梯度是 12：2 · 权重² 的导数是 4 · 权重，而权重是 3。",
                ),
                Text(
                    "The gradient should be 12. Was backward() called on the output for −2, once, and "
                    "is it net.triple.weight.grad that you read?",
                    "梯度应该是 12。backward() 是在 −2 的输出上调用的吗，只调用了一次吗？"
                    "读的是 net.triple.weight.grad 吗？",
                ),
            ),
        ),
        solution=_DECIDING.format(
            forward="""        if x < 0:
            x = self.flip(x)
        while x < 10:
            x = self.triple(x)
            self.turns += 1""",
            gradient="""net(torch.tensor([[-2.0]])).backward()
gradient = net.triple.weight.grad.item()""",
        ),
    ),
)
