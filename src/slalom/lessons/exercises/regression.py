"""Exercises of the lesson on regression."""

from slalom.lessons.exercise import Check, Exercise, near
from slalom.lessons.prose import Text

# Three points on the line y = 2x + 1, and a net of one weight w and one bias b, both 0 at first.
_LINE = """import torch

X = torch.tensor([[0.0], [1.0], [2.0]])
Y = torch.tensor([[1.0], [3.0], [5.0]])
net = torch.nn.Linear(1, 1)
torch.nn.init.zeros_(net.weight)
torch.nn.init.zeros_(net.bias)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
"""
_FIVE = """    prediction = net(X)
    loss = torch.nn.functional.mse_loss(prediction, Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

_HUNDRED = f"""lr = {{lr}}
{_LINE.replace("lr=0.1", "lr=lr")}
for _ in range(100):
{_FIVE}
final_loss = loss.item()
"""


def _loss_after_100(lr: float) -> float:
    """Of 100 steps on the three points from zero, in Python's numbers."""
    w = b = 0.0
    for _ in range(100):
        errors = [w * x + b - (2 * x + 1) for x in range(3)]
        w -= lr * 2 / 3 * sum(error * x for x, error in enumerate(errors))
        b -= lr * 2 / 3 * sum(errors)
    return sum((w * x + b - (2 * x + 1)) ** 2 for x in range(3)) / 3


EXERCISES = (
    Exercise(
        task=Text(
            "Write the five lines of a training step, once. Then put the weight of the net into "
            "`w` and its bias into `b`. (By hand: the predictions are 0, so the gradient of b is "
            "the mean of 2 · (0 − y), which is −6.)",
            "写出一步训练的五行代码，只走一步。然后把网络的权重放进 `w`，偏置放进 `b`。"
            "（手算：预测值都是 0，所以 b 的梯度是 2 · (0 − y) 的平均，等于 −6。）",
        ),
        start=f"{_LINE}\n# the five lines ‖ 五行代码\n\nw = net.weight.item()\nb = net.bias.item()\n",
        checks=(
            Check(
                ("b",),
                near(0.6),
                Text("b is 0.6: 0 − 0.1 · (−6).", "b 是 0.6：0 − 0.1 · (−6)。"),
                Text(
                    "b should be 0 − 0.1 · (−6) = 0.6. Did backward() run, and then step(), once? If b is "
                    "still 0, look whether zero_grad() stands between them and clears the gradient.",
                    "b 应该是 0 − 0.1 · (−6) = 0.6。backward() 和 step() 各运行了一次吗？如果 b 还是 0，"
                    "看看 zero_grad() 是不是写在两者之间，把梯度清掉了。",
                ),
            ),
            Check(
                ("w",),
                near(0.1 * 26 / 3),
                Text("w is 0.8667: 0 − 0.1 · (−26/3).", "w 是 0.8667：0 − 0.1 · (−26/3)。"),
                Text(
                    "w should be 0 − 0.1 times the mean of 2 · (0 − y) · x, which is −26/3.",
                    "w 应该是 0 − 0.1 乘以 2 · (0 − y) · x 的平均，这个平均是 −26/3。",
                ),
            ),
        ),
        solution=(
            f"{_LINE}\nfor _ in range(1):\n{_FIVE}\nw = net.weight.item()\nb = net.bias.item()\n"
        ),
    ),
    Exercise(
        task=Text(
            "Train this net twice for 30 steps, each time from weights of 0: once with all five "
            "lines, once without `zero_grad`. Put the two last losses into `with_reset` and "
            "`without_reset`.",
            "把这个网络从 0 开始训练两次，每次 30 步：一次用全部五行，一次去掉 `zero_grad`。"
            "把两次最后的损失分别放进 `with_reset` 和 `without_reset`。",
        ),
        start=f"""{_LINE}
for _ in range(30):
{_FIVE}
with_reset = loss.item()
without_reset = 0.0  # your turn ‖ 轮到你了
""",
        checks=(
            Check(
                ("with_reset",),
                lambda loss: 0 < loss < 0.05,
                Text("With zero_grad the loss comes down.", "有 zero_grad，损失降了下来。"),
                Text(
                    "With all five lines the loss is below 0.05 after 30 steps.",
                    "用全部五行，30 步以后损失低于 0.05。",
                ),
            ),
            Check(
                ("with_reset", "without_reset"),
                lambda reset, kept: kept > 10 * reset,
                Text(
                    "Without it, old gradients push on, and the loss is far higher.",
                    "没有它，旧的梯度还在推，损失高得多。",
                ),
                Text(
                    "Without zero_grad the loss should be far higher. Does the second training "
                    "start from a new net and a new optimizer?",
                    "没有 zero_grad，损失应该高得多。第二次训练用的是新的网络和新的优化器吗？",
                ),
            ),
        ),
        solution=f"""{_LINE}
for _ in range(30):
{_FIVE}
with_reset = loss.item()
torch.nn.init.zeros_(net.weight)
torch.nn.init.zeros_(net.bias)
net.zero_grad()
for _ in range(30):
    loss = torch.nn.functional.mse_loss(net(X), Y)
    loss.backward()
    optimizer.step()
without_reset = loss.item()
""",
    ),
    Exercise(
        task=Text(
            "Find a learning rate with which the loss is below 1e-10 after 100 steps, and put it "
            "into `lr` and the last loss into `final_loss`. The rate 0.1 is too small, and 0.5 "
            "diverges.",
            "找一个学习率，使 100 步以后损失低于 1e-10，把它放进 `lr`，最后的损失放进 "
            "`final_loss`。0.1 太小，0.5 会发散。",
        ),
        start=_HUNDRED.format(lr=0.1),
        checks=(
            Check(
                ("lr",),
                lambda lr: 0 < lr < 0.5 and _loss_after_100(lr) < 1e-10,
                Text("This rate gets there in 100 steps.", "用这个学习率，100 步能走到。"),
                Text(
                    "With this lr the loss is not below 1e-10 after 100 steps. Try rates between 0.2 "
                    "and 0.35, and leave the 100 steps as they are.",
                    "用这个 lr，100 步以后损失没有低于 1e-10。试试 0.2 和 0.35 之间的学习率，步数仍是 100。",
                ),
            ),
            Check(
                ("final_loss",),
                lambda loss: 0 <= loss < 1e-10,
                Text("The last loss is below 1e-10.", "最后的损失低于 1e-10。"),
                Text(
                    "The last loss is not below 1e-10 yet. Is final_loss that of the last step?",
                    "最后的损失还没有低于 1e-10。final_loss 是最后一步的损失吗？",
                ),
            ),
        ),
        solution=_HUNDRED.format(lr=0.25),
    ),
)
