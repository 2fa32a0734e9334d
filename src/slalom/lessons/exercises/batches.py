"""Exercises of the lesson on mini-batches."""

from slalom.lessons.exercise import Check, Exercise, near
from slalom.lessons.prose import Text

_PAIRS = """import torch
from torch.utils.data import DataLoader, TensorDataset

x = torch.linspace(1, 10, 10)
y = torch.linspace(10, 1, 10)
data = TensorDataset(x, y)
"""
_LINE = """import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.linspace(-1, 1, 200)[:, None]
Y = 3 * X + 2


def trained(batch_size):
    net = torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(net.weight)
    torch.nn.init.zeros_(net.bias)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    steps = 0
"""
_AFTER = """    with torch.no_grad():
        return torch.nn.functional.mse_loss(net(X), Y).item(), steps


loss_of_10, steps_of_10 = trained(10)
loss_of_200, steps_of_200 = trained(200)
"""


def _exact(steps: int) -> float:
    """The loss after so many steps on all rows: worked out for the line y = 3x + 2 from zero."""
    mean_square = 201 / 199 / 3  # of x; it sets how fast the weight comes nearer
    return 9 * mean_square * (1 - 0.2 * mean_square) ** (2 * steps) + 4 * 0.8 ** (2 * steps)


def _in_order() -> float:
    """The loss after 100 steps on batches of ten rows that follow each other on the line."""
    w = b = 0.0
    x = [-1 + 2 * k / 199 for k in range(200)]
    for _ in range(5):
        for first in range(0, 200, 10):
            batch = x[first : first + 10]
            errors = [(w - 3) * each + b - 2 for each in batch]
            w -= 0.2 * sum(e * each for e, each in zip(errors, batch, strict=True)) / 10
            b -= 0.2 * sum(errors) / 10
    return sum(((w - 3) * each + b - 2) ** 2 for each in x) / 200


def _three_passes(epochs: list[list[float]]) -> bool:
    return [sorted(epoch) for epoch in epochs] == [list(range(1, 11))] * 3


