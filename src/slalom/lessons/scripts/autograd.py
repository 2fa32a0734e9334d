"""A value that remembers how it was made, and its gradients: computed, then checked. ‖ 记得自己怎样得来的值，和它的梯度：先求，再验证。"""

import matplotlib.pyplot as plt
import torch

torch.set_default_dtype(torch.float64)  # finite differences need the digits ‖ 有限差分需要更多位数


def expression(v):
    return torch.mean(v * v)


variables = {
    "v": torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True),
}

# Forward: PyTorch notes every operation. Backward: the gradients arrive at the variables.
# ‖ 前向传播：PyTorch 记下每个运算。反向传播：梯度到达各个变量。
result = expression(**variables)
result.backward()
value = result.item()  # a plain number of Python, without a memory ‖ Python 的普通数，没有记忆
print(f"value {value:.6g}")

# What PyTorch noted: each operation knows the ones before it.
# ‖ PyTorch 记下了什么：每个运算都知道它前面的运算。
noted = [(result.grad_fn, 0)]
while noted:
    operation, depth = noted.pop()
    if operation:  # none where a number or a detached value came in ‖ 数和分离的值没有来历
        print("  " * depth + operation.name())
        noted += [(before, depth + 1) for before, _ in operation.next_functions]

gradients = []
for name, x in variables.items():
    # A variable that every path to the result is detached from gets no gradient.
    # ‖ 如果通向结果的每条路都被分离，变量就得不到梯度。
    grad = torch.zeros_like(x) if x.grad is None else x.grad
    print(f"gradient of {name}: {grad.tolist()}")
    gradients.append(grad.flatten())
gradient = torch.cat(gradients).numpy()

# Finite differences: move one entry a little, up and down, and look at the result.
# ‖ 有限差分：把一个元素加一点、减一点，看结果怎样变。
h = 1e-5
differences = []
with torch.no_grad():  # from here on nothing needs to be noted ‖ 这里面什么也不用记
    for x in variables.values():
        entries = x.view(-1)  # the same memory as x ‖ 与 x 共用内存
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
print(f"{evaluations} evaluations and one way back differ by {disagreement:.1e} at most")

plt.plot(gradient, "o", label="autograd")
plt.plot(differences, "x", label="finite differences")
plt.xlabel("entry of the variables")
plt.ylabel("gradient")
plt.legend()
plt.savefig("autograd.png")
