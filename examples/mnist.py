"""Convolutional nets on handwritten digits: MNIST's, or those that come with scikit-learn.

    python examples/mnist.py FOLDER

The folder holds the four files of MNIST, or of anything in its form, compressed or not. Without one
it takes scikit-learn's digits of 8 x 8 pixels.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import slalom
from slalom import CNN, Adam, OneCycleLR, grid


def from_folder(folder: Path) -> slalom.Dataset:
    """The images to train on, and behind them those to test on."""
    parts = []
    for part in ("train", "t10k"):
        files = [next(folder.glob(f"{part}-{kind}*"), None) for kind in ("images", "labels")]
        if None in files:
            sys.exit(f"{folder} should hold {part}-images... and {part}-labels..., as MNIST does.")
        parts.append(slalom.idx_images(*files))
    train, test = parts
    whole = slalom.Dataset(
        np.concatenate([train.X, test.X]), np.concatenate([train.y, test.y]), "classification"
    )
    return replace(whole, folds=(), test=np.arange(train.rows, whole.rows))


data = from_folder(Path(sys.argv[1])) if len(sys.argv) > 1 else slalom.toys.digits()
data = data if len(data.test) else data.split(validation=0, test=0.2)
epochs = 4 if data.rows > 10_000 else 15
population = grid(
    net=CNN(data.X.shape[1:], len(data.classes), filters=(16, 32), hidden=(64,), dropout=0.2),
    optimizer=Adam,
    lr=0.003,
    schedule=OneCycleLR(),
    batch_size=64,
    seed=range(4),
)
run = slalom.train(population, data, epochs=epochs)
print(f"{len(population)} nets by the {run.engine.name} engine in {run.seconds:.0f} s.")

# What the nets say together is better than what the best of them says.
X, y = data.X[data.test], data.y[data.test]
said = np.mean([run.predict(X, member=k) for k in range(len(population))], axis=0)
print(f"{(said.argmax(axis=1) == y).mean():.4f} of {len(y)} digits that no net has seen are right.")
