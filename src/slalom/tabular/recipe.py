"""The population that the estimators train by default, and for how long."""

from dataclasses import dataclass, replace

from slalom.data.batches import steps_per_epoch
from slalom.nets import MLP
from slalom.optim import SGD, Adam, AdamW, CosineAnnealingLR, Optimizer, Schedule, Warmup
from slalom.population import Member, Population

MEMBERS = 32  # at least; with folds, every recipe is trained on each


@dataclass(frozen=True)
class Recipe:
    """One way to train; a member is a recipe, a seed and a fold."""

    hidden: tuple[int, ...]
    activation: str
    dropout: float
    optimizer: Optimizer


# Chosen by validation loss among 17 on seven tables (see benchmarks/README.md): each is best or
# near it on some kind of table (smooth, noisy, small), and they err differently, which an ensemble
# needs.
RECIPES = (
    Recipe((128, 128, 128), "gelu", 0.1, AdamW(lr=4e-3, betas=(0.9, 0.95))),
    Recipe((128, 128, 128), "mish", 0.2, AdamW(lr=5e-3, weight_decay=0.05)),
    Recipe((256, 256), "relu", 0.3, AdamW(lr=3e-3, weight_decay=0.05)),
    Recipe((128, 128), "silu", 0.1, AdamW(lr=1e-2)),
    Recipe((256,), "silu", 0.1, AdamW(lr=2e-2)),
    Recipe((128, 128), "relu", 0.0, Adam(lr=3e-3)),
    Recipe((64, 64), "tanh", 0.0, Adam(lr=5e-3)),
    Recipe((64, 64), "relu", 0.0, SGD(lr=5e-2, momentum=0.9, nesterov=True)),
)


def batch_size(rows: int) -> int:
    """Rows a batch: a power of two near a sixteenth of the table, from 32 to 256.

    >>> [batch_size(n) for n in (50, 1000, 40_000)]
    [32, 64, 256]
    """
    return min(256, max(32, 1 << (rows // 16).bit_length()))


def epochs(rows: int) -> int:
    """Passes: about 3000 steps, from 24 to 160 passes.

    >>> [epochs(n) for n in (50, 4000, 40_000)]
    [160, 160, 24]
    """
    return min(160, max(24, 3000 // steps_per_epoch(rows, batch_size(rows))))


def default_population(
    inputs: int, outputs: int, rows: int, seeds: int, epochs: int, seed: int
) -> Population:
    """The recipes x `seeds` seeds, for nets with these inputs and outputs."""
    size = batch_size(rows)
    steps = epochs * steps_per_epoch(rows, size)
    schedule = Warmup(steps=max(1, steps // 20), start_factor=0.1, then=CosineAnnealingLR())
    return Population(
        tuple(
            Member(
                MLP(inputs, *r.hidden, outputs, activation=r.activation, dropout=r.dropout),
                r.optimizer,
                batch_size=size,
                seed=seed + s,
                schedule=schedule,
            )
            for r in RECIPES
            for s in range(seeds)
        )
    )


def shortened(schedule: Schedule, share: float) -> Schedule:
    """The schedule for a training that is `share` as long."""
    if isinstance(schedule, Warmup):
        return replace(schedule, steps=max(1, round(schedule.steps * share)))
    return schedule
