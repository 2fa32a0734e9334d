"""Activation functions: curves, softmax, why they are needed, gradients layer by layer. ‖ 激活函数：曲线、softmax、为什么需要它们、逐层的梯度。"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.nn import functional

activation = "relu"
width = 10  # hidden neurons of the net on the curve ‖ 拟合曲线的网络的隐藏神经元数
lr = 0.2  # its learning rate ‖ 它的学习率
steps = 500
depth = 30  # hidden layers of the deep net ‖ 深层网络的隐藏层数
scale = 4.0  # factor on its first weights ‖ 它的初始权重的倍数
seed = 0

names = ["relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "sigmoid", "tanh", "softplus"]

# The functions and their derivatives. Each y depends on its own x alone, so one call is enough.
# ‖ 各个函数和它们的导数。每个 y 只取决于自己的 x，所以调用一次就够了。
x = torch.linspace(-5, 5, 201, dtype=torch.float64, requires_grad=True)
bent = [getattr(functional, name)(x) for name in names]
slopes = torch.stack([torch.autograd.grad(y.sum(), x)[0] for y in bent])
curves = torch.stack(bent).detach()
sigmoid_steepest = slopes[names.index("sigmoid")].max()
sigmoid_at_5 = slopes[names.index("sigmoid"), -1]

# Softmax along the only dimension; larger differences make it surer.
# ‖ 沿唯一的维度做 softmax；差别越大，它越有把握。
scores = torch.tensor([2, 1, 0.5, -1], dtype=torch.float64)
probabilities = torch.stack([torch.softmax(factor * scores, dim=0) for factor in (0.3, 1, 3)])

# A net with one hidden layer on points near a curve.
# ‖ 一层隐藏层的网络，拟合一条曲线附近的点。
points = np.linspace(-1, 1, 100)
X = torch.tensor(points, dtype=torch.float32)[:, None]
Y = torch.tensor(points**2 + 0.2 * np.random.default_rng(1).random(100), dtype=torch.float32)[
    :, None
]


def wave(x):
    return torch.sin(2 * x)  # an activation function of one's own ‖ 自定义的激活函数


def fit(function):
    """Train a net with this activation function: its line and its loss. ‖ 用这个激活函数训练一个网络：它的线和损失。"""
    torch.manual_seed(seed)
    hidden, output = torch.nn.Linear(1, width), torch.nn.Linear(width, 1)
    optimizer = torch.optim.SGD([*hidden.parameters(), *output.parameters()], lr=lr)
    # Steps of gradient descent; the next lesson goes through these lines.
    # ‖ 一步步梯度下降；下一课会逐行讲解。
    for _ in range(steps):
        loss = functional.mse_loss(output(function(hidden(X))), Y)
        if not loss.isfinite():
            break  # diverged ‖ 发散了
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    line = torch.linspace(-1.2, 1.2, 200)[:, None]
    with torch.no_grad():
        loss = functional.mse_loss(output(function(hidden(X))), Y).item()
        if not np.isfinite(loss):
            return torch.full((200,), torch.nan), torch.inf  # there is no line ‖ 没有线可画
        return output(function(hidden(line)))[:, 0], loss


straight, straight_loss = fit(lambda x: x)  # no activation function at all ‖ 没有激活函数
curved, curved_loss = fit(getattr(functional, activation))
waved, waved_loss = fit(wave)

# The derivative that autograd finds for the wave, against finite differences.
# ‖ 自动求导求出的波形函数的导数，与有限差分比较。
probe, h = x.detach()[10::20].requires_grad_(), 1e-6
(found,) = torch.autograd.grad(wave(probe).sum(), probe)
with torch.no_grad():
    difference = (wave(probe + h) - wave(probe - h)) / (2 * h)
check_error = (found - difference).abs().max()


def gradients(function, factor):
    """How large the gradient is at each layer, as a multiple of the last one. ‖ 每一层的梯度有多大，以最后一层为 1。"""
    torch.manual_seed(seed)
    layers = [torch.nn.Linear(1 if k == 0 else 64, 64) for k in range(depth)]
    output = torch.nn.Linear(64, 1)
    with torch.no_grad():  # no gradient of this is wanted ‖ 这一步不需要梯度
        for layer in [*layers, output]:
            layer.double().weight.mul_(factor)
    hidden = [X.double()]
    for layer in layers:
        hidden.append(function(layer(hidden[-1])))
    loss = functional.mse_loss(output(hidden[-1]), Y.double())
    # Root of the mean square of the gradient at what each layer gives.
    # ‖ 损失对每一层输出的梯度，平方的平均值再开方。
    sizes = [g.square().mean().sqrt() for g in torch.autograd.grad(loss, hidden[1:])]
    return torch.stack(sizes) / sizes[-1]


default = torch.stack([gradients(getattr(functional, name), 1) for name in names])
scaled = torch.stack([gradients(getattr(functional, name), scale) for name in names])
relu_arrives, sigmoid_arrives = (default[names.index(name), 0] for name in ("relu", "sigmoid"))
relu_scaled = scaled[names.index("relu"), 0]

print(f"the derivative of sigmoid is {sigmoid_steepest:.2f} at most, {sigmoid_at_5:.4f} at 5")
print(f"loss {straight_loss:.4f} without, {curved_loss:.4f} with {activation}")
print(f"loss {waved_loss:.4f} with the wave, whose derivative is right to {check_error:.0e}")
for name, first, other in zip(names, default[:, 0], scaled[:, 0], strict=True):
    print(f"{name:10}  {first:8.0e} of the gradient arrives, {other:8.0e} with {scale} x weights")

for name, sizes in zip(names, default, strict=True):
    plt.semilogy(range(1, depth + 1), sizes, label=name)
plt.xlabel("layer")
plt.ylabel("gradient, as a multiple of that at the last layer")
plt.legend()
plt.savefig("activations.png")
