"""Which pairs (x, y) come in which batch: what a DataLoader with a seeded generator gives. ‖ 每一批里有哪些 (x, y)：带种子的 DataLoader 怎样分批。"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

rows = 10
batch_size = 8
epochs = 4
seed = 0

# x counts up and y counts down, so that each pair can be recognised.
# ‖ x 往上数，y 往下数，这样每一对都认得出来。
x = torch.arange(1.0, rows + 1)
y = x.flip(0)

# Number k of a TensorDataset is the pair (x[k], y[k]). ‖ TensorDataset 的第 k 项就是 (x[k], y[k])。
data = TensorDataset(x, y)
loader = DataLoader(
    data,
    batch_size=batch_size,
    shuffle=True,  # a new order in each epoch ‖ 每个轮次都换一个顺序
    # The same orders in each run of the program. ‖ 程序每次运行，顺序都一样。
    generator=torch.Generator().manual_seed(seed),
)
pairs = []
for epoch in range(1, epochs + 1):
    dealt = []
    # x and y come apart, each as a tensor of a batch. ‖ x 和 y 分开给出，各是一批的张量。
    for step, (batch_x, batch_y) in enumerate(loader, start=1):
        print(f"epoch {epoch}, step {step}: x {batch_x.tolist()}, y {batch_y.tolist()}")
        # Here the five lines of a training step would stand. ‖ 训练时，一步的五行代码就写在这里。
        dealt += zip(batch_x.tolist(), batch_y.tolist(), strict=True)
    pairs.append(dealt)

batches_per_epoch = len(loader)  # divided and rounded up ‖ 相除，再向上取整
last_batch = len(batch_x)
total_steps = epochs * batches_per_epoch
print(f"{batches_per_epoch} batches an epoch, {last_batch} rows in the last one")

plt.imshow(np.array(pairs)[:, :, 0])
plt.xlabel("place in the epoch")
plt.ylabel("epoch")
plt.colorbar(label="x")
for edge in range(batch_size, rows, batch_size):
    plt.axvline(edge - 0.5, color="red")  # where a batch ends ‖ 一批到此为止
plt.savefig("batches.png")
