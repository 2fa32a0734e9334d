"""A net that asks its own numbers how often they go through its layer. ‖ 网络看自己算出的数，决定要经过这一层几次。"""

import matplotlib.pyplot as plt
import torch


class Doubling(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        # By hand, so that it can be followed: each turn doubles. ‖ 手工设定，便于跟着算：每经过一次就翻倍。
        torch.nn.init.constant_(self.layer.weight, 2)
        torch.nn.init.zeros_(self.layer.bias)

    def forward(self, x):
        self.turns = 0
        while x < 1:  # a question about the numbers themselves ‖ 问的是数本身
            x = self.layer(x)
            self.turns += 1
        return x


def count_nodes(result):
    """Walk through the computational graph, from the result back. ‖ 从结果往回走遍计算图。"""
    found, waiting = set(), [result.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found.add(node)
            waiting += [before for before, _ in node.next_functions]
    return len(found)


net = Doubling()
inputs = [0.7, 0.3, 0.01]  # positive: 0 would never reach 1 ‖ 要大于零：0 永远到不了 1
outputs, turns, turn_nodes, turn_gradients = [], [], [], []
for number in inputs:
    output = net(torch.tensor([[number]]))
    net.zero_grad()
    output.backward()  # through the graph that this input has made ‖ 走的是这个输入建立的图
    outputs.append(output.item())
    turns.append(net.turns)
    turn_nodes.append(count_nodes(output))
    turn_gradients.append(net.layer.weight.grad.item())
    print(f"{number} -> {output.item():.2f}: {net.turns} turns, {turn_nodes[-1]} nodes")

plt.plot(turns, turn_nodes, "o")
plt.xlabel("turns through the layer")
plt.ylabel("nodes in the graph")
plt.savefig("structures_decide.png")
