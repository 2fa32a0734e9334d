"""The population that the estimators train by default, and for how long."""

from dataclasses import dataclass, replace

from slalom.data.batches import steps_per_epoch
from slalom.nets import MLP
from slalom.optim import Adam, AdamW, CosineAnnealingLR, Optimizer, RMSprop, Schedule, Warmup
from slalom.population import Member, Population

SMALL = 4000  # rows; below, five folds cost less than the rows that one split would hold back
FOLDS = 5
MEMBERS = 32  # at least; with folds, every recipe is trained on each


@dataclass(frozen=True)
class Recipe:
    """One way to train; a member is a recipe, a seed and a fold."""

    hidden: tuple[int, ...]
    activation: str
    dropout: float
    optimizer: Optimizer


RECIPES = (
    Recipe((128, 128), "relu", 0.0, Adam(lr=3e-3)),
    Recipe((128, 128), "silu", 0.1, AdamW(lr=3e-3)),
    Recipe((256, 256), "relu", 0.1, AdamW(lr=1e-3)),
    Recipe((256, 128), "mish", 0.2, AdamW(lr=2e-3, weight_decay=0.05)),
    Recipe((64, 64), "tanh", 0.0, Adam(lr=5e-3)),
    Recipe((64, 64, 64), "selu", 0.0, RMSprop(lr=1e-3, alpha=0.9)),
    Recipe((128, 128, 128), "relu", 0.2, RMSprop(lr=1e-3)),
    Recipe((32,), "silu", 0.0, AdamW(lr=1e-2)),
)


def batch_size(rows: int) -> int:
    """Rows a batch: a power of two near a sixteenth of the table, from 32 to 256.

    >>> [batch_size(n) for n in (50, 1000, 40_000)]
    [32, 64, 256]
    """
    return min(256, max(32, 1 << (rows // 16).bit_length()))


def epochs(rows: int) -> int:
    """Passes: about 3000 steps, from 24 to 100 passes.

    >>> [epochs(n) for n in (50, 4000, 40_000)]
    [100, 100, 24]
    """
    return min(100, max(24, 3000 // steps_per_epoch(rows, batch_size(rows))))


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
