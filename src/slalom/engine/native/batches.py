"""Batches: torch's permutations, and their rows panel by panel.

The permutations are those of `slalom.data.batches`: the generator is torch's on the CPU, Mersenne
Twister 19937 (Matsumoto and Nishimura 1998; `ATen/core/MT19937RNGEngine.h`), seeded with the lower
32 bits of the seed, and the shuffle is that of `randperm_cpu` (`TensorFactories.cpp`).
"""

import numpy as np

from slalom.engine.native.compile import inlined, kernel
from slalom.engine.native.tiles import PANEL, by_feature, copy_sample, pitch_of

WORDS = 624
SHIFT = 397
# The words, as many numbers made of them, and how many of those have been given out.
USED = 2 * WORDS
GENERATOR = USED + 1
UPPER, LOWER = np.uint32(0x80000000), np.uint32(0x7FFFFFFF)
MATRIX = np.uint32(0x9908B0DF)
ZERO = np.float32(0)
START = np.int64(0)


@inlined
def seed_generator(words, seed):
    """The state after `manual_seed(seed)`: `words [GENERATOR]`, uint32."""
    words[0] = np.uint32(seed)
    for i in range(1, WORDS):
        before = words[i - 1]
        words[i] = np.uint32(np.uint32(1812433253) * (before ^ (before >> np.uint32(30))) + i)
    words[USED] = WORDS


@inlined
def _twist(words, i, following, other):
    """The next word in the place of word `i`."""
    y = (words[i] & UPPER) | (words[following] & LOWER)
    odd = MATRIX if y & np.uint32(1) else np.uint32(0)
    words[i] = words[other] ^ (y >> np.uint32(1)) ^ odd


@kernel
def _renew(words):
    """The next words and their numbers; in loops that LLVM can vectorise."""
    for i in range(np.uintp(WORDS - SHIFT)):
        _twist(words, i, i + np.uintp(1), i + np.uintp(SHIFT))
    for i in range(np.uintp(WORDS - SHIFT), np.uintp(WORDS - 1)):
        _twist(words, i, i + np.uintp(1), i - np.uintp(WORDS - SHIFT))
    _twist(words, np.uintp(WORDS - 1), np.uintp(0), np.uintp(SHIFT - 1))
    for i in range(np.uintp(WORDS)):
        y = words[i]
        y ^= y >> np.uint32(11)
        y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
        y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
        words[np.uintp(WORDS) + i] = y ^ (y >> np.uint32(18))
    words[USED] = 0


@kernel
def skip(words, numbers):
    """Go on as if `numbers` numbers had been drawn."""
    while numbers > 0:
        if words[USED] == WORDS:
            _renew(words)
        some = min(numbers, WORDS - np.int64(words[USED]))
        words[USED] += np.uint32(some)
        numbers -= some


@inlined
def draws_before(epoch, rows):
    """How many numbers a loader draws before the permutation of an epoch.

    Each epoch starts with a 64-bit seed for workers; each but the first is preceded by a
    permutation that is thrown away (see `slalom.data.batches.Shuffle`).
    """
    return 2 * rows * epoch + 2


@inlined
def as_they_come(order):
    """The rows unshuffled."""
    for i in range(order.size):
        order[i] = i


@kernel
def shuffle(words, order):
    """A permutation of `order.size` rows, drawn where the generator stands: int32."""
    rows = order.size
    as_they_come(order)
    first = START
    while first < rows - 1:
        if words[USED] == WORDS:
            _renew(words)
        used = np.int64(words[USED])
        some = min(rows - 1 - first, WORDS - used)
        for n in range(np.uintp(some)):
            i = np.uintp(first) + n
            number = words[np.uintp(WORDS + used) + n]
            j = i + np.uintp(number % (np.uint32(rows) - np.uint32(i)))
            order[i], order[j] = order[j], order[i]
        words[USED] += np.uint32(some)
        first += some


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
