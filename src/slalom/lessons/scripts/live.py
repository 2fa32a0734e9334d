"""A film of your own: the net takes a step, and its line is drawn again. ‖ 自己的动画：网络每走一步，就重画一次曲线。"""

import matplotlib.pyplot as plt
import torch
from matplotlib.animation import FuncAnimation, PillowWriter

X = torch.linspace(-1, 1, 100)[:, None]
Y = X**2
net = torch.nn.Sequential(torch.nn.Linear(1, 10), torch.nn.ReLU(), torch.nn.Linear(10, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.2)

figure, axes = plt.subplots(figsize=(5, 4))
axes.scatter(X, Y, s=12, color="lightgray")
(line,) = axes.plot(X, net(X).detach())


def update(frame):
    """What happens before a frame is drawn: one step. ‖ 画每一帧之前要做的事：走一步。"""
    loss = torch.nn.functional.mse_loss(net(X), Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    line.set_ydata(net(X).detach())  # the same line, with new heights ‖ 还是那条线，换上新的高度
    axes.set_title(f"step {frame + 1}: loss {loss.item():.4f}")


film = FuncAnimation(figure, update, frames=40, init_func=lambda: None, repeat=False)
if plt.get_backend().lower() == "agg":  # no screen: into a file ‖ 没有屏幕：写入文件
    film.save("live.gif", writer=PillowWriter(fps=12))
    print("40 steps, a frame for each, are in live.gif")
else:
    plt.show()
