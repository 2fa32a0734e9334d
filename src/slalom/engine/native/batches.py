"""Batches: torch's permutations, and their rows panel by panel.

The permutations are those of `slalom.data.batches`: the generator is torch's on the CPU, Mersenne
Twister 19937 (Matsumoto and Nishimura 1998; `ATen/core/MT19937RNGEngine.h`), seeded with the lower
32 bits of the seed, and the shuffle is that of `randperm_cpu` (`TensorFactories.cpp`).
"""

import numpy as np

from slalom.engine.native.compile import kernel, part
from slalom.engine.native.tiles import PANEL, by_feature, copy_sample, pitch_of

WORDS = 624
SHIFT = 397
GENERATOR = WORDS + 1  # the words, and how many of them have been given out
UPPER, LOWER = np.uint32(0x80000000), np.uint32(0x7FFFFFFF)
MATRIX = np.uint32(0x9908B0DF)
ZERO = np.float32(0)


@part
def seed_generator(words, seed):
    """The state after `manual_seed(seed)`: `words [GENERATOR]`, uint32."""
    words[0] = np.uint32(seed)
    for i in range(1, WORDS):
        before = words[i - 1]
        words[i] = np.uint32(np.uint32(1812433253) * (before ^ (before >> np.uint32(30))) + i)
    words[WORDS] = WORDS


@kernel
def _renew(words):
    for i in range(WORDS):
        y = (words[i] & UPPER) | (words[(i + 1) % WORDS] & LOWER)
        odd = MATRIX if y & np.uint32(1) else np.uint32(0)
        words[i] = words[(i + SHIFT) % WORDS] ^ (y >> np.uint32(1)) ^ odd
    words[WORDS] = 0


@part
def _draw(words):
    if words[WORDS] == WORDS:
        _renew(words)
    y = words[words[WORDS]]
    words[WORDS] += np.uint32(1)
    y ^= y >> np.uint32(11)
    y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
    y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
    return y ^ (y >> np.uint32(18))


@kernel
def skip(words, numbers):
    """Go on as if `numbers` numbers had been drawn."""
    while numbers > 0:
        if words[WORDS] == WORDS:
            _renew(words)
        some = min(numbers, WORDS - np.int64(words[WORDS]))
        words[WORDS] += np.uint32(some)
        numbers -= some


@part
def draws_before(epoch, rows):
    """How many numbers a loader draws before the permutation of an epoch.

    Each epoch starts with a 64-bit seed for workers; each but the first is preceded by a
    permutation that is thrown away (see `slalom.data.batches.Shuffle`).
    """
    return 2 * rows * epoch + 2


@kernel
def shuffle(words, order):
    """A permutation of `order.size` rows, drawn where the generator stands: int32."""
    rows = order.size
    for i in range(rows):
        order[i] = i
    for i in range(rows - 1):
        j = i + np.int64(_draw(words) % np.uint32(rows - i))
        order[i], order[j] = order[j], order[i]


@part
def as_they_come(order):
    """The rows unshuffled."""
    for i in range(order.size):
        order[i] = i


@kernel
def gather(data, rows, order, first, size, batches, n):
    """Make batch `n` of `batches`, which have `size` rows each, of `rows` from `order[first]` on.

    The last batch may be short. Batches are made in their order, since each spoils what follows it.
    """
    features, targets = data.features, data.targets
    pitch, panels, size = pitch_of(features), -(-size // PANEL), min(size, rows.size - first)
    total = 0.0
    for q in range(-(-size // PANEL)):
        p, some = n * panels + q, min(PANEL, size - q * PANEL)
        s0, chosen = p * PANEL * pitch, order[first + q * PANEL : first + q * PANEL + some]
        y, weights = batches.y[p * PANEL * targets :], batches.weight[p * PANEL :][:PANEL]
        for j in range(some):
            row = rows[chosen[j]]
            copy_sample(data.X, row * features, features, batches.samples, s0 + j * pitch)
            for t in range(targets):
                y[t * PANEL + j] = data.y[row * targets + t]
            weights[j] = data.weight[row]
            total += data.mass[row]
        for j in range(some, PANEL):
            batches.samples[s0 + j * pitch : s0 + (j + 1) * pitch] = ZERO
            weights[j] = ZERO
        by_feature(batches.samples, s0, features, batches.X, p * PANEL * features)
    batches.total[n] = total