EXERCISES = (
    Exercise(
        task=Text(
            "Deal out these ten pairs in batches of 8, in the order of the table. Put the number of "
            "rows of each batch into the list `sizes`, and the x of the last batch into `last_x`.",
            "把这十对数按表中的顺序分批，每批 8 行。把各批的行数放进列表 `sizes`，最后一批的 x 放进 `last_x`。",
        ),
        start=f"""{_PAIRS}
loader = DataLoader(data, batch_size=5)
sizes = []
for batch_x, batch_y in loader:
    pass  # your turn ‖ 轮到你了
last_x = []
""",
        checks=(
            Check(
                ("sizes",),
                near([8, 2]),
                Text(
                    "One batch of 8, and one of the 2 that are left.",
                    "一批 8 行，一批是剩下的 2 行。",
                ),
                Text(
                    "sizes should have a number for each batch, and the last batch holds what is "
                    "left. Is batch_size 8, and drop_last not set?",
                    "sizes 里每批有一个数，最后一批装的是剩下的行。batch_size 是 8 吗？没有写 drop_last 吧？",
                ),
            ),
            Check(
                ("last_x",),
                near([9, 10]),
                Text("The last batch holds 9 and 10.", "最后一批是 9 和 10。"),
                Text(
                    "last_x should be the two largest x. Are the rows in the order of the table, "
                    "and did you take the last batch?",
                    "last_x 应该是最大的两个 x。各行是按表中的顺序吗？取的是最后一批吗？",
                ),
            ),
        ),
        solution=f"""{_PAIRS}
loader = DataLoader(data, batch_size=8)
sizes = []
for batch_x, batch_y in loader:
    sizes.append(len(batch_x))
last_x = batch_x.tolist()
""",
    ),
    Exercise(
        task=Text(
            "Go through the pairs for three epochs in shuffled batches of 4. Put the x of each epoch, "
            "in the order in which they come, into a list of ten, and the three lists into `epochs`. "
            "Put the largest and the smallest x + y that you meet into `largest` and `smallest`.",
            "把这十对数打乱，每批 4 行，走三轮。把每一轮的 x 按出现的顺序放进一个十个数的列表，三个列表再放进 `epochs`。"
            "把遇到的最大和最小的 x + y 放进 `largest` 和 `smallest`。",
        ),
        start=f"""{_PAIRS}
loader = DataLoader(data, batch_size=4)
epochs = []
largest = 0
smallest = 1000
""",
        checks=(
            Check(
                ("epochs",),
                _three_passes,
                Text("Every x comes once in each epoch.", "每一轮里，每个 x 恰好出现一次。"),
                Text(
                    "epochs should be three lists, each with every x from 1 to 10 once. Do you add "
                    "the x of all three batches of an epoch?",
                    "epochs 应该是三个列表，每个里面 1 到 10 各出现一次。一轮里三批的 x 都加进去了吗？",
                ),
            ),
            Check(
                ("epochs",),
                lambda epochs: len({tuple(epoch) for epoch in epochs}) == 3,
                Text("Each epoch has an order of its own.", "每一轮的顺序都不同。"),
                Text(
                    "The three orders should differ: shuffle=True, and one loader for all epochs. "
                    "A new one with the same seed in each epoch would begin the same order again.",
                    "三个顺序应该互不相同：要写 shuffle=True，而且三轮用同一个 loader。"
                    "如果每一轮都用同样的种子新建一个，顺序就会重来一遍。",
                ),
            ),
            Check(
                ("smallest", "largest"),
                lambda smallest, largest: smallest == largest == 11,
                Text("A pair stays a pair: x + y is 11.", "一对总在一起：x + y 总是 11。"),
                Text(
                    "x + y should be 11 in every row. Are batch_x and batch_y from the same batch?",
                    "每一行的 x + y 都应该是 11。batch_x 和 batch_y 出自同一批吗？",
                ),
            ),
        ),
        solution=f"""{_PAIRS}
loader = DataLoader(data, batch_size=4, shuffle=True)
epochs = []
sums = []
for _ in range(3):
    epoch = []
    for batch_x, batch_y in loader:
        epoch += batch_x.tolist()
        sums += (batch_x + batch_y).tolist()
    epochs.append(epoch)
largest = max(sums)
smallest = min(sums)
""",
    ),
    Exercise(
        task=Text(
            "Write the two loops: five epochs of shuffled batches, with a step of training for each "
            "batch, and count the steps. The function then gives the loss on all rows and the number "
            "of steps. The script calls it with batches of 10 and of 200.",
            "写出两层循环：五个轮次，打乱分批，每批走一步训练，并数一数走了几步。函数最后给出在所有行上的损失和步数。"
            "脚本分别用每批 10 行和每批 200 行调用它。",
        ),
        start=f"{_LINE}    # your turn ‖ 轮到你了\n{_AFTER}",
        checks=(
            Check(
                ("steps_of_10", "steps_of_200"),
                lambda ten, all_rows: (ten, all_rows) == (100, 5),
                Text(
                    "200 rows make 20 steps an epoch, or a single one.",
                    "200 行可以分成每轮 20 步，也可以每轮只走一步。",
                ),
                Text(
                    "Five epochs should be 100 steps with batches of 10, and 5 with batches of 200. "
                    "Is the step counted in the inner loop?",
                    "五轮应该是：每批 10 行走 100 步，每批 200 行走 5 步。步数是在内层循环里数的吗？",
                ),
            ),
            Check(
                ("loss_of_200",),
                near(_exact(5)),
                Text(
                    "Five exact steps leave a loss of 1.939.", "五个精确的步子之后，损失是 1.939。"
                ),
                Text(
                    "With all 200 rows in a batch, the loss should be 1.939 after five steps. Are all "
                    "five lines of a step there, and is the loss that of the batch?",
                    "每批 200 行走五步之后，损失应该是 1.939。一步的五行代码都写了吗？损失用的是这一批吗？",
                ),
            ),
            Check(
                ("steps_of_10", "loss_of_10"),
                lambda steps, loss: steps == 100 and abs(loss / _exact(100) - 1) > 2e-3,
                Text("Each step sees the rows of its batch.", "每一步看到的是它那一批的行。"),
                Text(
                    "This is not yet the loss of 100 steps, or it is that of steps over all rows: the net should get batch_x (and not "
                    "all of X), and its answer should be compared with batch_y.",
                    "这还不是走 100 步的损失，或者每一步用的是所有的行：送进网络的应该是 batch_x（而不是整个 X），与之比较的应该是 batch_y。",
                ),
            ),
            Check(
                ("steps_of_10", "loss_of_10"),
                lambda steps, loss: steps == 100 and 0 <= loss < 1e-3,
                Text("The loss falls below 0.001.", "损失降到了 0.001 以下。"),
                Text(
                    "With batches of 10 the loss should fall below 0.001. Does the net get batch_x, is "
                    "its answer compared with batch_y, and are all five lines within both loops?",
                    "每批 10 行时，损失应该降到 0.001 以下。送进网络的是 batch_x，与之比较的是 batch_y 吗？"
                    "五行代码都在两层循环里面吗？",
                ),
            ),
            Check(
                ("steps_of_10", "loss_of_10"),
                lambda steps, loss: steps == 100 and abs(loss / _in_order() - 1) > 2e-3,
                Text("It is not that of rows in their order.", "它不是按原来顺序得到的损失。"),
                Text(
                    "The loss should not be that of batches in the order of the table. Is shuffle=True there?",
                    "损失不应该与按表中顺序分批时相同。写了 shuffle=True 吗？",
                ),
            ),
        ),
        solution=f"""{_LINE}    loader = DataLoader(TensorDataset(X, Y), batch_size=batch_size, shuffle=True)
    for _ in range(5):
        for batch_x, batch_y in loader:
            loss = torch.nn.functional.mse_loss(net(batch_x), batch_y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            steps += 1
{_AFTER}""",
    ),
)
