"""A net of your own: a small convolutional one, on scikit-learn's digits."""

import torch
from sklearn.datasets import load_digits

import slalom
from slalom import Adam, Net, grid


class Convolutional(torch.nn.Module):
    """Takes [rows, 1, 8, 8], gives a score for each of ten digits."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.look = torch.nn.Conv2d(1, channels, kernel_size=3)
        self.tell = torch.nn.Linear(channels * 9, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        seen = torch.nn.functional.max_pool2d(self.look(images).relu(), 2)
        return self.tell(seen.flatten(1))


digits = load_digits()
data = slalom.Dataset(digits.images[:, None] / 16, digits.target, task="classification").split(
    validation=0.2, test=0.2
)
population = grid(net=[Net(Convolutional, channels=c) for c in (4, 8)], optimizer=Adam, lr=0.01)
run = slalom.train(population, data, epochs=8, batch_size=64)

right = run.predict(data.X[data.test]).argmax(axis=1) == data.y[data.test]
print(f"{right.mean():.3f} of {len(right)} digits that no net has seen are told right.")
