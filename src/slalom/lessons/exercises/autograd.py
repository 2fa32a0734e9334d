"""Exercises of the lesson on autograd."""

from collections.abc import Sequence
from math import e, sinh

from slalom.lessons.exercise import Check, Exercise, near
from slalom.lessons.prose import Text

_GIVEN = "import torch\n\na = torch.tensor(2.0)\nb = torch.tensor(3.0)\n"

_WEIGHT = "import torch\n\nlr = 0.1\nw = torch.tensor(0.0, requires_grad=True)\n"

_POINT = """import torch

x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
steps = [10.0**-k for k in range(1, 13)]  # of h ‖ h 的大小
"""


def _bend(errors: Sequence[float]) -> bool:
    """While h is large, the error is that of the bend: e · (sinh(h) / h − 1)."""
    truth = [e * (sinh(h) / h - 1) for h in (0.1, 0.01, 0.001)]
    close = all(abs(error / true - 1) < 0.01 for error, true in zip(errors, truth, strict=False))
    return len(errors) == 12 and close


EXERCISES = (
    Exercise(
        task=Text(
            "Let autograd find the gradients of the result (a · b + a)² for `a` and `b`, and put "
            "them into `grad_a` and `grad_b`.",
            "用自动求导求出 (a · b + a)² 对 `a` 和 `b` 的梯度，放进 `grad_a` 和 `grad_b`。",
        ),
        start=f"{_GIVEN}\nresult = (a * b + a) ** 2\n\n# your turn ‖ 轮到你了\ngrad_a = 0.0\ngrad_b = 0.0\n",
        checks=(
            Check(
                ("grad_a",),
                near(64.0),
                Text(
                    "The gradient of a is 2 · 8 · (3 + 1) = 64: a is used twice.",
                    "a 的梯度是 2 · 8 · (3 + 1) = 64：a 用了两次。",
                ),
                Text(
                    "grad_a should be 64. Does a have requires_grad=True, and did result.backward() "
                    "run? Then a.grad.item() is the number.",
                    "grad_a 应该是 64。a 有 requires_grad=True 吗？result.backward() 运行了吗？然后 a.grad.item() 就是这个数。",
                ),
            ),
            Check(
                ("grad_b",),
                near(32.0),
                Text("The gradient of b is 2 · 8 · 2 = 32.", "b 的梯度是 2 · 8 · 2 = 32。"),
                Text(
                    "grad_b should be 2 · (a · b + a) · a = 32. b needs requires_grad=True too.",
                    "grad_b 应该是 2 · (a · b + a) · a = 32。b 也需要 requires_grad=True。",
                ),
            ),
        ),
        solution="""import torch

a = torch.tensor(2.0, requires_grad=True)
b = torch.tensor(3.0, requires_grad=True)
result = (a * b + a) ** 2
result.backward()
grad_a, grad_b = a.grad.item(), b.grad.item()
""",
    ),
    Exercise(
        task=Text(
            "Go down the curve (w − 3)² with 20 steps of gradient descent from `w` = 0, with the "
            "learning rate `lr`. Let autograd find each gradient, and keep them all in the list "
            "`gradients`, as plain numbers.",
            "从 `w` = 0 出发，用学习率 `lr` 沿曲线 (w − 3)² 走 20 步梯度下降。每一步的梯度都用自动求导来求，"
            "作为普通的数依次放进列表 `gradients`。",
        ),
        start=f"{_WEIGHT}gradients = []\n\n# your turn ‖ 轮到你了\n",
        checks=(
            Check(
                ("gradients",),
                near([-6 * 0.8**k for k in range(20)]),
                Text("The gradients shrink: −6, −4.8, −3.84, …", "梯度越来越小：−6、−4.8、−3.84……"),
                Text(
                    "There should be 20 gradients: −6, then −4.8. If the second is −10.8, it was "
                    "added to the first: set w.grad = None after each step. If all are 0, the list holds "
                    "one tensor twenty times, which was cleared: append w.grad.item().",
                    "应该有 20 个梯度：先是 −6，然后是 −4.8。如果第二个是 −10.8，那是加到了第一个上面："
                    "每一步之后都要写 w.grad = None。如果全是 0，那是列表里放了二十次同一个张量，它被清零了："
                    "应加进 w.grad.item()。",
                ),
            ),
            Check(
                ("w",),
                near(3 * (1 - 0.8**20)),
                Text("w has come to 2.9654.", "w 到了 2.9654。"),
                Text(
                    "w should end at 2.9654. Each step is w -= lr * w.grad, within torch.no_grad().",
                    "w 最后应该是 2.9654。每一步是 w -= lr * w.grad，写在 torch.no_grad() 里。",
                ),
            ),
        ),
        solution=f"""{_WEIGHT}gradients = []
for _ in range(20):
    result = (w - 3) ** 2
    result.backward()
    gradients.append(w.grad.item())
    with torch.no_grad():
        w -= lr * w.grad
    w.grad = None
""",
    ),
    Exercise(
        task=Text(
            "How small should h be? Take exp at 1. For each h of `steps` compute the finite "
            "difference and put its distance from the gradient of autograd into the list `errors`. "
            "Put into `best` the k for which h = 10⁻ᵏ is the best.",
            "h 该取多小？以 exp 在 1 处为例。对 `steps` 中的每个 h 计算有限差分，把它与自动求导的梯度相差多少放进列表 "
            "`errors`。哪个 k 使 h = 10⁻ᵏ 最好，就把它放进 `best`。",
        ),
        start=f"{_POINT}errors = []\n\n# your turn ‖ 轮到你了\n\nbest = 1\n",
        checks=(
            Check(
                ("errors",),
                _bend,
                Text(
                    "At first a tenth of h makes a hundredth of the error: that of the bend.",
                    "起初，h 变为十分之一，误差就变为百分之一：那是曲线弯曲造成的。",
                ),
                Text(
                    "There should be 12 errors, and the first is 0.00453. If yours is 0.14, you "
                    "moved to one side only: it is (f(x + h) − f(x − h)) / 2h. If the third is not "
                    "4.5e-7, something was computed in float32.",
                    "应该有 12 个误差，第一个是 0.00453。如果得到 0.14，说明只往一边移动了："
                    "应该是 (f(x + h) − f(x − h)) / 2h。如果第三个不是 4.5e-7，说明有的地方用了 float32。",
                ),
            ),
            Check(
                ("errors",),
                lambda errors: errors[11] > 100 * min(errors),
                Text(
                    "In the end the error grows again: that is rounding.",
                    "到后来，误差又变大了：那是舍入造成的。",
                ),
                Text(
                    "With the smallest h the error should be far larger than with the best one.",
                    "h 最小时的误差，应该比最好的 h 大得多。",
                ),
            ),
            Check(
                ("errors", "best"),
                lambda errors, best: errors[best - 1] == min(errors),
                Text("best belongs to the smallest error.", "best 对应最小的误差。"),
                Text(
                    "best should be the k of the smallest error; k is counted from 1.",
                    "best 应该是误差最小的那个 k；k 从 1 数起。",
                ),
            ),
        ),
        solution=f"""{_POINT}torch.exp(x).backward()
gradient = x.grad.item()
errors = []
with torch.no_grad():
    for h in steps:
        difference = (torch.exp(x + h) - torch.exp(x - h)) / (2 * h)
        errors.append(abs(difference.item() - gradient))
best = 1 + errors.index(min(errors))
""",
    ),
)
