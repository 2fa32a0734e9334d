"""Exercises of the lesson on classification."""

from slalom.lessons.exercise import Check, Exercise, near
from slalom.lessons.prose import Text

# e^log(3) = 3: the softmax of the first row is 3/5, 1/5, 1/5.
_ROWS = """import torch

logits = torch.log(torch.tensor([[3.0, 1.0, 1.0], [1.0, 1.0, 2.0], [8.0, 1.0, 1.0]]))
labels = torch.tensor([0, 2, 1])
"""
_P = [3 / 5, 2 / 4, 1 / 10]

_ANIMALS = """import torch

names = ["bird", "cat", "dog"]  # class 0, class 1, class 2 ‖ 类别 0、1、2
animals = ["dog", "bird", "dog", "cat"]
logits = torch.log(torch.tensor([[1.0, 1, 2], [2, 1, 1], [1, 1, 8], [1, 3, 1]]))
"""

# Two rings around the same centre, 40 points each.
_RINGS = """import torch

angle = torch.arange(80) * 0.1 * torch.pi
radius = torch.tensor([0.5, 1.0]).repeat(40)
X = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)
y = (radius > 0.7).long()  # 0 for the inner ring, 1 for the outer one: int64 ‖ 里圈是 0，外圈是 1：int64
torch.manual_seed(0)
"""

# What the net that a script leaves really does.
_LOOK = """
def look(variables):
    import torch
    try:
        outputs = variables["net"](variables["X"])
        right = outputs.argmax(dim=1) == variables["y"]
        loss = torch.nn.functional.cross_entropy(outputs, variables["y"])
    except Exception:  # whatever a net of somebody's own raises, or no net at all
        return {"net_accuracy": -1.0, "net_loss": -1.0}
    return {"net_accuracy": right.float().mean(), "net_loss": loss}
"""

