"""Exercises of the lesson on saving."""

from slalom.lessons.exercise import Check, Exercise, near
from slalom.lessons.prose import Text

# A net of two hidden neurons that answers |x| = relu(x) + relu(-x), and three inputs.
_SIZE = """import torch

X = torch.tensor([[-2.0], [0.0], [3.0]])
# The parameters of a trained net, which answers with the size of x: 2 for -2, 3 for 3. ‖ 训练好的网络的参数；它输出 x 的绝对值：-2 得 2，3 得 3。
parameters = {
    "0.weight": torch.tensor([[1.0], [-1.0]]),
    "0.bias": torch.tensor([0.0, 0.0]),
    "2.weight": torch.tensor([[1.0, 1.0]]),
    "2.bias": torch.tensor([0.0]),
}
"""
_OUTPUTS = Check(
    ("outputs",),
    near([2, 0, 3]),
    Text("The outputs are those of the trained net: 2, 0, 3.", "输出与训练好的网络一样：2、0、3。"),
    Text(
        "The outputs should be 2, 0, 3. The net that answers still has its own first weights: "
        "load the parameters into it before you ask it.",
        "输出应该是 2、0、3。回答的这个网络还在用自己的初始权重：先把参数装进去，再让它回答。",
    ),
)

_TWO_NETS = f"""{_SIZE}

def build():
    return torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))


trained = build()
trained.load_state_dict(parameters)

second = build()
"""

_OTHER_NAMES = f"""{_SIZE}

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(1, 2)
        self.output = torch.nn.Linear(2, 1)

    def forward(self, x):
        return self.output(self.hidden(x).relu())


net = Net()
"""

_TRAIN = """import torch

X = torch.tensor([[0.0], [1.0], [2.0]])
Y = torch.tensor([[1.0], [3.0], [5.0]])


def build():
    net = torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(net.weight)
    torch.nn.init.zeros_(net.bias)
    return net


def loss_of(net):
    return torch.nn.functional.mse_loss(net(X), Y)


def train(net, steps):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    for _ in range(steps):
        loss = loss_of(net)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


# Forty steps without a stop. ‖ 不间断地训练 40 步。
whole = build()
train(whole, 40)
whole_loss = loss_of(whole).item()

# The same in two parts: here the computer is switched off after 25 steps. ‖ 同样的训练分成两段：第 25 步之后断电。
first = build()
train(first, 25)
"""

# What lies on the disk after a script: the names in a state dict, or those of the whole dictionary,
# as far as torch opens the file without being told to trust it.
# A file of an earlier try does not count.
_LOOK = """
import os, pickle, time
began = time.time() - 0.5  # clocks of disks are coarse
def look(variables):
    import torch
    try:
        found = torch.load("{file}") if os.path.getmtime("{file}") > began else {{}}
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError):
        found = {{}}
    found = found if isinstance(found, dict) else {{}}
    states = [each for each in found.values() if isinstance(each, dict)]
    numbers = [each for each in found.values() if isinstance(each, int)]
    return {{"in_file": list(found), "states_in_file": len(states), "numbers_in_file": numbers}}
"""

