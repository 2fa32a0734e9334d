"""Forks: runs that go on from a step of another one, with other hyperparameters."""

from typing import Any

from slalom.runs import rewind
from slalom.runs.resume import RunLike, open_run
from slalom.runs.run import Run
from slalom.runs.store import Store, StoreLike
from slalom.runs.train import carry_out


def fork(
    run: RunLike,
    step: int,
    *,
    store: StoreLike | None = None,
    name: str | None = None,
    progress: bool | None = None,
    time_limit: float | None = None,
    **changes: Any,
) -> Run:
    """Go on from a step of a run with other hyperparameters, as a run of its own.

    Weights, what optimizers remember, and the order of batches are those of the origin.

    Args:
        run: the origin: a run, or its name or folder in a store.
        step: updates of each member since its start; see `Run.at`.
        store: where the origin is looked for, and where the fork is kept. One of a run that lies in
            no store is kept nowhere when this is not given.
        name: what the fork is called there.
        progress, time_limit: as for `slalom.train`.
        **changes: of all members, arguments of their optimizers (`lr`, `momentum`, ...),
            `schedule`, `clip_norm`; of the plan, `epochs`, `steps`, `patience`. With none of them,
            the fork equals its origin.

    Raises:
        BadPlan: when there is no such step, or an argument cannot be changed on the way.
        BadRun: when there is no such run.

    Example:
        >>> import slalom
        >>> run = slalom.train(slalom.MLP(1, 10, 1), slalom.toys.quadratic(100),
        ...                    optimizer=slalom.SGD(0.2), steps=50)
        >>> slow = slalom.fork(run, step=20, lr=0.01)
        >>> slow.origin, slow.history["step"].max()
        ('step 20', np.int64(50))
    """
    origin = run if isinstance(run, Run) else open_run(run, store)
    moment = rewind.forked(origin.at(step).snapshot(), changes)
    named = f"{origin.folder.name}, step {step}" if origin.folder else f"step {step}"
    folder, place = None, store or (origin.folder.path.parent if origin.folder else None)
    if place is not None:
        about = {"kind": "train", "origin": named, "engine": origin.engine.name}
        folder = Store.of(place).new(moment.plan, moment.dataset, name, about, like="fork")
        folder.stand_at(moment)
    return carry_out(
        moment.plan,
        moment.dataset,
        engine=origin.engine,
        begin=moment,
        folder=folder,
        origin=named,
        progress=progress,
        time_limit=time_limit,
    )
