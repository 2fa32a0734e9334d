"""Arrays of NumPy and tensors of torch: shared memory, the same mathematics, and differences."""

import matplotlib.pyplot as plt
import numpy as np
import torch

dtype = "float64"
written = 9.0  # value written into the shared memory
size = 3  # rows and columns of the matrices
seed = 0  # of their entries
terms = 1000000  # how often 0.1 is added

# From NumPy to torch: from_numpy looks at the same memory, torch.tensor copies it.
array = np.array([-2, -1, 0, 1, 2, 4], dtype=dtype)
tensor = torch.from_numpy(array)
copy = torch.tensor(array)
array[1] = written  # the tensor changes too
tensor[4] = written  # the array changes too
assert np.shares_memory(array, tensor.numpy())  # and back: no copy either
stored = float(tensor[1])  # a whole-number dtype cuts off what follows the point
array_dtype, tensor_dtype, bytes_each = str(array.dtype), str(tensor.dtype), array.itemsize
shared_values, copy_values = array, copy
print(f"{array_dtype} array {array}, copy {copy.tolist()}")

# The same mathematics, in the dtype that each library takes by itself.
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
random = np.random.default_rng(seed)
first, second = random.integers(-3, 4, (2, size, size))
matrix_product = torch.tensor(first) @ torch.tensor(second)
elementwise_product = torch.tensor(first) * torch.tensor(second)
print("matrix product", matrix_product.tolist(), "elementwise", elementwise_product.tolist())


def told(compute):
    """The result as text, or the name of the error."""
    try:
        return str(compute())
    except (RuntimeError, ValueError) as error:
        return type(error).__name__


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
narrow_sums = np.cumsum(np.full(terms, 0.1, dtype=np.float32))
wide_sums = np.cumsum(np.full(terms, 0.1, dtype=np.float64))
exact_sums = np.arange(1, terms + 1) / 10
exact, narrow_sum, wide_sum = exact_sums[-1], float(narrow_sums[-1]), wide_sums[-1]
print(f"0.1 added {terms} times: {narrow_sum:.10g} in float32, {wide_sum:.15g} in float64")

plt.loglog(np.abs(narrow_sums - exact_sums), label="float32")
plt.loglog(np.abs(wide_sums - exact_sums), label="float64")
plt.xlabel("additions")
plt.ylabel("error of the sum")
plt.legend(loc="upper left")  # the place that suits best takes long to find
plt.savefig("tensors.png")
