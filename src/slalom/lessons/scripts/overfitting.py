"""A wide net learns the noise of few points by heart. ‖ 宽网络把少数几个点的噪声背了下来。"""

import matplotlib.pyplot as plt
import numpy as np
import torch

rows = 40  # points, held-out ones included ‖ 数据点数，包括留出的
noise = 0.3  # standard deviation of the noise ‖ 噪声的标准差
width = 100  # neurons in each hidden layer ‖ 每个隐藏层的神经元数
dropout = 0.3  # share of neurons dropped ‖ 丢弃的神经元所占的比例
lr = 0.003  # learning rate of Adam ‖ Adam 的学习率
epochs = 800
patience = 100  # epochs to wait ‖ 等待的轮次数
seed = 0

x = np.linspace(-1, 1, rows)
y = np.sin(np.pi * x) + noise * np.random.default_rng(1).normal(size=rows)
X = torch.tensor(x, dtype=torch.float32)[:, None]
Y = torch.tensor(y, dtype=torch.float32)[:, None]
order = np.random.default_rng(1).permutation(rows)
held = np.sort(order[: rows * 2 // 5])  # two of five are for validation ‖ 五分之二用于验证
kept = np.sort(order[rows * 2 // 5 :])  # the others for training ‖ 其余用于训练
training_rows, validation_rows = len(kept), len(held)
noise_variance = noise**2


def train(dropout):
    """Train a net; give it and its losses. ‖ 训练一个网络，返回它和它的损失。"""
    torch.manual_seed(seed)
    net = torch.nn.Sequential(
        torch.nn.Linear(1, width),
        torch.nn.Tanh(),
        torch.nn.Dropout(dropout),
        torch.nn.Linear(width, width),
        torch.nn.Tanh(),
        torch.nn.Dropout(dropout),
        torch.nn.Linear(width, 1),
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    training, validation = [], []
    for _ in range(epochs):
        net.train()  # dropout leaves out neurons ‖ dropout 开始丢神经元
        loss = torch.nn.functional.mse_loss(net(X[kept]), Y[kept])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        net.eval()  # dropout lets everything through ‖ dropout 全部放行
        with torch.no_grad():  # only a look: no gradients ‖ 只是看看，不要梯度
            validation.append(torch.nn.functional.mse_loss(net(X[held]), Y[held]).item())
        training.append(loss.item())
    return net, training, validation


net, training_losses, validation_losses = train(0.0)
final_training, final_validation = training_losses[-1], validation_losses[-1]
best_epoch = int(np.argmin(validation_losses)) + 1
best_validation = min(validation_losses)

# Early stopping. A real training would also copy net.state_dict() at each new lowest loss.
# ‖ 提前停止。真正的训练还会在每次出现更低的损失时复制 net.state_dict()。
stopped_epoch, lowest = epochs, 0
for epoch in range(epochs):
    if validation_losses[epoch] < validation_losses[lowest]:
        lowest = epoch
    elif epoch - lowest >= patience:
        stopped_epoch = epoch + 1
        break
kept_epoch = lowest + 1

# torch draws other neurons than Slalom: losses with dropout are alike, but not the same.
# ‖ torch 丢的神经元与 Slalom 不同：有 dropout 的损失相近，但不相同。
dropout_net, _, dropout_losses = train(dropout)

print(f"training loss {final_training:.4f}, validation loss {final_validation:.4f} in the end")
print(f"validation loss lowest at epoch {best_epoch}: {best_validation:.4f}")
print(f"a patience of {patience} stops at epoch {stopped_epoch} and keeps {kept_epoch}")
print(f"with dropout the validation loss is {np.mean(dropout_losses[-epochs // 10 :]):.4f}")

grid = torch.linspace(-1.1, 1.1, 300)[:, None]
plt.scatter(x[kept], y[kept], color="gray", label="training")
plt.scatter(x[held], y[held], color="white", edgecolor="gray", label="validation")
plt.plot(grid, net(grid).detach(), label="without dropout")
plt.plot(grid, dropout_net(grid).detach(), "--", label="with dropout")
plt.legend()
plt.savefig("overfitting.png")
