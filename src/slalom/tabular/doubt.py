"""What so many rows cannot rule out: class frequencies are a small part of each answer.

Nets that tell all validation rows right may be as sure of all others as they like. On one new row
they are wrong, and 1e-9 for what is true costs more than the other rows together. What was never
seen in n trials has the probability 1/2 / (n + 1) (Krichevsky and Trofimov 1981,
https://doi.org/10.1109/TIT.1981.1056331), and that is the part. A row that is told right pays 1/2n
for it; one that is told wrong costs log(2n) at most, and what the rarity of its class adds.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.nets import MLP

HALF = 0.5  # of a row: what has not been seen counts so much


def doubt(rows: int) -> float:
    """The share of the frequencies after so many validation rows.

    >>> doubt(1), doubt(499)
    (0.25, 0.001)
    """
    return HALF / (rows + 1)


def net_of_frequencies(
    inputs: int, classes: NDArray[np.int64], weight: NDArray[np.float64], count: int
) -> tuple[MLP, torch.nn.Module]:
    """A net that answers each row with the frequencies of the classes, for `cross_entropy`.

    Args:
        inputs: that it does not look at.
        classes: of the rows, `[N]`.
        weight: what each row counts, `[N]`.
        count: how many classes there are; those without a row count half of one.

    Example:
        >>> labels = np.array([0, 0, 1])
        >>> _, module = net_of_frequencies(2, labels, np.ones(3), count=2)
        >>> module(torch.rand(1, 2)).softmax(dim=1)
        tensor([[0.6250, 0.3750]], grad_fn=<SoftmaxBackward0>)
    """
    net = MLP(inputs, count)
    module = net.build(seed=0)
    (layer,) = module.children()
    assert isinstance(layer, torch.nn.Linear)
    counts = np.bincount(classes, weights=weight, minlength=count) + HALF
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.from_numpy(np.log(counts / counts.sum())))
    return net, module