EXERCISES = (
    Exercise(
        task=Text(
            "Write the state dict of `trained` to the file `parameters.pt`, and load that file into "
            "`second`. Put the names that the file holds into the list `names`.",
            "把 `trained` 的状态字典写进文件 `parameters.pt`，再把这个文件装入 `second`。"
            "把文件里的名字放进列表 `names`。",
        ),
        start=f"{_TWO_NETS}names = []\noutputs = second(X).flatten()\n",
        look=_LOOK.format(file="parameters.pt"),
        checks=(
            Check(
                ("in_file",),
                lambda names: names == ["0.weight", "0.bias", "2.weight", "2.bias"],
                Text("The file holds a state dict.", "文件里是一个状态字典。"),
                Text(
                    "torch.load should open parameters.pt without weights_only=False and find a state "
                    "dict in it. Is the file there, and written with torch.save(trained.state_dict(), "
                    '"parameters.pt"), and not the entire net?',
                    "torch.load 不写 weights_only=False 也应该能打开 parameters.pt，里面是一个状态字典。"
                    '文件写出来了吗？写入要用 torch.save(trained.state_dict(), "parameters.pt")，而不是保存整个网络。',
                ),
            ),
            Check(
                ("names",),
                lambda names: names == ["0.weight", "0.bias", "2.weight", "2.bias"],
                Text("names are its four names.", "names 里正是这四个名字。"),
                Text(
                    "names should hold four names, two for each layer. torch.load gives a "
                    "dictionary; list(...) of a dictionary has its names.",
                    "names 里应该有四个名字，每层两个。torch.load 给出一个字典，对字典用 "
                    "list(...) 就得到它的名字。",
                ),
            ),
            _OUTPUTS,
        ),
        solution=f"""{_TWO_NETS}torch.save(trained.state_dict(), "parameters.pt")
loaded = torch.load("parameters.pt")
names = list(loaded)
second.load_state_dict(loaded)
outputs = second(X).flatten()
""",
    ),
    Exercise(
        task=Text(
            "These parameters come from a Sequential, and `Net` has other names for them, so "
            "nothing is loaded. Make a dictionary with the names of `Net` and load that, strictly. "
            "The list `missing` should then be empty.",
            "这些参数来自一个 Sequential，`Net` 里的名字不同，所以什么也没有装进去。"
            "请做一个使用 `Net` 的名字的字典，严格地装入。这时列表 `missing` 应该是空的。",
        ),
        start=f"""{_OTHER_NAMES}missing = net.load_state_dict(parameters, strict=False).missing_keys
outputs = net(X).flatten()
""",
        checks=(
            Check(
                ("missing",),
                lambda missing: missing == [],
                Text("No name is missing.", "没有缺少的名字。"),
                Text(
                    "Names of Net are still missing. list(net.state_dict()) shows which names it "
                    "wants.",
                    "Net 里还有名字没有对上。用 list(net.state_dict()) 看看它要哪些名字。",
                ),
            ),
            _OUTPUTS,
        ),
        solution=f"""{_OTHER_NAMES}renamed = {{
    "hidden.weight": parameters["0.weight"],
    "hidden.bias": parameters["0.bias"],
    "output.weight": parameters["2.weight"],
    "output.bias": parameters["2.bias"],
}}
missing = net.load_state_dict(renamed).missing_keys
outputs = net(X).flatten()
""",
    ),
    Exercise(
        task=Text(
            "A training is switched off after 25 of 40 steps. Put the state dict of `first` and the "
            "number of steps into one dictionary, save it as `training.pt`, and read it with "
            "`torch.load`. Put the number of steps in it into `done`, load the parameters into "
            "`second`, put its loss into `loss_in_between`, and train it to 40 steps in all. (Plain "
            "SGD keeps nothing from one step to the next, so nothing else has to be saved.)",
            "一次 40 步的训练在第 25 步之后断了电。把 `first` 的状态字典和步数放进同一个字典，存为 "
            "`training.pt`，再用 `torch.load` 读回来。把其中的步数放进 `done`，把参数装入 `second`，"
            "把它这时的损失放进 `loss_in_between`，然后接着训练，使总步数达到 40。"
            "（普通的 SGD 不会把任何东西从一步带到下一步，所以不用保存别的。）",
        ),
        start=f"""{_TRAIN}
# Switched on again: this net knows nothing yet. ‖ 重新开机：这个网络还什么都没学过。
done = 0
second = build()
loss_in_between = loss_of(second).item()
train(second, 40 - 25)
loss = loss_of(second).item()
""",
        look=_LOOK.format(file="training.pt"),
        checks=(
            Check(
                ("states_in_file", "numbers_in_file", "done"),
                lambda states, numbers, done: states == 1 and numbers == [25] and done == 25,
                Text(
                    "The file holds the parameters, and says that 25 steps are done.",
                    "文件里有参数，也写着：已经走了 25 步。",
                ),
                Text(
                    "The file training.pt should hold a dictionary with two entries, such as 'net' "
                    "and 'steps': the state dict of first, and 25. (25 is a plain number.) Did you "
                    "save it, and does done come from the file?",
                    "文件 training.pt 里应该是一个有两项的字典，例如 'net' 和 'steps'：first 的状态字典和 25。"
                    "（25 是普通的数。）保存了吗？done 是从里面读出来的吗？",
                ),
            ),
            Check(
                ("loss_in_between",),
                near(0.008707),
                Text("The new net goes on from step 25.", "新网络从第 25 步接着训练。"),
                Text(
                    "Right after loading, the loss of second should be that of first. Is the state "
                    "dict loaded before the loss is computed?",
                    "刚装入参数时，second 的损失应该与 first 的一样。是先装入状态字典，再算损失的吗？",
                ),
            ),
            Check(
                ("loss", "whole_loss"),
                lambda loss, whole: abs(loss - whole) <= 1e-6 * whole,
                Text(
                    "In two parts the training ends where it ends without a stop.",
                    "分成两段训练，终点与一口气训练到底相同。",
                ),
                Text(
                    "The loss after both parts should be whole_loss. Does second take the 15 steps "
                    "that are left, after loading?",
                    "两段之后的损失应该等于 whole_loss。second 装入参数之后，走的是剩下的 15 步吗？",
                ),
            ),
        ),
        solution=f"""{_TRAIN}torch.save({{"net": first.state_dict(), "steps": 25}}, "training.pt")

second = build()
saved = torch.load("training.pt")
second.load_state_dict(saved["net"])
done = saved["steps"]
loss_in_between = loss_of(second).item()
train(second, 40 - done)
loss = loss_of(second).item()
""",
    ),
)
