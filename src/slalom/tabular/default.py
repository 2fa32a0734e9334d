"""The population that the estimators train by default: drawn at random, as large as time allows.

Nobody knows beforehand which rate, width or embedding suits a table, so candidates are drawn
from a wide space (Bergstra and Bengio 2012; TabPack, Gorishniy et al. 2026), and validation rows
choose among them. The more there are, the better the best of them and the ensemble.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate

import numpy as np
import torch

from slalom.data.batches import steps_per_epoch
from slalom.nets import MLP, Periodic
from slalom.optim import Adam, AdamW, CosineAnnealingLR, Schedule, Warmup
from slalom.population import Member, Population, sample
from slalom.tabular.elimination import share

# The space, such as it was best on the tables of development: see benchmarks/README.md. Wider nets
# and larger embeddings say no more than longer trainings of these, which fit into a core's cache.
WIDTHS, DEPTHS = (48, 64, 96, 128), (1, 2, 3)
ACTIVATIONS = ("relu", "gelu", "silu")
RATES = (0.0015, 0.002, 0.0025, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.013, 0.016, 0.02)
BETAS = ((0.9, 0.97), (0.9, 0.99), (0.9, 0.999))
SIZES = (8, 12, 16, 20)
SCALES = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
EMBEDDED = 256  # numbers that all embeddings of a net are together, at most
# What holds nets back pays for classes alone, where a net that is sure and wrong costs most; for
# numbers nets are better without.
DROPOUTS = (0.0, 0.0, 0.0, 0.05, 0.1, 0.2, 0.3)
DECAYS = (0.001, 0.002, 0.004, 0.01, 0.02, 0.04, 0.1, 0.2, 0.3)
PLAIN = 3  # of ten candidates do without an embedding

FEWEST, MOST = 8, 128  # candidates
LONGEST = 3.0  # times the usual epochs, at most
# Floating-point operations a second that a thread is taken to do, by what torch says of the
# processor. It decides how many candidates there are, so nothing is measured: a table gives the
# same population on every machine with such instructions and as many cores.
PACE = {"AVX512": 5e10, "AVX2": 2.5e10}
SLOW = 1.2e10  # with any other instructions
# A batch of fewer rows takes as long as one of so many: the update of the weights waits for memory.
LEAST_BATCH = 44


def batch_size(rows: int) -> int:
    """Rows a batch: a power of two near the root of the rows, from 16 to 256.

    >>> [batch_size(n) for n in (50, 1000, 40_000)]
    [16, 32, 256]
    """
    return int(np.clip(2 ** round(np.log2(rows) / 2), 16, 256))


def usual_epochs(rows: int) -> int:
    """Passes: 40, or fewer over many rows, which say more in one pass.

    >>> [usual_epochs(n) for n in (50, 4000, 40_000)]
    [40, 40, 24]
    """
    return 40 if rows < 10_000 else 24


def seconds(rows: int) -> float:
    """How long a training may take: 10 seconds up to 800 rows in a fold, 60 from 1200 on.

    >>> [round(seconds(n)) for n in (50, 800, 1000, 50_000)]
    [10, 10, 35, 60]
    """
    return float(np.interp(rows, (800, 1200), (10, 60)))


def operations_in(seconds: float, threads: int) -> float:
    """Floating-point operations that so many threads are taken to do in this time."""
    return seconds * threads * PACE.get(torch.backends.cpu.get_cpu_capability(), SLOW)


def default_population(
    *,
    inputs: int,
    outputs: int,
    classes: bool,
    numbers: tuple[int, ...],
    rows: int,
    folds: int,
    operations: float,
    epochs: int | None = None,
    seed: int = 0,
) -> tuple[Population, int]:
    """Candidates for one fold, as many as can be trained, and their epochs.

    Args:
        inputs, outputs: of the nets.
        classes: whether classes are to be told, not numbers.
        numbers: which inputs are numbers on a scale, and may be embedded.
        rows: to train on, in a fold.
        folds: of a whole training; see `slalom.tabular.elimination` for who gets one.
        operations: floating-point ones, for all of them together.
        epochs: of each; `usual_epochs` when not given, or up to `LONGEST` times as many where
            `MOST` candidates do not take all of the operations.
        seed: of the drawing.
    """
    length = usual_epochs(rows) if epochs is None else epochs
    drawn = partial(_drawn, inputs, outputs, classes, numbers, rows, seed)
    population = drawn(length)
    whole = accumulate(float(length * folds) * operations_of(m, rows) for m in population)
    spent = np.array([total * share(folds, count) for count, total in enumerate(whole, start=1)])
    if epochs is None and spent[-1] < operations:
        length = int(length * min(LONGEST, operations / spent[-1]))
        return drawn(length), length
    return population[: max(FEWEST, np.count_nonzero(spent <= operations))], length


def _drawn(
    inputs: int,
    outputs: int,
    classes: bool,
    numbers: tuple[int, ...],
    rows: int,
    seed: int,
    epochs: int,
) -> Population:
    """`MOST` candidates."""
    size = batch_size(rows)
    steps = epochs * steps_per_epoch(rows, size)
    held_back = {
        "optimizer": AdamW(),
        "weight_decay": list(DECAYS),
        "dropout": list(DROPOUTS),
    }
    return sample(
        MOST,
        sample_seed=seed,
        net=[MLP(inputs, *[w] * depth, outputs) for w in WIDTHS for depth in DEPTHS],
        embedding=_embeddings(numbers, PLAIN if classes else 0),
        activation=list(ACTIVATIONS),
        lr=list(RATES),
        betas=list(BETAS),
        batch_size=size,
        seed=range(1000),
        schedule=Warmup(max(1, steps // 20), start_factor=0.1, then=CosineAnnealingLR()),
        **(held_back if classes else {"optimizer": Adam()}),
    )


def operations_of(member: Member, rows: int) -> float:
    """Floating-point operations of one pass over so many rows: 6 a row for each weight."""
    parameters, _ = member.net.size
    batch = min(member.batch_size or rows, rows)
    return 6.0 * parameters * max(batch, LEAST_BATCH) * steps_per_epoch(rows, member.batch_size)


def shortened(schedule: Schedule, share: float) -> Schedule:
    """The schedule for a training that is `share` as long."""
    if isinstance(schedule, Warmup):
        return replace(schedule, steps=max(1, round(schedule.steps * share)))
    return schedule


def _embeddings(numbers: tuple[int, ...], plain: int) -> Sequence[Periodic | None]:
    """What to draw from: none in `plain` of ten draws, else one of every size and scale."""
    if not numbers:
        return [None]
    largest = EMBEDDED // len(numbers)
    if largest < 2:
        return [None]
    every = [Periodic(numbers, min(size, largest), scale) for size in SIZES for scale in SCALES]
    return [*every, *[None] * round(len(every) * plain / (10 - plain))]
