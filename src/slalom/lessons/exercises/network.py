"""Exercises of the lesson on what a network does: plain Python, no PyTorch yet."""

from math import tanh

from slalom.lessons.exercise import Check, Exercise, near
from slalom.lessons.prose import Text

# A net 1-2-1. Its sums are 1 and -1, so its hidden neurons hold tanh(1) and -tanh(1).
_NET = """from math import tanh

x = 0.5
weights = [1.0, -2.0]  # from the input to the two hidden neurons ‖ 从输入到两个隐藏神经元
biases = [0.5, 0.0]  # of the hidden neurons ‖ 隐藏神经元的
weights_out = [2.0, 0.5]  # from the hidden neurons to the output ‖ 从隐藏神经元到输出
bias_out = 0.1
truth = 1.0  # the right answer ‖ 正确答案
"""
_PREDICTION = (2 - 0.5) * tanh(1) + 0.1

_RIDE = """distance = 2.0
hours = 1.0
weight = 1.5
lr = 0.1
"""

_RIDES = """distances = [1.0, 2.0, 3.0]
hours = [0.5, 1.2, 1.3]
"""
# Their loss is a parabola. Its lowest point, and by what a step with the rate 0.02 shrinks the way there:
_LOWEST, _LEFT = 6.8 / 14, 1 - 0.02 * 2 * 14 / 3
_FIRST_LOSS, _LEAST = (0.5**2 + 1.2**2 + 1.3**2) / 3, (0.5**2 + 1.2**2 + 1.3**2 - 6.8**2 / 14) / 3

