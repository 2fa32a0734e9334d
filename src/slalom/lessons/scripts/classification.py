"""A net of one hidden layer tells classes of points in the plane apart."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.nn.functional import cross_entropy

shape = "gaussians"  # or "spirals"
points = 200
spread = 1.5  # standard deviation of a cloud of gaussians
arms = 3  # how many spirals
width = 10  # hidden neurons
lr = 0.05  # learning rate
steps = 100
seed = 0

generator = np.random.default_rng(1)
classes = 2 if shape == "gaussians" else arms
labels = np.arange(points) * classes // points  # 0 0 0 ... 1 1 1 ...
if shape == "gaussians":
    centers = np.array([[2.0, 2.0], [-2.0, -2.0]])
    x = centers[labels] + spread * generator.normal(size=(points, 2))
else:
    radius = 0.1 + 0.9 * np.concatenate([np.linspace(0, 1, n) for n in np.bincount(labels)])
    angle = 2 * np.pi * (radius + labels / classes)  # once around from the centre to the rim
    spiral = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    x = spiral + 0.05 * generator.normal(size=(points, 2))
X = torch.tensor(x, dtype=torch.float32)
y = torch.tensor(labels)  # class numbers, not one column a class

torch.manual_seed(seed)
net = torch.nn.Sequential(
    torch.nn.Linear(2, width),
    torch.nn.ReLU(),
    torch.nn.Linear(width, classes),  # logits: no softmax here, cross_entropy does it
)
parameters = sum(p.numel() for p in net.parameters())
optimizer = torch.optim.SGD(net.parameters(), lr=lr)
losses = []
for _ in range(steps):
    loss = cross_entropy(net(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
first_loss, final_loss = losses[0], losses[-1]
blind_loss = np.log(classes)  # of a net that finds every class equally likely

with torch.no_grad():
    logits = net(X)
right = logits.argmax(dim=1) == y
accuracy = right.float().mean()
wrong = (~right).sum()
costs = cross_entropy(logits, y, reduction="none")  # of each row by itself
worst = costs.argmax()
worst_cost, worst_class = costs[worst], y[worst]
worst_logits = [round(z, 2) for z in logits[worst].tolist()]
worst_probabilities = [round(p, 2) for p in logits[worst].softmax(dim=0).tolist()]

print(f"{parameters} parameters")
print(f"loss {first_loss:.4f} at first, {final_loss:.4f} after {steps} steps")
print(f"accuracy {accuracy:.3f}: {wrong} of {points} rows are wrong")
print(f"the worst is of class {worst_class}: logits {worst_logits},")
print(f"probabilities {worst_probabilities}, cost {worst_cost:.2f}")

across, up = (np.linspace(x[:, i].min() - 0.2, x[:, i].max() + 0.2, 200) for i in (0, 1))
plane = torch.tensor(np.stack(np.meshgrid(across, up), axis=-1), dtype=torch.float32)
with torch.no_grad():
    region = net(plane).argmax(dim=-1)  # the likeliest class at each place
plt.contourf(across, up, region, levels=np.arange(classes + 1) - 0.5, alpha=0.3)
plt.scatter(x[:, 0], x[:, 1], c=labels, s=15)
plt.title(f"accuracy {accuracy:.3f}")
plt.savefig("classification.png")
