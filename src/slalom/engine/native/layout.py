"""What the compiled program works on: tables of members and bundles, the data, and workspaces."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slalom.engine import rules
from slalom.engine.state import NEVER as NEVER

# Columns of the table of layers: widths, where the weights begin among the member's parameters,
# where activations, errors and activations sample by sample begin in the arena, how the gradient is
# taken, and, of an embedding, where its sums and its cosines and sines begin in the arena.
INPUTS, OUTPUTS, WEIGHTS, ACTIVE, ERROR, SAMPLES, NARROW, SUMS, WAVES = range(9)
COLUMNS = 9

# Nets of one shape, with batches of one size.
GEOMETRY = np.dtype(
    [
        ("depth", np.int64),
        ("activation", np.int64),
        ("relu", np.bool_),  # that activation, and no dropout
        ("curve", np.bool_),  # as `slalom.engine.native.curve` trains it
        ("first", np.int64),  # row of the first layer: 1 after an embedding
        ("embedded", np.int64),  # columns that are,
        ("size", np.int64),  # numbers for each of them,
        ("columns", np.int64),  # and where the order of all features begins
        ("dropout", np.float64),
        ("chunk", np.int64),  # panels whose gradient is taken together
        ("parts", np.int64),  # of a batch, each of which another thread may take
        ("parameters", np.int64),
    ]
)

# A member: what it is, and what changes, as in `slalom.engine.rules`.
MEMBER = np.dtype(
    [
        ("number", np.int64),
        ("geometry", np.int64),
        ("rule", np.int64),
        ("schedule", np.int64),  # row of the rates, or NEVER
        ("fold", np.int64),
        ("lr", np.float64),
        ("clip_norm", np.float64),
        ("seed", np.uint64),
        ("parameters", np.int64),  # offsets
        ("slots", np.int64),
        ("records", np.int64),
        ("recorded", np.int64),
        ("next_frame", np.int64),  # the next step at which a frame is due, or NEVER
        *rules.MEMBER,
    ]
)

# Members of the table that lie at order[first:last] and see the same batches.
BUNDLE = np.dtype(
    [
        ("first", np.int64),
        ("last", np.int64),
        ("seed", np.uint64),
        ("fold", np.int64),
        ("batch_size", np.int64),  # 0 for all rows as they come
    ]
)


class Data(NamedTuple):
    """The dataset; the rows of all folds lie one fold after another."""

    features: int
    targets: int
    X: NDArray[np.float32]  # [rows * features]
    y: NDArray[np.float32]  # [rows * targets]
    weight: NDArray[np.float32]
    mass: NDArray[np.float64]  # the weight of a row times that of its class
    train: NDArray[np.int64]
    train_from: NDArray[np.int64]  # [folds + 1]
    validation: NDArray[np.int64]
    validation_from: NDArray[np.int64]
    variation: NDArray[np.float64]  # [folds, T]: weighted squares around the mean, for R2


class Nets(NamedTuple):
    """The members and what they are trained with."""

    members: NDArray[Any]  # MEMBER
    geometries: NDArray[Any]  # GEOMETRY
    layers: NDArray[np.int64]  # [geometries, layers, COLUMNS]
    columns: NDArray[np.int64]  # orders of features for embeddings, one after another
    hyper: NDArray[np.float64]  # [P, LENGTH], see `updates`
    parameters: NDArray[np.float32]
    slots: NDArray[np.float32]
    best: NDArray[np.float32]
    frames: NDArray[np.float32]  # [F * size]: parameters of the first members
    due: NDArray[np.int64]  # [F]: the steps of these
    base: NDArray[np.float64]  # the rate of step `first_rate + i` by schedule s:
    slope: NDArray[np.float64]  # base[s, i] + slope[s, i] * lr
    first_rate: int


class Common(NamedTuple):
    """What the plan says for all members, and how much workspace a thread needs."""

    loss: int
    numbers: NDArray[np.float32]
    record_steps: bool
    validate_every: int
    patience: float
    arena: int
    parameters: int
    parts: int  # of the batches with the most
    rows: int
    panels: int
    validation_panels: int


class Batches(NamedTuple):
    """Some batches, panel by panel."""

    samples: NDArray[np.float32]
    X: NDArray[np.float32]
    y: NDArray[np.float32]
    weight: NDArray[np.float32]
    total: NDArray[np.float64]  # sum of the weights of each batch


class Workspace(NamedTuple):
    """What a thread works in; of all threads together, arrays have a row for each."""

    arena: NDArray[np.float32]
    gradient: NDArray[np.float32]
    parts: NDArray[np.float32]  # gradients of the parts of a batch after the first
    losses: NDArray[np.float64]  # [parts]
    sums: NDArray[np.float32]
    unexplained: NDArray[np.float64]
    order: NDArray[np.int32]
    words: NDArray[np.uint32]
    window: Batches
    held: Batches


class Shared(NamedTuple):
    """What threads share while they work."""

    flag: NDArray[np.int64]  # [1]: set to end the work
    queue: NDArray[np.int64]  # [1]: the next bundle
    arrived: NDArray[np.int64]  # [1]: threads that have begun
    working: NDArray[np.int64]  # [1]: threads that still have bundles
    counters: NDArray[np.int64]  # [threads * COUNTERS], see `slalom.engine.native.helping`
    workspace: Workspace


class Thread(NamedTuple):
    """What one thread works with."""

    nets: Nets
    data: Data
    common: Common
    workspace: Workspace
    records: NDArray[Any]
    shared: Shared
    me: int  # its number


class Window(NamedTuple):
    """Some batches that lie in place: those of the steps `low` to `high`.

    When `shuffled`, batch `n` is that of step `low + n`, with `size` rows or what is `left` for it;
    otherwise every step is on the first batch.
    """

    low: int
    high: int
    shuffled: bool
    size: int
    left: int
