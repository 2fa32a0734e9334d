"""A small net looks at one bicycle ride; then one weight, and two, roll down their error curve."""

import matplotlib.pyplot as plt
import torch

width = 3  # hidden neurons
ride = 3  # which of the eight rides the net looks at
lr = 0.16  # learning rate; a tenth and three times as much are tried too
steps = 30
start = 1.4  # the first weight, before the first step
second_start = -1.2  # the second weight, before the first step
seed = 0

# Distance in 10 km, height gained in 100 m, time in hours.
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
torch.manual_seed(seed)  # the same random first weights each time
net = torch.nn.Sequential(torch.nn.Linear(2, width), torch.nn.Tanh(), torch.nn.Linear(width, 1))
inputs, target = rides[ride - 1], hours[ride - 1 : ride]
hidden = net[:2](inputs)
output = net[2](hidden)
hidden.retain_grad()  # keep what comes back to these neurons
output.retain_grad()
loss = torch.nn.functional.mse_loss(output, target)

# Backward: how much would each number change the loss?
loss.backward()
hidden_error, output_error = hidden.grad, output.grad.item()
prediction, hours_taken, loss_before = output.item(), target.item(), loss.item()
weights, biases, weights_out, bias_out = [p.detach().clone() for p in net.parameters()]
weights_gradient, biases_gradient, weights_out_gradient, bias_out_gradient = [
    p.grad.clone() for p in net.parameters()
]

# Training: forward, loss, backward, step, over all rides and again.
parameters = sum(p.numel() for p in net.parameters())
optimizer = torch.optim.SGD(net.parameters(), lr=lr)  # makes the steps
training_steps, losses = 500, []
for _ in range(training_steps):
    loss = torch.nn.functional.mse_loss(net(rides), hours[:, None])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
first_loss, final_loss = losses[0], losses[-1]
print(f"one ride: {prediction:.3f} h predicted, {hours_taken:.2f} h taken")
print(f"all rides: loss {first_loss:.4f} at first, {final_loss:.4f} after {training_steps} steps")


def descend(x, weights, rate):
    """A ball on the error curve of `prediction = x @ weights`: where it is after each step."""
    w = torch.tensor(weights, requires_grad=True)
    path, heights = [], []
    for _ in range(steps + 1):
        loss = ((x @ w - hours) ** 2).mean()
        path.append(w.tolist())
        heights.append(loss.item())
        (gradient,) = torch.autograd.grad(loss, w)
        w = (w - rate * gradient).detach().requires_grad_()
    return path, heights


rates = [lr / 10, lr, 3 * lr]
one = [descend(rides[:, :1], [start], rate) for rate in rates]
two = [descend(rides, [start, second_start], rate) for rate in rates]
one_weight, one_loss = [path for path, _ in one], [heights for _, heights in one]
two_weights, two_loss = [path for path, _ in two], [heights for _, heights in two]
slope = (2 * (start * rides[:, 0] - hours) * rides[:, 0]).mean().item()  # the gradient at the start
limit = 1 / (rides[:, 0] ** 2).mean().item()  # above this learning rate, one weight diverges
print(f"gradient at the start {slope:.3f}; learning rates above {limit:.3f} diverge")

for rate, heights in zip(rates, one_loss, strict=True):
    plt.semilogy(heights, label=f"learning rate {rate:g}")
plt.xlabel("step")
plt.ylabel("loss")
plt.legend()
plt.savefig("network.png")
