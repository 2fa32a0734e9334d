"""A recurrent net hears a sine in pieces of varying length and learns to say the cosine. ‖ 循环网络一段一段地听正弦，各段长短不一，学着说出余弦。"""

import matplotlib.pyplot as plt
import numpy as np
import torch

cell = "RNN"  # or GRU ‖ 或 GRU
hidden = 32  # numbers in the hidden state ‖ 隐藏状态中数的个数
steps = 200
lr = 0.003
seed = 0
turn = 60  # moments in which the sine goes round once ‖ 正弦转一圈的时刻数


class Following(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.recurrent = getattr(torch.nn, cell)(1, hidden)
        self.tell = torch.nn.Linear(hidden, 1)

    def forward(self, heard, state):
        # The states of all moments, and the last one again. ‖ 所有时刻的状态，以及最后一个。
        states, state = self.recurrent(heard, state)  # [n, 1] -> [n, hidden], [1, hidden]
        return self.tell(states), state


def sine_and_cosine(start, moments):
    angle = 2 * np.pi * np.arange(start, start + moments)[:, None] / turn
    return torch.tensor(np.sin(angle)).float(), torch.tensor(np.cos(angle)).float()


def count_nodes(result):
    """Walk through the computational graph, from the result back. ‖ 从结果往回走遍计算图。"""
    found, waiting = set(), [result.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found.add(node)
            waiting += [before for before, _ in node.next_functions]
    return len(found)


torch.manual_seed(seed)
net = Following()
optimizer = torch.optim.Adam(net.parameters(), lr=lr)
drawn = np.random.default_rng(seed)
state, start = None, 0  # no memory yet ‖ 还没有记忆
lengths, nodes, follow_losses = [], [], []
for _ in range(steps):
    heard, wanted = sine_and_cosine(start, int(drawn.integers(10, 51)))
    # Builds a new graph, as long as the piece. ‖ 建立一张新的图，与这一段一样长。
    said, state = net(heard, state)
    loss = torch.nn.functional.mse_loss(said, wanted)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    state = state.detach()  # the memory goes on, the graph ends here ‖ 记忆继续，图到此为止
    start += len(heard)
    lengths.append(len(heard))
    nodes.append(count_nodes(loss))
    follow_losses.append(loss.item())

first_loss, late_loss = follow_losses[0], np.mean(follow_losses[-20:])
short, long = np.argmin(lengths), np.argmax(lengths)
shortest, shortest_nodes = lengths[short], nodes[short]
longest, longest_nodes = lengths[long], nodes[long]
nodes_a_moment = (longest_nodes - shortest_nodes) / (longest - shortest)
print(f"loss {first_loss:.4f} in the first step, {late_loss:.4f} in the last 20")
print(f"{shortest} moments: {shortest_nodes} nodes; {longest} moments: {longest_nodes} nodes")

heard, wanted = sine_and_cosine(start, turn)
with torch.no_grad():
    carried, _ = net(heard, state)
    emptied, _ = net(heard, None)
quarter = slice(0, turn // 4)
carried_error = torch.nn.functional.mse_loss(carried[quarter], wanted[quarter]).item()
emptied_error = torch.nn.functional.mse_loss(emptied[quarter], wanted[quarter]).item()
print(f"error in a quarter turn: {carried_error:.4f}, with an empty memory {emptied_error:.4f}")

plt.plot(wanted, linewidth=6, color="lightgray", label="cosine")
plt.plot(carried, label="hidden state carried on")
plt.plot(emptied, "--", label="hidden state emptied")
plt.legend()
plt.savefig("structures_remember.png")
