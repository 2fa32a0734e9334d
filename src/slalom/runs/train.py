"""`train` and `race`: from arguments to a plan, and from a plan to a run."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from slalom.core.errors import BadData, BadPlan
from slalom.data.batches import steps_per_epoch
from slalom.data.dataset import Dataset
from slalom.engine import Engine, select
from slalom.engine.device import DeviceLike
from slalom.engine.state import FRAMED_MEMBERS
from slalom.losses import LossLike, as_loss
from slalom.nets import NetLike
from slalom.optim import OptimizerLike, Schedule
from slalom.plan import Plan
from slalom.population import MembersLike, Population, as_population, grid
from slalom.runs.folder import RunFolder
from slalom.runs.keeping import EVERY, Keeper
from slalom.runs.rewind import MEMORY, Trail
from slalom.runs.run import Run
from slalom.runs.stopping import check_time_limit, stopping
from slalom.runs.store import Store, StoreLike
from slalom.training import Progress, Snapshot, Training
from slalom.training.frames import drawable
from slalom.training.progress import announce, progress_bar

STEPWISE_ROWS = 200_000  # histories up to this long keep the loss of every step
HISTORY_ROWS = 2_000_000  # 100 MB: more would take longer to sort and draw than it could tell
EPOCHS = 100  # when neither epochs nor steps is given
Watch: TypeAlias = Callable[[Training], None]
# Who goes on when all have come to a step: see `carry_out`.
Steer: TypeAlias = Callable[[Training], Iterator[int | None]]
FRAMES = 60  # five seconds of animation at twelve frames a second
FRAME_NUMBERS = 2**26  # 256 MB of weights


def train(
    members: MembersLike | Plan,
    data: Dataset,
    *,
    optimizer: OptimizerLike | None = None,
    lr: float | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    schedule: Schedule | None = None,
    clip_norm: float | None = None,
    loss: LossLike | None = None,
    epochs: int | None = None,
    steps: int | None = None,
    patience: int | None = None,
    validate_every: int | None = None,
    record: str | None = None,
    record_every: int | None = None,
    frames: int | None = None,
    engine: Engine | str = "auto",
    threads: int | None = None,
    device: DeviceLike | None = None,
    time_limit: float | None = None,
    progress: bool | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    store: StoreLike | None = None,
    name: str | None = None,
    checkpoint_every: float = EVERY,
    rewind_bytes: float = MEMORY,
) -> Run:
    """Train a population, or a single net, and return the run.

    Args:
        members: a net, a member, a list of members, a population, or a whole `Plan`, which then
            says everything and is given alone.
        data: what to train on. Members with validation rows are selected on them.
        optimizer, lr, batch_size, seed, schedule, clip_norm: what all members have in common; see
            `Member`. A single net is trained by Adam, full batch, seed 0, when they are not given.
        loss: a name or a spec; mse or cross_entropy by the task when not given.
        epochs, steps, patience, validate_every, record, record_every, frames: see `Plan`. 100
            epochs when neither epochs nor steps is given. `record` keeps every step unless the
            history would pass 200,000 rows; `record_every` is 1 unless it would still pass
            2,000,000, which are 100 MB, and then as many as keep it below, whole multiples of
            `validate_every` (each member keeps its last row, however many they are). `frames` is
            60 for up to 12 members on one or two features, fewer if their weights would take more
            than 256 MB, else 0.
        engine: what carries the plan out: "native" (compiled; fully connected nets), "batched" (any
            net that `torch.func` takes, many members at once), "reference" (plain PyTorch; any net,
            one member after another), "auto" for the fastest that can, or an engine.
        threads: of the native and the batched engine; one for each core when not given.
        device: "cpu", "cuda" or "cuda:1" (a GPU of NVIDIA's, where the batched engine trains), or
            "auto" for a GPU where there is one; what the environment variable SLALOM_DEVICE says,
            or the CPU, when not given.
        time_limit: seconds > 0 after which the training stops where it is.
        progress: whether to show a bar; only on a terminal when not given.
        on_progress: called with a `Progress` after every stretch.
        store: where the run is kept while it trains and afterwards, a folder or a `Store`; then
            `slalom.resume` goes on with it, whatever ended it. Nowhere when not given.
        name: what it is called there; run, run-2 and so on when not given.
        checkpoint_every: seconds between two checkpoints there; 30 lose little and cost little.
        rewind_bytes: of memory for moments on the way, from which `run.at` goes forward; 256 MB.

    Returns:
        The run. Ctrl-C ends the training early and still returns what has been reached.

    Raises:
        BadPlan: when the plan makes no sense for these nets and data.

    Example:
        >>> import slalom
        >>> run = slalom.train(slalom.MLP(1, 10, 1), slalom.toys.quadratic(100, seed=1),
        ...                    optimizer=slalom.SGD(lr=0.2), steps=200)
        >>> bool(run.history["train_loss"].iloc[-1] < 0.01)
        True
    """
    if not isinstance(data, Dataset):
        raise BadData(
            f"The data must be a slalom.Dataset, but it is {type(data).__name__}. "
            f'Make one of features and target: slalom.Dataset(X, y, task="regression").'
        )
    of_members = _given(
        optimizer=optimizer,
        lr=lr,
        batch_size=batch_size,
        seed=seed,
        schedule=schedule,
        clip_norm=clip_norm,
    )
    of_plan = _given(
        epochs=epochs,
        steps=steps,
        patience=patience,
        validate_every=validate_every,
        record=record,
        record_every=record_every,
        frames=frames,
    )
    if isinstance(members, Plan):
        if said := [*of_members, *_given(loss=loss), *of_plan]:
            raise BadPlan(
                f"A plan says everything about a training, so {', '.join(said)} cannot be given "
                f"beside it. Change the plan with dataclasses.replace(plan, ...)."
            )
        plan = members
    else:
        population = as_population(members, **of_members)
        unsaid: dict[str, Any] = {} if steps is not None else {"epochs": EPOCHS}
        unsaid["frames"] = _default_frames(population, data)
        plan = Plan(population, as_loss(loss, data.task), **(unsaid | of_plan))
        plan = replace(plan, **(_default_records(plan, data, record) | of_plan))
    folder = None
    if store is not None:  # with what was asked for, should it be killed before it has begun
        asked = engine if isinstance(engine, str) else engine.name
        about = {
            "kind": "train",
            "engine": asked,
            "threads": threads,
            "device": device and str(device),
        }
        folder = Store.of(store).new(plan, data, name, about)
    return carry_out(
        plan,
        data,
        engine=engine,
        threads=threads,
        device=device,
        time_limit=time_limit,
        progress=progress,
        on_progress=on_progress,
        folder=folder,
        checkpoint_every=checkpoint_every,
        rewind_bytes=rewind_bytes,
    )


def race(
    net: NetLike,
    data: Dataset,
    optimizers: Sequence[OptimizerLike],
    *,
    seeds: int = 1,
    batch_size: int | None = 32,
    **arguments: Any,
) -> Run:
    """Train the same net with each optimizer, from the same weights on the same batches.

    Args:
        net: the net of every racer.
        data: what to train on.
        optimizers: the racers.
        seeds: how many times the race is run, each time from other weights in other batches.
        batch_size: rows a batch.
        **arguments: as for `train`.

    Example:
        >>> import slalom
        >>> from slalom import MLP, SGD, Adam
        >>> run = slalom.race(MLP(1, 20, 1), slalom.toys.quadratic(200), [SGD(0.01), Adam(0.01)],
        ...                   epochs=2)
        >>> len(run.population)
        2
    """
    population = grid(
        net=[net], optimizer=list(optimizers), seed=range(seeds), batch_size=batch_size
    )
    return train(population, data, **arguments)


def carry_out(
    plan: Plan,
    data: Dataset,
    *,
    engine: Engine | str = "auto",
    threads: int | None = None,
    device: DeviceLike | None = None,
    time_limit: float | None = None,
    progress: bool | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    watch: Watch | None = None,
    steer: Steer | None = None,
    begin: Snapshot | None = None,
    folder: RunFolder | None = None,
    checkpoint_every: float = EVERY,
    rewind_bytes: float = MEMORY,
    origin: str = "",
) -> Run:
    """Carry out a plan: see `train`, which makes one from arguments.

    Args:
        steer: called with the training; it is advanced to each step that this yields (None: to its
            end), so that one can look at it in between and say who goes on.
        watch: called with the training before it goes on, to listen to it.
        begin: where it is picked up; at the start when not given.
        folder: where the run is kept. It is picked up where it was kept last.
        origin: where it comes from, for a fork.
    """
    check_time_limit(time_limit)
    engine, note = select(engine, plan, data, threads, device)
    if engine.cold:
        announce(
            f"Compiling the {engine.name} engine, once on this machine: up to 20 seconds.", progress
        )
    with nullcontext() if folder is None else folder.held():
        began = time.perf_counter()
        begin = (folder.latest(plan, data) if folder else None) or begin
        training = Training(plan, data, engine) if begin is None else Training.resume(begin, engine)
        before = training.seconds
        keeper = None if folder is None else Keeper(folder, training, checkpoint_every)
        trail = Trail(training, rewind_bytes)
        with progress_bar(progress) as show, stopping(training, time_limit) as reasons:
            looks = [show, on_progress] if on_progress else [show]
            training.listeners.append(
                lambda happening: (
                    _show(happening, looks) if isinstance(happening, Progress) else None
                )
            )
            if watch is not None:
                watch(training)
            for step in steer(training) if steer else (None,):
                training.advance(until=step)
                if reasons:
                    break
        run = Run(
            plan=plan,
            dataset=data,
            state=training.state,
            engine=engine,
            records=training.records,
            seconds=before + time.perf_counter() - began,
            stopped_by=reasons[0] if reasons and not training.done else "",
            engine_note=note,
            folder=folder,
            moments=trail.moments,
            origin=origin,
        )
        if keeper is not None:
            keeper.end(run)
    if run.stopped_by == "terminate":  # which has waited until all was kept
        signal.raise_signal(signal.SIGTERM)
    return run


def _show(progress: Progress, looks: list[Callable[[Progress], None]]) -> None:
    for look in looks:
        look(progress)


def _default_frames(population: Population, data: Dataset) -> int:
    if not drawable(data) or len(population) > FRAMED_MEMBERS:
        return 0
    size = sum(sum(member.net.size) for member in population)
    return min(FRAMES, FRAME_NUMBERS // max(size, 1))


def _default_records(plan: Plan, data: Dataset, record: str | None) -> dict[str, Any]:
    """`record`, if it is not said, and `record_every` for a history of bearable length."""
    sizes, counts = np.unique(plan.population.columns().batch_size, return_counts=True)
    per_epoch = [steps_per_epoch(data.rows, int(size) or None) for size in sizes]
    steps = [plan.total_steps(n) for n in per_epoch]
    if record is None:
        record = "step" if _rows(steps, counts) <= STEPWISE_ROWS else "epoch"
    rows = (
        steps if record == "step" else [-(-s // n) for s, n in zip(steps, per_epoch, strict=True)]
    )
    if _rows(rows, counts) <= HISTORY_ROWS:
        return {"record": record}
    rows_a_member = max(1, HISTORY_ROWS // len(plan.population))
    # A row that is kept should be one that has a validation loss.
    unit = plan.validate_every if record == "epoch" else 1
    return {"record": record, "record_every": -(-max(rows) // (rows_a_member * unit)) * unit}


def _rows(rows: list[int], members: NDArray[np.int64]) -> int:
    return sum(n * int(count) for n, count in zip(rows, members, strict=True))


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}