EXERCISES = (
    Exercise(
        task=Text(
            "Three rows, three classes. Work out the cross entropy without `cross_entropy`: put the "
            "probability that each row gives to its right class into `p`, what each row costs into "
            "`costs`, and the loss of all three into `loss`. (By hand: e to the power of the logits "
            "of the first row is 3, 1, 1, so its p is 3/5.)",
            "三行数据，三个类别。不用 `cross_entropy`，自己算出交叉熵：把每一行给正确类别的概率放进 "
            "`p`，每一行的代价放进 `costs`，三行合起来的损失放进 `loss`。（手算：第一行的 logit 取 e 的指数后是 "
            "3、1、1，所以它的 p 是 3/5。）",
        ),
        start=f"{_ROWS}\np = torch.zeros(3)  # your turn ‖ 轮到你了\ncosts = torch.zeros(3)\nloss = 0.0\n",
        checks=(
            Check(
                ("p",),
                near(_P),
                Text("p is 3/5, 1/2, 1/10.", "p 是 3/5、1/2、1/10。"),
                Text(
                    "p should be 3/5, 1/2, 1/10. Is the softmax taken along each row (dim=1), and "
                    "of each row the place of its label? `table[torch.arange(3), labels]` picks.",
                    "p 应该是 3/5、1/2、1/10。softmax 是沿每一行（dim=1）做的吗？每一行取的是标签所在的位置吗？"
                    "`table[torch.arange(3), labels]` 可以取出来。",
                ),
            ),
            Check(
                ("costs",),
                near([0.5108256, 0.6931472, 2.3025851]),
                Text("The costs are −log(p).", "代价是 −ln(p)。"),
                Text(
                    "The costs should be −log(p): 0.5108, 0.6931, 2.3026. torch.log is the natural "
                    "logarithm.",
                    "代价应该是 −ln(p)：0.5108、0.6931、2.3026。torch.log 就是自然对数。",
                ),
            ),
            Check(
                ("loss",),
                near(1.1688526),
                Text("The loss is their mean.", "损失是它们的平均。"),
                Text(
                    "The loss should be the mean of the three costs, 1.1689, not their sum.",
                    "损失应该是三个代价的平均 1.1689，而不是总和。",
                ),
            ),
        ),
        solution=f"""{_ROWS}
p = logits.softmax(dim=1)[torch.arange(3), labels]
costs = -torch.log(p)
loss = costs.mean()
""",
    ),
    Exercise(
        task=Text(
            "The right answers are words. Make `labels` of them, as `cross_entropy` takes them, and "
            "put their dtype into `dtype` as text: `dtype = str(labels.dtype)`. Put the loss with "
            "these labels into `loss`. Then make the one-hot rows, and put the loss with them into "
            "`one_hot_loss`.",
            "正确答案是单词。把它们变成 `cross_entropy` 要的 `labels`，再把数据类型以文本形式放进 `dtype`："
            "`dtype = str(labels.dtype)`。把用这些标签算出的损失放进 `loss`。然后写出独热编码，把用它算出的损失放进 "
            "`one_hot_loss`。",
        ),
        start=f"""{_ANIMALS}
labels = torch.zeros(4)  # your turn ‖ 轮到你了
dtype = str(labels.dtype)
loss = 0.0
one_hot_loss = 0.0
""",
        checks=(
            Check(
                ("labels",),
                near([2, 0, 2, 1]),
                Text("The labels are 2, 0, 2, 1.", "标签是 2、0、2、1。"),
                Text(
                    "The labels should be the places of the words in `names`, counted from 0: 2, 0, "
                    "2, 1, in one line and not in a column. `names.index(word)` finds a place.",
                    "标签应该是单词在 `names` 中的位置，从 0 数起：2、0、2、1，排成一行而不是一列。"
                    "`names.index(word)` 给出位置。",
                ),
            ),
            Check(
                ("dtype",),
                lambda dtype: dtype == "torch.int64",
                Text("Their dtype is int64.", "数据类型是 int64。"),
                Text(
                    "The dtype of labels should be torch.int64: torch.tensor makes it of whole "
                    "numbers, `.long()` of others.",
                    "标签的数据类型应该是 torch.int64：由整数创建的 torch.tensor 就是，别的可以用 `.long()` 转换。",
                ),
            ),
            Check(
                ("loss",),
                near(0.5299688),
                Text("The loss is 0.5300.", "损失是 0.5300。"),
                Text(
                    "The loss should be 0.5300, from cross_entropy(logits, labels). Is a softmax "
                    "taken before it that does not belong there?",
                    "损失应该是 0.5300，由 cross_entropy(logits, labels) 得到。前面是不是多做了一次 softmax？",
                ),
            ),
            Check(
                ("one_hot_loss",),
                near(0.5299688),
                Text("With one-hot rows it is the same.", "用独热编码，结果一样。"),
                Text(
                    "With one-hot rows the loss should be the same. torch.nn.functional.one_hot makes "
                    "them, and cross_entropy wants them as float.",
                    "用独热编码，损失应该一样。torch.nn.functional.one_hot 可以写出它们，而 cross_entropy 要的是浮点数。",
                ),
            ),
        ),
        solution=f"""{_ANIMALS}
labels = torch.tensor([names.index(animal) for animal in animals])
dtype = str(labels.dtype)
loss = torch.nn.functional.cross_entropy(logits, labels)
one_hot = torch.nn.functional.one_hot(labels, 3).float()
one_hot_loss = torch.nn.functional.cross_entropy(logits, one_hot)
""",
    ),
    Exercise(
        task=Text(
            "Class 0 is a ring, class 1 a larger ring around it. Build a net with two inputs and "
            "one output for each class, train it, and put the share of right answers into "
            "`accuracy` and the last loss into `loss`; the net is still called `net`. Wanted are all points right and a loss "
            "below 0.1.",
            "0 号类别是一个环，1 号类别是套在外面的大环。搭一个有两个输入、每个类别一个输出的网络，训练它，把判断正确的比例放进 "
            "`accuracy`，最后的损失放进 `loss`。网络仍叫 `net`。要求是所有的点都对，而且损失低于 0.1。",
        ),
        start=f"""{_RINGS}
net = torch.nn.Linear(2, 2)  # a straight border: not enough ‖ 边界是直线：不够

loss = torch.nn.functional.cross_entropy(net(X), y)
accuracy = 0.0  # your turn ‖ 轮到你了
""",
        checks=(
            Check(
                ("net_accuracy", "accuracy"),
                lambda net, told: near(1.0)(net) and near(net)(told),
                Text("Every point is right.", "所有的点都对。"),
                Text(
                    "Not every point is right yet, or accuracy is not that of `net`. The border has to be closed: that takes a hidden "
                    "layer with an activation function, and enough steps. The answer to a row is "
                    "the place of its largest output, argmax(dim=1).",
                    "还不是所有的点都对，或者 accuracy 不是 `net` 的准确率。边界要围成一圈：这需要带激活函数的隐藏层，还要走足够多的步。"
                    "对一行的判断是最大的那个输出所在的位置，即 argmax(dim=1)。",
                ),
            ),
            Check(
                ("net_loss", "loss"),
                lambda net, told: 0 < net < 0.1 and 0 < told < 0.1,
                Text("The net is sure, too.", "网络也很有把握。"),
                Text(
                    "The loss is not below 0.1 yet. More steps or a larger learning rate bring it "
                    "down, with zero_grad in its place. If it stops above 0.31, look for a softmax at the end of the net: "
                    "cross_entropy has its own.",
                    "损失还没有低于 0.1。多走些步，或者增大学习率，它就会降下来（别忘了 zero_grad）。如果它停在 0.31 以上，"
                    "看看网络末尾是不是有 softmax：cross_entropy 自己已经有了。",
                ),
            ),
        ),
        solution=f"""{_RINGS}
net = torch.nn.Sequential(torch.nn.Linear(2, 20), torch.nn.ReLU(), torch.nn.Linear(20, 2))
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for _ in range(500):
    loss = torch.nn.functional.cross_entropy(net(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
accuracy = (net(X).argmax(dim=1) == y).float().mean()
""",
        look=_LOOK,
    ),
)
