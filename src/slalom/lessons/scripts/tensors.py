"""Arrays of NumPy and tensors of torch: one memory, the same mathematics, and what differs. ‖ NumPy 的数组与 torch 的张量：同一块内存，同样的数学，几处不同。"""

import matplotlib.pyplot as plt
import numpy as np
import torch

dtype = "float64"
written = 9.0  # value written into the shared memory ‖ 写入共享内存的值
size = 3  # rows and columns of the matrices ‖ 矩阵的行数和列数
seed = 0  # of their entries ‖ 矩阵元素的随机种子
terms = 1000000  # how often 0.1 is added ‖ 0.1 加多少次

# From NumPy to torch: from_numpy looks at the same memory, torch.tensor copies it.
# ‖ 从 NumPy 到 torch：from_numpy 用同一块内存，torch.tensor 复制一份。
array = np.array([-2, -1, 0, 1, 2, 4], dtype=dtype)
tensor = torch.from_numpy(array)
copy = torch.tensor(array)
array[1] = written  # the tensor changes too ‖ 张量也变了
tensor[4] = written  # the array changes too ‖ 数组也变了
assert np.shares_memory(array, tensor.numpy())  # and back: no copy either ‖ 反过来也不复制
stored = tensor[1].item()  # whole-number dtypes cut off what follows the point ‖ 整数类型截掉小数
array_dtype, tensor_dtype, bytes_each = str(array.dtype), str(tensor.dtype), array.itemsize
shared_values, copy_values = array, copy
print(f"{array_dtype} array {array}, copy {copy.tolist()}")

# The same mathematics, in the dtype that each library takes by itself.
# ‖ 同样的数学，各用各的默认数据类型。
x = np.linspace(-3, 3, 121)
wide, narrow = torch.from_numpy(x), torch.tensor(x.tolist())
same, off = [], []
for numpy_function, torch_function in zip(
    [np.abs, np.sin, np.tanh], [torch.abs, torch.sin, torch.tanh], strict=True
):
    same.append(numpy_function(x))
    off.append(torch_function(narrow).double().numpy() - same[-1])
    assert np.allclose(torch_function(wide).numpy(), same[-1], rtol=0, atol=1e-15)
curves, differences = np.array(same), np.array(off)
largest_difference = np.abs(differences).max()
print(f"float32 and float64 differ by {largest_difference:.1e} at most")

# Row times column against entry times entry.
# ‖ 行乘以列，与元素乘以元素。
random = np.random.default_rng(seed)
first, second = random.integers(-3, 4, (2, size, size))
matrix_product = torch.tensor(first) @ torch.tensor(second)
elementwise_product = torch.tensor(first) * torch.tensor(second)
print("matrix product", matrix_product.tolist(), "elementwise", elementwise_product.tolist())


def told(compute):
    """The result as text, or the name of the error. ‖ 结果的文字，或者错误的名字。"""
    try:
        return str(compute())
    except (RuntimeError, ValueError) as error:
        return type(error).__name__


def shape(product, left, right):
    """The shape of a product of tensors of these shapes. ‖ 这两种形状的张量，乘积是什么形状。"""
    return told(lambda: tuple(product(torch.ones(left), torch.ones(right)).shape))


# One matrix product, three names: they differ in the shapes that they take. a @ b is matmul.
# ‖ 同一种矩阵乘积，三个名字：能接受的形状不同。a @ b 就是 matmul。
sides = [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4))]
by_dot = [shape(torch.dot, *both) for both in sides]
by_mm = [shape(torch.mm, *both) for both in sides]
by_matmul = [shape(torch.matmul, *both) for both in sides]
print("dot", by_dot, "mm", by_mm, "matmul", by_matmul)

# The same product on a GPU, if there is one that PyTorch can use, or else where the tensors are.
# ‖ 如果有 PyTorch 能用的 GPU，就在 GPU 上再算一次；没有就在原处算。
device = "cuda" if torch.cuda.is_available() else "cpu"
there = [torch.tensor(matrix, dtype=torch.float32).to(device) for matrix in (first, second)]
assert (there[0] @ there[1]).cpu().tolist() == matrix_product.tolist()
print("computed on", device)

# What differs: the same request to both libraries. ‖ 不同之处：向两个库提出同样的要求。
v, w = np.array([-2.0, -1, 0, 1, 2, 4]), torch.tensor([-2.0, -1, 0, 1, 2, 4])
i, j = np.array([1, 2]), torch.tensor([1, 2])
a, b = np.eye(2), torch.eye(2)
in_numpy = [
    told(lambda: v.dtype),
    told(lambda: (i / 2).dtype),
    told(lambda: f"{v.std():.4f}"),
    told(lambda: np.median(v)),
    told(lambda: i.repeat(2).tolist()),
    told(lambda: i.mean()),
    told(lambda: np.dot(a, a).shape),
    told(lambda: (a.astype("float32") @ a).dtype),
    told(lambda: i[::-1].tolist()),
]
in_torch = [
    told(lambda: w.dtype),
    told(lambda: (j / 2).dtype),
    told(lambda: f"{w.std():.4f}"),
    told(lambda: w.median().item()),
    told(lambda: j.repeat(2).tolist()),
    told(lambda: j.mean()),
    told(lambda: torch.dot(b, b).shape),
    told(lambda: (b.float() @ b.double()).dtype),
    told(lambda: j[::-1].tolist()),
]
print(in_numpy, in_torch, sep="\n")

# Rounding: 0.1 has no exact binary form, and every sum is rounded again.
# ‖ 舍入：0.1 没有精确的二进制形式，而且每加一次都要再舍入。
narrow_sums = np.cumsum(np.full(terms, 0.1, dtype=np.float32))
wide_sums = np.cumsum(np.full(terms, 0.1, dtype=np.float64))
exact_sums = np.arange(1, terms + 1) / 10
exact, narrow_sum, wide_sum = exact_sums[-1], float(narrow_sums[-1]), float(wide_sums[-1])
own_sum = torch.full((terms,), 0.1).sum().item()  # adds up parts first ‖ 先分段相加
print(f"0.1 added {terms} times: {narrow_sum} in float32, {wide_sum} in float64")
print(f"sum() in float32: {own_sum}")

plt.loglog(np.abs(narrow_sums - exact_sums), label="float32")
plt.loglog(np.abs(wide_sums - exact_sums), label="float64")
plt.xlabel("additions")
plt.ylabel("error of the sum")
plt.legend(loc="upper left")  # finding the best place takes long ‖ 自动找最合适的位置太慢
plt.savefig("tensors.png")
