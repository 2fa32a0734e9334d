"""A small net looks at a bicycle ride; then weights roll down their error curve. ‖ 小网络看一次骑行；然后权重沿损失曲线往下滚。"""

import matplotlib.pyplot as plt
import torch

width = 3  # hidden neurons ‖ 隐藏神经元数
ride = 3  # which of the eight rides the net looks at ‖ 让网络看八次骑行中的哪一次
lr = 0.16  # learning rate; a tenth and three times as much are tried too ‖ 学习率；它的十分之一和三倍也会试
steps = 30  # of the ball ‖ 小球走的步数
start = 1.4  # the first weight, before the first step ‖ 第一个权重的起点
second_start = -1.2  # the second weight, before the first step ‖ 第二个权重的起点
seed = 0  # fixes which random weights come ‖ 决定取到哪些随机权重

# Distance in 10 km, height gained in 100 m, time in hours: each row is a ride.
# ‖ 距离（10 公里）、爬升（100 米）、用时（小时）：每行是一次骑行。
table = torch.tensor(
    [
        [0.5, 0.8, 0.40],
        [0.8, -0.6, 0.24],
        [1.0, 1.4, 0.75],
        [1.2, -1.0, 0.33],
        [1.5, 0.4, 0.78],
        [1.8, 1.6, 1.12],
        [2.0, -0.8, 0.75],
        [2.2, 1.0, 1.21],
    ]
)
rides, hours = table[:, :2], table[:, 2]

# Forward: from two inputs over the hidden neurons to one prediction.
# ‖ 前向传播：从两个输入经过隐藏神经元，到一个预测。
torch.manual_seed(seed)  # the same random first weights each time ‖ 每次得到同样的随机初始权重
net = torch.nn.Sequential(torch.nn.Linear(2, width), torch.nn.Tanh(), torch.nn.Linear(width, 1))
inputs, target = rides[ride - 1], hours[ride - 1 : ride]
hidden = net[:2](inputs)  # the first layer and its bend ‖ 第一层，再经过激活函数
output = net[2](hidden)
hidden.retain_grad()  # keep what comes back to these neurons ‖ 保留传回这些神经元的误差
output.retain_grad()
loss = torch.nn.functional.mse_loss(output, target)  # the difference, squared ‖ 差的平方

# Backward: how much would each number change the loss? PyTorch puts the answer into .grad.
# ‖ 反向传播：每个数变化时，损失变多少？PyTorch 把答案放进 .grad。
loss.backward()
hidden_error, output_error = hidden.grad, output.grad.item()
prediction, hours_taken, loss_before = output.item(), target.item(), loss.item()
weights, biases, weights_out, bias_out = [p.detach().clone() for p in net.parameters()]
weights_gradient, biases_gradient, weights_out_gradient, bias_out_gradient = [
    p.grad.clone() for p in net.parameters()
]

# Training: forward, loss, backward, step, over all rides and again.
# ‖ 训练：前向传播、损失、反向传播、走一步，对所有骑行反复进行。
parameters = sum(p.numel() for p in net.parameters())
optimizer = torch.optim.SGD(net.parameters(), lr=lr)  # makes the steps ‖ 由它来走每一步
training_steps, losses = 500, []
for _ in range(training_steps):
    loss = torch.nn.functional.mse_loss(net(rides), hours[:, None])
    optimizer.zero_grad()  # forget the gradients of the step before ‖ 忘掉上一步的梯度
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
first_loss, final_loss = losses[0], losses[-1]
trained_prediction = net(inputs).item()
print(f"one ride: {prediction:.3f} h predicted at first, {trained_prediction:.3f} h after training")
print(f"it took {hours_taken:.2f} h")
print(f"all rides: loss {first_loss:.4f} at first, {final_loss:.4f} after {training_steps} steps")


def descend(x, weights, rate):
    """A ball on the error curve of prediction = x @ weights. ‖ 预测 = x @ weights 的损失曲线上的小球。"""
    w = torch.tensor(weights, requires_grad=True)
    path, heights = [], []
    for _ in range(steps + 1):
        loss = ((x @ w - hours) ** 2).mean()
        path.append(w.tolist())
        heights.append(loss.item())
        (gradient,) = torch.autograd.grad(loss, w)
        # The rule: new weight = weight - learning rate * gradient.
        # ‖ 规则：新的权重 = 权重 − 学习率 × 梯度。
        w = (w - rate * gradient).detach().requires_grad_()
    return path, heights


rates = [lr / 10, lr, 3 * lr]
one = [descend(rides[:, :1], [start], rate) for rate in rates]
two = [descend(rides, [start, second_start], rate) for rate in rates]
one_weight, one_loss = [path for path, _ in one], [heights for _, heights in one]
two_weights, two_loss = [path for path, _ in two], [heights for _, heights in two]
# The gradient at the start, by hand: the slope of (w * d - h)^2 is 2 * (w * d - h) * d.
# ‖ 手算起点处的梯度：(w * d - h)^2 的斜率是 2 * (w * d - h) * d。
slope = (2 * (start * rides[:, 0] - hours) * rides[:, 0]).mean().item()
# Above these learning rates, one weight diverges, and two (by the steepest direction).
# ‖ 学习率超过这两个数，一个权重、两个权重就会发散（后者由最陡的方向决定）。
limit = 1 / (rides[:, 0] ** 2).mean().item()
steep_limit = 1 / torch.linalg.eigvalsh(rides.T @ rides / len(rides))[-1].item()
print(f"gradient at the start {slope:.3f}; learning rates above {limit:.3f} diverge")

for rate, heights in zip(rates, one_loss, strict=True):
    plt.semilogy(heights, label=f"learning rate {rate:g}")
plt.xlabel("step")
plt.ylabel("loss")
plt.legend()
plt.savefig("network.png")
