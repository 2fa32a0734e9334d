"""Exercises of the lesson on the map of a training."""

from slalom.lessons.exercise import Check, Exercise, near
from slalom.lessons.prose import Text

# The loss w² has the gradient 2w, so a step makes (1 − 2 lr)·w of w: it grows where lr > 1.
_RATES = """rates = [0.1, 0.4, 0.7, 0.9, 1.05, 1.2]


def last_weight(lr):
    w = 1.0
    for _ in range(100):
        w = w - lr * 2 * w
    return w


"""
_BOXES = """import numpy as np

picture = np.eye(16, dtype=bool)  # a diagonal line of 16 pixels ‖ 16 个像素的对角线
sides = [1, 2, 4, 8]
"""
_COUNT = """
counts = []
for side in sides:
    blocks = picture.reshape(16 // side, side, 16 // side, side)
    counts.append(int(blocks.any(axis=(1, 3)).sum()))
dimension = float(-np.polyfit(np.log(sides), np.log(counts), 1)[0])
"""
_LIMIT = """import numpy as np
import torch


def diverges(lr, momentum):
    w = torch.ones(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=lr, momentum=momentum)
    for _ in range(500):
        loss = (w**2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return not abs(w.item()) < 1000


momenta = [0.0, 0.5, 0.9]
"""

EXERCISES = (
    Exercise(
        task=Text(
            "The loss is w², its gradient 2w. For each of the learning rates in `rates`, train w "
            "from 1 for 100 steps, and put into the list `diverged` whether its size grew (True or "
            "False). The function is given.",
            "损失是 w²，梯度是 2w。对 `rates` 里的每个学习率，从 w = 1 训练 100 步，把 w 的绝对值是否变大了"
            "（True 或 False）放进列表 `diverged`。函数已经写好。",
        ),
        start=f"{_RATES}diverged = [False for lr in rates]\n",
        checks=(
            Check(
                ("diverged",),
                lambda diverged: diverged == [False] * 4 + [True] * 2,
                Text("Every rate above 1 diverges.", "大于 1 的学习率都发散。"),
                Text(
                    "A step makes (1 − 2·lr)·w of w. Compare abs(last_weight(lr)) with 1.",
                    "一步把 w 变成 (1 − 2·lr)·w。拿 abs(last_weight(lr)) 与 1 比较。",
                ),
            ),
        ),
        solution=f"{_RATES}diverged = [abs(last_weight(lr)) > 1 for lr in rates]\n",
    ),
    Exercise(
        task=Text(
            "Count how many boxes with sides of 1, 2, 4 and 8 pixels hold a piece of this line, into "
            "the list `counts`, and put the dimension into `dimension`: with boxes half as wide, 2 to "
            "its power times as many.",
            "数一数边长 1、2、4、8 像素的方格里，各有多少个含有这条线的一段，放进列表 `counts`；把维数放进 `dimension`："
            "方格宽度减半时，数目变为 2 的多少次方倍。",
        ),
        start=f"{_BOXES}\ncounts = []\ndimension = 0.0\n",
        checks=(
            Check(
                ("counts",),
                lambda counts: counts == [16, 8, 4, 2],
                Text("16, 8, 4 and 2 boxes.", "16、8、4、2 个方格。"),
                Text(
                    "A diagonal of 16 pixels goes through 16 / side boxes of that side.",
                    "16 个像素的对角线穿过 16 / 边长 个方格。",
                ),
            ),
            Check(
                ("dimension",),
                near(1),
                Text("A line has the dimension 1.", "线的维数是 1。"),
                Text(
                    "With boxes half as wide there are 2 times as many: 2 to the power of what?",
                    "方格宽度减半，数目变为 2 倍：是 2 的几次方？",
                ),
            ),
        ),
        solution=f"{_BOXES}{_COUNT}",
    ),
    Exercise(
        task=Text(
            "Momentum moves the border. For each momentum in `momenta`, find the lowest learning rate "
            "of 0.05, 0.10, 0.15, … 2.50 at which the training of w² diverges, into the list `limits`.",
            "动量会移动边界。对 `momenta` 里的每个动量，在 0.05、0.10、0.15、……、2.50 中找出使 w² 的训练发散的"
            "最小学习率，放进列表 `limits`。",
        ),
        start=f"{_LIMIT}limits = [0.0 for momentum in momenta]\n",
        checks=(
            Check(
                ("limits",),
                near([1.05, 1.55, 1.95], within=0.05),
                Text(
                    "The limit is 1 + momentum: here momentum bears larger rates.",
                    "界限是 1 + 动量：在这里，动量经得起更大的学习率。",
                ),
                Text(
                    "The three limits lie near 1, 1.5 and 1.9. Do you go through the rates from low "
                    "to high, and stop at the first that diverges?",
                    "三个界限在 1、1.5 和 1.9 附近。你是从小到大试学习率，并停在第一个发散的吗？",
                ),
            ),
        ),
        solution=f"""{_LIMIT}rates = np.arange(1, 51) * 0.05
limits = [
    next(float(lr) for lr in rates if diverges(lr, momentum)) for momentum in momenta
]
""",
    ),
)