EXERCISES = (
    Exercise(
        task=Text(
            "A net with one input, two hidden neurons with tanh and one output. Put the values of "
            "the hidden neurons into the list `hidden`, the prediction for `x` into `prediction`, "
            "and the loss, the difference from `truth` squared, into `loss`.",
            "一个网络有一个输入、两个用 tanh 的隐藏神经元和一个输出。把隐藏神经元的值放进列表 "
            "`hidden`，对 `x` 的预测放进 `prediction`，损失（与 `truth` 之差的平方）放进 `loss`。",
        ),
        start=f"{_NET}\n# your turn ‖ 轮到你了\nhidden = [0.0, 0.0]\nprediction = 0.0\nloss = 0.0\n",
        checks=(
            Check(
                ("hidden",),
                near([tanh(1), -tanh(1)]),
                Text(
                    "The hidden neurons hold tanh(1) and tanh(−1).",
                    "隐藏神经元的值是 tanh(1) 和 tanh(−1)。",
                ),
                Text(
                    "The sums of the hidden neurons are 0.5 · 1 + 0.5 and 0.5 · (−2) + 0. Is the "
                    "bias inside of tanh?",
                    "两个隐藏神经元的和是 0.5 · 1 + 0.5 与 0.5 · (−2) + 0。偏置加在 tanh 里面了吗？",
                ),
            ),
            Check(
                ("hidden", "prediction"),
                lambda hidden, prediction: near(2 * hidden[0] + 0.5 * hidden[1] + 0.1)(prediction),
                Text(
                    "The prediction is the weighted sum of the hidden values, plus the bias.",
                    "预测是隐藏值的加权和，再加上偏置。",
                ),
                Text(
                    "The prediction is 2 times the first hidden value, plus 0.5 times the second, "
                    "plus 0.1. The output bends nothing: no tanh there.",
                    "预测等于第一个隐藏值乘 2，加上第二个乘 0.5，再加 0.1。输出不经过激活函数：那里没有 tanh。",
                ),
            ),
            Check(
                ("prediction", "loss"),
                lambda prediction, loss: near((prediction - 1) ** 2)(loss),
                Text(
                    "The loss is the difference from the truth, squared.",
                    "损失是预测值与正确答案之差的平方。",
                ),
                Text(
                    "The loss is (prediction − truth) squared.",
                    "损失是（预测值 − 正确答案）的平方。",
                ),
            ),
        ),
        solution=f"""{_NET}
hidden = [tanh(w * x + b) for w, b in zip(weights, biases)]
prediction = weights_out[0] * hidden[0] + weights_out[1] * hidden[1] + bias_out
loss = (prediction - truth) ** 2
""",
    ),
    Exercise(
        task=Text(
            "One weight, one ride: hours = weight × distance. Put the gradient of the weight into "
            "`gradient`, make one step of gradient descent, and put the weight after it into "
            "`new_weight` and the loss with it into `new_loss`.",
            "一个权重，一次骑行：小时数 = 权重 × 距离。把权重的梯度放进 `gradient`，走一步梯度下降，"
            "把走完之后的权重放进 `new_weight`，用它算出的损失放进 `new_loss`。",
        ),
        start=f"{_RIDE}\n# your turn ‖ 轮到你了\ngradient = 0.0\nnew_weight = weight\nnew_loss = 0.0\n",
        checks=(
            Check(
                ("gradient",),
                near(8.0),
                Text("The gradient is 2 · (3 − 1) · 2 = 8.", "梯度是 2 · (3 − 1) · 2 = 8。"),
                Text(
                    "The error of the prediction is 2 · (prediction − hours). The gradient of the "
                    "weight is this times what came through the connection: the distance.",
                    "预测处的误差是 2 · (预测 − 小时数)。权重的梯度等于这个误差乘以经过连线的值，也就是距离。",
                ),
            ),
            Check(
                ("gradient", "new_weight"),
                lambda gradient, weight: gradient != 0 and near(1.5 - 0.1 * gradient)(weight),
                Text(
                    "The step goes against the gradient: weight − learning rate × gradient.",
                    "这一步逆着梯度走：权重 − 学习率 × 梯度。",
                ),
                Text(
                    "A step is: new weight = weight − learning rate × gradient. Mind the minus.",
                    "一步就是：新的权重 = 权重 − 学习率 × 梯度。注意是减号。",
                ),
            ),
            Check(
                ("new_weight", "new_loss"),
                lambda weight, loss: near((2 * weight - 1) ** 2)(loss),
                Text(
                    "The loss is that of the new weight; with 0.7 it falls from 4 to 0.16.",
                    "损失是用新的权重算的；新权重是 0.7 时，它从 4 降到 0.16。",
                ),
                Text(
                    "With the new weight the net predicts new_weight × 2 hours; the ride took 1.",
                    "用新的权重，预测是 new_weight × 2 小时；实际用了 1 小时。",
                ),
            ),
        ),
        solution=f"""{_RIDE}
gradient = 2 * (weight * distance - hours) * distance
new_weight = weight - lr * gradient
new_loss = (new_weight * distance - hours) ** 2
""",
    ),
    Exercise(
        task=Text(
            "Train this weight on three rides: 30 steps from the weight 0 with the learning rate "
            "0.02. Loss and gradient are means over the rides. Put the loss before each step into "
            "the list `losses`, and the weight after the last one into `weight`. Then look for the "
            "largest learning rate with two decimals that does not diverge, and put it into "
            "`largest`.",
            "用三次骑行训练这个权重：从 0 开始，学习率 0.02，走 30 步。损失和梯度都是对各次骑行的平均。"
            "把每一步之前的损失放进列表 `losses`，最后一步之后的权重放进 `weight`。"
            "然后找出不发散的最大学习率（两位小数），放进 `largest`。",
        ),
        start=f"{_RIDES}\nweight = 0.0\nlosses = []\n\n# your turn ‖ 轮到你了\n\nlargest = 0.02\n",
        checks=(
            Check(
                ("losses",),
                near([_LEAST + (_FIRST_LOSS - _LEAST) * _LEFT ** (2 * k) for k in range(30)]),
                Text("The 30 losses fall from 1.1267 on.", "30 个损失从 1.1267 开始下降。"),
                Text(
                    "There should be 30 losses, each the mean of (weight × distance − hours)², "
                    "computed before its step; the first is 1.1267.",
                    "应该有 30 个损失，每个都是（权重 × 距离 − 小时数）² 的平均，在走这一步之前计算；第一个是 1.1267。",
                ),
            ),
            Check(
                ("weight",),
                near(_LOWEST * (1 - _LEFT**30)),
                Text("The weight has come to 0.4847.", "权重到了 0.4847。"),
                Text(
                    "After 30 steps the weight is 0.4847. Its gradient is the mean of "
                    "2 · (weight × distance − hours) · distance over the three rides.",
                    "30 步以后，权重是 0.4847。梯度是 2 · (权重 × 距离 − 小时数) · 距离 对三次骑行的平均。",
                ),
            ),
            Check(
                ("largest",),
                near(0.21, within=1e-6),
                Text(
                    "With 0.21 the weight still swings to the bottom, with 0.22 it diverges.",
                    "学习率 0.21 时，权重还能摆到谷底；0.22 时就发散。",
                ),
                Text(
                    "Try one rate after the other, with 100 steps each. A training diverges when "
                    "its last loss is above its first. (Or compute it: the limit is 1 divided by "
                    "the mean of the squared distances.)",
                    "一个一个地试学习率，每次走 100 步。最后的损失比最初的大，就是发散。"
                    "（也可以直接算：界限是 1 除以距离平方的平均。）",
                ),
            ),
        ),
        solution=f"""{_RIDES}

def train(lr, steps):
    weight, losses = 0.0, []
    for _ in range(steps):
        errors = [weight * d - h for d, h in zip(distances, hours)]
        losses.append(sum(e**2 for e in errors) / 3)
        weight -= lr * sum(2 * e * d for e, d in zip(errors, distances)) / 3
    return weight, losses


weight, losses = train(0.02, 30)
largest = 0.01
for hundredths in range(2, 100):
    _, trial = train(hundredths / 100, 100)
    if trial[-1] < trial[0]:
        largest = hundredths / 100
""",
    ),
)
