"""Exercises of the lesson on overfitting."""

from slalom.lessons.exercise import Check, Exercise, near
from slalom.lessons.prose import Text

_LOSSES = "losses = [0.90, 0.60, 0.50, 0.52, 0.48, 0.49, 0.55, 0.51, 0.47, 0.60]\npatience = 3\n"
_STOP = f"""{_LOSSES}
kept, stopped = 1, len(losses)
for epoch, loss in enumerate(losses, start=1):
    if loss < losses[kept - 1]:
        kept = epoch
    elif epoch - kept >= patience:
        stopped = epoch
        break
"""
_SPLIT = """import numpy as np

rows = 100
order = np.random.default_rng(0).permutation(rows)
"""
_ONES = """import torch

layer = torch.nn.Dropout(0.2)
ones = torch.ones(10_000)
"""

EXERCISES = (
    Exercise(
        task=Text(
            "Here are the validation losses of ten epochs. With a patience of 3 a training stops as "
            "soon as three epochs in a row have brought no loss lower than the lowest so far. At "
            "which epoch does it stop, and of which epoch are the weights that it keeps? Count from "
            "1, and put the answers into `stopped` and `kept`; work them out by hand or write a loop.",
            "下面是十个轮次的验证损失。耐心为 3 时，只要连续三轮都没有比迄今最低更低的损失，训练就停下。"
            "它在第几轮停下，保留的是第几轮的权重？从 1 数起，把答案放进 `stopped` 和 `kept`；手算或写循环都可以。",
        ),
        start=f"{_LOSSES}\nstopped = 10\nkept = 1\n",
        checks=(
            Check(
                ("kept",),
                near(5),
                Text("Epoch 5 is kept.", "保留第 5 轮。"),
                Text(
                    "kept is the epoch of the lowest loss up to the stop, not of all ten.",
                    "kept 是停下之前损失最低的那一轮，而不是全部十轮里最低的。",
                ),
            ),
            Check(
                ("stopped",),
                near(8),
                Text("It stops at epoch 8.", "在第 8 轮停下。"),
                Text(
                    "After the lowest loss, wait three epochs: the third of them is the last.",
                    "从最低的损失往后等三轮：第三轮就是最后一轮。",
                ),
            ),
        ),
        solution=_STOP,
    ),
    Exercise(
        task=Text(
            "Split 100 rows by chance: the numbers of 40 rows for validation into `held`, those of "
            "all others into `kept`.",
            "把 100 行随机分成两份：40 行的行号放进 `held` 用于验证，其余的行号放进 `kept`。",
        ),
        start=f"{_SPLIT}\nheld = order\nkept = order\n",
        checks=(
            Check(
                ("held",),
                lambda held: len(set(held)) == len(held) == 40,
                Text("40 rows are held out.", "留出了 40 行。"),
                Text("held should have 40 different rows.", "held 里应该有 40 个不同的行。"),
            ),
            Check(
                ("held", "kept"),
                lambda held, kept: sorted([*held, *kept]) == list(range(100)),
                Text("Every row is in one part alone.", "每一行只在其中一份里。"),
                Text(
                    "Every row from 0 to 99 should be in one of both, and in one only.",
                    "0 到 99 的每一行都应该在其中一份里，而且只在一份里。",
                ),
            ),
            Check(
                ("held",),
                lambda held: sorted(held) not in (list(range(40)), list(range(60, 100))),
                Text("They are drawn by chance.", "是随机抽取的。"),
                Text(
                    "The first or last 40 rows are not drawn by chance: a sorted table would show "
                    "the net only one of its ends.",
                    "前 40 行或后 40 行不是随机抽的：排好序的表只会让网络看到一头。",
                ),
            ),
        ),
        solution=f"{_SPLIT}\nheld, kept = order[:40], order[40:]\n",
    ),
    Exercise(
        task=Text(
            "A dropout layer gets ones. As it is in training: put the largest number that comes out "
            "into `largest`, and the share of zeros into `zeros`. Then switch it to use, and put the "
            "smallest number that comes out into `smallest`.",
            "把全是 1 的张量送进 dropout 层。在训练状态下，把输出里最大的数放进 `largest`，0 所占的比例放进 `zeros`。"
            "然后切换到使用状态，把输出里最小的数放进 `smallest`。",
        ),
        start=f"{_ONES}\nout = layer(ones)\nlargest = 0.0\nzeros = 0.0\nsmallest = 0.0\n",
        checks=(
            Check(
                ("largest",),
                near(1.25),
                Text(
                    "The others count 1 / 0.8 = 1.25 to make up for it.",
                    "其余的放大到 1 / 0.8 = 1.25，作为补偿。",
                ),
                Text(
                    "largest should be 1 / (1 − 0.2). Is it the maximum of what the layer gives?",
                    "largest 应该是 1 / (1 − 0.2)。它是这一层输出的最大值吗？",
                ),
            ),
            Check(
                ("zeros",),
                lambda share: 0.17 < share < 0.23,
                Text("About a fifth is left out.", "大约五分之一被丢掉。"),
                Text(
                    "zeros should be about 0.2: the mean of (out == 0) as numbers.",
                    "zeros 应该在 0.2 左右：把 (out == 0) 当作数取平均。",
                ),
            ),
            Check(
                ("smallest",),
                near(1),
                Text("In use nothing is left out.", "使用时什么也不丢。"),
                Text("Call layer.eval() before you use it.", "使用之前先调用 layer.eval()。"),
            ),
        ),
        solution=f"""{_ONES}
out = layer(ones)
largest = out.max().item()
zeros = (out == 0).float().mean().item()
layer.eval()
smallest = layer(ones).min().item()
""",
    ),
)
