"""A value that remembers how it was made, and its gradients: computed, then checked."""

import matplotlib.pyplot as plt
import torch

torch.set_default_dtype(torch.float64)  # finite differences need the digits


def expression(v):
    return torch.mean(v * v)


variables = {
    "v": torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True),
}

# Forward: PyTorch notes every operation. Backward: the gradients arrive at the variables.
result = expression(**variables)
result.backward()
value = result.item()  # a plain number of Python, which remembers nothing
print(f"value {value:.6g}")

# What PyTorch noted: each operation knows the ones before it.
noted = [(result.grad_fn, 0)]
while noted:
    operation, depth = noted.pop()
    print("  " * depth + operation.name())
    noted += [(before, depth + 1) for before, _ in operation.next_functions if before]

gradients = []
for name, x in variables.items():
    # A variable that every path to the result is detached from gets no gradient.
    grad = torch.zeros_like(x) if x.grad is None else x.grad
    print(f"gradient of {name}: {grad.tolist()}")
    gradients.append(grad.flatten())
gradient = torch.cat(gradients).numpy()

# Finite differences: move one entry a little, before and behind, and look at the result.
h = 1e-5
differences = []
with torch.no_grad():  # from here on nothing needs to be noted
    for x in variables.values():
        entries = x.view(-1)  # the same memory as x
        for i in range(len(entries)):
            old = entries[i].item()
            entries[i] = old + h
            above = expression(**variables).item()
            entries[i] = old - h
            below = expression(**variables).item()
            entries[i] = old
            differences.append((above - below) / (2 * h))
evaluations = 2 * len(differences)
disagreement = abs(gradient - differences).max()
print(f"{evaluations} evaluations agree with one way back to {disagreement:.1e}")

plt.plot(gradient, "o", label="autograd")
plt.plot(differences, "x", label="finite differences")
plt.xlabel("entry of the variables")
plt.ylabel("gradient")
plt.legend()
plt.savefig("autograd.png")
