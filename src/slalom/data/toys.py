"""Small datasets, for learning and for tests: made up with a known truth, and digits that are not.

The same seed gives the same points on every machine (NumPy's PCG64 generator). The classification
shapes come from scikit-learn where it has them.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from slalom.data.dataset import Dataset


def quadratic(n: int = 100, noise: float = 0.2, seed: int = 0) -> Dataset:
    """y = x^2 + noise on [-1, 1].

    Args:
        n: points, evenly spaced.
        noise: width of the uniform noise added to y, as in `noise * rand()`.
        seed: of the noise.

    >>> quadratic(100).X.shape
    (100, 1)
    """
    x = np.linspace(-1, 1, n)
    return _curve(x, x**2 + noise * np.random.default_rng(seed).random(n))


def sine(n: int = 100, noise: float = 0.1, seed: int = 0) -> Dataset:
    """y = sin(pi x) + noise on [-1, 1], the noise normal with standard deviation `noise`."""
    x = np.linspace(-1, 1, n)
    return _curve(x, np.sin(np.pi * x) + noise * np.random.default_rng(seed).normal(size=n))


def step(n: int = 100, noise: float = 0.1, seed: int = 0) -> Dataset:
    """0 left of 0 and 1 right of it, plus normal noise: what a smooth net finds hard."""
    x = np.linspace(-1, 1, n)
    return _curve(x, (x > 0) + noise * np.random.default_rng(seed).normal(size=n))


def gaussians(n: int = 200, spread: float = 1.0, seed: int = 0) -> Dataset:
    """Two clouds of normal points around (2, 2) and (-2, -2), one a class.

    Args:
        n: points in all, half a class.
        spread: standard deviation of each cloud.
        seed: of the points.
    """
    generator = np.random.default_rng(seed)
    labels = np.arange(n) * 2 // n
    centers = np.array([[2.0, 2.0], [-2.0, -2.0]])
    return _classes(centers[labels] + spread * generator.normal(size=(n, 2)), labels)


def moons(n: int = 200, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Two half circles that hold each other (scikit-learn's `make_moons`)."""
    from sklearn import datasets

    return _classes(*datasets.make_moons(n, noise=noise, random_state=seed))


def circles(n: int = 200, noise: float = 0.1, seed: int = 0) -> Dataset:
    """A circle inside another (scikit-learn's `make_circles`)."""
    from sklearn import datasets

    return _classes(*datasets.make_circles(n, noise=noise, factor=0.5, random_state=seed))


def spirals(
    n: int = 200, noise: float = 0.05, turns: float = 1.0, classes: int = 2, seed: int = 0
) -> Dataset:
    """Arms that wind around each other (after Lang and Witbrock 1988).

    Args:
        n: points in all.
        noise: standard deviation of the noise, where an arm is 1 long.
        turns: full turns of an arm.
        classes: number of arms.
        seed: of the noise.
    """
    labels = np.arange(n) * classes // n
    radius = 0.1 + 0.9 * _ramp(labels, classes)
    angle = 2 * np.pi * (turns * radius + labels / classes)
    arms = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return _classes(arms + noise * np.random.default_rng(seed).normal(size=(n, 2)), labels)


def checkerboard(n: int = 400, cells: int = 4, seed: int = 0) -> Dataset:
    """Uniform points on [-1, 1]^2, coloured as a board of `cells` x `cells` fields."""
    X = np.random.default_rng(seed).uniform(-1, 1, size=(n, 2))
    fields = np.floor((X + 1) / 2 * cells).astype(int)
    return _classes(X, fields.sum(axis=1) % 2)


def blobs(n: int = 300, classes: int = 3, spread: float = 1.0, seed: int = 0) -> Dataset:
    """Normal clouds around random centres (scikit-learn's `make_blobs`)."""
    from sklearn import datasets

    X, y = datasets.make_blobs(n, centers=classes, cluster_std=spread, random_state=seed)
    return _classes(X, y)


def digits(classes: int = 10) -> Dataset:
    """Handwritten digits of 8 x 8 pixels, `[N, 1, 8, 8]` from 0 to 1; those of scikit-learn.

    Args:
        classes: how many digits, from 0 on; fewer than 10 leave images out.

    >>> digits().X.shape
    (1797, 1, 8, 8)
    """
    from sklearn import datasets

    bunch = datasets.load_digits(n_class=classes)
    return Dataset(bunch.images[:, None] / 16, bunch.target, task="classification")


REGRESSION: dict[str, Callable[..., Dataset]] = {"quadratic": quadratic, "sine": sine, "step": step}
CLASSIFICATION: dict[str, Callable[..., Dataset]] = {
    "gaussians": gaussians,
    "moons": moons,
    "circles": circles,
    "spirals": spirals,
    "checkerboard": checkerboard,
    "blobs": blobs,
}


def _ramp(labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """0 to 1 within each class, whatever its number of points."""
    ramps = [np.linspace(0, 1, int((labels == k).sum())) for k in range(classes)]
    return np.concatenate(ramps)


def _curve(x: NDArray[np.float64], y: NDArray[np.float64]) -> Dataset:
    X = x[:, None].astype(np.float32)
    return Dataset(X, y, task="regression", feature_names=("x",))


def _classes(X: NDArray[np.float64], y: NDArray[np.int64]) -> Dataset:
    return Dataset(
        X.astype(np.float32),
        y,
        task="classification",
        feature_names=("x0", "x1"),
        target_names=("class",),
    )
