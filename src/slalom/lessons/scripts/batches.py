"""Which rows come in which batch: what a DataLoader with a seeded generator gives."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

rows = 10
batch_size = 8
epochs = 4
seed = 0

# Instead of measurements, each row holds its own number, so that we see where it goes.
loader = DataLoader(
    TensorDataset(torch.arange(rows)),
    batch_size=batch_size,
    shuffle=True,  # a new order in each epoch
    generator=torch.Generator().manual_seed(seed),  # the same orders in each run of the program
)
orders = []
for epoch in range(1, epochs + 1):
    batches = [batch.tolist() for (batch,) in loader]
    print(f"epoch {epoch}: " + "  ".join(str(batch) for batch in batches))
    orders.append([row for batch in batches for row in batch])

batches_per_epoch = len(loader)
last_batch = len(batches[-1])
total_steps = epochs * batches_per_epoch
print(f"{batches_per_epoch} batches an epoch, {last_batch} rows in the last one")

plt.imshow(np.array(orders))
plt.xlabel("place in the epoch")
plt.ylabel("epoch")
plt.colorbar(label="row")
for edge in range(batch_size, rows, batch_size):
    plt.axvline(edge - 0.5, color="red")  # where a batch ends
plt.savefig("batches.png")
