"""A film of your own: the net takes a step, and its line is drawn again. ‖ 自己的动画：网络每走一步，就重画一次曲线。"""

import matplotlib.pyplot as plt
import torch
from matplotlib.animation import FuncAnimation

X = torch.linspace(-1, 1, 100)[:, None]
net = torch.nn.Sequential(torch.nn.Linear(1, 10), torch.nn.ReLU(), torch.nn.Linear(10, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
figure, axes = plt.subplots()
axes.scatter(X, X**2, color="lightgray")
(line,) = axes.plot(X, net(X).detach())


def step(frame):
    """What happens before a frame is drawn. ‖ 画每一帧之前要做的事。"""
    loss = torch.nn.functional.mse_loss(net(X), X**2)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    line.set_ydata(net(X).detach())  # the same line, with new heights ‖ 还是那条线，换上新的高度
    axes.set_title(f"{frame}: {loss.item():.4f}")


film = FuncAnimation(figure, step, frames=40, repeat=False)
# On a screen, plt.show() instead plays it in a window. ‖ 有屏幕时，换成 plt.show() 就在窗口里播放。
film.save("live.gif", writer="pillow")
print("The film of 40 steps is in live.gif")
