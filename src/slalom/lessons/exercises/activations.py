"""Exercises of the lesson on activation functions."""

from slalom.lessons.exercise import Check, Exercise, near
from slalom.lessons.prose import Text

_SCORES = """import torch

scores = torch.tensor([2.0, 1.0, 0.5, -1.0])
large = torch.tensor([1000.0, 999.0])
"""

_X = """import torch

x = torch.tensor([-1.0, 0.25, 0.75, 2.0], dtype=torch.float64, requires_grad=True)
"""

_CHAIN = """import torch


def arrives(w):
    x = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    h = x
    for _ in range(10):
        h = torch.sigmoid(w * (h - 0.5))
"""

EXERCISES = (
    Exercise(
        task=Text(
            "Write softmax with nothing but `torch.exp`, a sum and a division. Put that of `scores` "
            "into `probabilities` and that of `large` into `of_large`. (e¹⁰⁰⁰ is too large a number "
            "for the computer. But adding the same number to all scores changes nothing.)",
            "只用 `torch.exp`、求和与除法写出 softmax。把 `scores` 的结果放进 `probabilities`，`large` 的结果放进 "
            "`of_large`。（e¹⁰⁰⁰ 太大，计算机装不下。不过给所有得分加上同一个数，结果不变。）",
        ),
        start=f"{_SCORES}\nprobabilities = scores  # your turn ‖ 轮到你了\nof_large = large\n",
        checks=(
            Check(
                ("probabilities",),
                near([0.609460, 0.224208, 0.135989, 0.030343]),
                Text("The four probabilities are right.", "四个概率都对。"),
                Text(
                    "The four should be 0.6095, 0.2242, 0.1360, 0.0303: e to the power of each score, "
                    "divided by the sum of all four.",
                    "四个数应该是 0.6095、0.2242、0.1360、0.0303：e 的各得分次方，再除以四个的总和。",
                ),
            ),
            Check(
                ("of_large",),
                near([0.731059, 0.268941]),
                Text("Large scores are no trouble.", "得分很大也没有问题。"),
                Text(
                    "of_large should be 0.7311, 0.2689, as for the scores 1 and 0. If it is nan, "
                    "subtract the largest score from all of them first.",
                    "of_large 应该是 0.7311、0.2689，和得分 1、0 的结果一样。如果得到 nan，先从所有得分中减去最大的那个。",
                ),
            ),
        ),
        solution=f"""{_SCORES}

def softmax(s):
    powers = torch.exp(s - s.max())
    return powers / powers.sum()


probabilities = softmax(scores)
of_large = softmax(large)
""",
    ),
    Exercise(
        task=Text(
            "Make an activation function of your own, a ramp: 0 below 0, x itself from 0 to 1, and "
            "1 above 1. Put what it gives at the four points into `values`, its derivative there by "
            "autograd into `slopes`, and the same by finite differences into `differences`.",
            "自己写一个激活函数“斜坡”：小于 0 时是 0，0 到 1 之间是 x 本身，大于 1 时是 1。把它在四个点上的值放进 "
            "`values`，用自动求导得到的导数放进 `slopes`，用有限差分得到的导数放进 `differences`。",
        ),
        start=f"""{_X}

def ramp(x):
    return x  # your turn ‖ 轮到你了


values = ramp(x)
slopes = torch.zeros(4)
differences = torch.zeros(4)
""",
        checks=(
            Check(
                ("values",),
                near([0.0, 0.25, 0.75, 1.0]),
                Text("The ramp is right at all four points.", "四个点上的值都对。"),
                Text(
                    "At −1, 0.25, 0.75 and 2 the ramp should give 0, 0.25, 0.75 and 1. torch.relu "
                    "cuts off one side; torch.clamp can cut off both.",
                    "在 −1、0.25、0.75、2 处，斜坡应该是 0、0.25、0.75、1。torch.relu 截去一边，torch.clamp 可以截去两边。",
                ),
            ),
            Check(
                ("slopes",),
                near([0.0, 1.0, 1.0, 0.0]),
                Text("It is flat outside and steep inside.", "两边是平的，中间有斜率。"),
                Text(
                    "The slopes should be 0, 1, 1, 0. `torch.autograd.grad(values.sum(), x)` gives "
                    "them all at once, in a tuple.",
                    "斜率应该是 0、1、1、0。`torch.autograd.grad(values.sum(), x)` 一次给出全部，放在一个元组里。",
                ),
            ),
            Check(
                ("differences",),
                near([0.0, 1.0, 1.0, 0.0]),
                Text("Finite differences agree.", "有限差分的结果一致。"),
                Text(
                    "The finite differences should be 0, 1, 1, 0 too: (ramp(x + h) − ramp(x − h)), "
                    "divided by 2h, with a small h.",
                    "有限差分也应该是 0、1、1、0：(ramp(x + h) − ramp(x − h)) 除以 2h，h 取小一些。",
                ),
            ),
        ),
        solution=f"""{_X}

def ramp(x):
    return torch.clamp(x, 0, 1)


values = ramp(x)
(slopes,) = torch.autograd.grad(values.sum(), x)
differences = (ramp(x + 1e-3) - ramp(x - 1e-3)) / 2e-3
""",
    ),
    Exercise(
        task=Text(
            "Ten neurons in a row: each subtracts 0.5 and multiplies by w, and then comes a sigmoid. "
            "Let `arrives(w)` return the gradient of the last h with respect to x. Put its value for "
            "w = 1 into `with_one`. Then find the weight with which the gradient that comes back to x "
            "is exactly 1, and put it into `w`. (At 0 the derivative of sigmoid is a quarter.)",
            "十个神经元排成一串：每个都先减去 0.5，再乘以 w，然后经过 sigmoid。让 `arrives(w)` 返回最后的 h 对 x "
            "的梯度。把 w = 1 时的值放进 `with_one`。然后找出使传回到 x 的梯度恰好等于 1 的权重，放进 `w`。（sigmoid 在 0 "
            "处的导数是四分之一。）",
        ),
        start=f"{_CHAIN}    return 0.0  # your turn ‖ 轮到你了\n\n\nwith_one = arrives(1.0)\nw = 1.0\n",
        checks=(
            Check(
                ("with_one",),
                lambda gradient: abs(gradient / 0.25**10 - 1) < 1e-3,
                Text("With w = 1 about a millionth arrives.", "w = 1 时，大约只剩百万分之一。"),
                Text(
                    "With w = 1 the gradient should be 0.25¹⁰, which is 9.5e-07. "
                    "`torch.autograd.grad(h, x)` finds it, after the loop and not within it.",
                    "w = 1 时，梯度应该是 0.25¹⁰，即 9.5e-07。在循环之后（而不是循环之中）用 `torch.autograd.grad(h, x)` 求它。",
                ),
            ),
            Check(
                ("w",),
                lambda w: near(4.0, within=0.01)(abs(w)),  # ten times −1 is 1, too
                Text("With this w all of it arrives.", "用这个 w，梯度全部到达。"),
                Text(
                    "w is not right yet. Each neuron multiplies the gradient by w and by the "
                    "derivative of sigmoid. When do these two make 1?",
                    "w 还不对。每个神经元都让梯度乘以 w，再乘以 sigmoid 的导数。什么时候两者的乘积等于 1？",
                ),
            ),
        ),
        solution=f"""{_CHAIN}    (gradient,) = torch.autograd.grad(h, x)
    return gradient.item()


with_one = arrives(1.0)
w = 4.0
""",
    ),
)
